//! A ciphertext that is read twice, and the proof that it was the same.

use super::{LargeError, changed};
use sha2::{Digest, Sha256};
use std::ops::ControlFlow;

/// Octets that are compared at a time, before any of them is decrypted for somebody to see. Whole blocks of every cipher.
pub(super) const CHUNK: usize = 64 * 1024;
/// The two last blocks of AES: what it takes to look at the padding.
const END: usize = 32;

/// What is remembered of the first time: 32 octets for each chunk.
#[derive(Default)]
pub(super) struct Seen {
    digests: Vec<[u8; 32]>,
    hash: Sha256,
    end: Vec<u8>,
    len: u64,
}

impl Seen {
    /// The next octets.
    pub(super) fn add(&mut self, mut octets: &[u8]) {
        self.keep_end(octets);
        while !octets.is_empty() {
            let room = CHUNK - (self.len % CHUNK as u64) as usize;
            let (fitting, rest) = octets.split_at_checked(room).unwrap_or((octets, &[]));
            self.hash.update(fitting);
            self.len += fitting.len() as u64;
            if fitting.len() == room {
                self.digests.push(self.hash.finalize_reset().into());
            }
            octets = rest;
        }
    }

    fn keep_end(&mut self, octets: &[u8]) {
        let last = octets.get(octets.len().saturating_sub(END)..).unwrap_or_default();
        self.end.extend_from_slice(last);
        self.end.drain(..self.end.len().saturating_sub(END));
    }

    /// There are no more.
    pub(super) fn end(&mut self) {
        if !self.len.is_multiple_of(CHUNK as u64) {
            self.digests.push(self.hash.finalize_reset().into());
        }
    }

    /// How many octets there were.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The last of them.
    pub(super) fn last(&self) -> &[u8] {
        &self.end
    }
}

/// What is done with a chunk: it may be changed in place, and the rest be left unread.
pub(super) type Work<'w> = &'w mut dyn FnMut(&mut [u8]) -> Result<ControlFlow<()>, LargeError>;

/// Gives the octets again, chunk by chunk, if they are the same.
pub(super) struct Again<'a> {
    seen: &'a Seen,
    chunk: Vec<u8>,
    given: usize,
}

impl<'a> Again<'a> {
    /// From the begin.
    pub(super) fn new(seen: &'a Seen) -> Again<'a> {
        Again { seen, chunk: Vec::with_capacity(CHUNK), given: 0 }
    }

    /// The next octets. `work` gets each chunk that is full.
    pub(super) fn add(&mut self, mut octets: &[u8], work: Work<'_>) -> Result<ControlFlow<()>, LargeError> {
        while !octets.is_empty() {
            let room = CHUNK - self.chunk.len();
            let (fitting, rest) = octets.split_at_checked(room).unwrap_or((octets, &[]));
            self.chunk.extend_from_slice(fitting);
            if self.chunk.len() == CHUNK && self.give(work)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            octets = rest;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// There are no more: the last chunk.
    pub(super) fn end(mut self, work: Work<'_>) -> Result<ControlFlow<()>, LargeError> {
        if !self.chunk.is_empty() && self.give(work)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if self.given == self.seen.digests.len() { Ok(ControlFlow::Continue(())) } else { Err(changed()) }
    }

    fn give(&mut self, work: Work<'_>) -> Result<ControlFlow<()>, LargeError> {
        let digest: [u8; 32] = Sha256::digest(&self.chunk).into();
        if self.seen.digests.get(self.given) != Some(&digest) {
            return Err(changed());
        }
        self.given += 1;
        let flow = work(&mut self.chunk)?;
        self.chunk.clear();
        Ok(flow)
    }
}

/// What was decrypted in place is clear text.
impl Drop for Again<'_> {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(octets: &[u8], pieces: usize) -> Seen {
        let mut seen = Seen::default();
        octets.chunks(pieces).for_each(|piece| seen.add(piece));
        seen.end();
        seen
    }

    fn again(seen: &Seen, octets: &[u8], pieces: usize) -> Option<Vec<u8>> {
        let (mut again, mut out) = (Again::new(seen), Vec::new());
        let mut work = |chunk: &mut [u8]| {
            out.extend_from_slice(chunk);
            Ok(ControlFlow::Continue(()))
        };
        octets.chunks(pieces).try_for_each(|piece| again.add(piece, &mut work).map(drop)).ok()?;
        let _ = again.end(&mut work).ok()?;
        Some(out)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn only_the_same_comes_again(length in prop::sample::select(vec![0, 1, 31, 33, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7]), pieces in 1_usize..90_000, other in 1_usize..90_000, at: prop::sample::Index) {
            let octets: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let seen = seen(&octets, pieces);
            prop_assert_eq!(seen.len(), length as u64);
            prop_assert_eq!(seen.last(), &octets[length - length.min(END)..]);
            prop_assert!(again(&seen, &octets, other) == Some(octets.clone()));
            prop_assert!(again(&seen, &[octets.as_slice(), b"x"].concat(), other).is_none());
            if length > 0 {
                let mut changed = octets.clone();
                changed[at.index(length)] ^= 1;
                prop_assert!(again(&seen, &changed, other).is_none());
                prop_assert!(again(&seen, &octets[..at.index(length)], other).is_none());
            }
        }
    }
}
