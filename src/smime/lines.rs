//! Base64 in lines, written as the bytes come.

use encodify::base64::{Base64, LineEnding, STANDARD};

/// Letters in a line of a body (RFC 2045 6.8).
pub(super) const MIME_COLUMNS: usize = 76;
/// Letters in a line of PEM (RFC 7468 2).
pub(super) const PEM_COLUMNS: usize = 64;

/// Appends base64 to an output that was reserved before.
pub(super) struct Base64Lines {
    out: Vec<u8>,
    engine: Base64,
    /// Bytes that fill one line.
    line: usize,
    /// The begin of a line that is not full yet.
    carry: Vec<u8>,
}

impl Base64Lines {
    /// Writes a body behind `header`; room for `length` bytes of input is reserved at once.
    pub(super) fn new(header: &[u8], length: usize, line_ending: LineEnding) -> Base64Lines {
        Base64Lines::of_columns(MIME_COLUMNS, header, length, line_ending)
    }

    /// The same with lines of another length, a multiple of 4.
    pub(super) fn of_columns(
        columns: usize,
        header: &[u8],
        length: usize,
        line_ending: LineEnding,
    ) -> Base64Lines {
        let engine = STANDARD.wrapped(columns, line_ending);
        let mut out = Vec::with_capacity(header.len() + engine.encoded_len(length));
        out.extend_from_slice(header);
        let line = columns / 4 * 3;
        Base64Lines { out, engine, line, carry: Vec::with_capacity(line) }
    }

    /// Writes the full lines that these bytes complete.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        let bytes = self.complete_line(bytes);
        let (lines, rest) = bytes.split_at(bytes.len() - bytes.len() % self.line);
        if !lines.is_empty() {
            self.engine.encode_append(lines, &mut self.out);
        }
        self.carry.extend_from_slice(rest);
    }

    fn complete_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        if self.carry.is_empty() {
            return bytes;
        }
        let (missing, rest) = bytes.split_at((self.line - self.carry.len()).min(bytes.len()));
        self.carry.extend_from_slice(missing);
        if self.carry.len() == self.line {
            self.engine.encode_append(&self.carry, &mut self.out);
            self.carry.clear();
        }
        rest
    }

    /// How many octets so many octets of input become.
    pub(super) fn encoded_len(&self, length: usize) -> usize {
        self.engine.encoded_len(length)
    }

    /// Passes on what is written so far and makes room: for whoever does not want the whole in memory.
    pub(super) fn pour<E>(&mut self, sink: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        sink(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Writes the last line and gives the output back.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if !self.carry.is_empty() {
            self.engine.encode_append(&self.carry, &mut self.out);
        }
        self.out
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
                assert_eq!(out, whole.as_bytes());
                assert_eq!(out.capacity(), capacity, "the output is reserved once");
            }
        }
    }
}
