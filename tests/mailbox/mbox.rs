//! Import and export: an mbox into a mailbox, sealed, and out of it again.

mod options;

use crate::support::{Ended, Program, Site, path, tools};
use sealpost::crypto::MarkKey;
use sealpost::mail::{Address, MailboxName};
use sealpost::mailbox::{Import, Made, Read, Work};
use sealpost::store::MaildirStore;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;

const MBOX: &str = "From carol@far.example Thu Nov 26 03:41:02 2026
From: carol@far.example
Subject: one
Status: RO
X-Status: F
X-Keywords: Work

The first secret.
>From here on it is quoted.

From dave@far.example Wed, 25 Nov 2026 04:41:02 +0100
Subject: two

The second secret.

From here on nothing is quoted, and no date is in the line.

From - Tue Nov 24 03:41:02 2026
Subject: three

The third secret.

";

/// The messages in it.
const MESSAGES: [&str; 3] = [
    "From: carol@far.example\nSubject: one\nStatus: RO\nX-Status: F\nX-Keywords: Work\n\nThe first secret.\nFrom here on it is quoted.\n",
    "Subject: two\n\nThe second secret.\n\nFrom here on nothing is quoted, and no date is in the line.\n",
    "Subject: three\n\nThe third secret.\n",
];

/// A store with bob, who has a key in the vault.
struct Desk {
    site: Site,
    password: PathBuf,
}

impl Desk {
    fn new() -> Desk {
        let (site, password) = Site::certified();
        Desk { site, password }
    }

    fn mailbox(&self, words: &str) -> Program {
        let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
        self.site.program("mailbox").words(verb).words("--account bob@north.example").words(rest)
    }

    fn import(&self, words: &str, mbox: &[u8]) -> Ended {
        self.mailbox("import").words(words).args(["-"]).input(mbox).run()
    }

    /// Opened.
    fn export(&self, words: &str) -> Vec<u8> {
        let password = ["--password-file", path(&self.password)];
        self.mailbox("export").words(words).args(password).run().ok()
    }

    fn maildir(&self) -> PathBuf {
        self.site.root().join("mail/north.example/bob/Maildir")
    }

    /// The messages of a folder, `""` for INBOX, oldest name first.
    fn lying(&self, folder: &str) -> Vec<PathBuf> {
        let folder = self.maildir().join(folder);
        let parts = ["new", "cur"].map(|part| folder.join(part));
        let mut files: Vec<PathBuf> = parts.iter().flat_map(|part| files_in(part)).collect();
        files.sort_by_key(|file| file.file_name().unwrap().to_owned());
        files
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
}

/// Is it anywhere below the folder?
fn holds(folder: &Path, clear: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| match path.is_dir() {
        true => holds(&path, clear),
        false => std::fs::read(&path).unwrap().windows(clear.len()).any(|part| part == clear),
    })
}

fn number(ended: &Ended, label: &str) -> u64 {
    let found = super::verbs::number(ended, label);
    found.unwrap_or_else(|| panic!("no {label} in {} {}", ended.text(), ended.stderr))
}

/// Ctrl-C: how it ends, and what it says.
fn interrupted(child: Child) -> (Option<i32>, String) {
    let id = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn events(ended: &Ended) -> Vec<serde_json::Value> {
    super::verbs::events(ended)
}

/// Messages of an mbox that we wrote, without what stands in front of them.
fn cut(mbox: &[u8]) -> Vec<Vec<u8>> {
    use sealpost::mail::mbox::{Splitter, Variant};
    let mut splitter = Splitter::new(Variant::Rd, usize::MAX);
    splitter.push(mbox);
    splitter.end();
    let mut found = Vec::new();
    while let Some(entry) = splitter.next_entry().unwrap() {
        found.push(entry.content.unwrap().message.to_vec());
    }
    found
}

#[test]
fn each_message_is_sealed_and_keeps_date_and_flags() {
    let desk = Desk::new();
    let ended = desk.import("--mailbox Archive/2026", MBOX.as_bytes());
    assert_eq!(number(&ended, "imported"), 3);
    ended.ok();
    let files = desk.lying(".Archive.2026");
    let dates: Vec<i64> = files.iter().map(|file| file.metadata().unwrap().mtime()).collect();
    assert_eq!(dates, [1_795_664_462, 1_795_578_062, 1_795_491_662], "in the order of the file");
    let places: Vec<String> = files
        .iter()
        .map(|file| {
            let part = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
            let letters = path(file).rsplit_once(":2,").map_or("", |(_, letters)| letters);
            format!("{part} {letters}")
        })
        .collect();
    assert_eq!(places, ["cur FSa", "new ", "new "]);
    assert_eq!(
        std::fs::read_to_string(desk.maildir().join(".Archive.2026/dovecot-keywords")).unwrap(),
        "0 Work\n"
    );
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        assert!(bytes.windows(15).any(|part| part == b"Sealpost-Sealed"));
        let name = path(file);
        assert!(name.contains(&format!(",S={},W=", bytes.len())), "{name}");
    }
    assert!(!holds(&desk.site.root(), b"secret"), "in the clear");
    assert_eq!(cut(&desk.export("--mailbox Archive/2026")), MESSAGES.map(|text| text.as_bytes().to_vec()));
}

#[test]
fn what_is_there_is_not_imported_twice() {
    let desk = Desk::new();
    let mbox = format!("{MBOX}{MBOX}");
    desk.import("", MBOX.as_bytes()).ok();
    let again = desk.import("", mbox.as_bytes());
    assert_eq!(
        (number(&again, "imported"), number(&again, "there already")),
        (3, 3),
        "each is twice in the file"
    );
    let again = desk.import("", mbox.as_bytes());
    assert_eq!((number(&again, "imported"), number(&again, "there already")), (0, 6));
    again.ok();
    assert_eq!(desk.lying("").len(), 6);
    // Flags that are set meanwhile change names, and the messages are known all the same.
    let file = &desk.lying("")[0];
    std::fs::rename(file, format!("{}T", path(file).replace("/new/", "/cur/"))).unwrap();
    assert_eq!(number(&desk.import("", mbox.as_bytes()), "there already"), 6);
    // Another mailbox is another place.
    assert_eq!(number(&desk.import("--mailbox Other", MBOX.as_bytes()), "imported"), 3);
}

/// A run gives a message a new name, which carries what an import knows it by.
#[test]
fn what_a_run_replaced_is_not_imported_again() {
    let desk = Desk::new();
    desk.import("", MBOX.as_bytes()).ok();
    let password = path(&desk.password).to_owned();
    let assert_known = |after: &str| {
        let again = desk.import("", MBOX.as_bytes());
        assert_eq!((number(&again, "imported"), number(&again, "there already")), (0, 3), "after {after}");
        assert_eq!(desk.lying("").len(), 3);
    };
    let generate = "key generate --account bob@north.example --type ec-p256 --password-file";
    desk.site.program(generate).args([&password]).run().ok();
    let certificates = desk.site.json("cert show --account bob@north.example");
    let old = certificates["certificates"][0]["fingerprint"].as_str().unwrap().to_owned();
    desk.site.run("cert issue --account bob@north.example --renew").ok();
    desk.site.run(&format!("cert retire --account bob@north.example --fingerprint {old}")).ok();
    let rekeyed = desk.mailbox("rekey --all --password-file").args([&password]).run();
    assert_eq!(number(&rekeyed, "rekeyed now"), 3);
    assert_known("rekey");
    let decrypted = desk.mailbox("decrypt --all --password-file").args([&password]).run();
    assert_eq!(number(&decrypted, "decrypted now"), 3);
    assert_known("decrypt");
    assert_eq!(number(&desk.mailbox("encrypt --all").run(), "sealed now"), 3);
    assert_known("encrypt");
}

/// A cache that is older than the mail holds nothing of it, unless a run replaces that mail.
#[test]
fn what_was_imported_is_not_taken_for_replaced() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.maildir()).unwrap();
    std::fs::write(desk.maildir().join("dovecot.index.cache"), "Subject").unwrap();
    desk.import("", MBOX.as_bytes()).ok();
    let said = || desk.mailbox("inspect --summary").run().stderr;
    assert_eq!(said(), "");
    desk.mailbox("decrypt --all --password-file").args([path(&desk.password)]).run().ok();
    assert!(said().contains("doveadm mailbox cache purge"), "{}", said());
}

/// Nobody who sees the names of files can try what is in the messages: the numbers in them need the site's key.
#[test]
fn names_tell_nothing_without_the_key_of_the_site() {
    let marks = |desk: &Desk| {
        desk.import("", MBOX.as_bytes()).ok();
        let mark = |file: &PathBuf| path(file).split_once(".I").unwrap().1[..16].to_owned();
        desk.lying("").iter().map(mark).collect::<Vec<String>>()
    };
    let (one, other) = (marks(&Desk::new()), marks(&Desk::new()));
    assert_eq!(one.len(), 3);
    assert!(one.iter().all(|mark| !other.contains(mark)));
}

#[test]
fn out_and_in_again_gives_the_same_mailbox() {
    let desk = Desk::new();
    let odd: [&[u8]; 7] = [
        b"Subject: crlf\r\n\r\nFrom me\r\n>From you\r\n",
        b"Subject: no end",
        b"\n\nno header\n\n\n",
        b"Subject: nul\n\n\0\x01\xff\n",
        b"From carol Mon Jan  1 00:00:00 2020\nSubject: a From line\n\nx\n",
        b"Status: RO\nSealpost-Mbox: v=1\nSubject: like ours\n\nx\n",
        b"",
    ];
    let mut mbox = Vec::new();
    for (day, message) in odd.iter().enumerate() {
        let date = time::OffsetDateTime::from_unix_timestamp(1_700_000_000 + day as i64).unwrap();
        let flags = vec![sealpost::mail::Flag::Seen, sealpost::mail::Flag::Keyword(format!("k{day}"))];
        let keeping = match day % 3 {
            0 => sealpost::mail::mbox::Keeping::default(),
            1 => sealpost::mail::mbox::Keeping { flags: Vec::new(), noticed: true },
            _ => sealpost::mail::mbox::Keeping { flags, noticed: true },
        };
        sealpost::mail::mbox::write(message, (date, &keeping), &mut |piece| {
            mbox.extend_from_slice(piece);
            Ok::<(), ()>(())
        })
        .unwrap();
    }
    desk.import("--mailbox One", &mbox).ok();
    let out = desk.export("--mailbox One");
    assert!(out == mbox, "{}", String::from_utf8_lossy(&out));
    // Sealed messages come out sealed without a key, and are imported as they are.
    let sealed = desk.mailbox("export --mailbox One").run().ok();
    desk.import("--mailbox Two", &sealed).ok();
    let content = |folder: &str| -> BTreeMap<i64, Vec<u8>> {
        let entry = |file: &PathBuf| (file.metadata().unwrap().mtime(), std::fs::read(file).unwrap());
        desk.lying(folder).iter().map(entry).collect()
    };
    assert_eq!(content(".One"), content(".Two"));
    assert!(desk.export("--mailbox Two") == mbox);
}

#[test]
fn a_dry_run_changes_nothing() {
    let desk = Desk::new();
    let ended = desk.import("--dry-run --mailbox Later", MBOX.as_bytes());
    assert_eq!(number(&ended, "would be imported"), 3);
    ended.ok();
    assert!(!desk.maildir().exists() && !desk.site.root().join("queue.key").exists());
}

#[test]
fn flags_are_added_on_wish() {
    let desk = Desk::new();
    desk.import("--seen --flag Old --format mboxo", MBOX.as_bytes()).ok();
    let letters: Vec<String> =
        desk.lying("").iter().map(|file| path(file).rsplit_once(":2,").unwrap().1.to_owned()).collect();
    assert_eq!(letters, ["FSab", "Sb", "Sb"]);
}

#[test]
fn what_is_no_mbox_is_refused_whole() {
    let desk = Desk::new();
    for bytes in [&b"Subject: a letter\n\nx\n"[..], b"\x1f\x8b\x08\0", b"From me\n\nx\n"] {
        let ended = desk.import("", bytes);
        assert_eq!(ended.code, Some(65), "{}", ended.stderr);
        assert_eq!(
            ended.stderr,
            "sealpost: standard input: this is no mbox: it does not begin with a line \"From SENDER DATE\"\n  \
             nothing was imported; a single message is given to sealpost deliver\n"
        );
    }
    assert_eq!(desk.lying("").len(), 0);
    let empty = desk.import("", b"");
    assert_eq!(number(&empty, "imported"), 0);
    empty.ok();
}

#[test]
fn a_message_that_is_too_large_fails_alone() {
    let desk = Desk::new();
    std::fs::write(desk.site.root().join("sealpost.toml"), "max-message = \"100K\"\n").unwrap();
    let mut mbox = b"From - Tue Nov 24 03:41:02 2026\nSubject: large\n\n".to_vec();
    mbox.extend(std::iter::repeat_n(b'x', 64 << 20));
    mbox.extend_from_slice(b"\n\n");
    mbox.extend_from_slice(MBOX.as_bytes());
    let ended = desk.import("", &mbox);
    assert!(ended.peak_memory < 80 << 20, "{}", ended.peak_memory);
    assert_eq!((number(&ended, "imported"), number(&ended, "failed")), (3, 1));
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.stderr,
        "sealpost: message 1, at byte 0: the message has 67108881 octets, and the most is 102400\n\
         sealpost: 1 message failed\n"
    );
    assert_eq!(desk.lying("").len(), 3);
}

#[test]
fn a_full_quota_stops_it_before_anything_is_written() {
    let desk = Desk::new();
    desk.import("", &MBOX.as_bytes()[..MBOX.find("From dave").unwrap()]).ok();
    let size = desk.lying("")[0].metadata().unwrap().len();
    std::fs::write(desk.maildir().join("maildirsize"), format!("{}S\n", size * 5 / 2)).unwrap();
    let ended = desk.import("", MBOX.as_bytes());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!((number(&ended, "imported"), number(&ended, "there already")), (1, 1));
    assert!(ended.stderr.contains("make room; the same command goes on from there"), "{}", ended.stderr);
    assert_eq!((desk.lying("").len(), files_in(&desk.maildir().join("tmp")).len()), (2, 0));
    std::fs::remove_file(desk.maildir().join("maildirsize")).unwrap();
    let ended = desk.import("", MBOX.as_bytes());
    assert_eq!((number(&ended, "imported"), number(&ended, "there already")), (1, 2));
    ended.ok();
}

#[test]
fn events_tell_of_each_message() {
    let desk = Desk::new();
    let told = events(&desk.import("--json", MBOX.as_bytes()));
    assert_eq!(told.len(), 4);
    assert_eq!(told[1]["offset"], MBOX.find("From dave").unwrap());
    assert_eq!((told[1]["outcome"].as_str(), told[1]["number"].as_u64()), (Some("imported"), Some(2)));
    assert_eq!((told[3]["event"].as_str(), told[3]["imported"].as_u64()), (Some("summary"), Some(3)));
    let out = desk.site.folder().join("out");
    let exported = events(&desk.mailbox("export --json --output").args([path(&out)]).run());
    assert_eq!((exported.len(), exported[0]["exported"].as_u64()), (1, Some(3)));
    let fields = |value: &serde_json::Value| {
        value.as_object().unwrap().keys().cloned().collect::<Vec<String>>().join(" ")
    };
    assert_eq!(fields(&told[0]), "bytes event left notes number offset outcome reason v");
    assert_eq!(
        fields(&told[3]),
        "account bytes dry_run event failed imported mailbox noted operation there_already v whole"
    );
    assert_eq!(fields(&exported[0]), "account exported failed gone mailbox not_opened noted opened output v");
}

/// Ctrl-C ends it after the messages in hand, and the same command goes on.
#[test]
fn an_interrupted_import_says_so_and_goes_on() {
    let desk = Desk::new();
    let mbox: String = (0..900)
        .map(|number| format!("From - Tue Nov 24 03:41:02 2026\nSubject: {number}\n\nbody\n\n"))
        .collect();
    let file = desk.site.write("mbox", &mbox);
    let child = Command::new(env!("CARGO_BIN_EXE_sealpost"))
        .args(["--root", path(&desk.site.root()), "mailbox", "import", "--account", "bob@north.example"])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    crate::support::wait_for("the first messages", 60, || (!desk.lying("").is_empty()).then_some(()));
    let told = (Some(75), "sealpost: stopped; the same command goes on where it was\n".to_owned());
    assert_eq!(interrupted(child), told);
    let there = desk.lying("").len() as u64;
    assert!(there < 900);
    let again = desk.mailbox("import").args([path(&file)]).run();
    assert_eq!((number(&again, "imported"), number(&again, "there already")), (900 - there, there));
}

/// Killed again and again, and started again: in the end each message is there once, and each is whole.
#[test]
fn a_killed_import_goes_on_and_doubles_nothing() {
    if !tools(&["strace"]) {
        return;
    }
    const NUMBER: usize = 1200;
    let desk = Desk::new();
    let mbox: String = (0..NUMBER)
        .map(|number| {
            format!("From - Tue Nov 24 03:41:02 2026\nSubject: {number}\n\nbody {}\n\n", number / 2)
        })
        .collect();
    let file = desk.site.write("mbox", &mbox);
    let root = desk.site.root();
    let import = ["mailbox", "import", "--account", "bob@north.example", path(&file)];
    // While files are written; when the first becomes visible, and a later one; when the first loses its other name.
    let sealpost = [env!("CARGO_BIN_EXE_sealpost"), "--root", path(&root)];
    for (call, nth) in [("fsync", 2), ("linkat", 1), ("linkat", 3), ("unlink", 1)] {
        let killed = Program::killed_in(call, nth, &[]).args(sealpost).args(import).run();
        assert_eq!(killed.code, None, "{call} {nth}: {}", killed.stderr);
    }
    let made = desk.lying("").len();
    assert!(made > 0 && made < NUMBER, "{made} are there, and some are not");
    Program::sealpost().args(["--root", path(&root)]).args(import).run().ok();
    let mut found = cut(&desk.export(""));
    let mut wanted: Vec<Vec<u8>> = cut(mbox.as_bytes());
    found.sort();
    wanted.sort();
    assert!(found == wanted, "{} of {}", found.len(), wanted.len());
}

/// Seals nothing: it costs no time.
struct Refusal;

impl Work for Refusal {
    fn make(&self, batch: &[Read<'_>]) -> Vec<Made> {
        batch.iter().map(|_| Made::Fail("no".into())).collect()
    }
}

/// As many octets of the same messages as are asked for.
struct Endless {
    message: Vec<u8>,
    at: usize,
    left: usize,
}

impl std::io::Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.message[self.at..];
        let length = rest.len().min(into.len()).min(self.left);
        into[..length].copy_from_slice(&rest[..length]);
        self.at = (self.at + length) % self.message.len();
        self.left -= length;
        Ok(length)
    }
}

/// The most memory that this process held, in octets.
fn high_water() -> usize {
    usize::try_from(crate::support::high_water("/proc/self/status").unwrap()).unwrap()
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = MaildirStore::new(folder.path(), "{domain}/{local}").unwrap();
    let bob = Address::parse("bob@north.example").unwrap();
    store.create(&bob, &MailboxName::inbox()).unwrap();
    let import = Import {
        store: &store,
        mailbox: &store.mailbox_to_come(&bob, &MailboxName::inbox()),
        name: &MailboxName::inbox(),
        work: &Refusal,
        marks: &MarkKey::of_nobody(),
        stop: &AtomicBool::new(false),
        now: std::time::SystemTime::now(),
        flags: &[],
        dry_run: false,
    };
    let line = format!("{}\n", "x".repeat(999));
    let message =
        format!("From - Tue Nov 24 03:41:02 2026\nSubject: large\n\n{}\n", line.repeat(1000)).into_bytes();
    let (size, before) = (message.len(), high_water());
    let mut source = Endless { at: 0, left: size * 80, message };
    let (mut messages, variant) = (0, sealpost::mail::mbox::Variant::Rd);
    let splitter = sealpost::mail::mbox::Splitter::new(variant, 100 << 20);
    import.run(&mut source, splitter, &mut |_| messages += 1).unwrap();
    assert_eq!(messages, 80);
    let more = high_water() - before;
    assert!(more < 40 << 20, "80 MB took {} MiB", more >> 20);
}

/// What its sender encrypted to others is a row, however often it comes, and no line each.
#[test]
fn what_is_left_to_others_is_a_row() {
    if !tools(&["openssl"]) {
        return;
    }
    let desk = Desk::new();
    let certificate = desk.site.folder().join("stranger.pem");
    let make = "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=Stranger -addext keyUsage=keyEncipherment \
        -addext subjectAltName=email:s@east.example -keyout /dev/null";
    Program::new("openssl").words(make).args(["-out", path(&certificate)]).run().ok();
    let seal = Program::sealpost().args(["seal", "--cert", path(&certificate)]);
    let sealed = String::from_utf8(seal.input("Subject: x\n\ny\n").run().ok()).unwrap();
    let one = format!("From a@b Tue Nov 24 03:41:02 2026\n{}\n", sealed.replace("\r\n", "\n"));
    let ended = desk.import("", one.repeat(12).as_bytes());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.text());
    let rows: Vec<String> =
        ended.text().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows[1..3], ["imported 12", "sealed to others, left 12"], "{}", ended.text());
}

#[test]
fn a_second_import_into_an_account_waits_its_turn() {
    let desk = Desk::new();
    desk.import("", MBOX.as_bytes()).ok();
    let locked = std::fs::File::open(desk.maildir()).unwrap();
    locked.lock().unwrap();
    let ended = desk.import("--mailbox Other", MBOX.as_bytes());
    assert_eq!(ended.code, Some(75), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("another run is at work in the mailboxes of bob@north.example"),
        "{}",
        ended.stderr
    );
    assert!(!desk.maildir().join(".Other").exists(), "nothing is made before it is its turn");
    drop(locked);
    assert_eq!(number(&desk.import("--mailbox Other", MBOX.as_bytes()), "imported"), 3);
}

#[test]
fn python_reads_what_we_write_and_we_read_what_it_writes() {
    if !tools(&["python3"]) {
        return;
    }
    let desk = Desk::new();
    desk.import("", MBOX.as_bytes()).ok();
    let out = desk.site.folder().join("out.mbox");
    let password = ["--password-file", path(&desk.password), "--output", path(&out)];
    desk.mailbox("export").args(password).run().ok();
    let script = "
import mailbox, sys
box = mailbox.mbox(sys.argv[1])
for message in box:
    print(message['Subject'], message.get_flags(), message.get_from(), repr(message.get_payload()))
other = mailbox.mbox(sys.argv[2], create=True)
for number, text in enumerate(['one', 'two\\n\\nFrom x Thu Nov 26 03:41:02 2026\\n', 'three\\n\\n']):
    message = mailbox.mboxMessage()
    message['Subject'] = str(number)
    message.set_payload(text)
    message.set_from('anna@north.example', (2026, 11, 26, 3, 41, number, 0, 0, 0))
    message.set_flags('ROFA' if number == 1 else '')
    other.add(message)
other.flush()
";
    let theirs = desk.site.folder().join("theirs.mbox");
    let said = Program::new("python3").args(["-c", script, path(&out), path(&theirs)]).run().ok();
    let said = String::from_utf8(said).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[0].starts_with("one ROF MAILER-DAEMON Thu Nov 26 03:41:02 2026 "), "{said}");
    assert!(lines[0].ends_with("'The first secret.\\n>From here on it is quoted.\\n'"), "{said}");
    assert!(lines[2].starts_with("three  MAILER-DAEMON Tue Nov 24 03:41:02 2026 "), "{said}");
    desk.mailbox("import --format mboxo --mailbox Python").args([path(&theirs)]).run().ok();
    let bodies: Vec<String> = cut(&desk.export("--mailbox Python"))
        .into_iter()
        .map(|message| String::from_utf8(message).unwrap().split_once("\n\n").unwrap().1.to_owned())
        .collect();
    assert_eq!(bodies, ["one\n", "two\n\nFrom x Thu Nov 26 03:41:02 2026\n", "three\n\n"]);
    let letters = |file: &PathBuf| {
        path(file).rsplit_once(":2,").map_or(String::new(), |(_, letters)| letters.to_owned())
    };
    assert_eq!(desk.lying(".Python").iter().map(letters).collect::<Vec<_>>(), ["", "FRS", ""]);
}

#[test]
fn what_does_not_open_comes_as_it_is_stored() {
    let desk = Desk::new();
    // With a tag, every damage shows.
    desk.site.run("account set bob@north.example --profile modern").ok();
    desk.import("", MBOX.as_bytes()).ok();
    let file = &desk.lying("")[1];
    let text = std::fs::read_to_string(file).unwrap();
    let end = text.trim_end().len() - 40;
    let damaged = format!("{}AAAAAAAA{}", &text[..end], &text[end + 8..]);
    std::fs::write(file, &damaged).unwrap();
    let ended = desk.mailbox("export --password-file").args([path(&desk.password)]).run();
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.ends_with("sealpost: 1 message did not open and came as stored\n"),
        "{}",
        ended.stderr
    );
    let found = cut(&ended.stdout);
    assert_eq!([&found[0], &found[2]], [MESSAGES[0].as_bytes(), MESSAGES[2].as_bytes()]);
    assert_eq!(found[1], damaged.as_bytes());
}

#[test]
fn the_exported_file_is_new_and_for_its_owner_only() {
    let desk = Desk::new();
    desk.import("", MBOX.as_bytes()).ok();
    let out = desk.site.folder().join("out.mbox");
    let export = || desk.mailbox("export --output").args([path(&out)]).run();
    export().ok();
    assert_eq!(out.metadata().unwrap().mode() & 0o777, 0o600);
    let (before, again) = (std::fs::read(&out).unwrap(), export());
    assert!(again.code == Some(1) && again.stderr.contains("is there already"), "{}", again.stderr);
    assert!(std::fs::read(&out).unwrap() == before);
    let none =
        desk.mailbox("export --mailbox None --output").args([path(&desk.site.folder().join("none"))]).run();
    assert_eq!((none.code, desk.site.folder().join("none").exists()), (Some(66), false), "{}", none.stderr);
}
