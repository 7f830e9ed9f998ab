//! Sealing and opening arbitrary messages.

use super::cms_open::opens_or_is_refused;
use super::people::{Person, seal, served};
use super::{checksum, crlf};
use sealpost::cms::{self, Input, Protection, Structure};
use sealpost::crypto::Profile;
use sealpost::mail::{Eol, Field, HeaderPolicy, Message, TransferEncoding, eol};
use sealpost::mailbox;
use sealpost::smime::{Form, OpenPgp, Sealed, open, recognise};

/// The input is a message. Under every header policy, with a profile and for somebody whom the input chooses:
///
/// - `open(seal(m)) == crlf(m)`, and the line ends that it had are known.
/// - Decrypted in a mailbox it is `m` again, or `crlf(m)` where its line ends were mixed; no field comes in front of it.
/// - The outside is some of the fields that arrived, in their order, and ours; the body is nothing but base64. Where a
///   policy hides the subject, nothing but `[...]` is there.
/// - A sealer who sees it stores it as it is, octet for octet.
/// - Whatever the message itself seems to be: it is kept only if it is encrypted, and opening it keeps the law of
///   `cms_open`.
pub(crate) fn hold(input: &[u8]) {
    for (headers, turn) in HeaderPolicy::ALL.into_iter().zip(0..) {
        let (profile, person) = choose(checksum(input) + turn);
        let sealed = seal(input, &[person], Form { headers, ..profile.into() }, 3);
        let sealed = sealed.expect("the profile serves this key");
        assert_opens(input, &sealed, person);
        assert_decrypts(input, &sealed, person);
        assert_outside(input, &sealed, headers);
        assert_recognised(&sealed, person);
    }
    looks_at(input);
}

/// Every profile in its turn; three times out of four for its first key, because the others take their time.
fn choose(number: usize) -> (Profile, &'static Person) {
    let (number, profile) = (number / Profile::ALL.len(), Profile::ALL[number % Profile::ALL.len()]);
    let people = served(profile);
    let (number, seldom) = (number / 4, number % 4 == 0);
    (profile, if seldom { people[number % people.len()] } else { people[0] })
}

fn assert_opens(input: &[u8], sealed: &Sealed, person: &Person) {
    let opened = open(sealed.bytes(), &[person.opening()]).expect("what was sealed opens");
    assert!(opened.message.expose() == crlf(input), "opens to something else");
    assert_eq!(opened.eol, Some(eol(input)));
    assert!(eol(sealed.bytes()) != Eol::Mixed);
}

fn assert_decrypts(input: &[u8], sealed: &Sealed, person: &Person) {
    let clear = mailbox::open(sealed.bytes(), &[person.opening()]).expect("what was sealed opens");
    let is_mixed = eol(input) == Eol::Mixed;
    let expected = if is_mixed { crlf(input) } else { input.to_vec() };
    assert!(clear.message.expose() == expected, "decrypts to something else");
    let mixed = "its line ends were mixed: all of them are CR LF now".to_owned();
    assert_eq!(clear.notes, is_mixed.then_some(mixed).into_iter().collect::<Vec<_>>());
}

/// Fields with the names of entities and of ours are made by the sealer: all others must have arrived, and only a policy
/// may have changed their values.
fn assert_outside(input: &[u8], sealed: &Sealed, headers: HeaderPolicy) {
    let (arrived, outside) = (Message::new(input), Message::new(sealed.bytes()));
    let hides = headers != HeaderPolicy::Keep && sealed.facts().headers_kept.is_none();
    let mut rest = arrived.fields().iter();
    for field in outside.fields().iter().filter(|field| !is_ours(field.name())) {
        let is_it = |arrived: &Field<'_>| {
            lines(arrived.raw()) == lines(field.raw()) || hides && arrived.name() == field.name()
        };
        assert!(rest.any(is_it), "{} did not arrive", field.name());
        let subject = field.name().eq_ignore_ascii_case("Subject");
        assert!(!(hides && subject) || field.text() == "[...]", "the subject is not hidden");
    }
    assert_eq!(outside.fields_named("Sealpost-Sealed").count(), 1);
    assert_eq!(TransferEncoding::of(&outside), TransferEncoding::Base64);
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(byte);
    assert!(outside.body().iter().all(is_base64));
}

fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "mime-version" || name.starts_with("content-") || name.starts_with("sealpost-")
}

/// A field with canonical lines and a line end.
fn lines(raw: &[u8]) -> Vec<u8> {
    let mut lines = crlf(raw);
    if !lines.ends_with(b"\n") {
        lines.extend(b"\r\n");
    }
    lines
}

fn assert_recognised(sealed: &Sealed, person: &Person) {
    let kept = recognise(sealed.bytes(), &[&[person.certificate().clone()]], OpenPgp::Keep);
    assert!(kept.is_some_and(|kept| kept.bytes() == sealed.bytes()), "we do not recognise ourselves");
    let report = cms::inspect(&Input::of(sealed.bytes()));
    let enveloped = [Structure::EnvelopedData, Structure::AuthEnvelopedData];
    assert!(
        enveloped.contains(&report.structure)
            && report.envelope().is_some_and(|envelope| envelope.recipients.len() == 1)
    );
}

fn looks_at(input: &[u8]) {
    let message = Message::new(input);
    let encrypted = matches!(cms::find(&message), Protection::Encrypted(_) | Protection::OpenPgp);
    let people = served(Profile::default());
    let own: Vec<_> = people.iter().map(|person| person.certificate().clone()).collect();
    for openpgp in [OpenPgp::Keep, OpenPgp::Seal] {
        let kept = recognise(input, &[&own], openpgp);
        assert!(kept.is_none_or(|kept| encrypted && kept.bytes() == input));
    }
    opens_or_is_refused(input);
}
