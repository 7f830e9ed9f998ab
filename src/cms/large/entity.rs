//! The header of an entity in a source, and where its body lies.

use super::{LargeError, MOST};
use crate::mail::{MediaType, Message, Span, TransferEncoding, sole_part};
use zeroize::Zeroizing;

/// So much is read first: more than the header of nearly every message.
const USUAL: usize = 64 * 1024;
/// Multiparts inside multiparts beyond this are not looked into, as in what is held.
const MAX_NESTING: usize = 100;

/// A message, or a part of one.
pub(super) struct Entity<'s> {
    header: Zeroizing<Vec<u8>>,
    /// Behind the empty line, or behind the header that was cut off.
    pub(super) body: Span<'s>,
}

impl<'s> Entity<'s> {
    /// The header must be small.
    pub(super) fn read(span: Span<'s>) -> Result<Entity<'s>, LargeError> {
        for most in [USUAL, MOST] {
            let mut header = span.start(most)?;
            let all = header.len() as u64 == span.len();
            if let Some(length) = header_len(&header, all) {
                header.truncate(length);
                return Ok(Entity { body: span.behind(length as u64), header });
            }
        }
        Err(LargeError::Undecided)
    }

    /// The header by itself.
    pub(super) fn message(&self) -> Message<'_> {
        Message::new(&self.header)
    }

    /// What its Content-Transfer-Encoding says.
    pub(super) fn encoding(&self) -> TransferEncoding {
        TransferEncoding::of(&self.message())
    }

    /// The header, the empty line, and so much of the body.
    pub(super) fn with_start(&self, most: usize) -> Result<Zeroizing<Vec<u8>>, LargeError> {
        let start = self.body.start(most)?;
        let mut whole = Zeroizing::new(Vec::with_capacity(self.header.len() + start.len()));
        whole.extend_from_slice(&self.header);
        whole.extend_from_slice(&start);
        Ok(whole)
    }
}

/// Octets up to the body, if they are sure to be the same whatever follows.
fn header_len(start: &[u8], all: bool) -> Option<usize> {
    let message = Message::new(start);
    (all || message.has_whole_header()).then_some(start.len() - message.body().len())
}

/// The entity that decides: the message itself, or the sole part of its multiparts. Nothing if one has more parts.
pub(super) fn innermost(span: Span<'_>) -> Result<Option<(Entity<'_>, MediaType)>, LargeError> {
    let mut entity = Entity::read(span)?;
    for _ in 0..MAX_NESTING {
        let media = MediaType::of(&entity.message());
        let has_two_parts = matches!(media.essence(), "multipart/signed" | "multipart/encrypted");
        if !media.is_multipart() || has_two_parts {
            return Ok(Some((entity, media)));
        }
        let boundary = media.parameter("boundary").unwrap_or_default();
        let Some(part) = sole_part_of(entity.body, boundary)? else { return Ok(None) };
        entity = Entity::read(part)?;
    }
    Ok(None)
}

/// [`sole_part`] looks at the two ends of a body only: so do we, and ask it about a body that has the same ends.
fn sole_part_of<'s>(body: Span<'s>, boundary: &str) -> Result<Option<Span<'s>>, LargeError> {
    let body = trimmed(body)?;
    let (start, end) = (body.start(USUAL)?, body.end(USUAL)?);
    if body.len() <= USUAL as u64 {
        let part = sole_part(&start, boundary).map(|part| offset(&start, part));
        return Ok(part.map(|(from, length)| body.behind(from).first(length)));
    }
    let first = memchr::memchr(b'\n', &start).ok_or(LargeError::Undecided)? + 1;
    let last = memchr::memrchr(b'\n', &end).ok_or(LargeError::Undecided)? + 1;
    let (first_line, last_line) =
        (start.get(..first).unwrap_or_default(), end.get(last..).unwrap_or_default());
    if sole_part(&[first_line, b"\n", last_line].concat(), boundary).is_none() {
        return Ok(None);
    }
    let before = end.get(..last).unwrap_or_default();
    let line_end = if before.ends_with(b"\r\n") { 2 } else { 1 };
    let behind = (last_line.len() + line_end) as u64;
    Ok(Some(body.behind(first as u64).first(body.len() - first as u64 - behind)))
}

/// Where a part of a slice begins in it, and how long it is.
fn offset(whole: &[u8], part: &[u8]) -> (u64, u64) {
    ((part.as_ptr().addr() - whole.as_ptr().addr()) as u64, part.len() as u64)
}

/// Without the white space around it; there must not be much of it.
pub(super) fn trimmed(span: Span<'_>) -> Result<Span<'_>, LargeError> {
    let start = span.start(USUAL)?;
    let blank = start.len() - start.trim_ascii_start().len();
    let span = span.behind(blank as u64);
    let end = span.end(USUAL)?;
    let blank_end = end.len() - end.trim_ascii_end().len();
    let all_blank = |blank: usize, octets: &[u8]| blank == octets.len() && octets.len() == USUAL;
    if all_blank(blank, &start) || all_blank(blank_end, &end) {
        return Err(LargeError::Undecided);
    }
    Ok(span.first(span.len() - blank_end as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sole_part_is_found_between_its_ends() {
        for size in [10, 100_000, 200_000] {
            for end in ["\n", "\r\n"] {
                let part = format!("A: b{end}{end}{}", "x y z\n".repeat(size / 6));
                let body = format!(" {end}--b{end}{part}{end}--b--{end}{end}");
                let body = body.as_bytes();
                let found = sole_part_of(Span::of(&body), "b").unwrap().unwrap().all().unwrap();
                assert!(*found == part.as_bytes() && sole_part(body, "b") == Some(part.as_bytes()));
                let source = &body[..body.len() - 8];
                assert!(sole_part_of(Span::of(&source), "b").unwrap().is_none());
            }
        }
    }
}
