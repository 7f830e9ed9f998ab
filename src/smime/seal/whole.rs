//! Content that is encrypted as a whole: in the place of what becomes of it.

use super::SealError;
use super::settle::{Envelope, Framed};
use crate::smime::lines::body_encoder;
use crate::smime::{Sealed, frame, spare};
use std::mem;
use zeroize::Zeroizing;

/// The message is put where the sealed message will stand, encrypted there, and turned into base64 there: there is no
/// other buffer of its size.
pub(super) fn seal(framed: Framed<'_>) -> Result<Sealed, SealError> {
    let Framed { envelope: Envelope { algorithm, content_key, frame, length }, header, inner, report } =
        framed;
    let encoder = body_encoder(header.line_ending());
    let header = header.finish(algorithm.cipher.mode);
    // Clear text until it is encrypted, and wiped if it never is.
    let mut clear = Zeroizing::new(spare::room(header.len() + encoder.encoded_len(frame.len())));
    clear.extend_from_slice(&header);
    clear.extend_from_slice(&frame.head);
    let (start, end) = (clear.len(), clear.len() + length);
    inner.into_reader().fill(&mut clear, end);
    let tag = algorithm.encrypt(&content_key, clear.get_mut(start..).unwrap_or_default())?;
    let mut bytes = mem::take(&mut *clear);
    bytes.extend_from_slice(&frame::tail(&tag));
    encoder.encode_in_place(&mut bytes, header.len());
    Ok(report.sealed(bytes))
}
