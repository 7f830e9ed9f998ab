//! Where the parts of a large multipart lie.

use super::LargeError;
use crate::mail::{PIECE, Span, closing_delimiter};
use memchr::{memchr, memmem};
use std::ops::ControlFlow;
use zeroize::Zeroizing;

/// The longest line that is looked at when it may be a delimiter: white space may follow the boundary.
const LINE: usize = 4096;

/// The two parts of a multipart that has two, and what stands around them.
pub(super) struct TwoParts<'s> {
    pub(super) preamble: Span<'s>,
    pub(super) first: Span<'s>,
    pub(super) second: Span<'s>,
    pub(super) epilogue: Span<'s>,
}

/// A delimiter line.
struct Delimiter {
    start: u64,
    /// Behind its line end.
    end: u64,
    closes: bool,
}

/// Splits a body as [`split_multipart`](crate::mail::split_multipart) does; nothing if it has another number of parts.
pub(super) fn two_parts<'s>(body: Span<'s>, boundary: &str) -> Result<Option<TwoParts<'s>>, LargeError> {
    let delimiters = delimiters(body, boundary)?;
    let (first, second, last) = match delimiters.as_slice() {
        [first, second] => (first, second, None),
        [first, second, last] if last.closes => (first, second, Some(last)),
        _ => return Ok(None),
    };
    if first.closes || second.closes {
        return Ok(None);
    }
    let between = |from: u64, to: u64| body.behind(from).first(to.saturating_sub(from));
    let end = last.map_or(Ok(body.len()), |last| without_line_end(body, last.start))?;
    Ok(Some(TwoParts {
        preamble: body.first(without_line_end(body, first.start)?),
        first: between(first.end, without_line_end(body, second.start)?),
        second: between(second.end, end),
        epilogue: last.map_or(body.behind(body.len()), |last| body.behind(last.end)),
    }))
}

/// The line end before a delimiter belongs to it.
fn without_line_end(body: Span<'_>, start: u64) -> Result<u64, LargeError> {
    let before = body.first(start).end(2)?;
    let length = match before.as_slice() {
        [b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    };
    Ok(start - length)
}

/// The first ones, up to one that closes or is the third.
fn delimiters(body: Span<'_>, boundary: &str) -> Result<Vec<Delimiter>, LargeError> {
    // RFC 2046 5.1.1, as in what is held.
    if boundary.is_empty() || boundary.len() > 70 {
        return Ok(Vec::new());
    }
    let window = Zeroizing::new(Vec::with_capacity(PIECE + LINE));
    let mut search =
        Search { boundary, needle: format!("--{boundary}"), window, at: 0, before: b'\n', found: Vec::new() };
    body.for_each(|piece| {
        search.window.extend_from_slice(piece);
        let decided = search.window.len().saturating_sub(LINE);
        search.look(decided)?;
        let flow = if search.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        Ok::<_, LargeError>(flow)
    })?;
    if !search.is_done() {
        search.look(search.window.len())?;
    }
    search.found.truncate(3);
    Ok(search.found)
}

struct Search<'b> {
    boundary: &'b str,
    needle: String,
    /// Octets that are not looked at, or in which a line may go on.
    window: Zeroizing<Vec<u8>>,
    /// Where they begin, and the octet before.
    at: u64,
    before: u8,
    found: Vec<Delimiter>,
}

impl Search<'_> {
    fn is_done(&self) -> bool {
        self.found.len() > 2 || self.found.last().is_some_and(|last| last.closes)
    }

    /// Looks at lines that begin in so many octets, and lets go of these.
    fn look(&mut self, octets: usize) -> Result<(), LargeError> {
        let reach = (octets + self.needle.len()).min(self.window.len());
        let hits = memmem::find_iter(self.window.get(..reach).unwrap_or_default(), self.needle.as_bytes());
        for hit in hits.filter(|&hit| hit < octets) {
            let before = hit.checked_sub(1).and_then(|at| self.window.get(at)).unwrap_or(&self.before);
            if *before != b'\n' || self.is_done() {
                continue;
            }
            let rest = self.window.get(hit..).unwrap_or_default();
            let line = memchr(b'\n', rest).and_then(|end| rest.get(..=end));
            let text = line.unwrap_or(rest);
            if let Some(closes) = closing_delimiter(text, self.boundary) {
                if line.is_none() && octets < self.window.len() {
                    return Err(LargeError::Undecided);
                }
                let start = self.at + hit as u64;
                self.found.push(Delimiter { start, end: start + text.len() as u64, closes });
            }
        }
        self.before =
            octets.checked_sub(1).and_then(|at| self.window.get(at)).copied().unwrap_or(self.before);
        self.at += octets as u64;
        self.window.copy_within(octets.., 0);
        let left = self.window.len() - octets;
        self.window.truncate(left);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::split_multipart;
    use proptest::prelude::*;

    fn assert_split(body: &[u8]) {
        let held = split_multipart(body, "b").filter(|split| split.parts.len() == 2);
        let large = two_parts(Span::of(&body), "b").unwrap();
        assert_eq!(held.is_some(), large.is_some(), "{}", body.get(..300).unwrap_or(body).escape_ascii());
        if let (Some(held), Some(large)) = (held, large) {
            let spans = [large.preamble, large.first, large.second, large.epilogue];
            let octets = spans.map(|span| span.all().unwrap().to_vec());
            let expected = [held.preamble, held.parts[0], held.parts[1], held.epilogue].map(<[u8]>::to_vec);
            assert!(octets == expected, "{}", body.get(..300).unwrap_or(body).escape_ascii());
        }
    }

    #[test]
    fn delimiters_at_the_borders_of_pieces_are_found() {
        for length in (PIECE - LINE - 12..PIECE - LINE + 12).chain(PIECE - 12..PIECE + 12).step_by(3) {
            for end in ["\n", "\r\n"] {
                let first = "x".repeat(length);
                assert_split(format!("--b{end}{first}{end}--b{end}two{end}--b--{end}post").as_bytes());
                assert_split(format!("pre{end}--b{end}{first}{end}--b{end}two").as_bytes());
                assert_split(format!("--b{end}{first}--b{end}two{end}--b--").as_bytes());
            }
        }
        let blank = format!("--b{}\n1\n--b\n2\n", " ".repeat(100_000));
        assert!(matches!(
            two_parts(Span::of(&[blank.as_bytes(), &vec![b'x'; 100_000]].concat().as_slice()), "b"),
            Err(LargeError::Undecided)
        ));
    }

    proptest! {
        #[test]
        fn they_are_those_of_what_is_held(pieces in prop::collection::vec("[-b\r\n x]{0,5}|\n--b\n|\n--b--\n|--b\r\n|--b", 0..20)) {
            assert_split(pieces.concat().as_bytes());
        }
    }
}
