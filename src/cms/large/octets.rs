//! The octets that a body stands for, piece by piece.

use super::super::error::malformed;
use super::LargeError;
use crate::mail::{Span, TransferEncoding};
use encodify::base64;
use zeroize::Zeroizing;

/// What a span of encoded octets decodes to.
pub(super) struct Octets<'s> {
    left: Span<'s>,
    decoder: Option<base64::Decoder>,
    fault: &'static str,
    /// Decoded, and from `used` on not taken yet.
    held: Zeroizing<Vec<u8>>,
    used: usize,
    /// So many were taken.
    position: u64,
}

/// More is never held: a piece, and what is left of the one before.
const ROOM: usize = 2 * crate::mail::PIECE;

impl<'s> Octets<'s> {
    /// Quoted-printable and unknown encodings are nothing for pieces.
    pub(super) fn new(
        span: Span<'s>,
        encoding: TransferEncoding,
        fault: &'static str,
    ) -> Result<Octets<'s>, LargeError> {
        let decoder = match encoding {
            TransferEncoding::Identity => None,
            TransferEncoding::Base64 => Some(base64::MIME.decoder()),
            TransferEncoding::QuotedPrintable | TransferEncoding::Unknown => {
                return Err(LargeError::Undecided);
            }
        };
        let held = Zeroizing::new(Vec::with_capacity(ROOM));
        Ok(Octets { left: span, decoder, fault, held, used: 0, position: 0 })
    }

    /// How many were taken so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Some of the next ones, as many as are wanted if there are so many.
    pub(super) fn peek(&mut self, wanted: usize) -> Result<&[u8], LargeError> {
        while self.held.len() - self.used < wanted && !self.left.is_empty() {
            self.fill()?;
        }
        let next = self.held.get(self.used..).unwrap_or_default();
        Ok(next.get(..wanted).unwrap_or(next))
    }

    /// The next ones, at least one and at most so many; none at the end.
    pub(super) fn take(&mut self, most: u64) -> Result<&[u8], LargeError> {
        self.peek(1)?;
        let next = self.held.get(self.used..).unwrap_or_default();
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(next.len());
        self.used += count;
        self.position += count as u64;
        Ok(next.get(..count).unwrap_or_default())
    }

    fn fill(&mut self) -> Result<(), LargeError> {
        let kept = self.held.len() - self.used;
        self.held.copy_within(self.used.., 0);
        self.held.truncate(kept);
        self.used = 0;
        let piece = self.left.first(self.left.piece() as u64).all()?;
        self.left = self.left.behind(piece.len() as u64);
        let Some(decoder) = &mut self.decoder else {
            self.held.extend_from_slice(&piece);
            return Ok(());
        };
        decode(decoder, &piece, &mut self.held).ok_or_else(|| malformed(self.fault))?;
        if self.left.is_empty() {
            decoder.finish(&mut self.held);
        }
        Ok(())
    }
}

/// As `base64::MIME` does it to a whole: white space is passed over, `=` ends a quantum, anything else is an error.
fn decode(decoder: &mut base64::Decoder, piece: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = piece;
    loop {
        let symbols = decoder.decode_symbols(rest, out);
        let Some((&next, after)) = rest.get(symbols..).and_then(<[u8]>::split_first) else { return Some(()) };
        match next {
            b'=' => decoder.pad(out),
            b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c => (),
            _ => return None,
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(body: &[u8], encoding: TransferEncoding) -> Option<Vec<u8>> {
        let mut octets = Octets::new(Span::of(&body), encoding, "x").unwrap();
        let mut joined = Vec::new();
        loop {
            let next = octets.take(1000).ok()?;
            if next.is_empty() {
                return Some(joined);
            }
            joined.extend_from_slice(next);
        }
    }

    fn assert_whole(body: &[u8]) {
        for encoding in [TransferEncoding::Identity, TransferEncoding::Base64] {
            let whole = encoding.decode(body).map(|octets| octets.into_owned());
            assert!(all(body, encoding) == whole, "{encoding:?} {}", body.len());
        }
    }

    #[test]
    fn the_borders_of_pieces_are_not_seen() {
        for length in [0, 1, 2, 3, 49_151, 49_152, 49_153, 98_304, 200_000] {
            let octets: Vec<u8> = (0..=255).cycle().take(length).collect();
            let encoded = base64::MIME.encode(&octets).into_bytes();
            assert_whole(&encoded);
            assert_whole(&encoded[..encoded.len() - encoded.len() / 3]);
            assert_whole(&[encoded.as_slice(), b"!"].concat());
            assert_whole(&[encoded.as_slice(), &[b'\n'; 70_000]].concat());
        }
    }

    proptest! {
        #[test]
        fn odd_base64_is_read_as_the_whole_is(body in prop::collection::vec(prop::sample::select(b"AbZ9+/==\r\n \t-".to_vec()), 0..60)) {
            assert_whole(&body);
        }
    }
}
