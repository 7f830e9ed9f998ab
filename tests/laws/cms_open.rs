//! Damaged structures: a typed error, or what was sealed.

use super::checksum;
use super::inside::{decrypt, enveloped};
use super::people::{ELLA, KINDS, opening, owned, seed, validated};
use super::script::scripted;
use super::structure::{SECRET, mail, pem, structures};
use sealpost::cms::{Enveloped, Input, InputForm, Protection, Recipient, find};
use sealpost::crypto::algorithm::{AES_256_CBC, ContentCipher, Mode};
use sealpost::mail::{Message, TransferEncoding};
use sealpost::pki::ValidatedCertificate;
use sealpost::smime::{
    Naming, OpenError, OpeningKey, RekeyError, Sealed, open, open_raw, rekey, rekey_examined,
};
use std::collections::HashSet;
use std::sync::OnceLock;

/// The input says how to spoil a known structure, or is a structure itself. It comes in a message, and now and then by
/// itself or in PEM. With everybody's keys:
///
/// - AuthEnvelopedData that opens gives one of the messages that were sealed, octet for octet.
/// - EnvelopedData has no integrity: who changes IV or ciphertext changes the text. But if its recipients are as they
///   were made, what opens is what the primitives decrypt under a content key that was handed out, and nothing else.
/// - What opens is rekeyed to what opens to the same; what does not open is not rekeyed, for the same reason.
/// - Errors hold nothing of the content, and are short.
pub(crate) fn hold(input: &[u8]) {
    let octets = scripted(input);
    let octets = octets.as_deref().unwrap_or(input);
    match checksum(input) % 8 {
        0 => opens_or_is_refused(octets),
        1 => opens_or_is_refused(pem(octets).as_bytes()),
        _ => opens_or_is_refused(&mail(octets)),
    }
}

/// The law for whatever comes.
pub(super) fn opens_or_is_refused(message: &[u8]) {
    let keys = opening(&KINDS);
    let opened = open(message, &keys).map(|opened| opened.message);
    match &opened {
        Ok(clear) => assert_known(&enveloped(message), clear.expose()),
        Err(error) => assert_discreet(error),
    }
    assert!(opened.is_err() || open_raw(message, &keys).is_ok(), "opens, and not raw");
    assert_rekeys(message, &keys, opened.as_ref().map(|clear| clear.expose()));
}

fn assert_known(enveloped: &Enveloped, clear: &[u8]) {
    let known = structures().iter().any(|structure| structure.message == clear);
    if !known {
        assert!(!enveloped.authenticated, "a tag was forged: {}", clear.escape_ascii());
        let explained = !is_pristine(enveloped) || is_decrypted(enveloped, clear);
        assert!(explained, "not the content: {}", clear.escape_ascii());
    }
}

/// Does opening it come to a content key that was handed out? Else it comes to one that nobody knows, and what that
/// makes of a ciphertext begins like mail once in 40 000 times.
fn is_pristine(enveloped: &Enveloped) -> bool {
    enveloped.algorithm.oid == AES_256_CBC.oid
        && enveloped.recipients.iter().all(|to| handed_out().contains(&spelled(to)))
}

/// Do the primitives come to this content, under one of the keys?
fn is_decrypted(enveloped: &Enveloped, clear: &[u8]) -> bool {
    let contents = structures().iter().filter_map(|structure| decrypt(&structure.content_key, enveloped));
    contents.into_iter().any(|content| content == clear || (is_ours(&content) && content.len() > clear.len()))
}

/// Might opening take something out of it?
fn is_ours(content: &[u8]) -> bool {
    content.to_ascii_lowercase().windows(9).any(|word| word == b"sealpost-")
}

/// Recipients as they were made.
fn handed_out() -> &'static HashSet<String> {
    static HANDED_OUT: OnceLock<HashSet<String>> = OnceLock::new();
    let recipients = |octets: &[u8]| enveloped(&mail(octets)).recipients;
    let spell_all = |octets: &[u8]| recipients(octets).iter().map(spelled).collect::<Vec<_>>();
    HANDED_OUT.get_or_init(|| structures().iter().flat_map(|made| spell_all(&made.octets)).collect())
}

fn spelled(recipient: &Recipient) -> String {
    format!("{recipient:?}")
}

fn assert_discreet(error: &impl std::fmt::Display) {
    let text = error.to_string();
    assert!(!SECRET.split(' ').any(|word| text.contains(word)), "{text}");
    assert!(text.len() < 1000, "{text}");
}

fn assert_rekeys(message: &[u8], keys: &[OpeningKey<'_>], opened: Result<&[u8], &OpenError>) {
    let to = validated(&[&ELLA]);
    let rekeyed = rekey(owned(message), keys, &to, Naming::Certificate, seed(7));
    assert_rekeys_alike(message, keys, &to, &rekeyed);
    match (opened, rekeyed) {
        (Ok(clear), Ok(rekeyed)) => assert_handed_on(message, &rekeyed, clear),
        (Err(open), Err(RekeyError::Open(rekey))) => assert_eq!(open.to_string(), rekey.to_string()),
        (Err(_), Err(RekeyError::OpenPgp)) => {
            assert!(matches!(find(&Message::new(message)), Protection::OpenPgp))
        }
        (_, Err(RekeyError::NotBase64)) => assert!(!can_be_written(message)),
        (opened, rekeyed) => panic!("opens: {:?}, is rekeyed: {:?}", opened.is_ok(), rekeyed.err()),
    }
}

/// What goes by the ends of the text comes to the same octets, or to the same error, as what decodes all of it.
fn assert_rekeys_alike(
    message: &[u8],
    keys: &[OpeningKey<'_>],
    to: &[ValidatedCertificate],
    rekeyed: &Result<Sealed, RekeyError>,
) {
    let input = Input::of(message);
    let Ok(Protection::Encrypted(envelope)) = input.examine() else { return assert!(rekeyed.is_err()) };
    let whole = rekey_examined(&input, *envelope, keys, to, Naming::Certificate, seed(7));
    match (rekeyed, whole) {
        (Ok(one), Ok(other)) => assert!(one.bytes() == other.bytes(), "rekeyed to other octets"),
        (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
        (one, other) => panic!("by its ends: {:?}, as a whole: {:?}", one.as_ref().err(), other.err()),
    }
}

/// A message can if its body is in base64.
fn can_be_written(message: &[u8]) -> bool {
    let input = Input::of(message);
    let encoding = input.carrier().map(|(_, encoding)| encoding);
    input.form() != InputForm::Message || encoding == Some(TransferEncoding::Base64)
}

/// It opens to the same, only the recipients are others.
fn assert_handed_on(message: &[u8], rekeyed: &Sealed, clear: &[u8]) {
    let again = open(rekeyed.bytes(), &[ELLA.opening()]).expect("what is rekeyed opens");
    assert!(again.message.expose() == clear, "rekeyed to something else");
    let (before, after) = (enveloped(message), enveloped(rekeyed.bytes()));
    assert_eq!(after.recipients.len(), 1);
    assert_eq!((before.algorithm, before.tag), (after.algorithm, after.tag));
    assert!(
        (before.encrypted_content, before.auth_attributes)
            == (after.encrypted_content, after.auth_attributes)
    );
    let cipher =
        ContentCipher::by_oid(enveloped(rekeyed.bytes()).algorithm.oid).expect("it was opened with it");
    assert_eq!(cipher.mode == Mode::Aead, before.authenticated);
    assert_eq!(rekeyed.facts().cipher.map(|cipher| cipher.oid), Some(cipher.oid));
    assert_eq!(Input::of(message).form(), Input::of(rekeyed.bytes()).form());
}
