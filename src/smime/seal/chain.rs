//! Content that is encrypted block after block: chunk by chunk, and many messages side by side.

use super::SealError;
use super::settle::{Envelope, Framed, Report};
use crate::crypto::cbc::{BLOCK, padding_len};
use crate::crypto::lanes::{CbcStream, Lane, encrypt};
use crate::smime::Sealed;
use crate::smime::inner::CrlfReader;
use crate::smime::lines::{Base64Lines, LINE};
use std::mem;
use zeroize::Zeroizing;

/// Whole AES blocks and whole lines of base64.
const WHOLE: usize = BLOCK * LINE;

/// Clear bytes of a message that are worked on at a time. Sixteen of them, and what they become, fit into the second cache of
/// a core; smaller ones, which would fit into the first, were measured to cost more in beginnings than they save.
const CHUNK: usize = 24 * WHOLE;

/// A buffer for one chunk. Clear text is in it only while a chunk is worked on: it becomes ciphertext in its place. It is
/// wiped should that not happen.
pub(super) struct Chunk(Zeroizing<Vec<u8>>);

impl Chunk {
    pub(super) fn new() -> Chunk {
        Chunk(Zeroizing::new(Vec::with_capacity(CHUNK + BLOCK)))
    }
}

/// A message whose content is being encrypted.
pub(super) struct Chain<'a> {
    stream: CbcStream,
    reader: CrlfReader<'a>,
    lines: Base64Lines,
    report: Report,
    /// The next of the content, or what became of it.
    chunk: Chunk,
    /// The next of the content where it lies in the message as it has to be; then `chunk` is only as long.
    lent: Option<&'a [u8]>,
    /// Of the content.
    left: usize,
    is_padded: bool,
}

impl<'a> Chain<'a> {
    /// Writes what stands before the content.
    pub(super) fn new(framed: Framed<'a>, chunk: Chunk) -> Result<Chain<'a>, SealError> {
        let Framed {
            envelope: Envelope { algorithm, content_key, frame, length: left },
            header,
            inner,
            report,
        } = framed;
        let line_ending = header.line_ending();
        let stream = algorithm.cbc_stream(&content_key)?;
        let mut lines = Base64Lines::new(&header.finish(algorithm.cipher.mode), frame.len(), line_ending);
        lines.write(&frame.head);
        let reader = inner.into_reader();
        Ok(Chain { stream, reader, lines, report, chunk, lent: None, left, is_padded: false })
    }

    /// The next chunk of about that size in canonical lines; the last one takes the padding.
    fn fill(&mut self, about: usize) {
        let Chunk(chunk) = &mut self.chunk;
        let size = self.lines.missing().map_or(about, |missing| first_chunk(about, missing));
        if let Some(lent) = self.reader.lend(size) {
            self.left -= size;
            chunk.resize(size, 0);
            self.lent = Some(lent);
            return;
        }
        chunk.clear();
        self.reader.fill(chunk, size.min(self.left));
        self.left -= chunk.len();
        if chunk.len() < size {
            let padding = padding_len(chunk.len());
            let padded = chunk.len() + padding;
            // 1 to 16.
            chunk.resize(padded, padding as u8);
            self.is_padded = true;
        }
    }

    fn lane(&mut self) -> Lane<'_> {
        let Chunk(chunk) = &mut self.chunk;
        let text = self.lines.room_for(chunk.len());
        let lane = match self.lent.take() {
            Some(clear) => Lane::across(&mut self.stream, clear, chunk),
            None => Lane::in_place(&mut self.stream, chunk),
        };
        lane.before_writing(text)
    }

    /// Nobody is beside it, and the processor idles while a block waits for the one before. So each piece is as short as
    /// can be: while the end of one is encrypted, its begin is written already, and the next one read.
    fn advance_alone(&mut self) {
        for _ in 0..CHUNK / WHOLE {
            self.fill(WHOLE);
            encrypt(&mut [self.lane()]);
            self.write();
            if self.is_done() {
                return;
            }
        }
    }

    fn write(&mut self) {
        self.lines.write(&self.chunk.0);
    }

    /// Octets of the content that are not encrypted yet.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Is all of it encrypted?
    pub(super) fn is_done(&self) -> bool {
        self.is_padded
    }

    /// The sealed message, and the buffer for another one.
    pub(super) fn finish(self) -> (Sealed, Chunk) {
        (self.report.sealed(self.lines.finish()), self.chunk)
    }
}

/// As many whole blocks as end with a line of base64 that is begun already: then all the later chunks are whole lines.
/// `about` is a multiple of [`WHOLE`].
fn first_chunk(about: usize, missing: usize) -> usize {
    let blocks = (0..LINE).find(|blocks| blocks * BLOCK % LINE == missing % LINE).unwrap_or(0);
    about - WHOLE + blocks * BLOCK
}

/// One chunk more of each: canonical lines, encryption in place side by side, base64.
pub(super) fn advance(chains: &mut [Chain<'_>]) {
    if let [chain] = chains {
        return chain.advance_alone();
    }
    chains.iter_mut().for_each(|chain| chain.fill(CHUNK));
    let mut lanes: Vec<Lane<'_>> = chains.iter_mut().map(Chain::lane).collect();
    encrypt(&mut lanes);
    chains.iter_mut().for_each(Chain::write);
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // Ciphertext: wiping it would take as long as encrypting it did.
        if !std::thread::panicking() {
            drop(mem::take(&mut *self.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_chunk_ends_with_a_block_and_a_line() {
        for (about, missing) in (1..LINE).flat_map(|missing| [(WHOLE, missing), (CHUNK, missing)]) {
            let first = first_chunk(about, missing);
            assert!(first >= missing && first <= about, "{missing}: {first}");
            assert_eq!((first % BLOCK, (first - missing) % LINE), (0, 0), "{missing}: {first}");
        }
    }
}
