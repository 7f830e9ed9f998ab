//! What lies in mailboxes: `mailbox list` and `mailbox inspect`.

use crate::support::{Program, Site, on_one_day, path, tools};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const MESSAGE: &str = "From: Anna <a@south.example>\nSubject: Lunch\n\nxyzzy-plugh-4711\n";

/// A site where bob has a retired and an active certificate, and mail of every kind.
struct Mixed {
    site: Site,
    maildir: PathBuf,
}

impl Mixed {
    fn new() -> Mixed {
        let (site, _) = Site::certified();
        let maildir = site.root().join("mail/north.example/bob/Maildir");
        folder(&maildir);
        Mixed { site, maildir }
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let file = self.maildir.join(name);
        std::fs::write(&file, bytes).unwrap();
        let date = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        std::fs::File::options().write(true).open(file).unwrap().set_modified(date).unwrap();
    }

    /// bob's certificates in files, the newest last.
    fn certificates(&self) -> Vec<PathBuf> {
        let listed = self.site.json("cert list --account bob@north.example");
        let listed = listed["certificates"].as_array().unwrap().clone();
        let write = |(at, one): (usize, &Value)| {
            self.site.write(&format!("bob{at}.pem"), one["pem"].as_str().unwrap())
        };
        listed.iter().enumerate().map(write).collect()
    }

    fn seal(&self, options: &[&str], certificates: &[&Path]) -> Vec<u8> {
        let named = certificates.iter().flat_map(|file| ["--cert", path(file)]);
        Program::sealpost().args(["seal"]).args(options.iter().copied()).args(named).input(MESSAGE).run().ok()
    }

    fn events(&self, options: &str) -> (i32, Vec<Value>) {
        let ended =
            self.site.program("mailbox inspect --account bob@north.example --json").words(options).run();
        let lines = ended.text();
        (ended.code.unwrap(), lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

fn folder(maildir: &Path) {
    ["new", "cur", "tmp"].iter().for_each(|part| std::fs::create_dir_all(maildir.join(part)).unwrap());
}

/// 3DES, to a certificate.
fn with_3des(certificate: &Path) -> Vec<u8> {
    let encrypt = Program::new("openssl").words("cms -encrypt -des3 -binary -outform SMIME");
    encrypt.args([path(certificate)]).input(MESSAGE).run().ok()
}

fn stranger(folder: &Path) -> PathBuf {
    let (key, file) = (folder.join("stranger.key"), folder.join("stranger.pem"));
    let make = "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=Stranger -addext keyUsage=keyEncipherment \
        -addext subjectAltName=email:s@east.example";
    Program::new("openssl").words(make).args(["-keyout", path(&key), "-out", path(&file)]).run().ok();
    file
}

/// A well-formed encrypted message and one that only begins like it.
const OPENPGP: &[u8] = include_bytes!("../../fixtures/odd-mail/openpgp.eml");
const NO_OPENPGP: &str = "-----BEGIN PGP MESSAGE-----\n\nwcBMA5EmpcHxdZSQAQgA\n-----END PGP MESSAGE-----\n";

/// Every kind of message: each is counted where it belongs, in text and in JSON.
#[test]
fn each_kind_is_told_apart() {
    if !tools(&["openssl"]) {
        return;
    }
    let bob = Mixed::new();
    bob.site.run("cert issue --account bob@north.example --renew").ok();
    let listed = bob.site.json("cert list --account bob@north.example")["certificates"].clone();
    let at = |state: &str| listed.as_array().unwrap().iter().position(|one| one["state"] == state).unwrap();
    let files = bob.certificates();
    let (old, new) = (files[at("retired")].clone(), files[at("active")].clone());
    let stranger = stranger(bob.site.folder());
    bob.put("cur/1000000001.clear:2,S", MESSAGE);
    bob.put("new/1000000002.active", bob.seal(&[], &[&new]));
    bob.put("new/1000000003.retired", bob.seal(&[], &[&old]));
    bob.put("new/1000000004.both", bob.seal(&[], &[&old, &new]));
    bob.put("new/1000000005.stranger", bob.seal(&[], &[&stranger]));
    bob.put("new/1000000006.weak", with_3des(&new));
    let broken = String::from_utf8(bob.seal(&[], &[&new])).unwrap();
    bob.put("new/1000000007.broken", broken.get(..broken.len() - 40).unwrap().trim_end());
    bob.put("new/1000000008.empty", "");
    bob.put("new/1000000009.pgp", OPENPGP);
    std::os::unix::fs::symlink(&old, bob.maildir.join("new/100000000A.link")).unwrap();
    let bytes: u64 = (1..=9).map(|at| size_of_message(&bob.maildir, at)).sum();
    let (code, mut events) = bob.events("");
    assert_eq!(code, 1, "one could not be looked at");
    let summary = events.pop().unwrap();
    let state = |event: &Value| event["state"].as_str().unwrap().to_owned();
    let states: Vec<String> = events.iter().map(state).collect();
    let sealed = "sealed sealed sealed sealed sealed";
    let expected = format!("clear {sealed} broken clear openpgp unreadable");
    assert_eq!(states, expected.split(' ').collect::<Vec<_>>());
    let wanted = json!({
        "event": "summary", "messages": 10, "bytes": bytes, "clear": 2, "signed": 0, "sealed": 5, "only_retired": 1,
        "also_retired": 1, "weak": 1, "to_nobody_here": 1, "post_quantum": 0, "openpgp": 1, "broken": 1,
        "unreadable": 1, "unlisted_mailboxes": 0,
    });
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(&summary[name], value, "{name}");
    }
    let to: Vec<_> = summary["to"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["holder"]["account"].as_str().unwrap(),
                row["holder"]["active"].as_bool().unwrap(),
                row["messages"].as_u64().unwrap(),
            )
        })
        .collect();
    let to: BTreeSet<_> = to.into_iter().collect();
    assert_eq!(to, BTreeSet::from([("bob@north.example", true, 3), ("bob@north.example", false, 2)]));
    assert_eq!(events[5]["weak"][0]["name"], "des-ede3-cbc");
    assert_eq!(events[4]["recipients"][0]["holders"], json!([]));
    assert!(events[9]["fault"].as_str().unwrap().starts_with("cannot open "), "{}", events[9]);
    let fields: BTreeSet<&str> = events[1].as_object().unwrap().keys().map(String::as_str).collect();
    let known = "event v account mailbox message date size state content recipients post_quantum weak flags from subject claim fault";
    assert_eq!(fields, known.split(' ').collect());
    let fields: BTreeSet<&str> = summary.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        wanted.as_object().unwrap().keys().map(String::as_str).chain(["v", "to", "leftovers"]).collect()
    );
    let only = bob.events("--summary").1;
    assert_eq!(only.len(), 1);
    let listed = bob.site.run("mailbox list --account bob@north.example --json");
    assert_eq!(listed.code, Some(1));
    assert_eq!(
        listed.stderr,
        "{\"error\":{\"code\":\"no\",\"hint\":\"see: sealpost mailbox inspect\",\"text\":\"1 message could not be read\"},\"v\":1}\n"
    );
    let listed: Value = serde_json::from_str(&listed.text()).unwrap();
    let row = json!({"account": "bob@north.example", "mailbox": "INBOX", "messages": 10, "sealed": 5, "clear": 2, "other": 3, "bytes": bytes});
    assert_eq!(listed["mailboxes"], json!([row]));
}

fn size_of_message(maildir: &Path, at: u64) -> u64 {
    let parts = ["new", "cur"].map(|part| maildir.join(part));
    let files = parts.iter().flat_map(|part| std::fs::read_dir(part).unwrap()).map(Result::unwrap);
    let named =
        |file: &std::fs::DirEntry| file.file_name().to_str().unwrap().starts_with(&format!("100000000{at}."));
    files.into_iter().find(named).unwrap().metadata().unwrap().len()
}

/// As a person reads it, once to the letter.
#[test]
fn a_person_reads_lines_and_what_they_come_to() {
    on_one_day();
    let bob = Mixed::new();
    bob.put("cur/1000000001.M1P1.mx:2,FSa", MESSAGE);
    bob.put("dovecot-keywords", "0 $Label1\n");
    bob.put("new/1000000002.M1P1.mx", bob.seal(&[], &[&bob.certificates()[0]]));
    bob.put(
        "new/1000000003.M1P1.mx",
        "Subject: \u{1b}[2J evil\nContent-Type: application/pkcs7-mime\n\nno CMS\n",
    );
    let archive = bob.maildir.join(".Entw&APw-rfe");
    folder(&archive);
    std::fs::write(archive.join("cur/1000000004.M1P1.mx:2,"), "x\n").unwrap();
    let ended = bob.site.run("mailbox inspect --account bob@north.example");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let text = ended.text();
    let certificate = bob.site.json("cert list --account bob@north.example")["certificates"][0].clone();
    let short = certificate["fingerprint"].as_str().unwrap()[..16].to_owned();
    let size = size_of_message(&bob.maildir, 2);
    let bytes = MESSAGE.len() as u64 + size + size_of_message(&bob.maildir, 3) + 2;
    let today = time::OffsetDateTime::now_utc().date().to_string();
    let shown = text.lines().filter(|line| !line.starts_with("1000000004")).collect::<Vec<_>>().join("\n");
    let columns = |[name, state, cipher, to, size, date, flags, from, subject]: [&str; 9]| {
        format!(
            "{name:<32}  {state:<10}  {cipher:<24}  {to:<52}  {size:>9}  {date:<16}  {flags:<24}  {from:<40}  {subject}"
        )
    };
    let heading =
        columns(["message", "state", "cipher", "sealed to", "size", "date", "flags", "from", "subject"]);
    let (date, anna, whom) =
        ("2023-11-14 22:13", "Anna <a@south.example>", format!("bob@north.example {short} active"));
    let expected = [
        "bob@north.example, INBOX".to_owned(),
        heading.clone(),
        columns([
            "1000000001.M1P1.mx",
            "clear",
            "-",
            "-",
            &MESSAGE.len().to_string(),
            date,
            r"\Flagged \Seen $Label1",
            anna,
            "Lunch",
        ]),
        columns([
            "1000000002.M1P1.mx",
            "sealed",
            "aes-256-cbc",
            &whom,
            &size.to_string(),
            date,
            "-",
            anna,
            "Lunch",
        ]),
        columns([
            "1000000003.M1P1.mx",
            "broken",
            "-",
            "-",
            "64",
            date,
            "-",
            "-",
            "! the CMS structure is broken: the body is no ContentInfo",
        ]),
        String::new(),
        "bob@north.example, Entwürfe".to_owned(),
        heading,
        String::new(),
        format!("messages       4, {bytes} bytes"),
        "in the clear   2".to_owned(),
        "sealed         1".to_owned(),
        "broken S/MIME  1".to_owned(),
        String::new(),
        "sealed to          certificate       since       state   messages".to_owned(),
        format!("bob@north.example  {short}  {today}  active         1"),
    ];
    assert_eq!(shown, expected.join("\n"));
    let listed = bob.site.run("mailbox list").ok();
    let first = MESSAGE.len() as u64 + size + size_of_message(&bob.maildir, 3);
    let listed = String::from_utf8(listed).unwrap();
    let words: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    let (first, bytes) = (first.to_string(), bytes.to_string());
    assert_eq!(words[0], ["account", "mailbox", "messages", "sealed", "clear", "other", "bytes"]);
    assert_eq!(words[1], ["bob@north.example", "INBOX", "3", "1", "1", "1", &first]);
    assert_eq!(words[2], ["bob@north.example", "Entwürfe", "1", "0", "1", "0", "2"]);
    assert_eq!(words[3], ["total", "4", "1", "2", "1", &bytes]);
    let one = bob.events("--mailbox Entwürfe").1;
    assert_eq!((one[0]["mailbox"].as_str(), one.len()), (Some("Entwürfe"), 2));
}

/// PGP is told by its structure, signed mail counts as clear, and what says that it is sealed is believed by nobody.
#[test]
fn no_label_is_believed() {
    let bob = Mixed::new();
    let claim = "Sealpost-Sealed: v=1; at=2026-11-01T12:00:00Z; state=clear; eol=lf\n";
    bob.put("new/1000000001.claims", format!("{claim}{MESSAGE}"));
    bob.put("new/1000000002.labelled", "Content-Type: multipart/encrypted; boundary=x\n\n--x\n\ny\n--x--\n");
    bob.put("new/1000000003.pgp", format!("Subject: x\n\n{NO_OPENPGP}"));
    bob.put("new/1000000004.mbox", [b"From x\n", &bob.seal(&[], &[&bob.certificates()[0]])[..]].concat());
    let (code, events) = bob.events("");
    assert_eq!(code, 0);
    let states: Vec<&str> = events.iter().filter_map(|event| event["state"].as_str()).collect();
    assert_eq!(
        states,
        ["clear", "clear", "clear", "clear"],
        "a broken armor is no message, and a line in front of one is clear"
    );
    assert_eq!(events[0]["claim"]["vouched_for"], false);
    assert_eq!(events[0]["claim"]["at"], "2026-11-01T12:00:00Z");
}

/// Several accounts, one without mail; a domain; nobody there.
#[test]
fn accounts_of_a_domain_are_looked_at_together() {
    let bob = Mixed::new();
    bob.site.run("account add eve@north.example").ok();
    bob.put("new/1000000001.x", MESSAGE);
    folder(&bob.site.root().join("mail/north.example/eve/Maildir"));
    std::fs::write(bob.site.root().join("mail/north.example/eve/Maildir/new/1000000002.y"), MESSAGE).unwrap();
    for whose in ["--domain north.example", "--all-accounts"] {
        let text = bob.site.program("mailbox inspect --summary").words(whose).run().ok();
        assert!(String::from_utf8(text).unwrap().starts_with("messages      2, "), "{whose}");
    }
    let refused = bob.site.refused("mailbox inspect --account zed@north.example");
    assert_eq!(refused.0, 66);
    assert_eq!(bob.site.refused("mailbox inspect").0, 64, "whose?");
}

fn words_of(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Of two domains and three accounts: those that are meant, and no others.
#[test]
fn list_shows_those_that_are_meant() {
    let bob = Mixed::new();
    bob.site.run("domain add south.example").ok();
    for (local, domain) in [("anna", "north.example"), ("zoe", "south.example")] {
        bob.site.run(&format!("account add {local}@{domain}")).ok();
        let maildir = bob.site.root().join(format!("mail/{domain}/{local}/Maildir"));
        folder(&maildir);
        std::fs::write(maildir.join("new/1000000001.x"), MESSAGE).unwrap();
    }
    bob.put("new/1000000001.x", MESSAGE);
    bob.put("new/1000000002.x", MESSAGE);
    let listed = |whose: &str| {
        let text = String::from_utf8(bob.site.run(&format!("mailbox list {whose}")).ok()).unwrap();
        let rows = text.lines().skip(1).map(|row| words_of(row)[..3].join(" "));
        rows.collect::<Vec<_>>()
    };
    let [anna, both, zoe] =
        ["anna@north.example INBOX 1", "bob@north.example INBOX 2", "zoe@south.example INBOX 1"];
    assert_eq!(listed("--account bob@north.example"), [both]);
    assert_eq!(listed("--account robert@north.example"), [both], "an alias");
    assert_eq!(listed("--domain north.example"), [anna, both, "total 3 0"]);
    assert_eq!(listed("--domain south.example"), [zoe]);
    assert_eq!(listed("--all-accounts"), [anna, both, zoe, "total 4 0"]);
    assert_eq!(listed(""), listed("--all-accounts"));
    let json = bob.site.json("mailbox list --account bob@north.example");
    assert_eq!((json["mailboxes"].as_array().unwrap().len(), &json["total"]["messages"]), (1, &json!(2)));
    for (whose, code) in [("--account eve@north.example", 66), ("--domain west.example", 66)] {
        assert_eq!(bob.site.refused(&format!("mailbox list {whose}")).0, code, "{whose}");
    }
}

#[test]
fn post_quantum_and_signed_messages_are_told() {
    let bob = Mixed::new();
    let password = bob.site.folder().join("password");
    bob.site.run("account set bob@north.example --profile post-quantum").ok();
    let generate = "key generate --account bob@north.example --type ml-kem-768 --password-file";
    bob.site.program(generate).args([path(&password)]).run().ok();
    let old =
        bob.site.json("cert list --account bob@north.example")["certificates"][0]["fingerprint"].clone();
    bob.site.run("cert issue --account bob@north.example --renew").ok();
    let retire = "cert retire --account bob@north.example --fingerprint";
    bob.site.program(retire).args([old.as_str().unwrap()]).run().ok();
    bob.put("new/1000000001.x", MESSAGE);
    bob.site.run("mailbox encrypt --account bob@north.example --all").ok();
    bob.put("new/1000000002.x", include_bytes!("../../fixtures/mail/07-signed.eml"));
    bob.put("new/1000000003.x", MESSAGE);
    let (code, events) = bob.events("");
    assert_eq!(code, 0);
    let told: Vec<_> = events.iter().map(|event| (&event["state"], &event["post_quantum"])).collect();
    let of = |event: &Value| (event["state"].clone(), event["post_quantum"].clone());
    assert_eq!(of(&events[0]), (json!("sealed"), json!(true)), "{told:?}");
    assert_eq!((&events[1]["state"], &events[2]["state"]), (&json!("signed"), &json!("clear")), "{told:?}");
    let summary = events.last().unwrap();
    for (name, number) in [("messages", 3), ("sealed", 1), ("post_quantum", 1), ("clear", 2), ("signed", 1)] {
        assert_eq!(summary[name], number, "{name}");
    }
    let text = bob.site.run("mailbox inspect --account bob@north.example --summary").text();
    let lines: Vec<String> = text.lines().map(|line| words_of(line).join(" ")).collect();
    assert_eq!(lines[1..4], ["in the clear 2, 1 of them signed", "sealed 1", "post-quantum 1"], "{text}");
}

/// More than are read at a time, from both folders.
#[test]
fn many_messages_come_in_order_and_once() {
    let bob = Mixed::new();
    let sealed = bob.seal(&[], &[&bob.certificates()[0]]);
    for at in 0..1_500 {
        let part = if at % 2 == 0 { "new" } else { "cur" };
        let letters = if at % 2 == 0 { "" } else { ":2,S" };
        std::fs::write(bob.maildir.join(format!("{part}/{}.x{letters}", 1_000_000_000 + at)), &sealed)
            .unwrap();
    }
    let (code, events) = bob.events("");
    assert_eq!((code, events.len()), (0, 1_501));
    let names: Vec<&str> = events.iter().filter_map(|event| event["message"].as_str()).collect();
    assert!(names.is_sorted());
    assert_eq!(events[1_500]["sealed"], 1_500);
    assert_eq!(events[1_500]["to"][0]["messages"], 1_500);
}

/// What is sealed for recovery and to a domain's key is known as that; recovery does not make a retired key good.
#[test]
fn domains_are_holders_too() {
    if !tools(&["openssl"]) {
        return;
    }
    let bob = Mixed::new();
    let recovery = stranger(bob.site.folder());
    let given = bob.site.program("recovery set --domain north.example --file").args([path(&recovery)]).run();
    assert_eq!(given.code, Some(0), "{}", given.stderr);
    let certificate = bob.certificates().remove(0);
    bob.put("new/1000000001.x", bob.seal(&[], &[&certificate, &recovery]));
    let before = bob.events("").1;
    assert_eq!((&before[1]["only_retired"], &before[1]["also_retired"]), (&json!(0), &json!(0)));
    let roles = before[1]["to"].as_array().unwrap().iter().map(|row| row["holder"]["as"].clone());
    assert_eq!(roles.collect::<Vec<_>>(), ["account", "recovery"]);
    bob.site.run("cert retire --account bob@north.example").ok();
    let after = bob.events("").1;
    assert_eq!(after[1]["only_retired"], 1, "the key for recovery is no key of bob's");
    let text = bob.site.run("mailbox inspect --account bob@north.example").text();
    assert!(text.contains(" retired +1 "), "{text}");
    assert!(text.contains("\n  only on retired or revoked keys  1\n"), "{text}");
}

/// A folder that cannot be listed keeps nobody from looking at the others.
#[test]
fn a_mailbox_that_cannot_be_listed_is_told() {
    let bob = Mixed::new();
    bob.put("new/1000000001.x", MESSAGE);
    let broken = bob.maildir.join(".Archive");
    std::fs::create_dir(&broken).unwrap();
    std::os::unix::fs::symlink(broken.join("new"), broken.join("new")).unwrap();
    let ended = bob.site.run("mailbox inspect --all-accounts --summary");
    assert_eq!(ended.code, Some(1));
    assert!(ended.text().starts_with("messages              1, 62 bytes\n"), "{}", ended.text());
    let told = format!(
        "sealpost: warning: Archive of bob@north.example: cannot list {}: Too many levels of symbolic links\n\
         sealpost: 1 mailbox could not be looked at\n",
        path(&broken.join("new"))
    );
    assert_eq!(ended.stderr, told);
    let listed = bob.site.run("mailbox list");
    assert_eq!(listed.code, Some(1));
    let rows: Vec<Vec<&str>> = listed
        .stdout
        .split(|octet| *octet == b'\n')
        .map(|row| words_of(std::str::from_utf8(row).unwrap()))
        .collect();
    assert_eq!(rows[1][1..6], ["INBOX", "1", "0", "1", "0"], "{rows:?}");
    let looped = broken.join("new");
    let told = format!(
        "sealpost: cannot list {}: Too many levels of symbolic links\n  see: sealpost mailbox inspect\n",
        path(&looped)
    );
    assert_eq!(listed.stderr, told);
}

/// What Dovecot cached before a message was replaced may hold its words: whoever looks is told what drops it.
#[test]
fn caches_that_are_older_than_a_replacement_are_told() {
    let bob = Mixed::new();
    bob.put("dovecot.index.cache", "x");
    bob.put("cur/1000000001.M1P1.mx:2,S", MESSAGE);
    let quiet = bob.site.run("mailbox inspect --account bob@north.example");
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""), "nothing was replaced");
    std::thread::sleep(std::time::Duration::from_millis(20));
    let replaced = "cur/1000000002.M1P1Q1R00000000000000bbX00000000000000aa.mx,S=1,W=1:2,S";
    bob.put(replaced, bob.seal(&[], &[&bob.certificates()[0]]));
    let ended = bob.site.run("mailbox inspect --account bob@north.example --summary");
    assert_eq!(ended.code, Some(0), "a warning is no failure");
    assert!(
        ended.stderr.contains("warning: Dovecot may still hold words of messages that were replaced"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("doveadm "), "{}", ended.stderr);
    let summary = bob.events("").1.pop().unwrap();
    assert_eq!(summary["leftovers"]["found"].as_array().unwrap().len(), 1, "{summary}");
}

/// What was taken back is no active key, and what names nothing else is for a rekey; a hold can be lifted.
#[test]
fn a_certificate_that_was_taken_back_is_not_active() {
    let bob = Mixed::new();
    bob.put("new/1000000001.x", bob.seal(&[], &[&bob.certificates()[0]]));
    for (reason, state) in [("certificate-hold", "hold"), ("key-compromise", "revoked")] {
        bob.site.run(&format!("cert revoke --account bob@north.example --reason {reason}")).ok();
        let events = bob.events("").1;
        let holder = &events[0]["recipients"][0]["holders"][0];
        assert_eq!((&holder["state"], &holder["active"]), (&json!(state), &json!(false)));
        assert_eq!((&events[1]["only_retired"], &events[1]["to"][0]["holder"]), (&json!(1), holder));
        let text = bob.site.run("mailbox inspect --account bob@north.example").text();
        assert!(text.contains("\n  only on retired or revoked keys  1\n"), "{text}");
        let shown = text
            .lines()
            .filter(|line| line.contains("bob@north.example ") && line.contains(&format!(" {state} ")));
        assert_eq!(shown.count(), 2, "{text}");
    }
}
