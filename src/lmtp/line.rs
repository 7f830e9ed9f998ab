//! Lines of commands: CR LF ends them (RFC 5321 2.3.8).

use super::reply::Reply;
use zeroize::Zeroizing;

/// Without its end. RFC 5321 4.5.3.1.4 and the extensions want less.
pub(super) const LONGEST_LINE: usize = 2048;

/// Gathers the octets of one line. Wiped: a client that errs may say a message where commands are due.
pub(super) struct LineReader {
    octets: Zeroizing<Vec<u8>>,
    is_long: bool,
}

impl LineReader {
    pub(super) fn new() -> LineReader {
        LineReader { octets: Zeroizing::new(Vec::with_capacity(LONGEST_LINE + 1)), is_long: false }
    }

    /// Takes octets up to the end of a line: how many, and whether that is there.
    pub(super) fn take(&mut self, octets: &[u8]) -> (usize, bool) {
        let end = memchr::memchr(b'\n', octets);
        let piece = end.and_then(|end| octets.get(..end)).unwrap_or(octets);
        let room = LONGEST_LINE + 1 - self.octets.len();
        self.is_long |= piece.len() > room;
        self.octets.extend_from_slice(piece.get(..room).unwrap_or(piece));
        (piece.len() + usize::from(end.is_some()), end.is_some())
    }

    /// The line, or why it is none. Then the next one begins.
    pub(super) fn read<T>(&mut self, read: impl FnOnce(&str) -> Result<T, Reply>) -> Result<T, Reply> {
        let result = self.text().and_then(read);
        self.octets.clear();
        self.is_long = false;
        result
    }

    /// Without white space at the end (RFC 5321 4.1.1).
    fn text(&self) -> Result<&str, Reply> {
        if self.is_long {
            return Err(Reply::LONG_LINE);
        }
        let line = self.octets.strip_suffix(b"\r").ok_or(Reply::LINE_END)?;
        if line.contains(&b'\r') {
            return Err(Reply::LINE_END);
        }
        let text = std::str::from_utf8(line).map_err(|_| Reply::NO_TEXT)?;
        Ok(text.trim_end_matches([' ', '\t']))
    }
}
