//! AES-256-CBC over independent messages side by side.
//!
//! Within one message every block waits for the one before: a chain of 14 rounds, 3.5 cycles a byte, however wide the
//! processor is. It goes faster only over several messages at once, one block of each a step. Each has its own key, so that
//! the crates' `encrypt_blocks` (one key for all blocks) cannot do it.
//!
//! Why nothing can be mixed up:
//! - A [`CbcStream`] is one message: its key and its chain are private, it cannot be copied, and nothing changes its key.
//! - A [`Lane`] borrows a stream and the piece of its message mutably and together. The borrow checker refuses a stream or a
//!   buffer in two lanes.
//! - Inside, a lane is never taken apart but into one column: the filling of a column copies key, chain and what is left of
//!   the piece from one lane, and the chain goes back to the stream of the lane that still stands in that column. No index
//!   into the caller's lanes is ever computed.
//! - The kernels work column by column; the only instructions that move anything between columns gather four blocks into one
//!   register and scatter them again. The tests compare every count of columns, full and partly idle, with the `cbc` crate.

mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::super::cbc::BLOCK;
use std::fmt;
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// What the cipher takes at once.
type Block = [u8; BLOCK];

/// One message that comes in pieces: its key and the block that comes next into the chain. Both are wiped when it is
/// dropped; the round keys stay where they were made when it moves.
pub(crate) struct CbcStream {
    key: Key,
    chain: Zeroizing<Block>,
}

/// The key as the rounds take it. Behind a pointer: moving a stream leaves no copies of it.
enum Key {
    Portable(Box<portable::RoundKeys>),
    #[cfg(target_arch = "x86_64")]
    X86(Box<x86::RoundKeys>),
}

/// A stream with the piece of its message that is encrypted: borrowed together, so that nothing can be mixed up.
pub(crate) struct Lane<'a> {
    stream: &'a mut CbcStream,
    /// Where it is not what stands in `blocks`.
    clear: Option<&'a [u8]>,
    blocks: &'a mut [u8],
    /// Memory that is written when this is done.
    #[cfg(target_arch = "x86_64")]
    written_next: &'a [MaybeUninit<u8>],
}

impl CbcStream {
    /// Starts a message.
    pub(crate) fn new(key: &[u8; 32], iv: [u8; BLOCK]) -> CbcStream {
        CbcStream::by(Backend::chosen(), key, iv)
    }

    fn by(backend: Backend, key: &[u8; 32], iv: Block) -> CbcStream {
        let key = match backend {
            Backend::Portable => Key::Portable(Box::new(portable::expand(key))),
            #[cfg(target_arch = "x86_64")]
            Backend::X86(kernels) => Key::X86(kernels.expand(key)),
        };
        CbcStream { key, chain: Zeroizing::new(iv) }
    }
}

/// Who does the work on this processor.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Backend {
    /// One stream after the other.
    Portable,
    /// Instructions of the processor that were found at run time.
    #[cfg(target_arch = "x86_64")]
    X86(x86::Kernels),
}

impl Backend {
    /// The best that this processor has; looked for once.
    pub(crate) fn chosen() -> Backend {
        static CHOSEN: OnceLock<Backend> = OnceLock::new();
        *CHOSEN.get_or_init(Backend::detect)
    }

    #[cfg(target_arch = "x86_64")]
    fn detect() -> Backend {
        x86::Kernels::detect().map_or(Backend::Portable, Backend::X86)
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn detect() -> Backend {
        Backend::Portable
    }

    /// How many streams at once make best use of it.
    fn width(self) -> usize {
        match self {
            Backend::Portable => 1,
            #[cfg(target_arch = "x86_64")]
            Backend::X86(kernels) => kernels.width(),
        }
    }

    fn encrypt(self, lanes: &mut [Lane<'_>]) {
        match self {
            Backend::Portable => lanes.iter_mut().for_each(Lane::encrypt),
            #[cfg(target_arch = "x86_64")]
            Backend::X86(kernels) => x86::encrypt(kernels, lanes),
        }
    }
}

impl<'a> Lane<'a> {
    /// Whole blocks become their ciphertext where they are; a rest of less than a block is left as it is.
    pub(crate) fn in_place(stream: &'a mut CbcStream, blocks: &'a mut [u8]) -> Lane<'a> {
        Lane::new(stream, None, blocks)
    }

    /// The whole blocks of `clear` for which there are such in `to` become ciphertext there.
    pub(crate) fn across(stream: &'a mut CbcStream, clear: &'a [u8], to: &'a mut [u8]) -> Lane<'a> {
        let length = clear.len().min(to.len()) / BLOCK * BLOCK;
        let (clear, blocks) = (clear.split_at(length).0, to.split_at_mut(length).0);
        Lane::new(stream, Some(clear), blocks)
    }

    fn new(stream: &'a mut CbcStream, clear: Option<&'a [u8]>, blocks: &'a mut [u8]) -> Lane<'a> {
        Lane {
            stream,
            clear,
            blocks,
            #[cfg(target_arch = "x86_64")]
            written_next: &[],
        }
    }

    /// Says what is written next: beside others the lane asks for that memory while it encrypts, so that nobody waits for it.
    pub(crate) fn before_writing(self, next: &'a [MaybeUninit<u8>]) -> Lane<'a> {
        #[cfg(not(target_arch = "x86_64"))]
        let _ = next;
        Lane {
            #[cfg(target_arch = "x86_64")]
            written_next: next,
            ..self
        }
    }

    /// Alone, without the others.
    fn encrypt(&mut self) {
        match &self.stream.key {
            Key::Portable(keys) => {
                self.clear.take().into_iter().for_each(|clear| self.blocks.copy_from_slice(clear));
                portable::encrypt(keys, &mut self.stream.chain, self.blocks.as_chunks_mut().0);
            }
            #[cfg(target_arch = "x86_64")]
            Key::X86(keys) => {
                let piece = x86::Piece::of(self.clear, self.blocks);
                keys.encrypt(&mut self.stream.chain, piece);
            }
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Backend::Portable => f.write_str("portable"),
            #[cfg(target_arch = "x86_64")]
            Backend::X86(kernels) => kernels.fmt(f),
        }
    }
}

/// How many streams at once make best use of this processor: 16 with VAES on registers of 512 bits, 8 with AES-NI, 1
/// without. More are as good, fewer leave it idle.
pub(crate) fn width() -> usize {
    Backend::chosen().width()
}

/// Encrypts the pieces of all lanes. They may differ in length, and be any number: the longest begin, and where
/// one ends the next takes its place.
pub(crate) fn encrypt(lanes: &mut [Lane<'_>]) {
    Backend::chosen().encrypt(lanes);
}
