//! The program killed without a word, at moments that matter, and the same command again.

use super::folders::{Lying, Maildir, contents, kept};
use super::verbs::{events, number};
use crate::support::{Ended, Program, Site, path, tools};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const MESSAGES: u64 = 1500;

fn clear(number: u64) -> Vec<u8> {
    format!("From: carol@far.example\nSubject: {number}\n\nThe secret body of {number}.\n").into_bytes()
}

fn full(site: &Site) -> Maildir {
    let maildir = Maildir::of(&site.root(), "bob");
    for number in 0..MESSAGES {
        let letters = ["", "S", "FS", "RSab"][number as usize % 4];
        maildir.put(&format!("cur/15778{number:05}.a.host:2,{letters}"), &clear(number), number);
    }
    maildir
}

fn names(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// When the program is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// Some messages are written, none is visible.
    Staged,
    /// New files are visible; the old ones may be there still.
    Visible,
    /// It has told of messages.
    Told,
}

const MOMENTS: [Moment; 3] = [Moment::Staged, Moment::Visible, Moment::Told];

/// The command, killed at the moment: in the system call that would bring the next one.
fn kill_at(moment: Moment, site: &Site, words: &str) {
    let told = site.folder().join("told");
    let root = site.root();
    let maildir = root.join("mail/north.example/bob/Maildir");
    let visible = names(&maildir.join("cur"));
    let killed = match moment {
        Moment::Staged => Program::killed_in("linkat", 1, &[]),
        Moment::Visible => Program::killed_in("unlink", 1, &visible),
        Moment::Told => Program::killed_in("write", 2, std::slice::from_ref(&told)),
    };
    let program = killed.args([env!("CARGO_BIN_EXE_sealpost"), "--root", path(&root)]).words(words);
    let ended = program.output_to(&told).run();
    assert_eq!(ended.code, None, "{words}: it ended before the kill ({moment:?}): {}", ended.stderr);
    match moment {
        Moment::Staged => assert!(names(&maildir.join("tmp")).len() > 100, "they are written"),
        Moment::Visible => assert!(names(&maildir.join("cur")).len() > visible.len() + 100, "both are there"),
        Moment::Told => assert!(std::fs::metadata(&told).unwrap().len() > 0, "it told of one"),
    }
}

/// Killed at each moment, every message is there, and at most twice; the same command then does what is left.
fn killed_thrice(site: &Site, maildir: &Maildir, words: &str) -> Ended {
    let before = kept(&maildir.messages());
    for moment in MOMENTS {
        kill_at(moment, site, words);
        let mut copies: BTreeMap<String, usize> = BTreeMap::new();
        maildir.messages().iter().for_each(|lying| *copies.entry(lying.time()).or_default() += 1);
        assert_eq!(copies.len() as u64, MESSAGES, "none is lost");
        assert!(copies.values().all(|copies| *copies < 3), "{words}, {moment:?}");
    }
    let ended = site.run(words);
    assert_eq!(ended.code, Some(0), "{words}: {}", ended.stderr);
    let told = events(&ended);
    let summary = told.last().unwrap();
    assert!(summary["resumed"] == true && summary["stopped"] == false, "{summary}");
    assert!(summary["done_before"].as_u64().unwrap() > 0, "{summary}");
    assert!(summary["replaced"].as_u64().unwrap() < MESSAGES, "{summary}");
    assert_eq!(kept(&maildir.messages()), before, "each once, with its letters and date");
    ended
}

#[test]
fn what_was_killed_goes_on_and_each_message_is_there_once() {
    if !tools(&["strace"]) {
        return;
    }
    let (site, password) = Site::certified();
    let generate = "key generate --account bob@north.example --type ec-p256 --password-file";
    let renew = || {
        site.program(generate).args([path(&password)]).run().ok();
        site.run("cert issue --account bob@north.example --renew").ok();
    };
    renew();
    let maildir = full(&site);
    let before = maildir.messages();
    let encrypt = "mailbox encrypt --account bob@north.example --all --json";
    killed_thrice(&site, &maildir, encrypt);
    assert!(maildir.messages().iter().all(Lying::is_sealed));
    renew();
    let with = format!("--account bob@north.example --password-file {} --all", path(&password));
    killed_thrice(&site, &maildir, &format!("mailbox rekey {with} --json"));
    let again = site.run(&format!("mailbox rekey {with}"));
    assert_eq!(number(&again, "already right"), Some(MESSAGES), "{}", again.text());
    killed_thrice(&site, &maildir, &format!("mailbox decrypt {with} --json"));
    let after = maildir.messages();
    assert!(contents(&after) == contents(&before), "byte for byte");
    assert_eq!(kept(&after), kept(&before));
}
