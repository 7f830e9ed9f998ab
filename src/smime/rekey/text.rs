//! Other letters in a text of base64, or in its place.

use crate::cms::Base64Text;
use crate::crypto::lanes::letters::is_letter;
use crate::mail::eol;
use crate::smime::frame::Frame;
use crate::smime::lines::Base64Lines;
use crate::smime::outer;
use encodify::base64::{LineEnding, STANDARD};

/// What comes in the place of a message.
pub(super) enum Rewritten {
    /// All of it.
    Whole(Vec<u8>),
    /// Other letters in the first places of its text.
    Letters(Letters),
}

impl Rewritten {
    /// The message, which `sealed` gives where it stays but for a few letters.
    pub(super) fn in_place_of(self, sealed: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
        match self {
            Rewritten::Whole(bytes) => bytes,
            Rewritten::Letters(letters) => {
                let mut bytes = sealed();
                letters.write_over(&mut bytes);
                bytes
            }
        }
    }
}

/// The letters with which a text begins.
pub(super) struct Letters {
    /// Where the text begins in the message.
    at: usize,
    letters: Vec<u8>,
}

impl Letters {
    /// Those that stand for these octets. Where they end inside of what four letters stand for, `behind` are the octets that
    /// follow. `text` is a piece of the message, in which nothing stands but letters and white space.
    pub(super) fn of(
        sealed: &[u8],
        text: Base64Text<'_>,
        octets: &[u8],
        behind: impl IntoIterator<Item = u8>,
    ) -> Letters {
        let missing = octets.len().next_multiple_of(3) - octets.len();
        let octets: Vec<u8> = octets.iter().copied().chain(behind.into_iter().take(missing)).collect();
        let (before, _) = around(sealed, text.bytes());
        Letters { at: before.len(), letters: STANDARD.encode(octets).into_bytes() }
    }

    fn write_over(self, message: &mut [u8]) {
        let text = message.iter_mut().skip(self.at);
        let places = text.filter(|octet| is_letter(**octet));
        places.zip(self.letters).for_each(|(place, letter)| *place = letter);
    }
}

/// A message in whose place another one is written, with lines of ours instead of its text.
pub(super) struct Rewriting<'a> {
    lines: Base64Lines,
    after: &'a [u8],
}

impl<'a> Rewriting<'a> {
    /// `text` is a piece of the message. The head of the frame is written.
    pub(super) fn begin(sealed: &'a [u8], text: &[u8], columns: usize, frame: &Frame) -> Rewriting<'a> {
        let (before, after) = around(sealed, text);
        let ending = line_ending(sealed, text);
        let mut lines = Base64Lines::of_columns(columns, before, frame.len(), ending);
        lines.write(&frame.head);
        Rewriting { lines, after }
    }

    /// The octets that follow.
    pub(super) fn write(&mut self, octets: &[u8]) {
        self.lines.write(octets);
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut bytes = self.lines.finish();
        // The end of the last line is still there behind the old text.
        bytes.truncate(bytes.trim_ascii_end().len());
        bytes.extend_from_slice(self.after);
        bytes
    }
}

/// What stands before and behind a piece of a whole.
fn around<'a>(whole: &'a [u8], piece: &[u8]) -> (&'a [u8], &'a [u8]) {
    let start = piece.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
    let (before, rest) = whole.split_at_checked(start).unwrap_or((whole, &[]));
    (before, rest.get(piece.len()..).unwrap_or_default())
}

/// As the lines of the text end; a text of one line leaves it to the rest of the message.
fn line_ending(sealed: &[u8], text: &[u8]) -> LineEnding {
    let lines = if text.contains(&b'\n') { text } else { sealed };
    if outer::is_lf(eol(lines)) { LineEnding::Lf } else { LineEnding::CrLf }
}
