//! An import whose input ends badly, or into a mailbox that others work in.

use super::folders::{Maildir, fidget};
use crate::support::{Ended, Site, path, tools, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sealpost::crypto::MarkKey;
use sealpost::mail::mbox::{Splitter, Variant};
use sealpost::mail::{Address, MailboxName};
use sealpost::mailbox::{self, Arrived, Import, Imported, Left, Made, Read, Work};
use sealpost::store::{MaildirStore, StoredMailbox};
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const FROM: &str = "From - Tue Nov 24 03:41:02 2026\n";
const WORDS: &str = "mailbox import --account bob@north.example -";

fn import(site: &Site, mbox: impl Into<Vec<u8>>) -> Ended {
    site.program(WORDS).input(mbox).run()
}

/// More than fits into a pipe: when it is written, somebody reads.
fn large() -> String {
    format!("{FROM}Subject: large\n\n{}\n", "x\n".repeat(100_000))
}

fn begun(site: &Site, mbox: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
    command.args(["--root", path(&site.root())]).args(WORDS.split(' '));
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(mbox.as_bytes()).unwrap();
    child
}

fn interrupt(child: &Child) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
}

fn stopped(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        (output.status.code(), said.as_ref()),
        (Some(75), "sealpost: stopped; the same command goes on where it was\n")
    );
}

#[test]
fn a_producer_that_is_silent_keeps_nobody() {
    let (site, _) = Site::certified();
    let mut child = begun(&site, &large());
    std::thread::sleep(Duration::from_millis(200));
    interrupt(&child);
    wait_for("its end", 60, || child.try_wait().unwrap());
    stopped(&child.wait_with_output().unwrap());
}

#[test]
fn an_mbox_that_ends_within_a_line_is_said() {
    let (site, _) = Site::certified();
    let ended = import(&site, format!("{FROM}Subject: one\n\n1\n\n{FROM}Subject: two\n\nhalf"));
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (
            Some(0),
            "sealpost: message 2, at byte 49: the mbox ends within a line: this message may be cut off\n"
        )
    );
}

#[test]
fn a_name_that_is_no_text_keeps_nothing_out() {
    let (site, _) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    let file = maildir.put("cur/1.a.mx:2,S", b"x\n", 1);
    let other = std::ffi::OsString::from_vec(b"2.\xff.mx:2,S".to_vec());
    std::fs::rename(&file, file.with_file_name(other)).unwrap();
    let mbox = format!("{FROM}Subject: one\n\n1\n\n");
    import(&site, &*mbox).ok();
    let again = import(&site, mbox);
    assert!(again.text().contains("there already       1\n"), "{} {}", again.text(), again.stderr);
}

/// What an import that was killed made visible is made to last before it is called there, and what is read of the quota is
/// read once for many.
#[test]
fn what_is_called_there_is_there_for_good() {
    if !tools(&["strace"]) {
        return;
    }
    let (site, _) = Site::certified();
    let mbox: String = (0..40).map(|at| format!("{FROM}Subject: {at}\n\n{at}\n\n")).collect();
    let maildir = site.root().join("mail/north.example/bob/Maildir");
    Maildir::of(&site.root(), "bob");
    std::fs::write(maildir.join("maildirsize"), "100000000S\n0 0\n").unwrap();
    let traced = |calls: &str| {
        let trace = site.folder().join("trace");
        let mut command = Command::new("strace");
        command.args(["-f", "-y", "-e", calls, "-o", path(&trace), env!("CARGO_BIN_EXE_sealpost")]);
        let words = ["mailbox", "import", "--account", "bob@north.example", "-"];
        command.args(["--root", path(&site.root())]).args(words).stdout(Stdio::null());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(mbox.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        std::fs::read_to_string(trace).unwrap()
    };
    let first = traced("trace=openat");
    let quota = first.lines().filter(|line| line.contains("/maildirsize\"")).count();
    assert_eq!(quota, 2, "one to read and one to write: {first}");
    let text = std::fs::read_to_string(maildir.join("maildirsize")).unwrap();
    assert!(text.lines().count() == 3 && text.ends_with(" 40\n"), "{text}");
    let again = traced("trace=fsync");
    for part in ["new", "cur"] {
        assert!(again.contains(&format!("{}>", path(&maildir.join(part)))), "{part}: {again}");
    }
}

/// As if all were encrypted already: it costs no time.
struct AsTheyAre;

impl Work for AsTheyAre {
    fn make(&self, batch: &[Read<'_>]) -> Vec<Made> {
        batch.iter().map(|_| Made::Leave(Left::OpenPgp)).collect()
    }
}

const OPENPGP: &str = include_str!("../../fixtures/odd-mail/openpgp.eml");

/// An INBOX of bob, into which an mbox comes.
struct Inbox {
    _folder: tempfile::TempDir,
    store: MaildirStore,
    mailbox: Arc<StoredMailbox>,
    stop: AtomicBool,
}

impl Inbox {
    fn new() -> Inbox {
        let folder = tempfile::tempdir().unwrap();
        let store = MaildirStore::new(folder.path(), "{domain}/{local}").unwrap();
        let bob = Address::parse("bob@north.example").unwrap();
        store.create(&bob, &MailboxName::inbox()).unwrap();
        let mailbox = store.mailbox_to_come(&bob, &MailboxName::inbox());
        Inbox { _folder: folder, store, mailbox, stop: AtomicBool::new(false) }
    }

    fn import(&self, source: &mut dyn std::io::Read, dry_run: bool) -> (mailbox::Ended, Vec<Imported>) {
        let import = Import {
            store: &self.store,
            mailbox: &self.mailbox,
            name: &MailboxName::inbox(),
            work: &AsTheyAre,
            marks: &MarkKey::of_nobody(),
            stop: &self.stop,
            now: std::time::SystemTime::now(),
            flags: &[sealpost::mail::Flag::Seen],
            dry_run,
        };
        let mut told = Vec::new();
        let splitter = Splitter::new(Variant::Rd, 1 << 20);
        let ended = import.run(source, splitter, &mut |imported| told.push(imported)).unwrap();
        (ended, told)
    }
}

/// Its end is seen, and the signal that was the reason with it.
struct CutOff<'a>(&'a [u8], &'a AtomicBool);

impl std::io::Read for CutOff<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let octets = self.0.read(into)?;
        self.1.store(octets == 0, Ordering::Relaxed);
        Ok(octets)
    }
}

/// Ctrl-C reaches the program in front of a pipe too: what looks like the end of the mbox is none.
#[test]
fn what_the_same_ctrl_c_cut_off_is_not_stored() {
    let inbox = Inbox::new();
    let whole = format!("{FROM}Subject: one{OPENPGP}\n\n{FROM}Subject: two{OPENPGP}\n\n");
    let mut cut = CutOff(&whole.as_bytes()[..whole.len() - 4], &inbox.stop);
    let (ended, told) = inbox.import(&mut cut, false);
    assert_eq!((ended, told.len()), (mailbox::Ended::Stopped, 1));
    inbox.stop.store(false, Ordering::Relaxed);
    let (ended, told) = inbox.import(&mut whole.as_bytes(), false);
    let there: Vec<bool> = told.iter().map(|one| one.arrived == Arrived::ThereAlready).collect();
    assert_eq!((ended, there), (mailbox::Ended::Whole, vec![true, false]));
}

/// Whoever sets flags hides files from a listing.
#[test]
fn flags_that_change_meanwhile_double_nothing() {
    const NUMBER: usize = 600;
    let inbox = Inbox::new();
    let mbox: String = (0..NUMBER).map(|at| format!("{FROM}Subject: {at}{OPENPGP}\n\n")).collect();
    let run = |dry_run: bool| inbox.import(&mut mbox.as_bytes(), dry_run).1;
    let stored = run(false);
    assert!(stored.iter().all(|one| matches!(one.arrived, Arrived::Stored(_))));
    assert!(stored.iter().all(|one| one.left == Some(Left::OpenPgp) && one.notes.is_empty()));
    let files: Vec<PathBuf> = std::fs::read_dir(inbox.mailbox.folder().join("cur"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), NUMBER);
    let end = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| fidget(files, &end));
        let runs: Vec<Vec<Imported>> = (0..5).map(|_| run(true)).collect();
        end.store(true, Ordering::Relaxed);
        let other = |one: &&Imported| one.arrived != Arrived::ThereAlready;
        assert_eq!(runs.iter().flatten().filter(other).count(), 0);
    });
}

/// As a delivery does it: what its sender sealed with 3DES to the right certificate is sealed once more.
#[test]
fn what_is_sealed_weakly_is_wrapped() {
    if !tools(&["openssl"]) {
        return;
    }
    let (site, password) = Site::certified();
    let listed = site.json("cert list --account bob@north.example");
    let certificate = site.write("bob.pem", listed["certificates"][0]["pem"].as_str().unwrap());
    let encrypt = crate::support::Program::new("openssl").words("cms -encrypt -des3 -binary -outform SMIME");
    let weak = encrypt.args([path(&certificate)]).input("Subject: inside\n\nx\n").run().ok();
    let mbox = [FROM.as_bytes(), b"Subject: outside\n", &weak, b"\n"].concat();
    let ended = import(&site, mbox);
    assert!(ended.stderr.contains("that encryption is inside now"), "{}", ended.stderr);
    assert!(Maildir::of(&site.root(), "bob").messages()[0].is_sealed());
    let words = format!("mailbox export --account bob@north.example --password-file {}", path(&password));
    assert!(site.run(&words).text().contains("Subject: outside\n"));
}
