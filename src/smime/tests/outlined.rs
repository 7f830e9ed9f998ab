//! What is rekeyed by the ends of its text is what is rekeyed when all of it is decoded: the same octets, or the same error.

use super::damage::{join, split};
use super::*;
use crate::cms::{Input, Outline, Protection};
use crate::smime::rekey::rekey_examined;
use encodify::base64::{self, LineEnding};
use proptest::prelude::*;

const HEAD: &[u8] = b"Subject: quarterly numbers\r\nFrom: a@b\r\n\r\n";

fn message(length: usize) -> Vec<u8> {
    let text = (0..).map(|at: usize| if at % 70 == 69 { b'\n' } else { b'a' + (at % 23) as u8 });
    HEAD.iter().copied().chain(text.take(length)).collect()
}

fn made(outcome: Result<Sealed, RekeyError>) -> Result<Vec<u8>, String> {
    outcome.map(|sealed| sealed.bytes().to_vec()).map_err(|error| error.to_string())
}

fn certificates(people: &[&Person]) -> Vec<ValidatedCertificate> {
    people.iter().map(|person| person.validated()).collect()
}

fn by_ends(sealed: &[u8], to: &[&Person]) -> Result<Vec<u8>, String> {
    made(rekey(owned(sealed), &[alice().opening()], &certificates(to), Naming::Certificate, seed(9)))
}

fn as_a_whole(sealed: &[u8], to: &[&Person]) -> Result<Vec<u8>, String> {
    let input = Input::of(sealed);
    let enveloped = match input.examine().map_err(|error| error.to_string())? {
        Protection::Encrypted(enveloped) => *enveloped,
        Protection::OpenPgp => return Err(RekeyError::OpenPgp.to_string()),
        _ => return Err(OpenError::NotEncrypted.to_string()),
    };
    let keys = [alice().opening()];
    made(rekey_examined(&input, enveloped, &keys, &certificates(to), Naming::Certificate, seed(9)))
}

/// Asserts that both ways come to the same, and says whether they come to a message. They share code and may be wrong together:
/// so each new reader must open what the old one opened.
fn assert_same(sealed: &[u8], to: &[&Person]) -> bool {
    let (ends, whole) = (by_ends(sealed, to), as_a_whole(sealed, to));
    assert!(ends == whole, "{:?} and {:?}: {}", ends.err(), whole.err(), sealed.escape_ascii());
    let Ok(rekeyed) = ends else { return false };
    let opened = open_as(alice(), sealed).unwrap();
    for reader in to {
        assert!(open_as(reader, &rekeyed).unwrap() == opened, "{}", sealed.escape_ascii());
    }
    !to.is_empty()
}

/// As long as before, longer, and shorter: one reader of RSA, two, one on a curve.
fn readers() -> [Vec<&'static Person>; 3] {
    [vec![bob()], vec![bob(), alice()], vec![dana()]]
}

#[test]
fn a_text_that_stays_is_changed_where_it_lies() {
    let sealed = owned(seal_for_alice(&message(100_000), Profile::Compatible).bytes());
    let place = sealed.expose().as_ptr();
    let [alike, longer, _] = readers().map(|to| certificates(&to));
    let keys = [alice().opening()];
    let rekeyed = rekey(sealed, &keys, &alike, Naming::Certificate, seed(9)).unwrap();
    assert_eq!(rekeyed.bytes().as_ptr(), place, "the same buffer");
    let sealed = owned(seal_for_alice(&message(100_000), Profile::Compatible).bytes());
    let place = sealed.expose().as_ptr();
    let rekeyed = rekey(sealed, &keys, &longer, Naming::Certificate, seed(9)).unwrap();
    assert_ne!(rekeyed.bytes().as_ptr(), place, "it had no room for another reader");
}

fn is_outlined(sealed: &[u8]) -> bool {
    Outline::of(&Input::of(sealed)).is_some()
}

fn pem(der: &[u8]) -> Vec<u8> {
    let text = base64::STANDARD.wrapped(64, LineEnding::Lf).encode(der);
    format!("-----BEGIN CMS-----\n{text}-----END CMS-----\n").into_bytes()
}

/// The same structure in several layouts of text.
fn layouts(sealed: &[u8]) -> Vec<Vec<u8>> {
    let (header, der) = split(sealed);
    let lines = [4, 60, 64, 76, 1000, 1 << 30];
    let endings = [LineEnding::Lf, LineEnding::CrLf];
    let wrapped = lines.into_iter().flat_map(|columns| endings.map(|ending| (columns, ending)));
    let texts = wrapped.map(|(columns, ending)| base64::STANDARD.wrapped(columns, ending).encode(&der));
    let odd = base64::STANDARD.encode(&der).replace('Q', "\tQ\r\n ");
    let bodies = texts.chain([format!("\r\n\n{odd}"), odd.replace('=', ""), format!("{odd} =\n=\n")]);
    bodies.map(|body| [&header, body.as_bytes()].concat()).chain([pem(&der)]).collect()
}

#[test]
fn every_length_in_every_layout() {
    for length in [0, 1, 2, 14, 1000, 6100, 6101, 6102, 30_000, 100_001] {
        let sealed = seal_for_alice(&message(length), Profile::Compatible);
        for layout in layouts(sealed.bytes()) {
            assert!(is_outlined(&layout), "{length}: {}", layout.escape_ascii());
            readers().iter().for_each(|to| assert!(assert_same(&layout, to)));
        }
    }
}

#[test]
fn a_large_message() {
    let sealed = seal_for_alice(&message(3 << 20), Profile::Compatible);
    assert!(is_outlined(sealed.bytes()));
    readers().iter().for_each(|to| assert!(assert_same(sealed.bytes(), to)));
}

/// The RecipientInfos do not fit into what is looked at first, and then not into what is ever looked at.
#[test]
fn many_recipients() {
    let one = seal_for_alice(&message(5000), Profile::Compatible);
    let (header, der) = split(one.bytes());
    let set = memchr::memmem::find(&der, &[0x31, 0x82]).unwrap();
    let length = usize::from(u16::from_be_bytes([der[set + 2], der[set + 3]]));
    let info = &der[set + 4..set + 4 + length];
    let behind = &der[set + 4 + length..];
    for (count, fits) in [(1, true), (20, true), (40, true), (1000, true), (4000, false)] {
        let recipients = frame::tlv(0x31, &vec![info; count]);
        let data = frame::tlv(0x30, &[&[2, 1, 0], &recipients, behind]);
        let kind = damage::oid(const_oid::db::rfc5911::ID_ENVELOPED_DATA);
        let whole = frame::tlv(0x30, &[&kind, &frame::tlv(0xa0, &[&data])]);
        let sealed = join(&header, &whole);
        assert_eq!(is_outlined(&sealed), fits, "{count}");
        assert!(assert_same(&sealed, &readers()[0]));
        assert!(count > 1 || whole == der);
    }
}

/// Our reader passes over it, wherever it is.
#[test]
fn white_space_without_end() {
    let (header, der) = split(seal_for_alice(&message(50_000), Profile::Compatible).bytes());
    let text = base64::MIME.encode(&der);
    for (at, fits) in
        [(3, false), (1200, true), (9000, true), (text.len() - 30, false), (text.len() - 2000, true)]
    {
        let (before, behind) = text.split_at(at);
        let sealed = [&header, before.as_bytes(), " ".repeat(3 << 20).as_bytes(), behind.as_bytes()].concat();
        assert_eq!(is_outlined(&sealed), fits, "{at}");
        assert_eq!(assert_same(&sealed, &readers()[0]), at > 1000, "{at}");
        assert_eq!(assert_same(&sealed, &readers()[2]), at > 1000, "{at}");
    }
}

/// Our reader passes over a VT and an FF. Few others do: behind the last letter, where no line is written anew, none is left.
#[test]
fn behind_the_last_letter_nothing_is_kept_that_others_refuse() {
    let sealed = |length| split(seal_for_alice(&message(length), Profile::Compatible).bytes());
    let (header, der) = [500, 516, 532].map(sealed).into_iter().find(|(_, der)| der.len() % 3 == 2).unwrap();
    let text = base64::STANDARD.wrapped(76, LineEnding::CrLf).encode(&der);
    let letters = text.trim_end().strip_suffix('=').unwrap();
    for (tail, fits) in [
        (" \t\r\n=\r\n", true),
        ("=\x0b", false),
        ("\x0b=\r\n", false),
        ("\x0c=", false),
        ("\r\n\x0c\x0b\r\n", false),
    ] {
        let sealed = [&header, letters.as_bytes(), tail.as_bytes()].concat();
        assert_eq!(is_outlined(&sealed), fits, "{tail:?}");
        for to in readers() {
            assert!(assert_same(&sealed, &to), "{tail:?}");
            let rekeyed = by_ends(&sealed, &to).unwrap();
            assert!(!rekeyed.iter().any(|octet| b"\x0b\x0c".contains(octet)), "{tail:?}");
        }
    }
}

/// The begin does not decide whether it is mail: then more of it is looked at, at last all.
#[test]
fn names_of_any_length() {
    for length in [1, 1000, 1020, 1024, 5000, 16_384, 100_000] {
        for end in [": x\r\n\r\n", "\r\n\r\n", ""] {
            let content = ["x".repeat(length).as_bytes(), end.as_bytes()].concat();
            let sealed = with_content(&content);
            assert!(is_outlined(&sealed));
            assert_eq!(assert_same(&sealed, &readers()[0]), end.starts_with(':'), "{length} {end:?}");
        }
    }
}

/// Sealed to Alice, whatever it is.
fn with_content(content: &[u8]) -> Vec<u8> {
    let (header, _) = split(seal_for_alice(HEAD, Profile::Compatible).bytes());
    let mut rng = seed(3).into_rng();
    let cipher = &crate::crypto::algorithm::AES_256_CBC;
    let algorithm = crate::crypto::content::ContentAlgorithm::generate(cipher, &mut rng);
    let key = SecretBytes::new(vec![7; 32]);
    let padding = 16 - content.len() % 16;
    let mut octets = [content, &vec![padding as u8; padding]].concat();
    let mut stream = algorithm.cbc_stream(&key).unwrap();
    crate::crypto::lanes::encrypt(&mut [crate::crypto::lanes::Lane::in_place(&mut stream, &mut octets)]);
    let certificates = [alice().validated()];
    let (_, to) = recipient::recipients(&certificates, Profile::Compatible.into()).unwrap();
    let infos = vec![to[0].info(&key, &mut rng).unwrap()];
    let frame =
        frame::Frame::new(infos, &algorithm.identifier().unwrap(), cipher.mode, octets.len(), 0).unwrap();
    join(&header, &[frame.head, octets].concat())
}

#[test]
fn what_must_be_decoded_as_a_whole_is() {
    let gcm = seal_for_alice(&message(3000), Profile::Modern);
    assert!(is_outlined(gcm.bytes()), "it could be, but for its tag");
    assert!(assert_same(gcm.bytes(), &readers()[0]));
    let (header, der) = split(seal_for_alice(&message(3000), Profile::Compatible).bytes());
    let binary = [b"Content-Transfer-Encoding: binary\r\n\r\n".as_slice(), &der].concat();
    let indefinite = [&[0x30, 0x80], &der[4..], &[0, 0]].concat();
    let longer = [&[0x30, 0x83, 0], &der[2..]].concat();
    for other in [binary, der.clone(), join(&header, &indefinite), join(&header, &longer)] {
        assert!(!is_outlined(&other));
        assert_same(&other, &readers()[0]);
    }
    let behind = join(&header, &[&der, &b" \r\n"[..]].concat());
    assert!(assert_same(&behind, &readers()[0]), "white space may stand behind the structure");
    assert!(!assert_same(&join(&header, &[&der, &b"x"[..]].concat()), &readers()[0]));
}

#[test]
fn a_text_with_something_else_in_it_is_judged_alike() {
    let sealed = seal_for_alice(&message(2000), Profile::Compatible);
    let (header, der) = split(sealed.bytes());
    let text = base64::MIME.encode(&der);
    let to = &readers()[0];
    let mut outcomes = [0, 0];
    for at in (0..text.len()).step_by(17).chain(text.len() - 12..=text.len()) {
        for foreign in ["=", "==", "-", "\0", "\u{e9}", " ", "A", "AAAA", "\r\n--x\r\n"] {
            let (before, behind) = text.split_at(at);
            let spoilt = [&header, before.as_bytes(), foreign.as_bytes(), behind.as_bytes()].concat();
            outcomes[usize::from(assert_same(&spoilt, to))] += 1;
        }
        let (mut gone, mut other) = (text.clone().into_bytes(), text.clone().into_bytes());
        if at < text.len() {
            gone.remove(at);
            other[at] = b'=';
            assert_same(&[&header, gone.as_slice()].concat(), to);
            assert_same(&[&header, other.as_slice()].concat(), to);
        }
        assert_same(&[&header, &text.as_bytes()[..at]].concat(), to);
    }
    assert!(outcomes.iter().all(|&count| count > 100), "{outcomes:?}");
}

#[test]
fn flipped_bits_are_judged_alike() {
    let (header, der) = split(seal_for_alice(&message(200), Profile::Compatible).bytes());
    let to = &readers()[0];
    for at in 0..der.len() {
        let mut broken = der.clone();
        broken[at] ^= 1 << (at % 8);
        assert_same(&join(&header, &broken), to);
        let (before, behind) = der.split_at(at);
        assert_same(&join(&header, before), to);
        assert_same(&join(&header, &[before, &[0x30], behind].concat()), to);
    }
}

#[test]
fn other_entities_are_judged_alike() {
    let sealed = seal_for_alice(&message(500), Profile::Compatible);
    let (_, der) = split(sealed.bytes());
    let text = base64::MIME.encode(&der);
    let to = &readers()[0];
    let base64 = "Content-Transfer-Encoding: base64\r\n";
    for (head, opens) in [
        (String::from(base64), true),
        (format!("Content-Type: text/plain\r\n{base64}"), true),
        (format!("Content-Type: multipart/signed; boundary=b\r\n{base64}"), false),
        (format!("Content-Type: multipart/encrypted; boundary=b\r\n{base64}"), false),
        (format!("Content-Type: multipart/mixed; boundary=b\r\n{base64}"), false),
        (String::from("A: b\r\n"), false),
        (String::from("Content-Transfer-Encoding: x-unknown\r\n"), false),
    ] {
        for spaces in [0, 3, 600] {
            let body = format!("{head}\r\n{}{text}", " ".repeat(spaces));
            assert_eq!(assert_same(body.as_bytes(), to), opens, "{head}");
            // What is looked at first to say what it is holds one letter then.
            let late = format!("{head}\r\nM{}{}", "\n".repeat(spaces), text.strip_prefix('M').unwrap());
            assert_eq!(assert_same(late.as_bytes(), to), opens && spaces < 600, "{head}");
        }
    }
    let whole =
        ["Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", base64, "\r\n", &text, "\r\n--b--\r\n"];
    assert!(assert_same(whole.concat().as_bytes(), to));
    for end in ["x", "\n", "-----END CMS-----", "-----BEGIN CMS-----\n"] {
        let spoilt = [pem(&der), end.as_bytes().to_vec()].concat();
        assert_same(&spoilt, to);
    }
}

/// Nobody is named, or somebody else: no key is used, and the errors are the same.
#[test]
fn keys_that_do_not_fit_are_judged_alike() {
    let sealed = seal_for(&message(100), &[bob().validated()], Profile::Compatible);
    readers().iter().for_each(|to| assert!(!assert_same(sealed.bytes(), to)));
    let sealed = seal_for_alice(&message(100), Profile::Compatible);
    assert!(!assert_same(sealed.bytes(), &[]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_is_judged_alike(
        length in 0_usize..9000,
        cuts in prop::collection::vec((any::<prop::sample::Index>(), "[ \r\n\t=A-]{0,4}"), 0..5),
        reader in 0_usize..3,
    ) {
        let mut sealed = seal_for_alice(&message(length), Profile::Compatible).bytes().to_vec();
        let body = split(&sealed).0.len();
        for (at, words) in cuts {
            let at = body + at.index(sealed.len() - body);
            sealed.splice(at..at, words.into_bytes());
        }
        assert_same(&sealed, &readers()[reader]);
    }
}
