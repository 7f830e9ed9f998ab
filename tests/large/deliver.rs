//! The hook above `memory-limit`.

use super::{WORD, assert_flat};
use crate::hook::assert_answer;
use crate::hostile::memory::floor;
use crate::support::{Mount, Program, Store, crlf, path, root, tools};
use std::io::Write;
use std::process::{Command, Stdio};

const LIMIT: &str = "memory-limit = \"1M\"\n";

pub(super) fn message(mib: usize) -> Vec<u8> {
    let line = format!("{WORD} is a word in a line of this message, which is long enough\n");
    let body = line.repeat((mib << 20) / line.len() + 1);
    format!("From: carol@far.example\nTo: bob@north.example\nSubject: long\n\n{body}").into_bytes()
}

fn store(config: &str) -> Store {
    let store = Store::new();
    std::fs::write(store.root().join("sealpost.toml"), config).unwrap();
    store
}

/// The names of Bob's messages.
fn names(store: &Store) -> Vec<String> {
    store.stored().into_iter().filter_map(|(file, _)| Some(file.file_name()?.to_str()?.to_owned())).collect()
}

#[test]
fn a_large_message_is_stored_sealed_with_flat_memory() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store("");
    let message = message(40);
    let small = Store::new();
    let floor = floor(|| small.deliver(b"Subject: s\n\nx\n"));
    let ended = store.deliver(&message);
    assert_flat("deliver", &ended, floor);
    assert_answer(&ended, 0, "2.0.0");
    let [sealed] = &store.inbox()[..] else { panic!("one message") };
    assert!(store.open(sealed) == crlf(&message));
    let name = names(&store).into_iter().find(|name| name.contains(",S=")).unwrap();
    let sizes = format!(",S={},W={}", sealed.len(), crlf(sealed).len());
    assert!(name.contains(&sizes), "{name} says {sizes}");
    assert!(!store.holds(WORD.as_bytes()));
}

/// What differs is drawn for each message; header, lengths and what opens are the same.
#[test]
fn the_limit_changes_nothing_of_what_is_stored() {
    if !tools(&["openssl"]) {
        return;
    }
    let message = message(2);
    let rules = r#"
[[rule]]
name = "large"
priority = 5
when = [["Message Size", "greater than", "1M"], ["Security", "is not", "encrypted"]]
then = [["Add Header", "X-Large: yes"], ["Tag Subject", "[large]"], ["Mark", "Flagged"], ["Store Encrypted in", "Large"], ["Discard"]]
"#;
    let stored = |limit: &str| {
        let store = store(limit);
        store.rules(rules);
        assert_answer(&store.deliver(&message), 0, "2.0.0");
        let files = store.stored();
        let (file, sealed) = files.iter().find(|(_, bytes)| bytes.len() > 1 << 20).unwrap().clone();
        let shown = file.to_str().unwrap();
        assert!(shown.contains(".Large/cur/") && shown.ends_with(":2,F"), "{shown}");
        let opened = store.open(&sealed);
        let header =
            String::from_utf8(sealed.split(|octet| *octet == b'\n').take(12).collect::<Vec<_>>().concat());
        (header.unwrap().split("at=").next().unwrap().to_owned(), sealed.len(), opened)
    };
    let (held, large) = (stored(""), stored(LIMIT));
    assert!(held == large, "{} {}, {} {}", held.0, held.1, large.0, large.1);
    assert!(held.2.starts_with(b"X-Large: yes\r\n") && held.0.contains("[large]"));
}

/// Each takes the message as it would a small one.
#[test]
fn clear_copies_kept_ones_and_what_takes_the_whole() {
    if !tools(&["openssl"]) {
        return;
    }
    let message = message(2);
    let clear = store(&format!("{LIMIT}inbox = \"plain\"\n"));
    assert_answer(&clear.deliver(&message), 0, "2.0.0");
    assert!(clear.inbox() == [message.clone()], "as it came, by a written consent");
    let store = store(LIMIT);
    assert_answer(&store.deliver(&message), 0, "2.0.0");
    let sealed = store.inbox().remove(0);
    assert_answer(&store.deliver(&sealed), 0, "2.0.0");
    assert!(store.inbox().iter().filter(|stored| **stored == sealed).count() == 2, "kept as it is");
    // All of it is needed for its attachments: there are none, and it is delivered.
    store.rules(
        "[[rule]]\nname = \"files\"\npriority = 5\nwhen = []\nthen = [[\"Copy Attachments into\", \"in\"]]\n",
    );
    assert_answer(&store.deliver(&message), 0, "2.0.0");
    assert_eq!(store.inbox().len(), 3);
}

#[test]
fn what_is_above_max_message_is_refused() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store(&format!("{LIMIT}max-message = \"2M\"\n"));
    assert_answer(&store.deliver(&message(3)), 65, "5.3.4");
    let file = store.file("message");
    std::fs::write(&file, message(3)).unwrap();
    let line = format!(
        "exec {} --root {} deliver --sender= --recipient=bob@north.example < {}",
        env!("CARGO_BIN_EXE_sealpost"),
        path(&store.root()),
        path(&file)
    );
    assert_answer(&Program::new("sh").args(["-c", &line]).run(), 65, "5.3.4");
    assert!(store.inbox().is_empty());
}

#[test]
fn no_word_of_a_large_message_is_written_in_the_clear() {
    if !tools(&["openssl", "strace"]) {
        return;
    }
    let store = store("");
    let trace = store.file("trace");
    let calls = "trace=write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,splice,linkat,link";
    let ended = Program::new("strace")
        .args(["-f", "-y", "-s", "1000000", "-e", calls, "-e", "signal=none", "-o", path(&trace)])
        .args([env!("CARGO_BIN_EXE_sealpost"), "--root", path(&store.root())])
        .words("deliver --sender= --recipient=bob@north.example")
        .input(message(40))
        .run();
    assert_answer(&ended, 0, "2.0.0");
    let calls = std::fs::read_to_string(&trace).unwrap();
    let spooled = calls.lines().filter(|line| line.contains("(deleted)")).count();
    let stored =
        calls.lines().filter(|line| line.contains("/Maildir/tmp/") && line.contains("write(")).count();
    assert!(spooled > 600 && stored > 600, "each piece was written twice, and we see it: {spooled} {stored}");
    assert!(!calls.contains(WORD), "never in the clear");
    let copied = ["sendfile(", "copy_file_range(", "splice("].iter().any(|call| calls.contains(call));
    assert!(!copied, "what is copied past us is not seen here");
}

/// Where the copies go, and where the message waits.
#[test]
fn a_full_disk_is_75_and_nothing_of_a_large_message_stays() {
    if !tools(&["openssl"]) || !root(&["mount", "umount"]) {
        return;
    }
    let store = store(LIMIT);
    let mount = Mount::new(store.file("small"), "size=1m,mode=0700");
    let template = format!("{LIMIT}mail-root = \"{}/{{domain}}/{{local}}/Maildir\"\n", path(mount.path()));
    std::fs::write(store.root().join("sealpost.toml"), template).unwrap();
    assert_answer(&store.deliver(&message(3)), 75, "4.3.1");
    let maildir = mount.path().join("north.example/bob/Maildir");
    for part in ["tmp", "new", "cur"] {
        assert_eq!(std::fs::read_dir(maildir.join(part)).unwrap().count(), 0, "{part}");
    }
    let moved = mount.path().join("root");
    Program::new("cp").args(["-a", path(&store.root()), path(&moved)]).run().ok();
    let deliver = ["--root", path(&moved), "deliver", "--sender=", "--recipient=bob@north.example"];
    let ended = Program::sealpost().args(deliver).input(message(6)).run();
    assert_eq!(ended.code, Some(75), "no room to wait in: {}", ended.text());
}

/// Killed while it takes the message, and while it stores it.
#[test]
fn a_kill_leaves_nothing_that_can_be_read() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store(LIMIT);
    let message = message(24);
    for part in [8, 2, 1] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sealpost"))
            .args(["--root", path(&store.root()), "deliver", "--sender=", "--recipient=bob@north.example"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(&message[..message.len() / part]).unwrap();
        if part == 1 {
            drop(pipe);
            std::thread::sleep(std::time::Duration::from_millis(40));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!store.holds(WORD.as_bytes()), "{part}");
        let whole = store.inbox().iter().all(|stored| store.open(stored) == crlf(&message));
        assert!(whole, "what is visible is whole");
    }
}
