//! What comes out is what the whole gives, octet for octet.

use super::*;
use crate::crypto::Profile;
use crate::mail::{HeaderPolicy, Span, crlf};
use crate::pki::ValidatedCertificate;
use crate::smime::tests::law::{SPECIAL, piece};
use crate::smime::tests::{CLASSICAL, Person, alice, bob, dana, hiding, job};
use crate::smime::{HeadersKept, OpeningKey, open, open_raw, seal_many};
use proptest::prelude::*;

/// Sealed as a whole.
fn whole(message: &[u8], to: &[ValidatedCertificate], profile: Profile, headers: HeaderPolicy) -> Vec<u8> {
    seal_many(vec![hiding(headers, job(message, to, profile, 7))]).remove(0).unwrap().bytes().to_vec()
}

/// Sealed as a stream.
fn streamed(
    message: &[u8],
    to: &[ValidatedCertificate],
    profile: Profile,
    headers: HeaderPolicy,
) -> Option<Vec<u8>> {
    let job = hiding(headers, job(message, to, profile, 7));
    let large = match LargeMessage::survey(Span::of(&message)) {
        Err(LargeError::Whole) => return None,
        surveyed => surveyed.unwrap(),
    };
    assert_eq!(large.len(), message.len() as u64);
    let sealed = seal_large(&large, job.recipients, job.form, &job.mark, job.seed).unwrap();
    let mut out = Vec::new();
    sealed
        .write(&mut |piece| {
            out.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
    assert_eq!(sealed.len(), out.len() as u64);
    assert_eq!(sealed.crlf_len(), crlf(&out).len() as u64);
    Some(out)
}

fn opened(sealed: &[u8], keys: &[OpeningKey<'_>]) -> Result<Vec<u8>, LargeError> {
    let large = open_large(Span::of(&sealed), keys)?;
    let mut out = Vec::new();
    large.write(&mut |piece| {
        out.extend_from_slice(piece);
        Ok(())
    })?;
    assert_eq!(large.len(), out.len() as u64);
    Ok(out)
}

/// The law, and that it makes no difference which way a message goes.
fn assert_same(message: &[u8], profile: Profile, headers: HeaderPolicy) {
    let to = [alice().validated()];
    let surveyed = LargeMessage::survey(Span::of(&message));
    let undecided = surveyed.is_ok_and(|large| large.undecided().is_some());
    let headers = if undecided { HeaderPolicy::Keep } else { headers };
    let expected = whole(message, &to, profile, headers);
    let made = streamed(message, &to, profile, headers).expect("it can be streamed");
    assert!(
        made == expected,
        "{profile:?} {headers:?} {}",
        message.get(..200).unwrap_or(message).escape_ascii()
    );
    let keys = [alice().opening()];
    let opened_whole = open(&expected, &keys).unwrap();
    assert!(opened(&expected, &keys).unwrap() == opened_whole.message.expose());
    assert_eq!(open_large(Span::of(&expected.as_slice()), &keys).unwrap().eol(), opened_whole.eol);
}

#[test]
fn special_messages_are_sealed_and_opened_as_the_whole() {
    for message in SPECIAL {
        for (profile, headers) in CLASSICAL.into_iter().zip([HeaderPolicy::Keep, HeaderPolicy::HideMost]) {
            assert_same(message, profile, headers);
        }
        assert_same(message, Profile::Compatible, HeaderPolicy::HideSubject);
    }
}

/// The whole of it lies on pages of its own.
#[test]
fn a_message_of_some_mebibytes_is_sealed_and_opened_as_the_whole() {
    let line = b"The quick brown fox jumps over the lazy dog.\n";
    let message = [b"Subject: x\n\n".as_slice(), &line.repeat(80_000)].concat();
    for profile in CLASSICAL {
        assert_same(&message, profile, HeaderPolicy::Keep);
    }
}

/// A name, or a parameter, that would go on behind the empty line: the header is over there, for who holds all of the message
/// as for who holds its front. What the sender put there as if it were ours comes back, whichever way it went.
#[test]
fn nothing_goes_on_behind_the_empty_line() {
    for header in [
        "Subject: x\nContent\n\n-Type: text/plain\n",
        "Subject: x\nContent-Type\n\n\n: text/plain; hp=clear\n",
        "Subject: x\nHP-Outer\n\n: Subject: y\n",
        "Subject: x\nHP-Outer\r\n\r\n: Subject: y\n",
        "Subject: x\nSealpost-Arrived-HP-Outer\n\n: Subject: y\n",
        "Content-Type: text/plain; hp\n\n=clear\n",
        "Content-Type: text/plain; x-sealpost-arrived-hp\n\n=clear\n",
        "HP-Outer\n",
        "HP-Outer\r\r\n: x\n\n: y",
    ] {
        for body in ["", "words\n"] {
            let message = [header, body].concat();
            for (profile, headers) in CLASSICAL.into_iter().zip([HeaderPolicy::Keep, HeaderPolicy::HideMost])
            {
                assert_same(message.as_bytes(), profile, headers);
                let to = [alice().validated()];
                let made = streamed(message.as_bytes(), &to, profile, headers).unwrap();
                let opened = open(&made, &[alice().opening()]).unwrap();
                assert!(opened.message.expose() == &*crlf(message.as_bytes()), "{message:?}");
            }
        }
    }
}

/// A signature may be around it.
#[test]
fn where_it_is_not_known_what_protects_a_message_its_header_stays() {
    let blank = b"\n".repeat(200_000);
    let fields = b"Subject: quarterly numbers\nFrom: a@b\n\n".to_vec();
    let undecided = [fields.clone(), blank.clone(), b"words\n".to_vec()].concat();
    let decided = [fields, b"words\n".to_vec(), blank].concat();
    let to = [alice().validated()];
    for (message, kept) in [(&undecided, Some(HeadersKept::Protected)), (&decided, None)] {
        let source = message.as_slice();
        let large = LargeMessage::survey(Span::of(&source)).unwrap();
        assert_eq!(large.undecided().is_some(), kept.is_some());
        for headers in [HeaderPolicy::HideSubject, HeaderPolicy::HideMost] {
            let job = hiding(headers, job(message, &to, Profile::Compatible, 7));
            let sealed = seal_large(&large, &to, job.form, &job.mark, job.seed).unwrap();
            assert_eq!(sealed.facts().headers_kept, kept);
            let made = streamed(message, &to, Profile::Compatible, headers).unwrap();
            let is_readable = made.windows(17).any(|window| window == b"quarterly numbers");
            assert_eq!(is_readable, kept.is_some());
            let policy = if kept.is_some() { HeaderPolicy::Keep } else { headers };
            assert!(made == whole(message, &to, Profile::Compatible, policy));
            assert!(opened(&made, &[alice().opening()]).is_ok());
        }
        let job = job(message, &to, Profile::Compatible, 7);
        let sealed = seal_large(&large, &to, job.form, &job.mark, job.seed).unwrap();
        assert_eq!(sealed.facts().headers_kept, None, "nothing was to be hidden");
    }
}

#[test]
fn messages_of_many_pieces_are_too() {
    let body = |line: &str, length: usize| line.bytes().cycle().take(length).collect::<Vec<u8>>();
    for (line, length) in
        [("some words\n", 300_000), ("some words\r\n", 131_072), ("\n", 65_536 * 2), ("mixed\n\r\n", 200_001)]
    {
        for profile in CLASSICAL {
            let message = [b"Subject: x\nFrom: a@b\n\n".to_vec(), body(line, length)].concat();
            assert_same(&message, profile, HeaderPolicy::HideSubject);
        }
    }
    // No empty line, and no header.
    assert_same(&body("x\n", 1_200_000), Profile::Compatible, HeaderPolicy::Keep);
    assert_same(&vec![0; 1_100_000], Profile::Modern, HeaderPolicy::Keep);
    // A header that is cut off, and names far behind it.
    assert_same(
        &[b"Subject: x\nno field\n".to_vec(), body("y\n", 1_200_000)].concat(),
        Profile::Compatible,
        HeaderPolicy::Keep,
    );
}

#[test]
fn what_is_put_in_far_behind_takes_the_whole() {
    for name in ["HP-Outer: x\n", "content-type: text/plain; hp=clear\n"] {
        let message = [b"Subject: x\nno field\n".to_vec(), b"y\n".repeat(600_000), name.into()].concat();
        assert!(
            streamed(&message, &[alice().validated()], Profile::Compatible, HeaderPolicy::Keep).is_none()
        );
        let sealed = whole(&message, &[alice().validated()], Profile::Compatible, HeaderPolicy::Keep);
        assert!(matches!(opened(&sealed, &[alice().opening()]), Err(LargeError::Whole)));
    }
    let header = b"X-Field: y\n".repeat(120_000);
    assert!(streamed(&header, &[alice().validated()], Profile::Compatible, HeaderPolicy::Keep).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_message_goes_both_ways(pieces in prop::collection::vec(piece(), 0..40), profile in 0_usize..2, policy in 0_usize..3, copies in 1_usize..4) {
        let message = pieces.concat().repeat(copies);
        assert_same(&message, CLASSICAL[profile], HeaderPolicy::ALL[policy]);
    }
}

fn raw(sealed: &[u8], keys: &[OpeningKey<'_>]) -> Result<Vec<u8>, LargeError> {
    let mut out = Vec::new();
    open_large_raw(Span::of(&sealed), keys)?.write(&mut |piece| {
        out.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(out)
}

fn text<T, E: ToString>(result: Result<T, E>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "opened".to_owned())
}

/// Errors and results of both ways for whatever is given to them.
fn assert_opens_alike(sealed: &[u8], person: &Person) {
    let keys = [person.opening()];
    match opened(sealed, &keys) {
        Err(LargeError::Whole) => {}
        Ok(out) => assert!(open(sealed, &keys).is_ok_and(|held| held.message.expose() == out)),
        failed => assert_eq!(text(failed), text(open(sealed, &keys))),
    }
    match raw(sealed, &keys) {
        Err(LargeError::Whole) => {}
        Ok(out) => assert!(open_raw(sealed, &keys).is_ok_and(|held| held.expose() == out)),
        failed => assert_eq!(text(failed), text(open_raw(sealed, &keys))),
    }
}

#[test]
fn wrong_keys_and_damage_give_the_errors_of_the_whole() {
    let message = [b"Subject: x\n\n".to_vec(), b"words\n".repeat(30_000)].concat();
    for profile in CLASSICAL {
        for person in [alice(), dana()] {
            let sealed = whole(&message, &[person.validated()], profile, HeaderPolicy::Keep);
            assert_opens_alike(&sealed, person);
            assert_opens_alike(&sealed, bob());
            let keys = [OpeningKey { key: &bob().key, certificate: Some(&person.certificate) }];
            assert_eq!(text(opened(&sealed, &keys)), text(open(&sealed, &keys)));
            let body = sealed.windows(2).position(|pair| pair == b"\n\n").unwrap() + 2;
            for at in (body..sealed.len()).step_by(9_973).chain(sealed.len() - 60..sealed.len()) {
                let mut damaged = sealed.clone();
                damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
                assert_opens_alike(&damaged, person);
                damaged[at] = b'!';
                assert_opens_alike(&damaged, person);
                assert_opens_alike(&sealed[..at], person);
            }
        }
    }
}

#[test]
fn a_source_that_changes_between_the_passes_is_an_error() {
    let message = [b"Subject: x\n\n".to_vec(), b"words\n".repeat(60_000)].concat();
    for profile in CLASSICAL {
        let sealed = whole(&message, &[alice().validated()], profile, HeaderPolicy::Keep);
        let source = Changing { octets: std::sync::Mutex::new(sealed.clone()) };
        let large = open_large(Span::of(&source), &[alice().opening()]).unwrap();
        let at = sealed.len() - 5_000;
        source.octets.lock().unwrap()[at] = if sealed[at] == b'A' { b'B' } else { b'A' };
        let mut out = Vec::new();
        let error = large
            .write(&mut |piece| {
                out.extend_from_slice(piece);
                Ok(())
            })
            .unwrap_err();
        assert_eq!(error.to_string(), "the message changed while it was read");
        assert!(crlf(&message).starts_with(&out), "what left is what was checked");
        let source = Changing { octets: std::sync::Mutex::new(message.clone()) };
        let large = LargeMessage::survey(Span::of(&source)).unwrap();
        let to = [alice().validated()];
        let job = job(&message, &to, profile, 7);
        let sealed = seal_large(&large, &to, job.form, &job.mark, job.seed).unwrap();
        source.octets.lock().unwrap()[70_000] = b'\n';
        assert_eq!(text(sealed.write(&mut |_| Ok(()))), "the message changed while it was read");
    }
}

/// A file that somebody writes to.
struct Changing {
    octets: std::sync::Mutex<Vec<u8>>,
}

impl crate::mail::Source for Changing {
    fn len(&self) -> u64 {
        self.octets.lock().unwrap().len() as u64
    }
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.octets.lock().unwrap().as_slice().read_at(at, into)
    }
    fn check(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn one_key_seals_one_time_only() {
    let message = b"Subject: x\n\nwords\n".as_slice();
    let to = [alice().validated()];
    let large = LargeMessage::survey(Span::of(&message)).unwrap();
    for profile in CLASSICAL {
        for failing in [false, true] {
            let job = job(message, &to, profile, 7);
            let sealed = seal_large(&large, &to, job.form, &job.mark, job.seed).unwrap();
            let mut sink = |_: &[u8]| -> io::Result<()> {
                if failing { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
            };
            assert_eq!(sealed.write(&mut sink).is_err(), failing);
            let mut nothing = |_: &[u8]| -> io::Result<()> { panic!("an octet is written") };
            assert!(matches!(sealed.write(&mut nothing), Err(LargeError::Used)));
        }
    }
}

#[test]
fn a_sink_that_fails_says_so() {
    let message = [b"Subject: x\n\n".to_vec(), b"words\n".repeat(60_000)].concat();
    let to = [alice().validated()];
    let job = job(&message, &to, Profile::Compatible, 7);
    let source = message.as_slice();
    let large = LargeMessage::survey(Span::of(&source)).unwrap();
    let sealed = seal_large(&large, &to, job.form, &job.mark, job.seed).unwrap();
    let mut left = 3;
    let outcome = sealed.write(&mut |_| {
        left -= 1;
        if left == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    });
    assert!(matches!(outcome, Err(LargeError::Sink(error)) if error.kind() == io::ErrorKind::StorageFull));
}
