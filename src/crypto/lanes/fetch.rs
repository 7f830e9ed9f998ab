//! Memory is asked for before it is needed, and nobody waits for it.
#![expect(unsafe_code, reason = "the instruction takes a pointer")]

use std::arch::x86_64::{_MM_HINT_ET0, _MM_HINT_T0, _mm_prefetch};

/// What a cache holds of memory at a time, wherever it begins.
pub(super) const ROW: usize = 64;

/// A row that is read soon.
#[inline]
pub(super) fn to_read<T>(row: &[T; ROW]) {
    // SAFETY: it is a hint; nothing is read or written, and every x86-64 has SSE.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(row.as_ptr().cast()) };
}

/// A row that is written soon.
#[inline]
pub(super) fn to_write<T>(row: &[T; ROW]) {
    // SAFETY: it is a hint; nothing is read or written, and a processor that does not know it passes over it.
    unsafe { _mm_prefetch::<_MM_HINT_ET0>(row.as_ptr().cast()) };
}
