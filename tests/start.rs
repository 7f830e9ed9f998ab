//! The hook starts lean: what an ordinary delivery asks the kernel for is counted.

use crate::support::{Program, Store, path, tools};

const MESSAGE: &[u8] = b"From: anna@south.example\nSubject: s\n\nxyzzy-plugh-4711\n";

/// What a command asks the kernel for, one call a line.
fn calls(store: &Store, args: &[&str], input: &[u8]) -> Vec<String> {
    let trace = store.file("trace");
    let ended = Program::new("strace")
        .args(["-f", "-y", "-o", path(&trace), env!("CARGO_BIN_EXE_sealpost"), "--root", path(&store.root())])
        .args(args)
        .input(input)
        .run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    std::fs::read_to_string(&trace).unwrap().lines().map(str::to_owned).collect()
}

fn with<'a>(calls: &'a [String], words: &[&str]) -> Vec<&'a str> {
    calls.iter().map(String::as_str).filter(|call| words.iter().all(|word| call.contains(word))).collect()
}

#[test]
fn an_ordinary_delivery_asks_for_little() {
    if !tools(&["openssl", "strace"]) {
        return;
    }
    let store = Store::new();
    let calls = calls(&store, &["deliver", "--recipient=bob@north.example"], MESSAGE);
    let opened = with(&calls, &["openat(", "directory.sqlite\""]);
    assert!(opened.iter().all(|call| call.contains("O_RDONLY")) && !opened.is_empty(), "{opened:?}");
    assert!(with(&calls, &["write", "<", "directory.sqlite>"]).is_empty(), "the directory is not written");
    assert!(with(&calls, &["write", "<", "directory.sqlite-wal>"]).is_empty(), "nor its log");
    assert!(
        with(&calls, &["l_type=F_UNLCK", "l_len=0"]).is_empty(),
        "what ends with the process is not closed"
    );
    assert_eq!(with(&calls, &["execve("]).len(), 1, "no other program");
    // A call that is interrupted by another thread stands there twice.
    let threads = with(&calls, &["clone"]).into_iter().filter(|call| !call.contains("resumed>"));
    assert_eq!(threads.count(), 1, "one thread: that of the deadline");
    assert!(with(&calls, &["getrandom("]).len() <= 6, "{:?}", with(&calls, &["getrandom("]));
    assert!(with(&calls, &["getdents64(", "zoneinfo"]).is_empty(), "no list of time zones");
    for asked_for in ["state.sqlite", "/dev/random", "/etc/passwd", "nscd", "/etc/ssl"] {
        assert!(with(&calls, &[asked_for]).is_empty(), "{:?}", with(&calls, &[asked_for]));
    }
    // What the loader and the runtime do before is not ours. 250 lines on Debian 12; each list, look-up or table more is a
    // matter of dozens.
    let ours = calls.iter().skip_while(|call| !call.contains("PR_SET_DUMPABLE")).count();
    assert!((100..300).contains(&ours), "{ours} calls");
}

/// What is sealed needs a seed for each message; what is opened needs none but for blinding, which aws-lc draws itself: at
/// most what the kernel gives at once, and never from the device that waits.
#[test]
fn opening_waits_for_no_randomness() {
    if !tools(&["openssl", "strace"]) {
        return;
    }
    let store = Store::new();
    store.deliver(MESSAGE);
    let sealed = store.inbox().remove(0);
    let (key, certificate) = (path(&store.bob.key), path(&store.bob.certificate));
    let calls = calls(&store, &["open", "--key", key, "--cert", certificate], &sealed);
    assert!(with(&calls, &["/dev/random"]).is_empty());
    assert!(with(&calls, &["getrandom("]).len() <= 6, "{:?}", with(&calls, &["getrandom("]));
}

/// The next one to open the directory would read all that lies in its log.
#[test]
fn who_writes_to_the_directory_folds_its_log() {
    if !tools(&["openssl", "strace"]) {
        return;
    }
    let store = Store::new();
    let log = store.root().join("directory.sqlite-wal");
    let length = || std::fs::metadata(&log).unwrap().len();
    assert_eq!(length(), 0);
    store.command("account add carol@north.example").run().ok();
    assert_eq!(length(), 0);
    // Somebody who reads is not waited for, and hides no change from the hook.
    let reader = rusqlite::Connection::open(store.root().join("directory.sqlite")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM accounts").unwrap();
    store.command("account add dora@north.example").run().ok();
    assert!(length() > 0);
    assert_eq!(store.deliver(MESSAGE).code, Some(0));
    let list = store.command("account list").run().text();
    assert!(list.contains("dora@north.example"), "{list}");
    drop(reader);
    store.command("account remove dora@north.example").run().ok();
    assert_eq!(length(), 0);
}

#[test]
fn the_hook_alone_takes_what_all_verbs_take() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let program = || Program::sealpost();
    let root = store.root();
    for args in [
        vec!["--root", path(&root), "deliver", "--recipient=bob@north.example"],
        vec!["deliver", "--root", path(&root), "--recipient", "bob@north.example", "--sender="],
        vec!["--json", "deliver", "--recipient=bob@north.example", "--root", path(&root)],
    ] {
        assert_eq!(program().args(&args).input(MESSAGE).run().code, Some(0), "{args:?}");
    }
    let from_environment =
        program().env("SEALPOST_ROOT", path(&root)).words("deliver --recipient=bob@north.example");
    assert_eq!(from_environment.input(MESSAGE).run().code, Some(0));
    for nonsense in ["--nonsense", "--recipient", "--root"] {
        let args = ["--root", path(&root), "deliver", "--recipient=bob@north.example", nonsense];
        assert_eq!(program().args(args).input(MESSAGE).run().code, Some(75), "{nonsense}");
    }
    // Who asks for help is shown all of it.
    let whole = program().words("--help").run();
    let hook = program().words("--help deliver").run();
    assert!(hook.stdout == whole.stdout && hook.text().contains("mailbox"), "{}", hook.text());
    assert!(program().words("deliver --help").run().text().contains("--queue-id"));
}
