//! Other letters in a text of base64, or in its place.

use crate::cms::Base64Text;
use crate::crypto::lanes::letters;
use crate::mail::eol;
use crate::smime::frame::Frame;
use crate::smime::lines::Base64Lines;
use crate::smime::outer;
use encodify::base64::{LineEnding, STANDARD};

/// So much is looked at and copied at a time: a cache of the second level holds it twice.
const PIECE: usize = 64 * 1024;

/// A copy of a message, its text gone over: there is nothing but letters and white space in it.
pub(super) struct Copied {
    bytes: Vec<u8>,
    /// Where the text begins.
    at: usize,
    letters: usize,
}

impl Copied {
    /// `text` is a piece of the message. Nothing if it holds anything else: our reader passes over an `=` inside, and what is
    /// behind it has not the place that it seems to have.
    pub(super) fn of(sealed: &[u8], text: Base64Text<'_>) -> Option<Copied> {
        let (before, after) = around(sealed, text.bytes());
        let mut bytes = Vec::with_capacity(sealed.len());
        bytes.extend_from_slice(before);
        let mut letters = 0;
        for piece in text.bytes().chunks(PIECE) {
            letters += letters::count(piece)?;
            bytes.extend_from_slice(piece);
        }
        bytes.extend_from_slice(after);
        Some(Copied { bytes, at: before.len(), letters })
    }

    /// How many the text has.
    pub(super) fn letters(&self) -> usize {
        self.letters
    }

    /// The copy with other letters at the begin of its text: those of these octets. Where they end inside of what four letters
    /// stand for, `behind` are the octets that follow.
    pub(super) fn beginning_with(mut self, octets: &[u8], behind: impl IntoIterator<Item = u8>) -> Vec<u8> {
        let missing = octets.len().next_multiple_of(3) - octets.len();
        let octets: Vec<u8> = octets.iter().copied().chain(behind.into_iter().take(missing)).collect();
        let text = self.bytes.iter_mut().skip(self.at);
        let places = text.filter(|octet| letters::is_letter(**octet));
        let letters = STANDARD.encode(octets).into_bytes();
        places.zip(letters).for_each(|(place, letter)| *place = letter);
        self.bytes
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
