//! Base64 in lines, written as the bytes come.

use super::spare;
use crate::crypto::lanes::base64::LineEncoder;
use encodify::base64::LineEnding;
use std::mem::MaybeUninit;

/// Letters in a line of a body (RFC 2045 6.8).
pub(super) const MIME_COLUMNS: usize = 76;
/// Letters in a line of PEM (RFC 7468 2).
pub(super) const PEM_COLUMNS: usize = 64;

/// Bytes that fill a line of a body, which is the longer of the two.
pub(super) const LINE: usize = MIME_COLUMNS / 4 * 3;

/// Appends base64 to an output that was reserved before.
pub(super) struct Base64Lines {
    out: Vec<u8>,
    encoder: LineEncoder,
    /// Bytes that fill one line.
    line: usize,
    /// The begin of a line that is not full yet.
    carry: [u8; LINE],
    carried: usize,
}

impl Base64Lines {
    /// Writes a body behind `header`; room for `length` bytes of input is reserved at once.
    pub(super) fn new(header: &[u8], length: usize, line_ending: LineEnding) -> Base64Lines {
        Base64Lines::of_columns(MIME_COLUMNS, header, length, line_ending)
    }

    /// The same with lines of another length, a multiple of 4 and no longer than those of a body.
    pub(super) fn of_columns(
        columns: usize,
        header: &[u8],
        length: usize,
        line_ending: LineEnding,
    ) -> Base64Lines {
        let encoder = LineEncoder::new(columns, line_ending);
        let mut out = spare::room(header.len() + encoder.encoded_len(length));
        out.extend_from_slice(header);
        let line = (columns / 4 * 3).min(LINE);
        Base64Lines { out, encoder, line, carry: [0; LINE], carried: 0 }
    }

    /// Writes the full lines that these bytes complete.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        let bytes = self.complete_line(bytes);
        let (lines, rest) = bytes.split_at(bytes.len() - bytes.len() % self.line);
        if !lines.is_empty() {
            self.encoder.encode_append(lines, &mut self.out);
        }
        self.carry(rest);
    }

    /// Where the lines of so many bytes more will stand, as far as there is room.
    pub(super) fn room_for(&mut self, bytes: usize) -> &[MaybeUninit<u8>] {
        let length = self.encoder.encoded_len(bytes);
        let room = self.out.spare_capacity_mut();
        room.get(..length).unwrap_or(room)
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
        self.encoder.encode_append(carried, &mut self.out);
        self.carried = 0;
    }

    /// Passes on what is written so far and makes room: for whoever does not want the whole in memory.
    pub(super) fn pour<E>(&mut self, sink: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        sink(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Writes the last line and gives the output back.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.carried > 0 {
            self.write_carry();
        }
        self.out
    }
}

/// How long a body of so many octets is.
pub(super) fn body_len(octets: usize, line_ending: LineEnding) -> usize {
    body_encoder(line_ending).encoded_len(octets)
}

/// What writes the lines of a body.
pub(super) fn body_encoder(line_ending: LineEnding) -> LineEncoder {
    LineEncoder::new(MIME_COLUMNS, line_ending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use encodify::base64::STANDARD;

    /// Up to a line, of which the begin may wait, and never beyond the room.
    #[test]
    fn the_room_that_is_named_is_written_next() {
        let bytes = [7; 20_000];
        let mut lines = Base64Lines::new(b"a header", bytes.len(), LineEnding::CrLf);
        for piece in bytes.chunks(3_000) {
            let (start, room) = (lines.out.len(), lines.room_for(piece.len()));
            let named = room.as_ptr_range();
            lines.write(piece);
            let written = lines.out.get(start..).unwrap().as_ptr_range();
            assert_eq!(named.start.addr(), written.start.addr());
            assert!(named.end.addr().abs_diff(written.end.addr()) <= MIME_COLUMNS + 2);
        }
        assert!(lines.room_for(usize::MAX / 4).len() < 2 * MIME_COLUMNS, "no further than there is room");
    }

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
