//! A delivery to two mailboxes whose system calls fail, or whose process dies, at each of them.
//!
//! The invariant: old mail intact, new mail whole or absent, the sender told the truth.

mod batches;

use crate::support::{EngineParts, issued};
use sealpost::config::Config;
use sealpost::directory::{NewAccount, NewDomain, SqliteDirectory};
use sealpost::engine::{Disposition, Outcome, Recipient, Request};
use sealpost::mail::{Address, MailboxName};
use sealpost::pki::{Certificate, UnlockedKey, Validity};
use sealpost::rules::Source;
use sealpost::smime::{OpeningKey, open};
use sealpost::store::{Call, Disk, Files, MaildirStore};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use time::{Duration, OffsetDateTime};

/// With a name it is an attachment, too.
const MAIL: &[u8] =
    b"From: carol@far.example\r\nSubject: pay\r\nContent-Type: text/plain; name=a.txt\r\n\r\nThe body.\r\n";
const TEMPLATE: &str = "mail/{domain}/{local}/Maildir";

/// What happens at the call of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nothing ever.
    None,
    /// It fails, the next ones work.
    Error(usize),
    /// It fails and so does everything after it: nothing can be tidied up, as after a kill or a lost disk.
    Death(usize),
}

/// The disk with one fault; counts the calls.
#[derive(Clone)]
struct Faulty {
    fault: Fault,
    calls: Arc<AtomicUsize>,
}

impl Faulty {
    fn new(fault: Fault) -> Faulty {
        Faulty { fault, calls: Arc::default() }
    }
}

impl Files for Faulty {
    fn around<T>(&self, _: Call, _: &Path, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        match self.fault {
            Fault::Error(at) if call == at => Err(io::ErrorKind::StorageFull.into()),
            Fault::Death(at) if call >= at => Err(io::Error::other("dead")),
            _ => run(),
        }
    }
    /// A write that fails leaves half of its bytes.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let half = &bytes[..bytes.len() / 2];
        let mut copy = file.try_clone()?;
        let written = self.around(Call::Write, Path::new(""), || Disk.write(file, bytes));
        written.or_else(|error| Disk.write(&mut copy, half).and(Err(error)))
    }
}

/// bob and ada, their one key, and the directory that knows them.
struct House {
    folder: tempfile::TempDir,
    directory: SqliteDirectory,
    key: UnlockedKey,
    certificate: Certificate,
    people: [Address; 2],
}

impl House {
    fn new() -> House {
        let folder = tempfile::tempdir().unwrap();
        let directory = SqliteDirectory::create(&folder.path().join("store")).unwrap();
        directory.add_domain(&NewDomain { name: "north.example".into(), ..NewDomain::default() }).unwrap();
        let people = ["bob@north.example", "ada@north.example"].map(|name| Address::parse(name).unwrap());
        let validity = Validity::lasting(OffsetDateTime::now_utc() - Duration::DAY, Duration::days(30));
        let (key, certificate) = issued(&people, validity);
        for address in &people {
            let account = NewAccount { address: address.clone(), aliases: Vec::new() };
            directory.add_account(&account).unwrap();
            directory.add_certificate(address, &certificate, "test").unwrap();
        }
        House { folder, directory, key, certificate, people }
    }

    fn deliver(&self, root: &Path, files: Faulty) -> Outcome {
        let store = MaildirStore::with_files(root, TEMPLATE, files).unwrap();
        let parts = EngineParts::default();
        let engine = parts.engine(&self.directory, &store);
        let recipient = |address: &Address| Recipient { address: address.clone(), original: None };
        engine.deliver(&Request {
            large: None,
            message: MAIL,
            sender: Some("carol@far.example".into()),
            recipients: self.people.iter().map(recipient).collect(),
            source: Source::Pipe,
            client: None,
            queue_id: None,
            known_by_content: false,
            until: None,
        })
    }

    /// The visible messages of each mailbox; every one must be whole and sealed.
    fn visible(&self, root: &Path) -> [usize; 2] {
        let store = MaildirStore::new(root, TEMPLATE).unwrap();
        let opening = OpeningKey { key: &self.key, certificate: Some(&self.certificate) };
        [&self.people[0], &self.people[1]].map(|owner| {
            let maildir = store.folder(owner, &MailboxName::inbox());
            let messages = [list(&maildir.join("new")), list(&maildir.join("cur"))].concat();
            for message in &messages {
                let bytes = std::fs::read(message).unwrap();
                let opened = open(&bytes, std::slice::from_ref(&opening)).unwrap();
                assert_eq!(opened.message.expose(), MAIL, "{}", message.display());
            }
            messages.len()
        })
    }
}

impl House {
    /// The visible files of each account; every one must be whole and sealed.
    fn files(&self, root: &Path) -> [usize; 2] {
        let opening = OpeningKey { key: &self.key, certificate: Some(&self.certificate) };
        ["bob", "ada"].map(|local| {
            let files = list(&root.join("files/north.example").join(local).join("In"));
            for file in &files {
                let bytes = std::fs::read(file).unwrap();
                let opened = open(&bytes, std::slice::from_ref(&opening)).unwrap();
                assert!(opened.message.expose().ends_with(b"\r\n\r\nThe body.\r\n"), "{}", file.display());
            }
            files.len()
        })
    }
}

fn list(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .map(|found| found.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default()
}

/// Both the first delivery, which makes the Maildirs, and one into Maildirs that are there.
#[test]
fn a_fault_at_every_call_keeps_the_promise() {
    let house = House::new();
    for old in [0, 1] {
        let calls = count_calls(&house, old);
        assert!(calls > 8, "{calls}");
        for fault in (1..=calls).flat_map(|at| [Fault::Error(at), Fault::Death(at)]) {
            check(&house, old, fault);
        }
    }
}

fn furnish(house: &House, old: usize) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for _ in 0..old {
        assert_eq!(house.deliver(root.path(), Faulty::new(Fault::None)).disposition, Disposition::Delivered);
    }
    root
}

fn count_calls(house: &House, old: usize) -> usize {
    let root = furnish(house, old);
    let files = Faulty::new(Fault::None);
    let outcome = house.deliver(root.path(), files.clone());
    assert_eq!(outcome.disposition, Disposition::Delivered, "{:?}", outcome.cause);
    assert_eq!(house.visible(root.path()), [old + 1, old + 1]);
    files.calls.load(Ordering::SeqCst)
}

fn check(house: &House, old: usize, fault: Fault) {
    let root = furnish(house, old);
    let outcome = house.deliver(root.path(), Faulty::new(fault));
    let visible = house.visible(root.path());
    assert!(visible.iter().all(|count| (old..=old + 1).contains(count)), "{fault:?}: {visible:?}");
    match outcome.disposition.exit_code() {
        // The fault hit what comes after the promise is kept: tidying up.
        0 => assert_eq!(visible, [old + 1, old + 1], "{fault:?}"),
        code => assert_eq!(code, 75, "{fault:?}"),
    }
    // The sender comes back to a sound disk: nothing is lost, whatever lay around.
    let again = house.deliver(root.path(), Faulty::new(Fault::None));
    assert_eq!(again.disposition, Disposition::Delivered, "{fault:?}: {:?}", again.cause);
    assert_eq!(house.visible(root.path()), visible.map(|count| count + 1), "{fault:?}");
}

/// Files that a rule copies are staged and committed with the copies.
#[test]
fn a_fault_at_every_call_keeps_the_promise_of_files_too() {
    let house = House::new();
    let rule =
        "[[rule]]\nname = \"r\"\npriority = 5\nwhen = []\nthen = [[\"Copy Attachments into\", \"In\"]]\n";
    let file = house.folder.path().join("rules.toml");
    std::fs::write(&file, rule).unwrap();
    let root = house.folder.path().join("store");
    let install = crate::support::Program::sealpost().args(["--root", crate::support::path(&root)]);
    let install =
        install.args(["rules", "install", crate::support::path(&file), "--domain", "north.example"]);
    install.run().ok();
    let calls = count_calls(&house, 0);
    for fault in (1..=calls).flat_map(|at| [Fault::Error(at), Fault::Death(at)]) {
        let root = tempfile::tempdir().unwrap();
        let outcome = house.deliver(root.path(), Faulty::new(fault));
        let (messages, files) = (house.visible(root.path()), house.files(root.path()));
        let all = [messages, files].concat();
        match outcome.disposition.exit_code() {
            0 => assert_eq!(all, [1, 1, 1, 1], "{fault:?}"),
            code => assert_eq!(code, 75, "{fault:?}"),
        }
        // Per account the files come first: whoever sees the message finds them.
        assert!(
            messages.iter().zip(files).all(|(message, file)| *message <= file && file <= 1),
            "{fault:?}: {all:?}"
        );
        let again = house.deliver(root.path(), Faulty::new(Fault::None));
        assert_eq!(again.disposition, Disposition::Delivered, "{fault:?}: {:?}", again.cause);
        assert_eq!(house.files(root.path()), files.map(|count| count + 1), "{fault:?}");
    }
}

/// The real hook, killed at points that walk through its whole run.
#[test]
fn a_kill_at_any_moment_keeps_the_promise() {
    const KILLS: u32 = 20;
    const RUNS: u32 = 40;
    let house = House::new();
    let root = house.folder.path().join("store");
    std::fs::write(root.join("sealpost.toml"), Config::template()).unwrap();
    let begin = std::time::Instant::now();
    assert_eq!(run_hook(&root, None), Some(0), "the hook works when nobody kills it");
    let mut whole = begin.elapsed();
    let (mut promised, mut killed, mut run) = (1, 0, 0);
    while killed < KILLS || run < RUNS {
        let code = run_hook(&root, Some(whole * (run % RUNS) / RUNS));
        assert!([None, Some(0)].contains(&code), "{code:?}");
        killed += u32::from(code.is_none());
        promised += usize::from(code == Some(0));
        for count in house.visible(&root) {
            assert!((promised..=run as usize + 2).contains(&count), "{count} visible, {promised} promised");
        }
        // Whoever came too late comes sooner the next time: how long a run takes depends on what else the machine does.
        if code.is_some() {
            whole = whole * 9 / 10;
        }
        run += 1;
        assert!(run < 10 * RUNS, "only {killed} of {run} were killed before they ended");
    }
    assert_eq!(run_hook(&root, None), Some(0), "what the killed ones left is in nobody's way");
}

/// The real hook, killed in the n-th of each kind of system call that makes a promise true, for every n.
#[test]
fn a_kill_in_every_deciding_system_call_keeps_the_promise() {
    if !crate::support::tools(&["strace"]) {
        return;
    }
    let house = House::new();
    let root = house.folder.path().join("store");
    std::fs::write(root.join("sealpost.toml"), "log = \"none\"\n").unwrap();
    let mut most = 0;
    for call in ["mkdir", "fsync", "linkat", "unlink"] {
        let mut killed = 0;
        loop {
            let kill = format!("inject={call}:signal=KILL:when={}", killed + 1);
            let hook = ["deliver", "--recipient=bob@north.example", "--recipient=ada@north.example"];
            let ended = crate::support::Program::new("strace")
                .args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &kill])
                .args([env!("CARGO_BIN_EXE_sealpost"), "--root", crate::support::path(&root)])
                .args(hook)
                .input(MAIL)
                .run();
            let before = most;
            let visible = house.visible(&root);
            most = visible.into_iter().max().unwrap();
            assert!(most <= before + 1, "{call} {killed}: {visible:?}");
            if ended.code == Some(0) {
                assert_eq!(visible.map(|count| count > 0), [true, true], "{call} {killed}");
                break;
            }
            assert_eq!((ended.code, ended.text().as_str()), (None, ""), "{call} {killed}: {}", ended.stderr);
            killed += 1;
            assert!(killed < 100, "{call} never ends");
        }
        assert!(killed > 0, "{call}: nothing was killed");
    }
}

/// The exit code, or nothing if it was killed in time.
fn run_hook(root: &Path, kill_after: Option<std::time::Duration>) -> Option<i32> {
    let mut hook = Command::new(env!("CARGO_BIN_EXE_sealpost"))
        .arg("--root")
        .arg(root)
        .args(["deliver", "--recipient=bob@north.example", "--recipient=ada@north.example", "--sender="])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let written = hook.stdin.take().unwrap().write_all(MAIL);
    assert!(written.is_ok() || kill_after.is_some());
    if let Some(moment) = kill_after {
        std::thread::sleep(moment);
        hook.kill().unwrap();
    }
    hook.wait().unwrap().code()
}
