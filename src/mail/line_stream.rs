//! Line ends of a text that comes piece by piece: what [`eol`](super::eol), [`crlf_len`](super::crlf_len) and
//! [`crlf`](super::crlf) do to a whole one.

use super::line::{Eol, crlf_len};
use memchr::{memchr, memchr_iter};

/// How lines end, and what canonical lines would cost. Pieces may be cut anywhere, also between CR and LF.
#[derive(Debug, Clone, Copy, Default)]
pub struct LineTally {
    octets: u64,
    /// LFs of both kinds.
    ends: u64,
    /// LFs without a CR before them.
    bare: u64,
    last: u8,
}

impl LineTally {
    /// Of a text that stands behind this octet.
    pub fn behind(last: Option<&u8>) -> LineTally {
        LineTally { last: last.copied().unwrap_or_default(), ..LineTally::default() }
    }

    /// The next piece.
    pub fn add(&mut self, piece: &[u8]) {
        let Some(&last) = piece.last() else { return };
        let joined = self.last == b'\r' && piece.first() == Some(&b'\n');
        self.octets += piece.len() as u64;
        self.ends += memchr_iter(b'\n', piece).count() as u64;
        self.bare += (crlf_len(piece) - piece.len()) as u64 - u64::from(joined);
        self.last = last;
    }

    /// Those of both together; the other one must have begun behind the last octet of this one.
    pub fn and(self, behind: LineTally) -> LineTally {
        LineTally {
            octets: self.octets + behind.octets,
            ends: self.ends + behind.ends,
            bare: self.bare + behind.bare,
            last: behind.last,
        }
    }

    /// As [`eol`](super::eol) has it.
    pub fn eol(&self) -> Eol {
        match self.bare {
            0 => Eol::Crlf,
            bare if bare == self.ends => Eol::Lf,
            _ => Eol::Mixed,
        }
    }

    /// As [`crlf_len`](super::crlf_len) has it.
    pub fn crlf_len(&self) -> u64 {
        self.octets + self.bare
    }
}

/// Gives a text canonical lines, piece by piece.
#[derive(Debug, Clone, Copy, Default)]
pub struct Canonical {
    last: u8,
}

impl Canonical {
    /// Appends the next piece: at most twice its octets.
    pub fn append(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let mut rest = piece;
        while let Some(at) = memchr(b'\n', rest) {
            let (line, after) = rest.split_at_checked(at + 1).unwrap_or((rest, &[]));
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            out.extend_from_slice(text);
            let before = text.last().copied().unwrap_or(self.last);
            out.extend_from_slice(if before == b'\r' { b"\n" } else { b"\r\n" });
            (rest, self.last) = (after, b'\n');
        }
        out.extend_from_slice(rest);
        self.last = rest.last().copied().unwrap_or(self.last);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{crlf, eol};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_are_as_the_whole(
            text in prop::collection::vec(prop::sample::select(b"\r\nab".to_vec()), 0..200),
            cuts in prop::collection::vec(0_usize..12, 0..40), split: prop::sample::Index,
        ) {
            let (mut ends, mut canonical, mut out) = (LineTally::default(), Canonical::default(), Vec::new());
            let mut rest = text.as_slice();
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                ends.add(piece);
                canonical.append(piece, &mut out);
                rest = after;
            }
            prop_assert_eq!(&*out, &*crlf(&text));
            prop_assert_eq!(ends.crlf_len(), out.len() as u64);
            prop_assert_eq!(ends.eol(), eol(&text));
            let (before, behind) = text.split_at(split.index(text.len() + 1));
            let mut one = LineTally::default();
            one.add(before);
            let mut other = LineTally::behind(before.last());
            other.add(behind);
            prop_assert_eq!(one.and(other).eol(), ends.eol());
            prop_assert_eq!(one.and(other).crlf_len(), ends.crlf_len());
        }
    }
}
