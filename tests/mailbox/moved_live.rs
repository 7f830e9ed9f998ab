//! Messages that a client of a live Dovecot moves or expunges while they are replaced.

use super::served::{BOB, FIRST, Served};
use super::verbs::events_of;
use crate::support::root;
use crate::support::servers::Wire;
use std::collections::BTreeMap;

/// One batch of a run.
const LETTERS: u64 = 512;

/// OK or NO: some may be gone under their UIDs.
fn attempt(session: &mut Wire, command: &str) {
    session.send(&format!("b {command}"));
    while !session.line().starts_with("b ") {}
}

/// What the server is told, with UIDS in the place of some of them, and for how many at a time.
type Order = (&'static str, u64);

/// A run, and what it told. When all is staged, just before the new files become visible, which is the hardest moment, it is held
/// up until the server has done the command to all letters, the last ones first.
fn run_beside(served: &Served, session: &mut Wire, (command, at_once): Order) -> String {
    let words = format!("--json mailbox encrypt --account {BOB} --all");
    served.held_up(&words, LETTERS as usize, || {
        for chunk in (0..LETTERS / at_once).rev() {
            let uids = format!("{}:{}", chunk * at_once + 1, (chunk + 1) * at_once);
            attempt(session, &command.replace("UIDS", &uids));
        }
    })
}

/// In which mailboxes each letter is.
fn places(served: &Served) -> BTreeMap<u64, Vec<&'static str>> {
    let mut places = BTreeMap::<u64, Vec<&str>>::new();
    for mailbox in ["", ".Archive"] {
        for lying in served.messages(mailbox) {
            places.entry(served.number(&lying)).or_default().push(mailbox);
        }
    }
    places
}

#[test]
fn what_is_moved_while_it_is_replaced_is_there_once() {
    if !root(&["openssl", "dovecot", "strace"]) {
        return;
    }
    let served = Served::with_letters(LETTERS);
    let mut session = served.dovecot.session(BOB);
    // All at once: the server makes every link first, and removes the old names after the last one.
    run_beside(&served, &mut session, ("UID MOVE UIDS Archive", LETTERS));
    let places = places(&served);
    let doubles: Vec<_> =
        places.iter().filter(|(_, places)| places.len() > 1).map(|(number, _)| number).collect();
    assert!(doubles.is_empty(), "{} messages are there twice: {doubles:?}", doubles.len());
    assert!(places.keys().copied().eq(FIRST..FIRST + LETTERS));
    let moved = places.values().filter(|places| places[..] == [".Archive"]).count();
    println!("{moved} of {LETTERS} were moved");
    assert!(moved > 0, "nothing was moved");
}

/// Who removed the old file is the one whose word holds: the run that put another one in its place, or the server.
#[test]
fn what_is_expunged_while_it_is_replaced_does_not_come_back() {
    if !root(&["openssl", "dovecot", "strace"]) {
        return;
    }
    let served = Served::with_letters(LETTERS);
    let mut session = served.dovecot.session(BOB);
    session.imap("STORE 1:* +FLAGS (\\Deleted)");
    let told = run_beside(&served, &mut session, ("UID EXPUNGE UIDS", 64));
    let mut sealed = Vec::new();
    let mut gone = 0;
    for event in events_of(&told).iter().filter(|event| event["event"] == "message") {
        let number: u64 = event["message"].as_str().unwrap().split_once('.').unwrap().0.parse().unwrap();
        match event["outcome"].as_str().unwrap() {
            "sealed" => sealed.push(number),
            _ => gone += 1,
        }
    }
    sealed.sort_unstable();
    assert!(places(&served).into_keys().eq(sealed), "another one is there");
    println!("{gone} of {LETTERS} were expunged");
    assert!(gone > 0, "nothing was expunged");
}
