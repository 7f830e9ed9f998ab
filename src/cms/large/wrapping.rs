//! What a large message is wrapped in: the same answer as for a small one.

use super::super::wrapping::{BEGIN_CLEAR_SIGNED, MAX_SIGNATURES, Wrapping, holders};
use super::super::{Protection, protection};
use super::LargeError;
use super::entity::innermost;
use super::find::find_large;
use super::parts::two_parts;
use crate::mail::Span;

/// Octets of a body that tell whether it may be a text with a signature around it.
const START: usize = 16 * 1024;

/// Takes the signatures off and looks at what is inside, as [`wrapping`](super::super::wrapping()) does.
pub fn wrapping_large(message: Span<'_>) -> Result<Wrapping, LargeError> {
    let mut found = Wrapping::default();
    let mut inside = message;
    for left in (0..MAX_SIGNATURES).rev() {
        match find_large(inside)? {
            Protection::None => return not_clear_signed(inside).map(|()| found),
            Protection::OpenPgp => {
                found.encrypted = true;
                return Ok(found);
            }
            Protection::Encrypted(enveloped) => {
                found.encrypted = true;
                found.recipients = holders(*enveloped);
                return Ok(found);
            }
            Protection::Signed => found.signed = true,
        }
        if left > 0 {
            inside = signed_part(inside)?;
        }
    }
    Ok(found)
}

/// The first of two parts; what lies inside of a structure cannot be looked at in pieces.
fn signed_part(message: Span<'_>) -> Result<Span<'_>, LargeError> {
    let (entity, media) = innermost(message)?.ok_or(LargeError::Undecided)?;
    if media.essence() != "multipart/signed" {
        return Err(LargeError::Undecided);
    }
    let parts = two_parts(entity.body, media.parameter("boundary").unwrap_or_default())?;
    parts.map(|parts| parts.first).ok_or(LargeError::Undecided)
}

/// A text in the cleartext signature framework would have to be read to its end.
fn not_clear_signed(message: Span<'_>) -> Result<(), LargeError> {
    let Some((entity, media)) = innermost(message)? else { return Ok(()) };
    let begin = protection::glance(entity.encoding(), &entity.body.start(START)?);
    if !media.is_multipart() && begin.starts_with(BEGIN_CLEAR_SIGNED) {
        return Err(LargeError::Undecided);
    }
    Ok(())
}
