//! An export beside others who work in the mailbox.

use super::folders::{Maildir, fidget};
use crate::support::{Site, path};
use sealpost::mail::{Address, MailboxName};
use sealpost::mailbox::{Export, Exported, Selection};
use sealpost::store::MaildirStore;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

const WORDS: &str = "mailbox export --account bob@north.example";

/// Bob's INBOX with so many clear messages that were seen.
fn filled(number: usize) -> (Site, Maildir, Vec<PathBuf>) {
    let site = Site::furnished();
    let maildir = Maildir::of(&site.root(), "bob");
    let put = |at: usize| {
        let place = format!("cur/{}.a.host:2,S", 1_577_836_800 + at);
        maildir.put(&place, format!("Subject: {at}\n\nbody {at}\n").as_bytes(), 1)
    };
    let files = (0..number).map(put).collect();
    (site, maildir, files)
}

#[test]
fn flags_that_change_meanwhile_hide_no_message() {
    const NUMBER: usize = 1000;
    let (site, _maildir, files) = filled(NUMBER);
    let end = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| fidget(files, &end));
        let ended = site.run(WORDS);
        end.store(true, Ordering::Relaxed);
        let text = ended.text();
        let found: BTreeMap<&str, usize> =
            text.lines().filter(|line| line.starts_with("body ")).fold(BTreeMap::new(), |mut found, line| {
                *found.entry(line).or_default() += 1;
                found
            });
        assert_eq!((found.len(), ended.code, ended.stderr.as_str()), (NUMBER, Some(0), ""));
        assert!(found.values().all(|times| *times == 1), "none is there twice");
    });
}

#[test]
fn a_run_in_the_account_is_waited_for() {
    let (site, ..) = filled(1);
    let locked = std::fs::File::open(site.root().join("mail/north.example/bob/Maildir")).unwrap();
    locked.lock().unwrap();
    let (code, stderr) = site.refused(WORDS);
    assert_eq!(
        (code, stderr.as_str()),
        (
            75,
            "sealpost: another run is at work in the mailboxes of bob@north.example; try again when it is done\n"
        )
    );
    drop(locked);
    site.run(WORDS).ok();
}

/// One gets a flag and one is removed while the first is written.
#[test]
fn what_is_renamed_comes_and_what_is_removed_is_told() {
    let (site, _maildir, files) = filled(3);
    let store = MaildirStore::new(&site.root().join("mail"), "{domain}/{local}/Maildir").unwrap();
    let bob = Address::parse("bob@north.example").unwrap();
    let change = |_: &[u8]| {
        if files[1].exists() {
            std::fs::rename(&files[1], format!("{}T", files[1].display())).unwrap();
            std::fs::remove_file(&files[2]).unwrap();
        }
        Ok(None)
    };
    let export = Export {
        store: &store,
        mailbox: &store.mailbox_to_come(&bob, &MailboxName::inbox()),
        selection: &Selection::all(),
        opener: &change,
        flags: &|_| Vec::new(),
        stop: &AtomicBool::new(false),
        largest: 1000,
    };
    let mut told = Vec::new();
    let mut tell = |stored: &sealpost::store::StoredMessage, exported| {
        told.push((stored.base().as_bytes()[9], exported));
    };
    export.run(&mut |_| Ok(()), &mut tell).unwrap();
    let as_stored = Exported::AsStored;
    assert_eq!(told, [(b'0', as_stored.clone()), (b'1', as_stored), (b'2', Exported::Gone)]);
}

fn command(site: &Site) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
    command.args(["--root", path(&site.root())]).args(WORDS.split(' ')).stdin(Stdio::null());
    command
}

#[test]
fn what_was_removed_meanwhile_is_said_and_no_failure() {
    let (site, maildir, files) = filled(2);
    // More than fits into a pipe: it is not written before somebody reads.
    maildir.put("cur/1577836800.a.host:2,S", &b"x\n".repeat(200_000), 1);
    let mut child = command(&site).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    std::fs::remove_file(&files[1]).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), said.as_str()),
        (Some(0), "sealpost: 1 message was removed or moved meanwhile, and left out\n")
    );
}

#[test]
fn what_is_not_as_it_was_is_said() {
    let (site, password) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    maildir.put("cur/1577836801.a.host:2,S", b"Subject: mixed\r\n\none\r\ntwo\n", 1);
    site.run("mailbox encrypt --account bob@north.example --all").ok();
    let ended = site.run(&format!("{WORDS} --password-file {}", path(&password)));
    assert!(ended.stderr.contains(" is not as it was: its line ends were mixed"), "{}", ended.stderr);
    assert_eq!(ended.code, Some(0));
}
