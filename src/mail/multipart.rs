//! Multipart bodies (RFC 2046 5.1).

use memchr::{memchr, memmem, memrchr};
use std::fmt;

/// More parts than this are not told apart: what follows them counts as epilogue.
pub const MAX_PARTS: usize = 1_000;
/// Longest boundary (RFC 2046 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// A multipart body, split. Parts are messages of their own: header, empty line, body.
#[derive(Clone, PartialEq, Eq)]
pub struct Multipart<'a> {
    /// What stands before the first delimiter.
    pub preamble: &'a [u8],
    /// The parts in their order, without the line end that belongs to the delimiter after them.
    pub parts: Vec<&'a [u8]>,
    /// What follows the closing delimiter line; empty if there is none.
    pub epilogue: &'a [u8],
}

/// Shows sizes only: what a message says belongs into no log.
impl fmt::Debug for Multipart<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<usize> = self.parts.iter().map(|part| part.len()).collect();
        write!(out, "Multipart({}, {parts:?}, {} octets)", self.preamble.len(), self.epilogue.len())
    }
}

/// Splits a body at its boundary. Nothing if no delimiter line is there or the boundary is none.
pub fn split_multipart<'a>(body: &'a [u8], boundary: &str) -> Option<Multipart<'a>> {
    if boundary.is_empty() || boundary.len() > MAX_BOUNDARY {
        return None;
    }
    let first = next_delimiter(body, boundary)?;
    let mut split = Multipart { preamble: first.before, parts: Vec::new(), epilogue: b"" };
    let mut delimiter = first;
    while !delimiter.closes && split.parts.len() < MAX_PARTS {
        let Some(next) = next_delimiter(delimiter.after, boundary) else {
            split.parts.push(delimiter.after);
            return Some(split);
        };
        split.parts.push(next.before);
        delimiter = next;
    }
    split.epilogue = delimiter.after;
    Some(split)
}

/// The part of a multipart that is nothing but one part, white space around it aside. Only the two ends are looked at, so
/// that multiparts in multiparts cost no more than their octets: a delimiter inside stays inside the part.
pub fn sole_part<'a>(body: &'a [u8], boundary: &str) -> Option<&'a [u8]> {
    if boundary.is_empty() || boundary.len() > MAX_BOUNDARY {
        return None;
    }
    let body = body.trim_ascii();
    let (first, rest) = body.split_at_checked(memchr(b'\n', body)? + 1)?;
    let (part, last) = rest.split_at_checked(memrchr(b'\n', rest).map_or(0, |line| line + 1))?;
    let framed =
        closing_delimiter(first, boundary) == Some(false) && closing_delimiter(last, boundary) == Some(true);
    framed.then(|| without_line_end(part))
}

struct Delimiter<'a> {
    before: &'a [u8],
    closes: bool,
    after: &'a [u8],
}

/// The first delimiter line: at the start of a line, `--` and the boundary, `--` if it closes, then white space only. The
/// search is for the boundary and not line by line: a body of short lines would take many times as long.
fn next_delimiter<'a>(bytes: &'a [u8], boundary: &str) -> Option<Delimiter<'a>> {
    let needle = format!("--{boundary}");
    memmem::find_iter(bytes, needle.as_bytes()).find_map(|at| delimiter_at(bytes, at, boundary))
}

fn delimiter_at<'a>(bytes: &'a [u8], at: usize, boundary: &str) -> Option<Delimiter<'a>> {
    let (before, rest) = bytes.split_at_checked(at)?;
    if !before.is_empty() && !before.ends_with(b"\n") {
        return None;
    }
    let end = memchr(b'\n', rest).map_or(rest.len(), |line| line + 1);
    let (line, after) = rest.split_at_checked(end)?;
    let closes = closing_delimiter(line, boundary)?;
    Some(Delimiter { before: without_line_end(before), closes, after })
}

/// Is the line a delimiter of that boundary, and does it close the multipart? White space may follow.
pub fn closing_delimiter(line: &[u8], boundary: &str) -> Option<bool> {
    let tail = line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?;
    let (closes, tail) = tail.strip_prefix(b"--").map_or((false, tail), |tail| (true, tail));
    tail.trim_ascii().is_empty().then_some(closes)
}

fn without_line_end(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").map_or(bytes, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn splits_at_delimiter_lines() {
        let split =
            split_multipart(b"pre\r\n--b\r\n\r\none\r\n--b \t\r\n\r\ntwo\r\n--b--\r\npost", "b").unwrap();
        assert_eq!(split.preamble, b"pre");
        assert_eq!(split.parts, [&b"\r\none"[..], b"\r\ntwo"]);
        assert_eq!(split.epilogue, b"post");
    }

    #[test]
    fn debug_shows_sizes_only() {
        let split = split_multipart(b"pre\n--b\n\none\n--b--\npost", "b").unwrap();
        assert_eq!(format!("{split:?}"), "Multipart(3, [4], 4 octets)");
    }

    #[test]
    fn odd_forms() {
        assert_eq!(split_multipart(b"--b\n--b--", "b").unwrap().parts, [b""]);
        assert_eq!(split_multipart(b"--b\nopen", "b").unwrap().parts, [b"open"]);
        assert_eq!(split_multipart(b"--b--\nrest", "b").unwrap().epilogue, b"rest");
        assert_eq!(split_multipart(b"--bc\nx --b\n", "b"), None);
        assert_eq!(split_multipart(b"x--b\n--b--b\n--b\nend", "b").unwrap().parts, [b"end"]);
        assert_eq!(split_multipart(b"-----\n----\nend", "--").unwrap().parts, [b"end"]);
        assert_eq!(split_multipart(b"--\n", ""), None);
        assert_eq!(split_multipart(b"--b", &"b".repeat(71)), None);
        let many = split_multipart(&b"--b\n".repeat(MAX_PARTS + 3), "b").unwrap().parts.len();
        assert_eq!(many, MAX_PARTS);
    }

    #[test]
    fn a_sole_part_has_only_white_space_around_it() {
        assert_eq!(sole_part(b" \r\n--b\r\n\r\none\r\n--b--\r\n\n", "b"), Some(&b"\r\none"[..]));
        assert_eq!(sole_part(b"--b\n--b--", "b"), Some(&b""[..]));
        for body in
            [&b"pre\n--b\n\none\n--b--\n"[..], b"--b\n\none\n--b--\npost", b"--b\n\none\n", b"--b--\n--b--"]
        {
            assert_eq!(sole_part(body, "b"), None);
        }
    }

    /// The definition, line by line: where the parts begin.
    fn reference(body: &[u8], boundary: &str) -> Vec<usize> {
        let mut at = 0;
        let mut begins = Vec::new();
        for line in body.split_inclusive(|&byte| byte == b'\n') {
            at += line.len();
            match closing_delimiter(line, boundary) {
                Some(true) => break,
                Some(false) => begins.push(at),
                None => {}
            }
        }
        begins
    }

    proptest! {
        #[test]
        fn delimiters_are_found_as_line_by_line(pieces in prop::collection::vec("[-b\r\n x]{0,5}|\n--b|\n--b--\n|--b\n", 0..20)) {
            let body = pieces.concat().into_bytes();
            let parts = split_multipart(&body, "b").map(|split| split.parts).unwrap_or_default();
            let begins: Vec<usize> = parts.iter().map(|part| part.as_ptr().addr() - body.as_ptr().addr()).collect();
            prop_assert_eq!(begins, reference(&body, "b"));
        }

        #[test]
        fn nothing_is_lost(pieces in prop::collection::vec("[ab\r\n -]{0,6}|\n--b\r\n|\n--b--\n", 0..20)) {
            let body = pieces.concat().into_bytes();
            if let Some(split) = split_multipart(&body, "b") {
                let kept: usize = split.parts.iter().map(|part| part.len()).sum();
                prop_assert!(split.preamble.len() + kept + split.epilogue.len() <= body.len());
            }
        }
    }
}
