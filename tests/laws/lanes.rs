//! Many messages sealed in one call.

use super::crlf;
use super::people::{ELLA, EMMA, Person, ROSA, XENIA, now, seal, seed, validated};
use sealpost::crypto::Profile;
use sealpost::pki::ValidatedCertificate;
use sealpost::smime::{Form, Mark, SealError, SealJob, Sealed, open, seal_many};

/// More than are ever worked on side by side, so that places are given up and taken anew.
const MOST: usize = 24;
/// More than is worked on at a time.
const LONGEST: u16 = 0x3fff;

/// Who gets it and in which form: all but the third are encrypted in a chain.
static FORMS: [(&Person, Profile); 4] = [
    (&ELLA, Profile::Compatible),
    (&EMMA, Profile::Compatible),
    (&XENIA, Profile::Modern),
    (&ROSA, Profile::Compatible),
];

/// Three octets a message: one says to whom, in which form and with which lines, two how long it is. Sealed in one call:
///
/// - Each is, octet for octet, what it is when it is sealed alone.
/// - Each opens with the key of its recipient, to itself.
pub(crate) fn hold(input: &[u8]) {
    let (choices, _) = input.as_chunks::<3>();
    let letters: Vec<Letter> = choices.iter().take(MOST).zip(0..).map(Letter::new).collect();
    let together = seal_together(&letters);
    assert_eq!(together.len(), letters.len());
    for (letter, sealed) in letters.iter().zip(together) {
        let sealed = sealed.expect("the profile serves this key");
        let alone = seal(&letter.message, &[letter.person], letter.profile, letter.number);
        assert!(sealed.bytes() == alone.expect("the profile serves this key").bytes(), "{letter:?}");
        let opened = open(sealed.bytes(), &[letter.person.opening()]).expect("what was sealed opens");
        assert!(opened.message.expose() == crlf(&letter.message), "opens to something else: {letter:?}");
    }
}

/// One of the messages. No two are alike.
struct Letter {
    number: u8,
    person: &'static Person,
    profile: Profile,
    message: Vec<u8>,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (number, name, length) = (self.number, self.person.name, self.message.len());
        write!(f, "number {number} of {length} bytes to {name} ({})", self.profile.name())
    }
}

impl Letter {
    fn new((&[choice, low, high], number): (&[u8; 3], u8)) -> Letter {
        // A key of RSA is slow to open with: seldom.
        let form = if choice & 0x1c == 0 { choice & 3 } else { (choice & 3) % 3 };
        let (person, profile) = FORMS[usize::from(form)];
        let length = usize::from(u16::from_le_bytes([low, high]) & LONGEST);
        let lines = LINES[usize::from(choice >> 5)];
        Letter { number, person, profile, message: message(number, length, lines) }
    }
}

/// How long a line is at most, and its end: as programs write them, and as nobody does.
static LINES: [(usize, &[u8]); 8] = [
    (64, b"\n"),
    (64, b"\r\n"),
    (77, b"\n"),
    (1, b"\n"),
    (2, b"\r\n"),
    (5, b"\n\r\n"),
    (33, b"\r\r\n"),
    (4000, b"\n"),
];

fn message(number: u8, length: usize, (columns, end): (usize, &[u8])) -> Vec<u8> {
    let head = format!("Subject: {number}\n\n");
    let text = (0..).map(|at: usize| {
        let left = columns - 1 - at % columns;
        let letter = b' ' + ((at / columns * 7 + at % columns + usize::from(number) * 31) % 95) as u8;
        end.len().checked_sub(left + 1).and_then(|at| end.get(at)).copied().unwrap_or(letter)
    });
    head.bytes().chain(text.take(length)).collect()
}

fn seal_together(letters: &[Letter]) -> Vec<Result<Sealed, SealError>> {
    let recipients: Vec<Vec<ValidatedCertificate>> =
        letters.iter().map(|letter| validated(&[letter.person])).collect();
    let jobs = letters.iter().zip(&recipients).map(|(letter, recipients)| SealJob {
        message: &letter.message,
        recipients,
        form: Form::from(letter.profile),
        mark: Mark { at: now(), rule: Some("Laws"), marked: Vec::new(), edited: Vec::new() },
        seed: seed(letter.number),
    });
    seal_many(jobs.collect())
}

/// Numbers of messages and lengths at which something could change.
pub(crate) fn seeds() -> Vec<(String, Vec<u8>)> {
    let of = |lengths: &[u16]| -> Vec<u8> {
        let letter = |(&length, number): (&u16, u8)| {
            let [low, high] = length.to_le_bytes();
            [number.wrapping_mul(5) & 0x1f | number << 5, low, high]
        };
        lengths.iter().zip(0..).flat_map(letter).collect()
    };
    [
        ("one", of(&[100])),
        ("empty", of(&[0; 17])),
        ("alike", of(&[1000; 16])),
        ("falling", of(&(0..24).map(|n| 4000 - 100 * n).collect::<Vec<_>>())),
        ("rising", of(&(0..24).map(|n| 16 * n + n % 3).collect::<Vec<_>>())),
        ("one-long", of(&[30, LONGEST, 30, 30, 30, 30, 30, 30, 30])),
        ("chunks", of(&(14_580..14_604).collect::<Vec<_>>())),
    ]
    .map(|(name, octets)| (name.to_owned(), octets))
    .into()
}
