//! `Copy Attachments into` through the hook, and OpenSSL opens the files.

use crate::support::{Program, Store, path, tools};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const RULE: &str =
    "[[rule]]\nname = \"r\"\npriority = 5\nwhen = []\nthen = [[\"Copy Attachments into\", \"In/Deep\"]]\n";

/// Octets of every value, more than a line of base64, with what looks like line ends.
fn content() -> Vec<u8> {
    (0..2000_u32).flat_map(|number| [(number % 256) as u8, b'\n', b'\r', (number / 7) as u8]).collect()
}

const MAKER: &str = "import sys, email.message
message = email.message.EmailMessage()
message['From'], message['Subject'] = 'Anna <anna@south.example>', 'files'
message.set_content('The text.')
for name in ('Größe 台北.bin', '../../evil.sh', 'Größe 台北.bin'):
    message.add_attachment(sys.stdin.buffer.read() if False else DATA, maintype='application', subtype='octet-stream', filename=name)
sys.stdout.buffer.write(bytes(message))";

fn mail() -> Vec<u8> {
    let data = content().iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let script = MAKER.replace("sys.stdin.buffer.read() if False else DATA", &format!("b'{data}'"));
    Program::new("python3").args(["-c", &script]).run().ok()
}

fn files(store: &Store) -> PathBuf {
    store.root().join("files/north.example/bob")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What a mail program finds inside: name and content of the one attachment.
const READER: &str = "import sys, email, email.policy
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
sys.stdout.buffer.write(message.get_payload(decode=True))";

#[test]
fn files_are_sealed_and_openssl_opens_them() {
    if !tools(&["openssl", "python3"]) {
        return;
    }
    let store = Store::new();
    store.rules(RULE);
    store.deliver(&mail()).ok();
    let folder = files(&store).join("In/Deep");
    assert_eq!(names(&folder), ["Größe 台北-2.bin.eml", "Größe 台北.bin.eml", "evil.sh.eml"]);
    for name in names(&folder) {
        let sealed = std::fs::read(folder.join(&name)).unwrap();
        let opened = store.open(&sealed);
        assert!(opened.starts_with(b"From: Anna <anna@south.example>\r\nSubject: "), "{name}");
        assert!(Program::new("python3").args(["-c", READER]).input(opened).run().ok() == content(), "{name}");
        assert_eq!(folder.join(&name).metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(names(&files(&store).join(".tmp")), [""; 0]);
    assert!(!store.holds(&content()[..64]), "nothing is in the clear");
    assert_eq!(store.inbox().len(), 1);
    store.deliver(&mail()).ok();
    assert_eq!(names(&folder).len(), 6, "nothing is overwritten");
}

#[test]
fn an_account_that_consents_gets_plain_files() {
    if !tools(&["openssl", "python3"]) {
        return;
    }
    let store = Store::new();
    store.rules(RULE);
    let elsewhere = store.file("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let config = format!("files-root = \"{}/{{domain}}/{{local}}\"\n", path(&elsewhere));
    std::fs::write(store.root().join("sealpost.toml"), config).unwrap();
    store.command("account set bob@north.example --attachments plain").run().ok();
    assert_eq!(store.json("account show bob@north.example")["attachments"], "plain");
    store.deliver(&mail()).ok();
    let folder = elsewhere.join("north.example/bob/In/Deep");
    assert_eq!(names(&folder), ["Größe 台北-2.bin", "Größe 台北.bin", "evil.sh"]);
    assert!(std::fs::read(folder.join("evil.sh")).unwrap() == content());
    let doctor = store.command("doctor").run().text();
    let said = "bob@north.example says attachments = plain: copied attachments are stored in the clear";
    assert!(doctor.contains(said), "{doctor}");
}

#[test]
fn the_domain_consents_for_its_accounts_and_is_told_by_doctor() {
    let store = Store::new();
    store.rules(RULE);
    let shown = store.command("domain set north.example --attachments plain").run();
    assert!(shown.text().contains("attachments"), "{}", shown.text());
    let mail = b"Content-Type: text/csv; name=a.csv\n\na;b\n";
    store.deliver(mail).ok();
    assert_eq!(std::fs::read(files(&store).join("In/Deep/a.csv")).unwrap(), b"a;b\n");
    let doctor = store.command("doctor").run().text();
    assert!(doctor.contains("north.example says attachments = plain"), "{doctor}");
}

#[test]
fn explain_lists_the_files_and_makes_none() {
    let store = Store::new();
    store.rules(RULE);
    let mail = b"Content-Type: text/csv; name=a.csv\n\na;b\n";
    let explained = store.command("rules explain --recipient bob@north.example").input(mail).run();
    assert!(
        explained.text().contains("files of bob@north.example: In/Deep/a.csv.eml"),
        "{}",
        explained.text()
    );
    assert!(!files(&store).exists());
    store.deliver(mail).ok();
    let explained = store.command("rules explain --recipient bob@north.example").input(mail).run();
    assert!(explained.text().contains(": In/Deep/a-2.csv.eml"), "one is there: {}", explained.text());
}

#[test]
fn no_log_holds_the_name_of_a_file() {
    let store = Store::new();
    store.rules(RULE);
    let log = store.file("log");
    let config = format!("log = \"{}\"\nlog-level = \"debug\"\n", path(&log));
    std::fs::write(store.root().join("sealpost.toml"), config).unwrap();
    store.deliver(b"Content-Type: text/csv; name=xyzzy.csv\n\na;b\n").ok();
    assert!(files(&store).join("In/Deep/xyzzy.csv.eml").exists());
    let told = std::fs::read_to_string(&log).unwrap();
    assert!(told.contains("files=In/Deep") && !told.contains("xyzzy"), "{told}");
    assert!(told.contains("mailbox=INBOX") && !told.contains("mailbox=In/"), "{told}");
}
