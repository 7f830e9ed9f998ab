//! No word of a message is on a disk in the clear, not for a moment, unless somebody asked for it.

use super::folders::{Lying, Maildir};
use crate::support::{Program, Site, path, tools};

const WORD: &str = "xyzzyplugh4711";

fn message() -> String {
    format!("From: carol@far.example\nSubject: pay\n\nThe word is {WORD}.\n")
}

/// Every call that writes, with all that it writes.
fn written(site: &Site, words: &str) -> String {
    let trace = site.folder().join("trace");
    let calls = "trace=write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,splice,linkat,link";
    let ended = Program::new("strace")
        .args(["-f", "-y", "-s", "1000000", "-e", calls, "-e", "signal=none", "-o", path(&trace)])
        .args([env!("CARGO_BIN_EXE_sealpost"), "--root", path(&site.root())])
        .words(words)
        .run();
    assert_eq!(ended.code, Some(0), "{words}: {}", ended.stderr);
    std::fs::read_to_string(&trace).unwrap()
}

/// Of those, the ones to files of the store.
fn to_the_store<'t>(site: &Site, trace: &'t str) -> Vec<&'t str> {
    trace.lines().filter(|line| line.contains(path(&site.root()))).collect()
}

fn assert_never_clear(site: &Site, words: &str) {
    let trace = written(site, words);
    let staged =
        |line: &&&str| line.contains("write") && line.contains("/Maildir/") && line.contains("/tmp/1");
    let lines = to_the_store(site, &trace);
    let sealed = lines.iter().filter(staged).filter(|line| line.contains("Sealpost-Sealed: v")).count();
    assert_eq!(sealed, 3, "{words}: each was written, and we see it");
    let clear: Vec<&&str> = lines.iter().filter(|line| line.contains(WORD)).collect();
    assert!(clear.is_empty() && !trace.contains(WORD), "{words}: {clear:?}");
    let copied = ["sendfile(", "copy_file_range(", "splice("].iter().any(|call| trace.contains(call));
    assert!(!copied, "{words}: what is copied past us is not seen here");
}

#[test]
fn no_run_writes_a_word_in_the_clear() {
    if !tools(&["strace"]) {
        return;
    }
    let (site, password) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    for name in ["new/1577836801.a.host", "cur/1577836802.b.host:2,S", "cur/1577836803.c.host:2,FS"] {
        maildir.put(name, message().as_bytes(), 1);
    }
    assert_never_clear(&site, "mailbox encrypt --account bob@north.example --all");
    assert!(maildir.messages().iter().all(Lying::is_sealed));
    site.run("cert issue --account bob@north.example --renew").ok();
    let with = format!("--account bob@north.example --password-file {} --all", path(&password));
    assert_never_clear(&site, &format!("mailbox rekey {with}"));
    let mbox = (1..4).map(|day| format!("From a@far.example Mon Jan  {day} 10:00:00 2019\n{}\n", message()));
    let mbox = site.write("old.mbox", &mbox.collect::<String>());
    assert_never_clear(
        &site,
        &format!("mailbox import --account bob@north.example --mailbox Old {}", path(&mbox)),
    );
    // That such a write would be seen.
    let trace = written(&site, &format!("mailbox decrypt {with} --mailbox INBOX"));
    let clear = to_the_store(&site, &trace).into_iter().filter(|line| line.contains(WORD));
    assert_eq!(clear.filter(|line| line.contains("/Maildir/tmp/")).count(), 3);
}
