//! Between memory and registers: the only places where the kernels touch memory by pointers.
#![expect(
    unsafe_code,
    reason = "the intrinsics that load and store take pointers, and what is read may be what is written"
)]

use super::super::Block;
use std::arch::x86_64::*;
use std::marker::PhantomData;

/// The blocks of a lane: those that are read, and as many that are written, which are the same ones or have no octet in common
/// with them. Who has a piece has borrowed both.
pub(in super::super) struct Piece<'a> {
    from: *const Block,
    to: *mut Block,
    length: usize,
    borrowed: PhantomData<(&'a [Block], &'a mut [Block])>,
}

impl<'a> Piece<'a> {
    /// The whole blocks of `clear` become those of `to`; without it what stands there does. As many as there are of both.
    pub(in super::super) fn of(clear: Option<&'a [u8]>, to: &'a mut [u8]) -> Piece<'a> {
        let to = to.as_chunks_mut().0;
        match clear.map(|clear| clear.as_chunks().0) {
            None => Piece::in_place(to),
            Some(clear) => {
                let length = clear.len().min(to.len());
                Piece { from: clear.as_ptr(), to: to.as_mut_ptr(), length, borrowed: PhantomData }
            }
        }
    }

    /// Read and written where they are.
    pub(super) fn in_place(blocks: &'a mut [Block]) -> Piece<'a> {
        let to = blocks.as_mut_ptr();
        Piece { from: to, to, length: blocks.len(), borrowed: PhantomData }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The first blocks, which then are no more in this one.
    pub(super) fn take(&mut self, blocks: usize) -> Piece<'a> {
        let taken = Piece { length: blocks.min(self.length), ..*self };
        // SAFETY: at most as far as behind the last block of both.
        (self.from, self.to) = unsafe { (self.from.add(taken.length), self.to.add(taken.length)) };
        self.length -= taken.length;
        taken
    }

    /// A block that is to be encrypted.
    #[inline]
    pub(super) fn load(&self, at: usize) -> __m128i {
        assert!(at < self.length, "a block behind the piece");
        // SAFETY: there are so many blocks, borrowed for as long as the piece lives; the piece alone writes to them.
        load(unsafe { &*self.from.add(at) })
    }

    /// What became of the block in that place.
    #[inline]
    pub(super) fn store(&mut self, at: usize, register: __m128i) {
        assert!(at < self.length, "a block behind the piece");
        // SAFETY: there are so many blocks, borrowed mutably for as long as the piece lives; no other reference is alive.
        store(unsafe { &mut *self.to.add(at) }, register);
    }
}

/// Four registers of 128 bits as they lie side by side in one of 512.
pub(super) type Four = [__m128i; 4];

/// A block into a register.
pub(super) fn load(block: &Block) -> __m128i {
    // SAFETY: the reference makes 16 bytes readable, the instruction asks for no alignment, and every x86-64 has it.
    unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
}

/// A register into a block.
pub(super) fn store(block: &mut Block, register: __m128i) {
    // SAFETY: the reference makes 16 bytes writable, the instruction asks for no alignment, and every x86-64 has it.
    unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), register) }
}

/// Four registers into one.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load_four(four: &Four) -> __m512i {
    // SAFETY: the reference makes 64 bytes readable, and the instruction asks for no alignment.
    unsafe { _mm512_loadu_si512(four.as_ptr().cast()) }
}

/// One register into four.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store_four(four: &mut Four, register: __m512i) {
    // SAFETY: the reference makes 64 bytes writable, the instruction asks for no alignment, and any 64 bytes are four
    // registers.
    unsafe { _mm512_storeu_si512(four.as_mut_ptr().cast(), register) }
}
