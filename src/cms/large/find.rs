//! What protects a large message: the same answer as for a small one.

use super::super::protection::{
    Guess, Protection, UNKNOWN_OCTETS, glance, guess, is_detached_signature, is_nothing_around, leaf,
};
use super::entity::{Entity, innermost};
use super::openpgp::{is_armored_message, is_pgp_mime};
use super::parts::two_parts;
use super::walk::Carrier;
use super::{LargeError, MOST};
use crate::mail::{MediaType, Message, Span};
use std::ops::ControlFlow;

/// So much of a body is looked at to guess what it is.
const START: usize = 16 * 1024;

/// Looks at the whole body, or at the sole part of its multiparts, as [`find`](super::super::find()) does. What is encrypted
/// has no ciphertext in what comes back. Where only the whole could tell it is [`LargeError::Undecided`].
pub fn find_large(message: Span<'_>) -> Result<Protection, LargeError> {
    match examine_large(message) {
        Err(LargeError::Cms(_)) => Ok(Protection::None),
        found => found,
    }
}

fn examine_large(message: Span<'_>) -> Result<Protection, LargeError> {
    let Some((entity, media)) = innermost(message)? else { return Ok(Protection::None) };
    match look(&entity, &media)? {
        Seen::Envelope(carrier) => {
            let found = carrier.envelope(&mut |_| ControlFlow::Continue(()))?;
            Ok(Protection::Encrypted(Box::new(found)))
        }
        Seen::Signature(carrier) => match carrier.is_signed()? {
            true => Ok(Protection::Signed),
            false => Ok(Protection::None),
        },
        Seen::Other(protection) => Ok(protection),
    }
}

/// Where the structure lies that seems to be encrypted; nothing if there is none. What is wrong with a body that is labelled
/// so is told.
pub(super) fn encrypted_body(message: Span<'_>) -> Result<Option<Carrier<'_>>, LargeError> {
    let Some((entity, media)) = innermost(message)? else { return Ok(None) };
    match look(&entity, &media)? {
        Seen::Envelope(carrier) => Ok(Some(carrier)),
        Seen::Other(_) => Ok(None),
        // It may be labelled as something else, which is said of the whole.
        Seen::Signature(_) => Err(LargeError::Undecided),
    }
}

/// RFC 1847 2.1: two parts, the second one a signature, which is small.
fn signed_multipart(body: Span<'_>, boundary: &str) -> Result<Protection, LargeError> {
    match two_parts(body, boundary)? {
        Some(parts) if parts.second.len() > MOST as u64 => Err(LargeError::Undecided),
        Some(parts) if is_detached_signature(&parts.second.all()?) => Ok(Protection::Signed),
        _ => Ok(Protection::None),
    }
}

/// RFC 3156 4.
fn encrypted_multipart(body: Span<'_>, boundary: &str) -> Result<Protection, LargeError> {
    match two_parts(body, boundary)? {
        Some(parts) => openpgp(is_pgp_mime(&parts, is_nothing_around)?),
        None => Ok(Protection::None),
    }
}

fn openpgp(found: bool) -> Result<Protection, LargeError> {
    Ok(if found { Protection::OpenPgp } else { Protection::None })
}

/// What an entity seems to be.
enum Seen<'s> {
    Envelope(Carrier<'s>),
    Signature(Carrier<'s>),
    Other(Protection),
}

fn look<'s>(entity: &Entity<'s>, media: &MediaType) -> Result<Seen<'s>, LargeError> {
    let boundary = media.parameter("boundary").unwrap_or_default();
    match media.essence() {
        "multipart/signed" => return signed_multipart(entity.body, boundary).map(Seen::Other),
        "multipart/encrypted" => return encrypted_multipart(entity.body, boundary).map(Seen::Other),
        _ => {}
    }
    let (whole, encoding) = (entity.with_start(START)?, entity.encoding());
    let start = Message::new(&whole);
    if start.body().trim_ascii_start().is_empty() && entity.body.len() > START as u64 {
        return Err(LargeError::Undecided);
    }
    let carrier = Carrier { span: entity.body, encoding, fault: UNKNOWN_OCTETS };
    match guess(&glance(encoding, start.body())) {
        Guess::Enveloped => Ok(Seen::Envelope(carrier)),
        Guess::Signed => Ok(Seen::Signature(carrier)),
        Guess::OpenPgp => openpgp(is_armored_message(entity.body, encoding)?).map(Seen::Other),
        // Then nothing but the start is looked at.
        Guess::Nothing => Ok(Seen::Other(leaf(&start, media)?)),
    }
}
