//! A text in base64 that is read from its ends, or piece by piece.

use crate::crypto::lanes::letters::{self, is_letter};
use crate::mail::TransferEncoding;
use encodify::base64;

/// So much is decoded first: a few recipients, and the begin of their ciphertext.
const WINDOW: usize = 8 * 1024;
/// So much text is decoded at a time where all of it is: with what it stands for it fits into a cache of the first level.
const PIECE: usize = 20 * 1024;
/// What a piece stands for, with the few letters that are added to it.
const PIECE_OCTETS: usize = PIECE / 4 * 3 + 3;

/// Letters of base64, white space among them, and no `=` behind them. What else it holds shows when it is gone over.
#[derive(Clone, Copy)]
pub(crate) struct Base64Text<'a>(&'a [u8]);

impl<'a> Base64Text<'a> {
    /// Without the `=` that ends it; nothing if there is no letter, or something else behind the last one than what every decoder
    /// takes there: what stands behind it is never written anew.
    pub(crate) fn of(text: &'a [u8]) -> Option<Base64Text<'a>> {
        let length = text.iter().rposition(|&octet| is_letter(octet))? + 1;
        let (text, padding) = text.split_at_checked(length)?;
        padding.iter().all(|octet| b"= \t\r\n".contains(octet)).then_some(Base64Text(text))
    }

    /// The text.
    pub(crate) fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// What its begin stands for: so many octets at least, or all of them.
    pub(super) fn start(self, octets: usize) -> Vec<u8> {
        // As lines of 76 have it; where there is more white space, it is done again.
        let mut window = letters_for(octets).saturating_mul(25) / 24 + WINDOW;
        loop {
            let start = self.0.get(..window).unwrap_or(self.0);
            let decoded = TransferEncoding::Base64.decode_start(start);
            if decoded.len() >= octets || window >= self.0.len() {
                return decoded;
            }
            window = window.saturating_mul(4);
        }
    }

    /// If it stands for so many octets: those from `from` on. Nothing if `most` of the text does not hold them.
    pub(super) fn end(self, octets: usize, from: usize, most: usize) -> Option<Vec<u8>> {
        let skipped = from % 3;
        let missing = octets.checked_sub(from)? + skipped;
        let mut wanted = letters_for(missing);
        let mut end = self.0.iter().rev().take(most);
        while wanted > 0 {
            wanted -= usize::from(is_letter(*end.next()?));
        }
        let length = self.0.len().min(most) - end.len();
        let (_, end) = self.0.split_at_checked(self.0.len() - length)?;
        let decoded = base64::MIME.decode(end).ok()?;
        (decoded.len() == missing).then(|| decoded.into_iter().skip(skipped).collect())
    }

    /// All that it stands for, piece by piece. False where it does not decode.
    pub(super) fn for_each_piece(self, take: &mut dyn FnMut(&[u8])) -> bool {
        let (mut rest, mut octets) = (self.0, [0; PIECE_OCTETS]);
        while !rest.is_empty() {
            let decoded = split_piece(rest).and_then(|(piece, behind)| {
                rest = behind;
                base64::MIME.decode_slice(piece, &mut octets).ok()
            });
            match decoded.and_then(|length| octets.get(..length)) {
                Some(octets) => take(octets),
                None => return false,
            }
        }
        true
    }
}

/// How many letters stand for so many octets, `=` aside.
pub(super) fn letters_for(octets: usize) -> usize {
    let rest = if octets.is_multiple_of(3) { 0 } else { octets % 3 + 1 };
    (octets / 3).saturating_mul(4).saturating_add(rest)
}

/// So many whole lines as make up a piece, and a few letters more if without them octets would be cut apart.
fn split_piece(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let most = text.get(..PIECE).unwrap_or(text);
    let length = match memchr::memrchr(b'\n', most) {
        Some(line_end) if most.len() < text.len() => line_end + 1,
        _ => most.len(),
    };
    let (piece, behind) = text.split_at_checked(length)?;
    let mut missing = letters::count(piece)?.wrapping_neg() % 4;
    let more = behind.iter().take_while(|&&octet| {
        let wanted = missing > 0;
        missing -= usize::from(wanted && is_letter(octet));
        wanted
    });
    text.split_at_checked(length + more.count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use encodify::base64::LineEnding;
    use proptest::prelude::*;

    fn octets(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at * 7 + at / 251) as u8).collect()
    }

    /// In lines of several lengths, one of which cuts quanta apart.
    fn texts(octets: &[u8]) -> Vec<Vec<u8>> {
        let lines = [4, 64, 76, 1000, 100_000]
            .map(|columns| base64::STANDARD.wrapped(columns, LineEnding::CrLf).encode(octets).into_bytes());
        let odd = base64::STANDARD.encode(octets).into_bytes();
        let odd = odd.chunks(77).flat_map(|line| [line, b" \n"]).flatten().copied().collect();
        lines.into_iter().chain([odd]).collect()
    }

    fn pieces(text: Base64Text<'_>) -> Option<Vec<u8>> {
        let mut all = Vec::new();
        text.for_each_piece(&mut |piece| all.extend_from_slice(piece)).then_some(all)
    }

    #[test]
    fn both_ends_are_those_of_the_whole() {
        for length in (1..200).chain([4096, 10_000, 50_001, 50_002, 50_003]) {
            let whole = octets(length);
            for text in texts(&whole) {
                let text = Base64Text::of(&text).unwrap();
                assert_eq!(letters::count(text.bytes()), Some(letters_for(length)));
                assert!(pieces(text).unwrap() == whole, "{length}");
                for cut in [0, 1, 2, 3, 17, 100, length / 2, length - 1, length] {
                    let cut = cut.min(length);
                    assert!(text.start(cut).starts_with(&whole[..cut]));
                    assert!(text.end(length, cut, usize::MAX).unwrap() == whole[cut..], "{cut} of {length}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_lie_near_the_end_is_not_looked_for() {
        let text = base64::MIME.encode(octets(1000));
        let text = Base64Text::of(text.as_bytes()).unwrap();
        assert!(text.end(1000, 900, 150).is_some());
        assert_eq!(text.end(1000, 900, 130), None);
        assert_eq!(text.end(1000, 0, 1000), None);
        assert_eq!(text.end(2000, 0, usize::MAX), None, "it does not stand for so many");
        assert_eq!(text.end(10, 100, usize::MAX), None);
    }

    #[test]
    fn only_padding_may_stand_behind_the_last_letter() {
        let text = |text: &'static str| Base64Text::of(text.as_bytes()).map(|text| text.bytes());
        assert_eq!(text("QUI=\r\n\t= \n"), Some(&b"QUI"[..]));
        assert_eq!(text(" QUJD"), Some(&b" QUJD"[..]));
        for other in
            ["", " \n", "==", "QUJD-", "QUJD\r\n--\r\n", "QUJD\0", "QUI=\x0b", "QUI\x0c=", "QUJD\x0b\n"]
        {
            assert_eq!(text(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_text_with_something_else_in_it_has_no_pieces() {
        for foreign in [b'=', b'-', 0, 0xff] {
            for at in [0, 5, 100, 30_000, 60_000] {
                let mut text = base64::MIME.encode(octets(50_000)).into_bytes();
                text[at] = foreign;
                assert_eq!(pieces(Base64Text::of(&text).unwrap()), None);
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text: Vec<u8>, octets: usize, from: usize, most: usize) {
            if let Some(text) = Base64Text::of(&text) {
                let decoded = base64::MIME.decode(text.bytes());
                if let Some(pieces) = pieces(text) {
                    prop_assert_eq!(pieces, decoded.unwrap());
                }
                let _ = text.start(octets % 100_000);
                let _ = text.end(octets, from, most);
            }
        }
    }
}
