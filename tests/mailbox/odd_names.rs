//! Names that cannot be read, folders that cannot be listed, and two files of one name.

use super::folders::{Lying, Maildir};
use super::verbs::{events, number};
use crate::support::{Ended, Store};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

const CLEAR: &[u8] = b"From: carol@far.example\nSubject: pay\n\nThe secret body.\n";
const ENCRYPT: &str = "mailbox encrypt --account bob@north.example";

struct Odd {
    store: Store,
    maildir: Maildir,
}

impl Odd {
    /// Two messages in INBOX, one of them new, and one in Archive.
    fn new() -> Odd {
        let store = Store::new();
        let maildir = Maildir::of(&store.root(), "bob");
        maildir.make(".Archive");
        for name in
            ["new/1577836801.a.host", "cur/1577836802.b.host:2,S", ".Archive/cur/1577836803.c.host:2,"]
        {
            maildir.put(name, CLEAR, 1);
        }
        Odd { store, maildir }
    }

    fn folder(&self) -> PathBuf {
        self.store.root().join("mail/north.example/bob/Maildir")
    }

    fn run(&self, words: &str) -> Ended {
        self.store.command(words).run()
    }

    fn sealed(&self) -> usize {
        self.maildir.messages().iter().filter(|lying| lying.is_sealed()).count()
    }
}

fn not_utf8() -> Odd {
    let odd = Odd::new();
    std::fs::write(odd.folder().join("cur").join(OsStr::from_bytes(b"1577836800.\xe4.host:2,S")), CLEAR)
        .unwrap();
    odd
}

#[test]
fn a_name_that_is_not_in_utf8_is_one_failure_and_the_others_are_sealed() {
    let odd = not_utf8();
    let dry = events(&odd.run(&format!("{ENCRYPT} --all --dry-run --json")));
    let unnamed: Vec<_> = dry.iter().filter(|event| event["message"].is_null()).collect();
    assert_eq!(
        (unnamed[0]["event"].as_str(), unnamed[0]["outcome"].as_str()),
        (Some("message"), Some("failed"))
    );
    let ended = odd.run(&format!("{ENCRYPT} --all"));
    assert_eq!((ended.code, odd.sealed()), (Some(1), 3), "{}", ended.stderr);
    assert_eq!(number(&ended, "sealed now"), Some(3), "{}", ended.text());
    assert_eq!(number(&ended, "failed"), Some(1), "{}", ended.text());
    let reason = "cur/1577836800.\u{fffd}.host:2,S: it is not in UTF-8; rename the file\n";
    assert!(
        ended.stderr.starts_with("sealpost: bob@north.example INBOX: cannot read the name of "),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains(reason), "{}", ended.stderr);
    let one = odd.run(&format!("{ENCRYPT} 15778368"));
    assert_eq!(one.code, Some(1), "several are called so: {}", one.stderr);
    let one = odd.run(&format!("{ENCRYPT} 1577836802"));
    assert_eq!(one.code, Some(0), "it is none of those that are named: {}", one.stderr);
}

#[test]
fn list_and_inspect_show_the_others_and_count_it_as_unreadable() {
    let odd = not_utf8();
    let listed = odd.run("mailbox list --account bob@north.example");
    assert_eq!(listed.code, Some(1), "{}", listed.stderr);
    let text = listed.text();
    let inbox: Vec<&str> =
        text.lines().find(|row| row.contains(" INBOX ")).unwrap().split_whitespace().collect();
    assert_eq!(inbox[1..6], ["INBOX", "3", "0", "2", "1"], "{text}");
    assert!(listed.stderr.starts_with("sealpost: 1 message could not be read\n"), "{}", listed.stderr);
    let inspected = odd.run("mailbox inspect --account bob@north.example --json");
    let summary = events(&inspected).pop().unwrap();
    assert_eq!((&summary["messages"], &summary["clear"]), (&4.into(), &3.into()), "{summary}");
    assert_eq!((&summary["unreadable"], &summary["unlisted_mailboxes"]), (&1.into(), &0.into()), "{summary}");
    assert_eq!(inspected.code, Some(1));
}

#[test]
fn a_folder_that_cannot_be_listed_is_one_failure_and_the_other_folders_go_on() {
    let odd = Odd::new();
    let cur = odd.folder().join("cur");
    std::fs::rename(&cur, odd.folder().join("kept")).unwrap();
    symlink(&cur, &cur).unwrap();
    let ended = odd.run(&format!("{ENCRYPT} --all"));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(number(&ended, "sealed now"), Some(2), "{}", ended.text());
    assert_eq!(number(&ended, "failed"), Some(1), "{}", ended.text());
    assert!(ended.stderr.starts_with("sealpost: bob@north.example INBOX: cannot list "), "{}", ended.stderr);
}

/// rsync and merged backups leave them: the second is not looked at in secret, and not passed over in silence.
#[test]
fn two_files_of_one_name_are_a_failure_until_one_is_gone() {
    let odd = Odd::new();
    odd.maildir.put("cur/1577836802.b.host:2,", b"Subject: another\n\nAnother body.\n", 1);
    let ended = odd.run(&format!("{ENCRYPT} --all"));
    assert_eq!((ended.code, odd.sealed()), (Some(1), 3), "{}", ended.stderr);
    assert_eq!(number(&ended, "failed"), Some(1), "{}", ended.text());
    let reason =
        "another file has the same name but for its flags: rename one of them and run the same command again";
    assert!(ended.stderr.contains(&format!(" INBOX 1577836802.b.host: {reason}\n")), "{}", ended.stderr);
    let again = odd.run(&format!("{ENCRYPT} --all"));
    assert_eq!(again.code, Some(0), "it is alone now: {}", again.stderr);
    assert!(odd.maildir.messages().len() == 4 && odd.maildir.messages().iter().all(Lying::is_sealed));
}
