//! Many messages sealed in one call: nothing of one may come near another.

use crate::laws::people::{ELLA, EMMA, Person, ROSA, XENIA, now, validated};
use sealpost::crypto::{Profile, Seed};
use sealpost::mail::crlf;
use sealpost::smime::{Mark, SealJob, open, seal_many};

const MESSAGES: usize = 10_000;
/// Bytes of the longest text of most, and of every hundredth.
const MOSTLY: usize = 6 * 1024;
const SELDOM: usize = 60 * 1024;

/// Numbers that look drawn, and are always the same.
fn drawn(number: usize) -> usize {
    let mixed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ mixed >> 27) as usize
}

/// Opening with a key of RSA takes its time: few have one. Every seventh message goes another way than in a chain of blocks.
fn recipient(number: usize) -> (&'static Person, Profile) {
    match (number % 7, drawn(number) % 100) {
        (0, _) => (&XENIA, Profile::Modern),
        (_, 0) => (&ROSA, Profile::Compatible),
        (_, 1..50) => (&ELLA, Profile::Compatible),
        _ => (&EMMA, Profile::Compatible),
    }
}

/// Lines of text; every other one is of any octets.
fn message(number: usize) -> Vec<u8> {
    let longest = if number.is_multiple_of(100) { SELDOM } else { MOSTLY };
    let length = drawn(number + MESSAGES) % longest;
    let head = format!("Subject: {number} of {MESSAGES}\n\n").into_bytes();
    let at_random = (0..).map(|at: usize| drawn(number ^ at << 20));
    if number.is_multiple_of(2) {
        head.into_iter().chain(at_random.map(|drawn| drawn as u8).take(length)).collect()
    } else {
        let words = at_random.flat_map(|drawn| format!("{drawn:x} {number}\n").into_bytes());
        head.into_iter().chain(words.take(length)).collect()
    }
}

fn seed(number: usize) -> Seed {
    let mut octets = [0; 32];
    octets[..8].copy_from_slice(&number.to_le_bytes());
    Seed::from_bytes(&mut octets)
}

#[test]
fn ten_thousand_messages_of_all_sizes_are_sealed_at_once_and_each_opens_to_itself() {
    let people = [&ROSA, &ELLA, &EMMA, &XENIA];
    let certificates = people.map(|person| (person.name, validated(&[person])));
    let of = |person: &Person| &certificates.iter().find(|(name, _)| *name == person.name).unwrap().1;
    let messages: Vec<Vec<u8>> = (0..MESSAGES).map(message).collect();
    let jobs = messages.iter().enumerate().map(|(number, message)| {
        let (person, profile) = recipient(number);
        let mark = Mark { at: now(), rule: None, marked: Vec::new(), edited: Vec::new() };
        SealJob { message, recipients: of(person), form: profile.into(), mark, seed: seed(number) }
    });
    let sealed = seal_many(jobs.collect());
    assert_eq!(sealed.len(), MESSAGES);
    for (number, (sealed, message)) in sealed.into_iter().zip(&messages).enumerate() {
        let (sealed, (person, _)) = (sealed.unwrap(), recipient(number));
        let opened = open(sealed.bytes(), &[person.opening()]);
        let opened = opened.unwrap_or_else(|error| panic!("message {number} to {}: {error}", person.name));
        assert!(opened.message.expose() == &*crlf(message), "message {number} opens to something else");
        if number.is_multiple_of(97) {
            let others: Vec<_> = people.iter().filter(|other| other.name != person.name).collect();
            let opening: Vec<_> = others.iter().map(|other| other.opening()).collect();
            assert!(open(sealed.bytes(), &opening).is_err(), "message {number} opens for somebody else");
        }
    }
}
