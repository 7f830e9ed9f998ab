//! What lies inside the encryption: the whole message with canonical lines, and what we put into it so that it opens to
//! what came in, says how its header is protected, and cannot deceive a client. [`Inner`] puts in, [`take_out`] takes out
//! again.

use super::added::{Added, PARAMETER, additions};
use super::arrived::{Insertion, insertions, removals};
use crate::crypto::SecretBytes;
use crate::mail::{Message, crlf_len};
use memchr::memchr;
use std::iter;

/// A message as it goes inside: pieces of it with our insertions between them.
pub(super) struct Inner<'a> {
    front: &'a [u8],
    message: &'a [u8],
    /// Something must be put in: few messages are searched more than once.
    renames: bool,
    parameter_at: Option<usize>,
}

impl<'a> Inner<'a> {
    /// Looks whether the message needs new names.
    pub(super) fn new(message: &Message<'a>, added: &'a Added) -> Inner<'a> {
        let renames = insertions(message.bytes()).next().is_some();
        let Added { front, parameter_at } = added;
        Inner { front, message: message.bytes(), renames, parameter_at: *parameter_at }
    }

    /// The message, cut where something must be put in.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (mut rest, mut done) = (self.message, 0);
        let pieces = self.insertions().map(Some).chain([None]).flat_map(move |insertion| {
            let at = insertion.as_ref().map_or(rest.len(), |insertion| insertion.at - done);
            let (before, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            (rest, done) = (after, done + before.len());
            [before, insertion.map_or("", |insertion| insertion.text).as_bytes()]
        });
        iter::once(self.front).chain(pieces)
    }

    /// New names and the parameter, in the order of the message. No name begins where the parameter goes.
    fn insertions(&self) -> impl Iterator<Item = Insertion> + use<'a> {
        let renamed = self.renames.then(|| insertions(self.message));
        let mut names = renamed.into_iter().flatten().peekable();
        let mut parameter = self.parameter_at.map(|at| Insertion { at, text: PARAMETER });
        iter::from_fn(move || {
            let at = parameter.as_ref().map_or(usize::MAX, |parameter| parameter.at);
            names.next_if(|name| name.at < at).or_else(|| parameter.take()).or_else(|| names.next())
        })
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

/// The message that was put inside: what was added is taken off, and one prefix of each renamed name.
pub(super) fn take_out(mut content: SecretBytes) -> SecretBytes {
    let additions = additions(content.expose());
    content.remove(&additions);
    let removals = removals(content.expose());
    content.remove(&removals);
    content
}
