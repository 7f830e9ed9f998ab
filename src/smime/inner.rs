//! What lies inside the encryption: the whole message with canonical lines, and what we put into it so that it opens to
//! what came in, says how its header is protected, and cannot deceive a client. [`Inner`] puts in, [`take_out`] takes out
//! again.

use super::added::{Added, PARAMETER, additions};
use super::arrived::{Insertion, insertions, removals};
use crate::crypto::SecretBytes;
use crate::crypto::lanes::line_ends;
use crate::mail::{LineCount, Message, crlf_len};
use memchr::memchr;
use std::borrow::Cow;
use std::iter;

/// A message as it goes inside: pieces of it with our insertions between them.
pub(super) struct Inner<'a> {
    front: Cow<'a, [u8]>,
    message: &'a [u8],
    /// Something must be put in: few messages are searched more than once.
    renames: bool,
    parameter_at: Option<usize>,
    length: usize,
    lines: Lines,
}

/// As [`LineCount::of`], quicker where the processor can.
pub(super) fn count_lines(message: &[u8]) -> LineCount {
    let counted = line_ends::count(message);
    counted.map_or_else(|| LineCount::of(message), |(all, bare)| LineCount::new(all, bare))
}

/// What must be done to get canonical lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// Nothing: they are.
    Canonical,
    /// Every LF is looked at.
    Mixed,
}

impl<'a> Inner<'a> {
    /// Looks whether the message needs new names. `count` is that of the message.
    pub(super) fn new(message: &Message<'a>, added: Added, count: LineCount) -> Inner<'a> {
        let renames = insertions(message.bytes()).next().is_some();
        let Added { front, parameter_at } = added;
        let (front, message) = (Cow::Owned(front), message.bytes());
        let mut inner = Inner { front, message, renames, parameter_at, length: 0, lines: Lines::Canonical };
        let raw =
            inner.front.len() + message.len() + inner.insertions().map(|one| one.text.len()).sum::<usize>();
        // No cut is inside a CRLF, so the pieces can be counted one by one.
        let put_in = inner.insertions().map(|one| crlf_len(one.text.as_bytes())).sum::<usize>();
        inner.length = crlf_len(&inner.front) + message.len() + count.bare() + put_in;
        inner.lines = if inner.length == raw { Lines::Canonical } else { Lines::Mixed };
        inner
    }

    /// The message, cut where something must be put in.
    fn pieces(&self) -> Pieces<'a> {
        if !self.renames && self.parameter_at.is_none() {
            return Pieces::Whole(Some(self.message));
        }
        let (mut rest, mut done) = (self.message, 0);
        let pieces = self.insertions().map(Some).chain([None]).flat_map(move |insertion| {
            let at = insertion.as_ref().map_or(rest.len(), |insertion| insertion.at - done);
            let (before, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            (rest, done) = (after, done + before.len());
            [before, insertion.map_or("", |insertion| insertion.text).as_bytes()]
        });
        Pieces::Cut(Box::new(pieces))
    }

    /// New names and the parameter, in the order of the message. No name begins where the parameter goes.
    fn insertions(&self) -> impl Iterator<Item = Insertion> + Send + use<'a> {
        let renamed = self.renames.then(|| insertions(self.message));
        let mut names = renamed.into_iter().flatten().peekable();
        let mut parameter = self.parameter_at.map(|at| Insertion { at, text: PARAMETER });
        iter::from_fn(move || {
            let at = parameter.as_ref().map_or(usize::MAX, |parameter| parameter.at);
            names.next_if(|name| name.at < at).or_else(|| parameter.take()).or_else(|| names.next())
        })
    }

    /// Its length in bytes with canonical lines.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// What it is made of, in its order; the lines are as they are.
    pub(super) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        iter::once(&*self.front).chain(self.pieces())
    }

    /// Reads it with canonical lines.
    pub(super) fn into_reader(self) -> CrlfReader<'a> {
        let pieces = self.pieces();
        CrlfReader { front: self.front, front_read: 0, pieces, rest: &[], last: 0, lines: self.lines }
    }
}

enum Pieces<'a> {
    /// Nothing is put in.
    Whole(Option<&'a [u8]>),
    /// Something is.
    Cut(Box<dyn Iterator<Item = &'a [u8]> + Send + 'a>),
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match self {
            Pieces::Whole(message) => message.take(),
            Pieces::Cut(pieces) => pieces.next(),
        }
    }
}

/// Gives a message in canonical lines, chunk by chunk, without holding it twice.
pub(super) struct CrlfReader<'a> {
    front: Cow<'a, [u8]>,
    front_read: usize,
    pieces: Pieces<'a>,
    rest: &'a [u8],
    last: u8,
    lines: Lines,
}

impl<'a> CrlfReader<'a> {
    /// Appends until `chunk` holds `size` bytes or the message ends. `chunk` never grows beyond `size`.
    pub(super) fn fill(&mut self, chunk: &mut Vec<u8>, size: usize) {
        let front = self.front.get(self.front_read..).unwrap_or_default();
        if !front.is_empty() {
            self.front_read += append(self.lines, front, &mut self.last, chunk, size);
        }
        while chunk.len() < size && self.next_piece() {
            let read = append(self.lines, self.rest, &mut self.last, chunk, size);
            self.rest = self.rest.get(read..).unwrap_or_default();
        }
    }

    /// The next `size` octets where they lie in the message, if nothing has to be done to them.
    pub(super) fn lend(&mut self, size: usize) -> Option<&'a [u8]> {
        if self.lines != Lines::Canonical || self.front_read < self.front.len() || !self.next_piece() {
            return None;
        }
        let (lent, rest) = self.rest.split_at_checked(size)?;
        self.rest = rest;
        Some(lent)
    }

    fn next_piece(&mut self) -> bool {
        while self.rest.is_empty() {
            match self.pieces.next() {
                Some(piece) => self.rest = piece,
                None => return false,
            }
        }
        true
    }
}

/// Appends bytes with canonical lines until `chunk` holds `size` bytes or there are no more, and says how many were read.
/// `last` is the byte that was read before.
fn append(lines: Lines, bytes: &[u8], last: &mut u8, chunk: &mut Vec<u8>, size: usize) -> usize {
    if lines == Lines::Canonical {
        let fitting = bytes.get(..size.saturating_sub(chunk.len())).unwrap_or(bytes);
        chunk.extend_from_slice(fitting);
        return fitting.len();
    }
    let read = line_ends::append_crlf(bytes, last, chunk, size);
    let rest = bytes.get(read..).unwrap_or_default();
    read + append_lines(rest, last, chunk, size)
}

/// The same, a line at a time.
fn append_lines(bytes: &[u8], last: &mut u8, chunk: &mut Vec<u8>, size: usize) -> usize {
    let mut rest = bytes;
    while chunk.len() < size && !rest.is_empty() {
        let window = rest.get(..size - chunk.len()).unwrap_or(rest);
        let run = memchr(b'\n', window);
        let (text, after) = rest.split_at_checked(run.unwrap_or(window.len())).unwrap_or((rest, &[]));
        chunk.extend_from_slice(text);
        *last = text.last().copied().unwrap_or(*last);
        rest = if run.is_some() { line_end(after, last, chunk, size) } else { after };
    }
    bytes.len() - rest.len()
}

/// The LF in front of `rest`, or the CR that is missing before it, or both if both fit.
fn line_end<'b>(rest: &'b [u8], last: &mut u8, chunk: &mut Vec<u8>, size: usize) -> &'b [u8] {
    if *last != b'\r' && chunk.len() < size {
        chunk.push(b'\r');
        *last = b'\r';
    }
    if chunk.len() == size {
        return rest;
    }
    chunk.push(b'\n');
    *last = b'\n';
    rest.get(1..).unwrap_or_default()
}

/// Does it begin as a message does: with a header field, or the empty line before a body? What a wrong key makes out of
/// a ciphertext does not.
pub(super) fn begins_like_mail(content: &[u8]) -> bool {
    start_begins_like_mail(content).unwrap_or(false)
}

/// The same of a content of which only the start is at hand, which is longer than a line end; nothing if that does not decide.
pub(super) fn start_begins_like_mail(start: &[u8]) -> Option<bool> {
    if start.starts_with(b"\r\n") || start.starts_with(b"\n") {
        return Some(true);
    }
    let name = start.iter().take_while(|&&byte| byte.is_ascii_graphic() && byte != b':').count();
    let after = start.iter().skip(name).find(|&&byte| byte != b' ' && byte != b'\t')?;
    Some(name > 0 && *after == b':')
}

/// The message that was put inside: what was added is taken off, and one prefix of each renamed name.
pub(super) fn take_out(mut content: SecretBytes) -> SecretBytes {
    let additions = additions(content.expose());
    content.remove(&additions);
    let removals = removals(content.expose());
    content.remove(&removals);
    content
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::crlf;

    type Append = fn(&[u8], &mut u8, &mut Vec<u8>, usize) -> usize;

    /// With what the processor can and without: in chunks that end before, in and behind each line end.
    #[test]
    fn chunks_are_the_same_whoever_makes_them() {
        let text = b"\n\r\na line\nanother\r\n\r\r\n\n\n".repeat(20);
        let ways: [Append; 2] =
            [|bytes, last, chunk, size| append(Lines::Mixed, bytes, last, chunk, size), append_lines];
        for size in 1..=300 {
            for way in ways {
                let (mut rest, mut last, mut out) = (text.as_slice(), 0, Vec::new());
                let mut chunk = Vec::with_capacity(size);
                while !rest.is_empty() || chunk.len() == size {
                    chunk.clear();
                    let read = way(rest, &mut last, &mut chunk, size);
                    rest = &rest[read..];
                    out.extend_from_slice(&chunk);
                    assert_eq!(chunk.capacity(), size, "clear text is left behind where a buffer grows");
                }
                assert!(out == *crlf(&text), "{size}");
            }
        }
    }

    /// With what the processor can and without.
    #[test]
    fn lines_are_counted_as_everywhere() {
        let text = b"a line\n\nanother\r\n\r\r\n".repeat(30);
        (0..text.len()).for_each(|start| {
            let text = &text[start..];
            let stands_alone = |at: usize| text[at] == b'\n' && (at == 0 || text[at - 1] != b'\r');
            let all = text.iter().filter(|octet| **octet == b'\n').count();
            let bare = (0..text.len()).filter(|at| stands_alone(*at)).count();
            let expected = LineCount::new(all, bare);
            assert_eq!((count_lines(text), LineCount::of(text)), (expected, expected), "{start}");
        });
    }
}
