//! The table "What is promised" of `docs/STORED-MAIL.md`, row by row.

use super::folders::{Lying, Maildir};
use super::verbs::number;
use crate::support::{Held, Program, Site, path, tools, wait_for};
use std::path::{Path, PathBuf};

/// What each row begins with, and what holds it.
const ROWS: &[(&str, &str)] = &[
    (
        "a crash, a kill, a full disk, at any moment",
        "a_kill_before_the_old_file_goes, run/kills.rs, run/disks.rs",
    ),
    ("a flag set while a run goes on", "what_is_done_to_a_message_meanwhile"),
    ("a message moved or removed while a run goes on", "what_is_done_to_a_message_meanwhile"),
    ("the one exception", "a_kill_before_the_old_file_goes"),
    (
        "`state.sqlite` is lost after a kill (restored, another machine)",
        "a lost journal, which no command can bring back",
    ),
    ("what lives only in Dovecot's own index", "the server's, no command of ours can check it: live.rs"),
    ("two runs in one account", "what_is_done_to_a_message_meanwhile, goes_on.rs"),
    ("memory", "run/memory.rs"),
    ("quota", "a_replacement_may_go_over_quota"),
];
const CLEAR: &[u8] = b"From: carol@far.example\nSubject: pay\n\nThe secret body.\n";
const ENCRYPT: &str = "mailbox encrypt --account bob@north.example --all";

#[test]
fn each_row_of_the_table_has_its_test() {
    let page = include_str!("../../docs/STORED-MAIL.md");
    let (_, table) = page.split_once("\n## What is promised\n").unwrap();
    let rows: Vec<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next()).collect();
    assert_eq!(rows.into_iter().filter(|row| !row.starts_with('|')).collect::<Vec<_>>(), names());
}

fn names() -> Vec<&'static str> {
    ROWS.iter().map(|(name, _)| *name).collect()
}

/// One message of bob's in the clear.
struct One {
    site: Site,
    maildir: Maildir,
    old: PathBuf,
}

impl One {
    fn new() -> Option<One> {
        if !tools(&["strace"]) {
            return None;
        }
        let (site, _) = Site::certified();
        let maildir = Maildir::of(&site.root(), "bob");
        maildir.make(".Archive");
        let old = maildir.put("cur/1577836801.a.host:2,S", CLEAR, 1);
        Some(One { site, maildir, old })
    }

    /// Dies before it removes the old file.
    fn kill(&self, words: &str) {
        let program = Program::killed_in("unlink,unlinkat", 1, std::slice::from_ref(&self.old));
        let program = program.args([env!("CARGO_BIN_EXE_sealpost"), "--root", path(&self.site.root())]);
        assert_eq!(program.words(words).run().code, None);
    }

    /// Does something while the new file is visible and the old one is there.
    fn meanwhile(&self, act: impl FnOnce()) {
        let root = self.site.root();
        let words: Vec<&str> = ["--root", path(&root)].into_iter().chain(ENCRYPT.split(' ')).collect();
        let held = Held::before("unlink,unlinkat", &self.old, &words);
        wait_for("the new file", 60, || (self.maildir.messages().len() == 2).then_some(()));
        act();
        let ended = held.go_on();
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    }

    /// Dies with both of them there. The new one.
    fn killed() -> Option<(One, Lying)> {
        let one = One::new()?;
        one.kill(ENCRYPT);
        let mut there = one.maildir.messages();
        assert_eq!(there.len(), 2);
        there.retain(Lying::is_sealed);
        Some((one, there.remove(0)))
    }

    /// What is there after the next run.
    fn next_run(&self) -> Vec<Lying> {
        let ended = self.site.run(ENCRYPT);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let there = self.maildir.messages();
        assert!(there.iter().all(Lying::is_sealed), "{there:?}");
        there
    }
}

fn rename(from: &Path, to: &Path) {
    std::fs::rename(from, to).unwrap();
}

#[test]
fn what_is_done_to_a_message_meanwhile_is_done_to_the_new_one() {
    let Some(flagged) = One::new() else { return };
    flagged.meanwhile(|| {
        rename(&flagged.old, &flagged.old.with_file_name("1577836801.a.host:2,FS"));
        let second = flagged.site.run(ENCRYPT);
        assert_eq!((second.code, second.text().as_str()), (Some(75), ""), "{}", second.stderr);
        let told = "sealpost: another run is at work in the mailboxes of bob@north.example";
        assert!(second.stderr.starts_with(told), "{}", second.stderr);
    });
    let there = flagged.maildir.messages();
    assert_eq!(
        there.iter().map(|lying| (lying.is_sealed(), lying.letters())).collect::<Vec<_>>(),
        [(true, "FS".into())]
    );
    let moved = One::new().unwrap();
    let archive = moved.site.root().join("mail/north.example/bob/Maildir/.Archive/cur");
    moved.meanwhile(|| rename(&moved.old, &archive.join("1577836801.a.host:2,S")));
    let there = moved.maildir.messages();
    assert!(there.len() == 1 && there[0].is_sealed() && there[0].file.starts_with(&archive), "{there:?}");
    let removed = One::new().unwrap();
    removed.meanwhile(|| std::fs::remove_file(&removed.old).unwrap());
    assert_eq!(removed.maildir.messages(), []);
    assert!([flagged, moved, removed].iter().all(|one| one.maildir.is_tidy()));
}

#[test]
fn a_kill_before_the_old_file_goes_leaves_both_and_the_next_run_finishes() {
    let Some((one, new)) = One::killed() else { return };
    rename(&one.old, &one.old.with_file_name("1577836801.a.host:2,FS"));
    let there = one.next_run();
    assert_eq!(
        there.iter().map(|lying| (lying.inode, lying.letters())).collect::<Vec<_>>(),
        [(new.inode, "FS".into())]
    );
    let (one, new) = One::killed().unwrap();
    std::fs::remove_file(&one.old).unwrap();
    assert_eq!(one.next_run().iter().map(|lying| lying.inode).collect::<Vec<_>>(), [new.inode], "it stays");
    let (one, new) = One::killed().unwrap();
    std::fs::remove_file(&new.file).unwrap();
    assert_eq!(one.next_run().len(), 1, "the old one stays, and is sealed");
}

/// The names with which a command was given are those of before.
#[test]
fn a_command_that_named_messages_goes_on_after_a_kill() {
    let Some(one) = One::new() else { return };
    let other = one.maildir.put("new/1577836800.z.host", CLEAR, 0);
    let words = "mailbox encrypt --account bob@north.example 1577836800.z.host 1577836801.a.host";
    one.kill(words);
    assert!(!other.exists() && one.old.exists(), "new comes before cur");
    let ended = one.site.run(words);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.text());
    assert_eq!(number(&ended, "failed"), Some(0));
    let there = one.maildir.messages();
    assert!(there.len() == 2 && there.iter().all(Lying::is_sealed), "{there:?}");
}

#[test]
fn a_replacement_may_go_over_quota() {
    let (site, _) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    maildir.put("cur/1577836801.a.host:2,S", CLEAR, 1);
    let sizes = site.root().join("mail/north.example/bob/Maildir/maildirsize");
    let limit = CLEAR.len() as i64;
    std::fs::write(&sizes, format!("{limit}S\n{limit} 1\n")).unwrap();
    let ended = site.run(ENCRYPT);
    assert_eq!((ended.code, number(&ended, "sealed now")), (Some(0), Some(1)), "{}", ended.stderr);
    let sealed = maildir.messages()[0].bytes.len() as i64;
    let text = std::fs::read_to_string(&sizes).unwrap();
    let octets = text.lines().skip(1).map(|line| line.split(' ').next().unwrap().parse::<i64>().unwrap());
    assert_eq!(octets.sum::<i64>(), sealed, "{text}");
    assert!(sealed > limit);
}
