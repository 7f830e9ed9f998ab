//! Between memory and registers: the only places where the kernels touch memory by pointers.
#![expect(unsafe_code, reason = "the intrinsics that load and store take pointers")]

use super::super::Block;
use std::arch::x86_64::*;

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
