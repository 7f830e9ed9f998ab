//! Every backend of this machine against the classes of octets, one by one, and those against the decoder.

use super::*;
use encodify::base64;
use proptest::prelude::*;

/// More than the widest kernel takes at once, twice over, with both of its ends.
const LONGEST: usize = if cfg!(miri) { 70 } else { 700 };

/// All that this machine can do.
fn backends() -> Vec<Backend> {
    #[cfg(target_arch = "x86_64")]
    let fast = x86::Kernel::all().into_iter().map(Backend::X86);
    #[cfg(not(target_arch = "x86_64"))]
    let fast = std::iter::empty();
    [Backend::Portable].into_iter().chain(fast).collect()
}

/// As long as texts are of which quarters are read side by side, rows ahead.
#[test]
fn a_foreign_octet_is_seen_wherever_it_stands_in_a_long_text() {
    let length = if cfg!(miri) { 5000 } else { 20_011 };
    for backend in backends() {
        let mut long = text(length);
        assert_eq!(backend.spaces(&long), one_by_one(&long), "{backend:?}");
        for at in (0..length).step_by(if cfg!(miri) { 501 } else { 61 }) {
            let there = std::mem::replace(&mut long[at], b'=');
            assert_eq!(backend.spaces(&long), None, "{backend:?}: {at}");
            long[at] = there;
        }
    }
}

fn one_by_one(text: &[u8]) -> Option<usize> {
    let are = |wanted: Class| text.iter().filter(|&&octet| class(octet) == wanted).count();
    (are(Class::Foreign) == 0).then(|| are(Class::Space))
}

fn assert_counted(text: &[u8]) {
    let expected = one_by_one(text);
    for backend in backends() {
        assert_eq!(backend.spaces(text), expected, "{backend:?}, {text:?}");
    }
}

/// Letters, with white space in places that no two lengths share.
fn text(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| if (at * 7 + length).is_multiple_of(19) { b" \t\r\n\x0b\x0c"[at % 6] } else { b'Q' })
        .collect()
}

#[test]
fn the_classes_are_the_decoder_s() {
    for octet in 0..=u8::MAX {
        let text = [b'Q', b'Q', b'Q', b'Q', octet, b'Q', b'Q', b'Q'];
        let decoded = base64::MIME.decode(text).ok().map(|octets| octets.len());
        let expected = match class(octet) {
            Class::Letter => Some(6),
            Class::Space => Some(5),
            Class::Foreign if octet == b'=' => Some(5),
            Class::Foreign => None,
        };
        assert_eq!(decoded, expected, "{octet}");
        assert_eq!(is_letter(octet), class(octet) == Class::Letter);
    }
}

#[test]
fn every_octet_is_known_in_every_place() {
    for backend in backends() {
        // More than a kernel takes together, with both of its ends.
        let length = if backend == Backend::Portable { 66 } else { 327 };
        let mut text = vec![b'z'; length];
        // Under Miri some of the pairs.
        let step = if cfg!(miri) { 2999 } else { 1 };
        let pairs = (0..=u8::MAX).flat_map(|octet| (0..length).map(move |at| (octet, at)));
        for (octet, at) in pairs.step_by(step) {
            let expected = match class(octet) {
                Class::Letter => Some(0),
                Class::Space => Some(1),
                Class::Foreign => None,
            };
            text[at] = octet;
            assert_eq!(backend.spaces(&text), expected, "{backend:?}, {octet} at {at} of {length}");
            text[at] = b'z';
        }
    }
}

/// Where it begins in memory decides how a kernel goes over it.
#[test]
fn every_length_is_counted_from_every_place() {
    let whole = text(LONGEST + 64);
    for length in (0..=LONGEST).step_by(if cfg!(miri) { 3 } else { 1 }) {
        for start in [0, 1, 15, 31, 32, 33, 63, 64] {
            let piece = &whole[start..(start + length).min(whole.len())];
            assert_counted(piece);
            assert_eq!(count(piece), one_by_one(piece).map(|spaces| piece.len() - spaces));
        }
    }
}

#[test]
fn a_text_of_white_space_is_counted() {
    let long = if cfg!(miri) { 600 } else { 100_000 };
    for length in [0, 1, 63, 64, 65, 255, 256, 257, long] {
        for backend in backends() {
            assert_eq!(backend.spaces(&vec![b'\n'; length]), Some(length), "{backend:?}");
        }
    }
}

#[test]
fn nothing_but_letters_and_white_space_is_counted() {
    assert_eq!(count(b""), Some(0));
    assert_eq!(count(b"QUJD\r\nRA"), Some(6));
    for foreign in [&b"QUI="[..], b"QU-D", b"QU_D", b"\xd1UJD", b"QUJD\0", b"QUJD\r\n--"] {
        assert_eq!(count(foreign), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 512 }))]

    #[test]
    fn any_octets_are_counted(octets in prop::collection::vec(any::<u8>(), 0..1200), start in 0_usize..80) {
        assert_counted(&octets);
        let letters = base64::MIME.encode(&octets).replace('=', "");
        assert_counted(&letters.as_bytes()[start.min(letters.len())..]);
    }
}
