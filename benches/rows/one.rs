//! One message at a time, on one thread: sealing and opening.

use super::{in_short, race, race_on_both_heaps};
use crate::measure::record::{Row, Target};
use crate::measure::{Plan, Side};
use crate::peers::crates::{self, Crates};
use crate::peers::openssl::{ALONE, BEST, OpenSsl, Opener, header_of};
use crate::sample::{Holder, everybody, holder_of, message_of, seal_to};
use sealpost::crypto::Profile;
use sealpost::pki::KeyType;
use sealpost::smime::open as open_sealed;
use std::hint::black_box;

/// In the table.
pub(crate) const OURS: &str = "Sealpost";

/// In the note to an EC key, which no target speaks of.
pub(crate) fn seal_4k(name: &'static str) -> Row {
    let (target, size) = (Target::times(1.9, 4.3), 4 << 10);
    let row = seal(name, target, size, 1);
    let heap = row.note.clone().unwrap_or_default();
    row.with_note(format!("{heap}; to an EC P-256 key {}", in_short(&seal_to_curve(name, target, size))))
}

pub(crate) fn seal_75k(name: &'static str) -> Row {
    seal(name, Target::times(1.7, 2.0), 75 << 10, 1)
}

pub(crate) fn seal_75k_to_two(name: &'static str) -> Row {
    seal(name, Target::times(1.7, 2.0), 75 << 10, 2)
}

/// So many people with RSA keys.
pub(crate) fn people(count: u8) -> Vec<Holder> {
    (0..count).map(|number| holder_of(KeyType::Rsa2048, 3 + 2 * number)).collect()
}

fn seal(name: &'static str, target: Target, size: usize, recipients: u8) -> Row {
    let (people, message) = (people(recipients), message_of(size));
    let (ours, all) = (everybody(&people), people.iter().collect::<Vec<_>>());
    let (openssl, mut crates) = (OpenSsl::cbc(&all), Crates::new(&all));
    let sealed = seal_to(&message, &ours, Profile::Compatible).expect("it seals");
    let header = header_of(sealed.bytes());
    agree(&people, &message, sealed.bytes(), &openssl, Some(&mut crates));
    race_on_both_heaps(
        name,
        target,
        Plan::QUICK,
        &mut [
            Side::new(OURS, || drop(black_box(seal_to(&message, &ours, Profile::Compatible)))),
            Side::new(ALONE, || drop(black_box(openssl.seal(&message)))),
            Side::new(BEST, || drop(black_box(openssl.seal_with_encodify(&message, header)))),
            Side::new(crates::NAME, || drop(black_box(crates.seal(&message, header)))),
        ],
    )
}

fn seal_to_curve(name: &'static str, target: Target, size: usize) -> Row {
    let people = [holder_of(KeyType::EcP256, 3)];
    beside_openssl(&people, size, Profile::Compatible, OpenSsl::cbc, |sides| {
        race(name, target, Plan::QUICK, 1, sides)
    })
}

/// AES-256-GCM. Ours has RSAES-OAEP with SHA-256, as its profile says; the library's is spared it.
pub(crate) fn gcm(name: &'static str) -> Row {
    beside_openssl(&people(1), 75 << 10, Profile::Modern, OpenSsl::gcm, |sides| {
        race_on_both_heaps(name, Target::times(4.0, 10.0), Plan::QUICK, sides)
    })
}

/// Without the crates, which have neither curves nor GCM.
fn beside_openssl(
    people: &[Holder],
    size: usize,
    profile: Profile,
    openssl: fn(&[&Holder]) -> OpenSsl,
    race: impl FnOnce(&mut [Side<'_>]) -> Row,
) -> Row {
    let message = message_of(size);
    let (ours, all) = (everybody(people), people.iter().collect::<Vec<_>>());
    let openssl = openssl(&all);
    let sealed = seal_to(&message, &ours, profile).expect("it seals");
    let header = header_of(sealed.bytes());
    agree(people, &message, sealed.bytes(), &openssl, None);
    race(&mut [
        Side::new(OURS, || drop(black_box(seal_to(&message, &ours, profile)))),
        Side::new(ALONE, || drop(black_box(openssl.seal(&message)))),
        Side::new(BEST, || drop(black_box(openssl.seal_with_encodify(&message, header)))),
    ])
}

/// The same message with its header and lines, to the clear bytes.
pub(crate) fn open(name: &'static str) -> Row {
    let (people, message) = (people(1), message_of(75 << 10));
    let holder = people.first().expect("somebody");
    let (ours, opener, keys) = (everybody(&people), Opener::new(holder), holder.keys());
    let sealed = seal_to(&message, &ours, Profile::Compatible).expect("it seals");
    let sealed = sealed.bytes();
    agree(&people, &message, sealed, &OpenSsl::cbc(&[holder]), None);
    race(
        name,
        Target::times(1.0, 1.5),
        Plan::QUICK,
        1,
        &mut [
            Side::new(OURS, || drop(black_box(open_sealed(sealed, &keys)))),
            Side::new(ALONE, || drop(black_box(opener.open(sealed)))),
            Side::new(BEST, || drop(black_box(opener.open_with_encodify(sealed)))),
        ],
    )
}

/// Each side opens what the other made, and finds the message in it: what is compared does the same.
fn agree(people: &[Holder], message: &[u8], sealed: &[u8], openssl: &OpenSsl, crates: Option<&mut Crates>) {
    let header = header_of(sealed);
    for holder in people {
        let opener = Opener::new(holder);
        for opened in [opener.open(sealed), opener.open_with_encodify(sealed)] {
            assert!(ends_like(&opened, message), "the library reads our message");
        }
        let alone = pem_as_message(&openssl.seal(message), header);
        for sealed in [openssl.seal_with_encodify(message, header), alone] {
            let opened = open_sealed(&sealed, &holder.keys()).expect("we read the library's");
            assert!(ends_like(opened.message.expose(), message));
        }
    }
    let Some(crates) = crates else { return };
    let made = crates.seal(message, b"MIME-Version: 1.0\r\n");
    for holder in people {
        let opened = open_sealed(&made, &holder.keys()).expect("we read the crates'");
        assert!(ends_like(opened.message.expose(), message));
    }
}

/// The body is the same; what stands in its header is each writer's matter.
fn ends_like(opened: &[u8], message: &[u8]) -> bool {
    opened.ends_with(message.get(message.len() / 2..).expect("a half"))
}

/// The lines between the two marks, behind a header.
fn pem_as_message(pem: &[u8], header: &[u8]) -> Vec<u8> {
    let lines = pem.split(|octet| *octet == b'\n').filter(|line| !line.starts_with(b"-----"));
    [header, &lines.collect::<Vec<_>>().join(&b'\n')].concat()
}
