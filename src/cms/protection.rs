//! What protects a message, decided by structure and never by a label.
//!
//! A body counts for what it decodes to by its Content-Transfer-Encoding, whatever its Content-Type says: all of its
//! octets are ciphertext then, so nothing is left in the clear. A label alone counts for nothing.

use super::ber::der_from_ber;
use super::enveloped::locate;
use super::error::malformed;
use super::input::is_content_info;
use super::openpgp;
use super::signed::{Signed, read_signed};
use super::{CmsError, Enveloped};
use crate::mail::{MediaType, Message, TransferEncoding, sole_part, split_multipart};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911;
use memchr::memmem;
use std::borrow::Cow;
use std::mem;
use zeroize::{Zeroize, Zeroizing};

/// Multiparts inside multiparts beyond this are not looked into (spec: "Limits").
const MAX_NESTING: usize = 100;
/// So many octets of a body tell what it may be before all of it is decoded.
const GLANCE: usize = 512;
/// What Enigmail and Thunderbird put in front of the parts of PGP/MIME, for readers that know no MIME.
const PGP_MIME_PREAMBLE: &[u8] = b"This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)";

/// What is wrong with a body that does not decode.
pub(super) const UNKNOWN_OCTETS: &str = "the body has octets that its encoding does not know";

/// What was found.
#[derive(Debug)]
pub enum Protection {
    /// Nothing that we know.
    None,
    /// CMS SignedData, opaque or multipart/signed whose signature part parses (CMS or OpenPGP).
    Signed,
    /// The whole body is one CMS EnvelopedData or AuthEnvelopedData.
    Encrypted(Box<Enveloped>),
    /// The whole body is one well-formed OpenPGP encrypted message (PGP/MIME or armored).
    OpenPgp,
}

/// Looks at the whole body (or a multipart with that one part and no other octets than white space).
pub fn find(message: &Message<'_>) -> Protection {
    examine(message).unwrap_or(Protection::None)
}

/// The body that [`find`] decides on, and how it is encoded: that of the message, or of the sole part of its multiparts.
pub(super) fn innermost_body<'a>(message: &Message<'a>) -> Option<(&'a [u8], TransferEncoding)> {
    innermost(message, |entity, _| (entity.body(), TransferEncoding::of(entity)))
}

/// The same, and why a body that begins like EnvelopedData or AuthEnvelopedData, or is labelled as one or only
/// `application/pkcs7-mime`, is none: for messages to people, not for decisions.
pub(super) fn examine(message: &Message<'_>) -> Result<Protection, CmsError> {
    let found = innermost(message, |entity, media| {
        let boundary = media.parameter("boundary").unwrap_or_default();
        match media.essence() {
            "multipart/signed" => Ok(signed_multipart(entity.body(), boundary)),
            "multipart/encrypted" => Ok(encrypted_multipart(entity.body(), boundary)),
            _ => leaf(entity, media),
        }
    });
    found.unwrap_or(Ok(Protection::None))
}

/// The body that [`examine`] decides on, if it is in base64 and seems to be an envelope.
pub(super) fn envelope_text<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    innermost(message, |entity, media| {
        let has_two_parts = matches!(media.essence(), "multipart/signed" | "multipart/encrypted");
        let text = (!has_two_parts && TransferEncoding::of(entity) == TransferEncoding::Base64)
            .then(|| entity.body())?;
        seems_enveloped(text).then_some(text)
    })?
}

/// Does what this base64 stands for begin like an envelope?
pub(super) fn seems_enveloped(text: &[u8]) -> bool {
    matches!(guess(&glance(TransferEncoding::Base64, text)), Guess::Enveloped)
}

/// What a ContentInfo is that stands by itself.
pub(super) fn examine_content_info(octets: Octets<'_>) -> Result<Protection, CmsError> {
    let der = sole_element(octets.bytes())?;
    match locate(&der, octets.bytes()) {
        Ok(located) => {
            drop(der);
            Ok(Protection::Encrypted(Box::new(located.taking(octets.into_bytes()))))
        }
        Err(_) if signature(der.bytes()).is_some_and(|signed| signed.content.is_some()) => {
            Ok(Protection::Signed)
        }
        Err(fault) => Err(fault),
    }
}

/// Looks at the entity that decides; nothing if a multipart has more than the one part.
pub(super) fn innermost<'a, T>(
    message: &Message<'a>,
    look: impl FnOnce(&Message<'a>, &MediaType) -> T,
) -> Option<T> {
    let mut inner: Option<Message<'a>> = None;
    for _ in 0..MAX_NESTING {
        let here = inner.as_ref().unwrap_or(message);
        let media = MediaType::of(here);
        // Two parts each: nothing more is inside, and the search for their delimiters is done once only.
        let has_two_parts = matches!(media.essence(), "multipart/signed" | "multipart/encrypted");
        if !media.is_multipart() || has_two_parts {
            return Some(look(here, &media));
        }
        let part = sole_part(here.body(), media.parameter("boundary").unwrap_or_default())?;
        inner = Some(Message::new(part));
    }
    None
}

/// A body that is no multipart.
pub(super) fn leaf(message: &Message<'_>, media: &MediaType) -> Result<Protection, CmsError> {
    let encoding = TransferEncoding::of(message);
    let start = Zeroizing::new(glance(encoding, message.body()));
    let labelled = matches!(media.essence(), "application/pkcs7-mime" | "application/x-pkcs7-mime");
    match guess(&start) {
        Guess::Enveloped => {
            let octets = decode(encoding, message.body())?;
            enveloped(octets).map(|found| Protection::Encrypted(Box::new(found)))
        }
        Guess::Signed => match signed(decode(encoding, message.body())?.bytes()) {
            Protection::None if labelled && is_labelled_encrypted(media) => Err(another_type()),
            found => Ok(found),
        },
        Guess::OpenPgp => Ok(armored(decode(encoding, message.body())?.bytes())),
        Guess::Nothing if labelled && !is_content_info(&start) => {
            Err(malformed("the body is no ContentInfo"))
        }
        Guess::Nothing if labelled && is_labelled_encrypted(media) => Err(another_type()),
        Guess::Nothing => Ok(Protection::None),
    }
}

/// RFC 8551 3.2.2.
fn is_labelled_encrypted(media: &MediaType) -> bool {
    let kind = media.parameter("smime-type").unwrap_or_default();
    ["enveloped-data", "authEnveloped-data"].iter().any(|name| kind.eq_ignore_ascii_case(name))
}

/// One wrong bit in the name of the type is enough.
fn another_type() -> CmsError {
    malformed("it is labelled as encrypted and names another type of content")
}

pub(super) enum Guess {
    Enveloped,
    Signed,
    OpenPgp,
    Nothing,
}

/// The first octets that a body decodes to.
pub(super) fn glance(encoding: TransferEncoding, body: &[u8]) -> Vec<u8> {
    let body = body.trim_ascii_start();
    let start = body.get(..GLANCE).unwrap_or(body);
    encoding.decode_start(start)
}

/// A ContentInfo begins with the object identifier of what it holds.
pub(super) fn guess(start: &[u8]) -> Guess {
    let names = |oid: ObjectIdentifier| {
        let head = start.get(..start.len().min(32)).unwrap_or_default();
        start.first() == Some(&0x30) && memmem::find(head, oid.as_bytes()).is_some()
    };
    if names(rfc5911::ID_ENVELOPED_DATA) || names(rfc5911::ID_CT_AUTH_ENVELOPED_DATA) {
        Guess::Enveloped
    } else if names(rfc5911::ID_SIGNED_DATA) {
        Guess::Signed
    } else if start.starts_with(b"-----BEGIN PGP MESSAGE-----") {
        Guess::OpenPgp
    } else {
        Guess::Nothing
    }
}

/// Octets of a body; a copy of them is wiped, because what is signed or mislabelled is clear text.
pub(super) struct Octets<'a>(pub(super) Cow<'a, [u8]>);

impl<'a> Octets<'a> {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// For what turns out to be ciphertext: it need not be wiped.
    fn into_bytes(mut self) -> Cow<'a, [u8]> {
        mem::take(&mut self.0)
    }
}

impl Drop for Octets<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(copy) = &mut self.0 {
            // As slices it takes no time: see `SecretBytes`.
            copy.as_mut_slice().zeroize();
            copy.spare_capacity_mut().zeroize();
        }
    }
}

pub(super) fn decode(encoding: TransferEncoding, body: &[u8]) -> Result<Octets<'_>, CmsError> {
    let octets = encoding.decode(body).map(Octets);
    octets.ok_or_else(|| malformed(UNKNOWN_OCTETS))
}

/// The one element of DER that the octets are. White space may stand behind it: a body of octets as they are ends
/// with a line end of the transport.
pub(super) fn sole_element(octets: &[u8]) -> Result<Octets<'_>, CmsError> {
    let (der, rest) = der_from_ber(octets)?;
    let der = Octets(der);
    if rest.trim_ascii().is_empty() { Ok(der) } else { Err(malformed("octets follow it")) }
}

fn enveloped(octets: Octets<'_>) -> Result<Enveloped, CmsError> {
    let der = sole_element(octets.bytes().trim_ascii_start())?;
    let located = locate(&der, octets.bytes())?;
    drop(der);
    Ok(located.taking(octets.into_bytes()))
}

fn signed(octets: &[u8]) -> Protection {
    let Ok(der) = sole_element(octets.trim_ascii_start()) else { return Protection::None };
    let opaque = signature(der.bytes()).is_some_and(|signed| signed.content.is_some());
    if opaque { Protection::Signed } else { Protection::None }
}

/// A SignedData that somebody signed: one with certificates alone signs nothing.
fn signature(der: &[u8]) -> Option<Signed<'_>> {
    read_signed(der).ok().filter(|signed| signed.signers > 0)
}

fn armored(octets: &[u8]) -> Protection {
    if openpgp::is_armored_message(octets) { Protection::OpenPgp } else { Protection::None }
}

fn signed_multipart(body: &[u8], boundary: &str) -> Protection {
    if is_signed(body, boundary) { Protection::Signed } else { Protection::None }
}

fn encrypted_multipart(body: &[u8], boundary: &str) -> Protection {
    if is_pgp_mime(body, boundary) { Protection::OpenPgp } else { Protection::None }
}

/// RFC 1847 2.1: two parts, the second one a signature.
fn is_signed(body: &[u8], boundary: &str) -> bool {
    let Some(split) = split_multipart(body, boundary) else { return false };
    let [_, signature] = split.parts.as_slice() else { return false };
    is_detached_signature(signature)
}

/// Is this part a signature of another one: CMS or OpenPGP?
pub(super) fn is_detached_signature(part: &[u8]) -> bool {
    let part = Message::new(part);
    let Some(octets) = TransferEncoding::of(&part).decode(part.body()) else { return false };
    let is_cms = sole_element(&octets).is_ok_and(|der| signature(der.bytes()).is_some());
    is_cms || openpgp::is_signature(&octets)
}

/// RFC 3156 4: two parts, `Version: 1` and the message; besides them white space or the well-known preamble.
fn is_pgp_mime(body: &[u8], boundary: &str) -> bool {
    let Some(split) = split_multipart(body, boundary) else { return false };
    let [control, data] = split.parts.as_slice() else { return false };
    let (control, data) = (Message::new(control), Message::new(data));
    let Some(octets) = TransferEncoding::of(&data).decode(data.body()) else { return false };
    is_nothing_around(split.preamble, split.epilogue)
        && control.body().trim_ascii() == b"Version: 1"
        && openpgp::is_armored_message(&octets)
}

/// Besides the parts of PGP/MIME there is white space, or the well-known preamble.
pub(super) fn is_nothing_around(preamble: &[u8], epilogue: &[u8]) -> bool {
    let preamble = preamble.trim_ascii();
    (preamble.is_empty() || preamble == PGP_MIME_PREAMBLE) && epilogue.trim_ascii().is_empty()
}
