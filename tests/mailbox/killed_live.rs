//! A run that is killed beside a live Dovecot, while both files of messages are visible; what clients do until the next run.

use super::served::{BOB, FIRST, Lying, Served, date_of};
use crate::support::root;
use std::collections::BTreeMap;

const LETTERS: u64 = 100;
const DEEDS: usize = 10;

/// Kills a run when all of its files are visible and it is about to remove the first of the old ones.
fn kill(served: &Served) {
    let names = std::fs::read_dir(served.maildir().join("cur")).unwrap();
    let old: Vec<_> = names.map(|entry| entry.unwrap().path()).collect();
    let ended = served.killed(&format!("mailbox encrypt --account {BOB} --all"), &old);
    assert_eq!(ended.code, None, "{}", ended.stderr);
}

/// Every message of a mailbox by its number.
fn by_number(served: &Served, mailbox: &str) -> BTreeMap<u64, Vec<Lying>> {
    let mut all = BTreeMap::<u64, Vec<Lying>>::new();
    for lying in served.messages(mailbox) {
        all.entry(served.number(&lying)).or_default().push(lying);
    }
    all
}

/// The numbers of those that are there twice.
fn pairs(served: &Served) -> Vec<u64> {
    let all = by_number(served, "");
    all.into_iter().filter(|(_, lying)| lying.len() == 2).map(|(number, _)| number).collect()
}

/// Where the client sees the clear and the sealed one of each message: its sequence numbers.
fn seen(literals: &[Vec<u8>]) -> BTreeMap<(u64, bool), usize> {
    let of = |(at, literal): (usize, &Vec<u8>)| {
        let text = String::from_utf8(literal.clone()).unwrap();
        let number = text.split_once("Letter ").unwrap().1.lines().next().unwrap().trim().parse().unwrap();
        ((number, text.contains("Sealpost-Sealed")), at + 1)
    };
    literals.iter().enumerate().map(of).collect()
}

#[test]
fn what_is_done_to_one_of_two_files_after_a_kill_is_what_the_table_says() {
    if !root(&["openssl", "dovecot", "strace"]) {
        return;
    }
    let served = Served::with_letters(0);
    served.add(FIRST..FIRST + LETTERS);
    let mut session = served.dovecot.session(BOB);
    kill(&served);
    session.imap("NOOP");
    let twice = pairs(&served);
    assert!(twice.len() >= DEEDS, "{} of {LETTERS} are there twice", twice.len());
    let seen = seen(&session.imap("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT SEALPOST-SEALED)])"));
    let [old, new] = [false, true].map(|sealed| {
        let at = |deed: usize| seen[&(twice[deed], sealed)];
        (0..DEEDS).map(at).collect::<Vec<usize>>()
    });
    for (message, flag) in [(old[0], "\\Flagged"), (new[1], "\\Answered"), (old[2], "Work")] {
        session.imap(&format!("STORE {message} +FLAGS ({flag})"));
    }
    for message in [old[3], new[4], old[5], new[5]] {
        session.imap(&format!("STORE {message} +FLAGS (\\Deleted)"));
    }
    session.imap(&format!("MOVE {},{},{},{} Archive", old[6], new[7], old[8], new[8]));
    session.imap("EXPUNGE");
    served.run(&format!("mailbox encrypt --account {BOB} --all")).ok();

    let (inbox, archive) = (by_number(&served, ""), by_number(&served, ".Archive"));
    let count = |deed: usize| [&inbox, &archive].map(|mailbox| mailbox.get(&twice[deed]).map_or(0, Vec::len));
    let has = |deed: usize, flag: &str| inbox[&twice[deed]][0].flags.contains(flag);
    assert_eq!([0, 1, 2, 9].map(count), [[1, 0]; 4], "flags were set, or nothing was done");
    assert!(has(0, "\\Flagged") && has(1, "\\Answered") && has(2, "Work"));
    assert_eq!([3, 4].map(count), [[1, 0]; 2], "one was expunged, and the other one stays");
    assert_eq!(count(5), [0, 0], "both were expunged");
    assert_eq!([6, 7].map(count), [[1, 1]; 2], "one was moved, and the other one stays");
    assert_eq!(count(8), [0, 1], "both were moved under their names, and the run finds them there");
    for number in (FIRST..FIRST + LETTERS).filter(|number| !twice[..DEEDS].contains(number)) {
        assert_eq!(inbox.get(&number).map(Vec::len), Some(1), "message {number}");
    }
    assert!(inbox.values().chain(archive.values()).flatten().all(Lying::is_sealed));
    assert!(inbox.iter().all(|(number, lying)| lying[0].date == date_of(*number)));
}
