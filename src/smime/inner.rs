//! What lies inside the encryption: the whole message with canonical lines, and the two things that we put into it so
//! that it opens to what came in and cannot deceive a client. [`Inner`] puts in, [`take_out`] takes out again.

use super::arrived::{insertions, removals};
use crate::crypto::SecretBytes;
use crate::mail::{Message, crlf_len};
use memchr::memchr;
use std::{iter, slice};

/// Stands before a message that does not begin with a header field, or that begins with a field of this name.
const MARKER: &[u8] = b"Sealpost-Marker: v=1\r\n";
const MARKER_NAME: &str = "Sealpost-Marker";

/// A message as it goes inside: pieces of it with our insertions between them.
pub(super) struct Inner<'a> {
    marker: &'static [u8],
    message: &'a [u8],
    /// Something must be put in: few messages are searched more than once.
    renames: bool,
}

impl<'a> Inner<'a> {
    /// Looks whether the message needs the marker, and new names.
    pub(super) fn new(message: &Message<'a>) -> Inner<'a> {
        let marker = if needs_marker(message) { MARKER } else { b"" };
        let renames = insertions(message.bytes()).next().is_some();
        Inner { marker, message: message.bytes(), renames }
    }

    /// The message, cut where something must be put in.
    fn pieces(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (mut rest, mut done) = (self.message, 0);
        let renamed = self.renames.then(|| insertions(self.message));
        let cuts = renamed.into_iter().flatten().map(Some).chain([None]);
        let pieces = cuts.flat_map(move |insertion| {
            let at = insertion.as_ref().map_or(rest.len(), |insertion| insertion.at - done);
            let (before, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            (rest, done) = (after, done + before.len());
            [before, insertion.map_or("", |insertion| insertion.text).as_bytes()]
        });
        iter::once(self.marker).chain(pieces)
    }

    /// Its length in bytes with canonical lines. No cut is inside a CRLF, so the pieces can be counted one by one.
    pub(super) fn len(&self) -> usize {
        self.pieces().map(crlf_len).sum()
    }

    /// Reads it with canonical lines.
    pub(super) fn reader(&self) -> CrlfReader<'a, impl Iterator<Item = &'a [u8]> + use<'a>> {
        CrlfReader { pieces: self.pieces(), rest: &[], last: 0 }
    }
}

fn needs_marker(message: &Message<'_>) -> bool {
    message.fields().first().is_none_or(|field| field.name().eq_ignore_ascii_case(MARKER_NAME))
}

/// Gives a message in canonical lines, chunk by chunk, without holding it twice.
pub(super) struct CrlfReader<'a, P> {
    pieces: P,
    rest: &'a [u8],
    last: u8,
}

impl<'a, P: Iterator<Item = &'a [u8]>> CrlfReader<'a, P> {
    /// Appends until `chunk` holds `size` bytes or the message ends. `chunk` never grows beyond `size`.
    pub(super) fn fill(&mut self, chunk: &mut Vec<u8>, size: usize) {
        while chunk.len() < size && self.next_piece() {
            let window = self.rest.get(..size - chunk.len()).unwrap_or(self.rest);
            match memchr(b'\n', window) {
                Some(0) => self.line_end(chunk),
                run => self.copy(run.unwrap_or(window.len()), chunk),
            }
        }
    }

    /// Bytes without a line end.
    fn copy(&mut self, length: usize, chunk: &mut Vec<u8>) {
        let (run, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        chunk.extend_from_slice(run);
        self.last = run.last().copied().unwrap_or(self.last);
        self.rest = rest;
    }

    /// One byte of a line end: the CR that is missing, or the LF.
    fn line_end(&mut self, chunk: &mut Vec<u8>) {
        if self.last == b'\r' {
            chunk.push(b'\n');
            self.rest = self.rest.get(1..).unwrap_or_default();
            self.last = b'\n';
        } else {
            chunk.push(b'\r');
            self.last = b'\r';
        }
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

/// Does it begin as a message does: with a header field, or the empty line before a body? What a wrong key makes out of
/// a ciphertext does not.
pub(super) fn begins_like_mail(content: &[u8]) -> bool {
    content.starts_with(b"\r\n") || content.starts_with(b"\n") || begins_with_field(content)
}

fn begins_with_field(content: &[u8]) -> bool {
    let name = content.iter().take_while(|&&byte| byte.is_ascii_graphic() && byte != b':').count();
    let after = content.iter().skip(name).find(|&&byte| byte != b' ' && byte != b'\t');
    name > 0 && after == Some(&b':')
}

/// The message that was put inside: exactly one marker and one prefix of each renamed name are taken off.
pub(super) fn take_out(mut content: SecretBytes) -> SecretBytes {
    if content.expose().starts_with(MARKER) {
        content.remove(slice::from_ref(&(0..MARKER.len())));
    }
    let removals = removals(content.expose());
    content.remove(&removals);
    content
}
