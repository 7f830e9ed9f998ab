//! Base64 in lines, written as the bytes come.

use super::buffer::Buffer;
use encodify::base64::{Base64, LineEnding, STANDARD};
use std::ops::Range;

/// Letters in a line of a body (RFC 2045 6.8).
pub(super) const MIME_COLUMNS: usize = 76;
/// Letters in a line of PEM (RFC 7468 2).
pub(super) const PEM_COLUMNS: usize = 64;

/// Bytes that fill a line of a body, which is the longer of the two.
pub(super) const LINE: usize = MIME_COLUMNS / 4 * 3;

/// Appends base64 to an output that was reserved before.
pub(super) struct Base64Lines {
    out: Buffer,
    engine: Base64,
    /// Bytes that fill one line.
    line: usize,
    /// The begin of a line that is not full yet.
    carry: [u8; LINE],
    carried: usize,
}

impl Base64Lines {
    /// Writes a body behind `header`; room for `length` bytes of input is reserved at once.
    pub(super) fn new(header: &[u8], length: usize, line_ending: LineEnding) -> Base64Lines {
        let room = Buffer::with_capacity(header.len() + body_len(length, line_ending));
        Base64Lines::within(room, MIME_COLUMNS, header, line_ending)
    }

    /// The same with lines of another length, a multiple of 4 and no longer than those of a body, and on the heap.
    pub(super) fn of_columns(
        columns: usize,
        header: &[u8],
        length: usize,
        line_ending: LineEnding,
    ) -> Base64Lines {
        let length = STANDARD.wrapped(columns, line_ending).encoded_len(length);
        let room = Vec::with_capacity(header.len() + length).into();
        Base64Lines::within(room, columns, header, line_ending)
    }

    fn within(mut out: Buffer, columns: usize, header: &[u8], line_ending: LineEnding) -> Base64Lines {
        out.extend_from_slice(header);
        let engine = STANDARD.wrapped(columns, line_ending);
        let line = (columns / 4 * 3).min(LINE);
        Base64Lines { out, engine, line, carry: [0; LINE], carried: 0 }
    }

    /// Writes the full lines that these bytes complete.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        let bytes = self.complete_line(bytes);
        let (lines, rest) = bytes.split_at(bytes.len() - bytes.len() % self.line);
        if !lines.is_empty() {
            self.out.encode(&self.engine, lines);
        }
        self.carry(rest);
    }

    /// How many bytes more end the line that is begun; nothing if none is.
    pub(super) fn missing(&self) -> Option<usize> {
        (self.carried > 0).then(|| self.line - self.carried)
    }

    fn complete_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(missing) = self.missing() else { return bytes };
        let (missing, rest) = bytes.split_at(missing.min(bytes.len()));
        self.carry(missing);
        if self.carried == self.line {
            self.write_carry();
        }
        rest
    }

    /// Less than what is missing, or all of it.
    fn carry(&mut self, bytes: &[u8]) {
        let slots = self.carry.iter_mut().skip(self.carried);
        slots.zip(bytes).for_each(|(slot, byte)| *slot = *byte);
        self.carried += bytes.len();
    }

    fn write_carry(&mut self) {
        let carried = self.carry.get(..self.carried).unwrap_or_default();
        self.out.encode(&self.engine, carried);
        self.carried = 0;
    }

    /// Passes on what is written so far and makes room: for whoever does not want the whole in memory.
    pub(super) fn pour<E>(&mut self, sink: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        sink(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Writes the last line and gives the output back.
    pub(super) fn finish(mut self) -> Buffer {
        if self.carried > 0 {
            self.write_carry();
        }
        self.out
    }
}

/// How long a body of so many octets is.
pub(super) fn body_len(octets: usize, line_ending: LineEnding) -> usize {
    STANDARD.wrapped(MIME_COLUMNS, line_ending).encoded_len(octets)
}

/// Turns what stands behind the first `start` bytes into the lines of a body, where it is: from the end to the begin, so
/// that nothing is written over before it was read. What is one line, or does not fit beside what it becomes, goes through
/// a buffer of a line.
pub(super) fn encode_in_place(out: &mut Vec<u8>, start: usize, line_ending: LineEnding) {
    let engine = STANDARD.wrapped(MIME_COLUMNS, line_ending);
    let octets = out.len() - start;
    out.resize(start + engine.encoded_len(octets), 0);
    let body = out.get_mut(start..).unwrap_or_default();
    let (line, written) = (LINE, engine.encoded_len(LINE));
    let mut lines = octets.div_ceil(line);
    while lines > 0 {
        let end = octets.min(lines * line);
        // Behind so many lines the text stands clear of the octets that it is made of.
        let first = end.div_ceil(written).min(lines - 1);
        if let Some((octets, text)) = body.split_at_mut_checked(first * written) {
            encode_lines(&engine, octets, text, first * line..end);
        }
        lines = first;
    }
}

/// The octets of that range, which may reach into the place of the text by less than a line.
fn encode_lines(engine: &Base64, front: &[u8], text: &mut [u8], range: Range<usize>) {
    let mut line = [0; LINE];
    let octets = front.get(range.clone()).unwrap_or_else(|| {
        let octets = front.iter().chain(text.iter()).skip(range.start).take(range.len());
        line.iter_mut().zip(octets).for_each(|(slot, octet)| *slot = *octet);
        line.get(..range.len()).unwrap_or_default()
    });
    // No more room than it needs, and no less: what follows is written already.
    if let Some(text) = text.get_mut(..engine.encoded_len(octets.len())) {
        let _ = engine.encode_slice(octets, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_give_what_the_whole_gives() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let endings = [LineEnding::Lf, LineEnding::CrLf];
        let forms = endings.map(|ending| [76, 64].map(|columns| (columns, ending)));
        for (columns, ending) in forms.into_iter().flatten() {
            let whole = STANDARD.wrapped(columns, ending).encode(&bytes);
            for size in [1, 7, 48, 56, 57, 58, 114, 500, 1000] {
                let mut lines = Base64Lines::of_columns(columns, b"", bytes.len(), ending);
                let capacity = lines.out.capacity();
                bytes.chunks(size).for_each(|piece| lines.write(piece));
                let out = lines.finish();
                assert_eq!(*out, *whole.as_bytes());
                assert_eq!(out.capacity(), capacity, "the output is reserved once");
            }
        }
    }

    #[test]
    fn in_place_gives_what_the_whole_gives() {
        for ending in [LineEnding::Lf, LineEnding::CrLf] {
            for length in (0..2000).chain([57 * 100, 57 * 1000 + 1, 100_000]) {
                let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
                let whole = STANDARD.wrapped(76, ending).encode(&bytes);
                let mut out = Vec::with_capacity(7 + body_len(length, ending));
                let capacity = out.capacity();
                out.extend_from_slice(b"header\n");
                out.extend_from_slice(&bytes);
                encode_in_place(&mut out, 7, ending);
                assert_eq!(out, [b"header\n", whole.as_bytes()].concat(), "{length}");
                assert_eq!(out.capacity(), capacity, "the output is reserved once");
            }
        }
    }
}
