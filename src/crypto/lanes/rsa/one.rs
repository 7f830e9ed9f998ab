//! One block, its limbs across the vectors (AVX-512 IFMA). What is computed for each limb of a factor hangs on the lowest
//! limbs of the sum: those are kept in scalars beside the vectors, so that nothing waits for a vector.

#![expect(unsafe_code, reason = "loads, stores and the call into what the processor was found to have")]
#![expect(clippy::indexing_slicing, reason = "arrays of constant length with constant limits")]
#![allow(clippy::needless_range_loop, reason = "several arrays at one index, as the vectors lie")]

use super::Power;
use super::modulus::{ExponentBit, LIMB, MASK, Modulus, read};
use std::arch::x86_64::*;
use std::array;
use zeroize::Zeroizing;

/// The limbs of a vector.
type Row = [u64; 8];

/// `block^e mod n`. The processor must have AVX-512 F and IFMA.
pub(super) fn raise(power: &Power<'_>) -> Vec<u8> {
    match power.modulus.limbs().div_ceil(8) {
        ..=5 => raise_rows::<5>(power),
        6..=8 => raise_rows::<8>(power),
        _ => raise_rows::<10>(power),
    }
}

fn raise_rows<const Z: usize>(power: &Power<'_>) -> Vec<u8> {
    let mut block = Zeroizing::new([[0; 8]; Z]);
    read(power.block, &mut block.as_flattened_mut()[..power.modulus.limbs()]);
    // SAFETY: this module is called where the processor was found to have both features, and nowhere else.
    let mut raised = unsafe { exponentiate(power.modulus, &block) };
    power.modulus.finish(&mut raised.as_flattened_mut()[..power.modulus.limbs()])
}

/// A modulus in rows.
struct Rows<const Z: usize> {
    n: [Row; Z],
    limbs: usize,
    inverse: u64,
}

/// Numbers in rows, with nothing in the limbs that they do not use.
fn rows<const Z: usize>(limbs: &[u64]) -> [Row; Z] {
    let mut rows = [[0; 8]; Z];
    rows.as_flattened_mut()[..limbs.len()].copy_from_slice(limbs);
    rows
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn exponentiate<const Z: usize>(modulus: &Modulus, block: &[Row; Z]) -> Zeroizing<[Row; Z]> {
    let rows_of_n = Rows { n: rows(modulus.n()), limbs: modulus.limbs(), inverse: modulus.inverse() };
    let empty = || Zeroizing::new([[0; 8]; Z]);
    let (mut block_r, mut squared) = (empty(), empty());
    multiply(&rows_of_n, block, &rows(modulus.r_squared()), &mut block_r);
    let mut raised = block_r.clone();
    for bit in modulus.exponent_bits() {
        multiply(&rows_of_n, &raised, &raised, &mut squared);
        match bit {
            ExponentBit::Clear => raised.copy_from_slice(&*squared),
            ExponentBit::Set => multiply(&rows_of_n, &squared, &block_r, &mut raised),
            ExponentBit::Last => multiply(&rows_of_n, &squared, block, &mut raised),
        }
    }
    raised
}

/// `a b / R mod n`, less than 2n: Montgomery's product, a limb of b at a time.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn multiply<const Z: usize>(modulus: &Rows<Z>, a: &[Row; Z], b: &[Row; Z], product: &mut [Row; Z]) {
    let zero = _mm512_setzero_si512();
    let n = &modulus.n;
    let (a_rows, n_rows): ([__m512i; Z], [__m512i; Z]) =
        (array::from_fn(|z| load(&a[z])), array::from_fn(|z| load(&n[z])));
    let ([a0, a1, a2, ..], [n0, n1, n2, ..]) = (a[0], n[0]);
    let mut sum = [zero; Z];
    // The three lowest limbs of the sum. Those in the vectors lack what was carried.
    let (mut low0, mut low1, mut low2) = (0, 0, 0);
    for &limb in &b.as_flattened()[..modulus.limbs] {
        let lowest = low0 + low(a0, limb);
        let multiple = low(lowest, modulus.inverse);
        // With the multiple of n the lowest limb becomes nothing: what it carries is itself, rounded up.
        let carry = (lowest + MASK) >> LIMB;
        low0 = carry + (low1 + high(a0, limb) + low(a1, limb)) + (high(n0, multiple) + low(n1, multiple));
        low1 = (low2 + high(a1, limb) + low(a2, limb)) + (high(n1, multiple) + low(n2, multiple));
        let (limbs, multiples) = (_mm512_set1_epi64(limb as i64), _mm512_set1_epi64(multiple as i64));
        for z in 0..Z {
            sum[z] = _mm512_madd52lo_epu64(sum[z], a_rows[z], limbs);
            sum[z] = _mm512_madd52lo_epu64(sum[z], n_rows[z], multiples);
        }
        for z in 0..Z {
            let highs = _mm512_madd52hi_epu64(zero, a_rows[z], limbs);
            let highs = _mm512_madd52hi_epu64(highs, n_rows[z], multiples);
            let above = if z + 1 < Z { sum[z + 1] } else { zero };
            sum[z] = _mm512_add_epi64(_mm512_alignr_epi64(above, sum[z], 1), highs);
        }
        low2 = _mm_cvtsi128_si64(_mm512_extracti32x4_epi32(sum[0], 1)) as u64;
    }
    sum[0] = _mm512_mask_set1_epi64(sum[0], 0b01, low0 as i64);
    sum[0] = _mm512_mask_set1_epi64(sum[0], 0b10, low1 as i64);
    carry(sum, product);
}

/// The lower limb of a product.
#[inline]
fn low(one: u64, other: u64) -> u64 {
    one.wrapping_mul(other) & MASK
}

/// The upper limb of a product of two limbs.
#[inline]
fn high(one: u64, other: u64) -> u64 {
    ((u128::from(one << (64 - LIMB)) * u128::from(other)) >> 64) as u64
}

/// Brings every limb of the sum below 2⁵². After one step upwards what is still to be carried is one or nothing, and an
/// addition of bits carries that through all limbs at once.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn carry<const Z: usize>(mut sum: [__m512i; Z], product: &mut [Row; Z]) {
    let mask = _mm512_set1_epi64(MASK as i64);
    let mut below = _mm512_setzero_si512();
    let (mut over, mut full) = (0u128, 0u128);
    for z in 0..Z {
        let up = _mm512_srli_epi64(sum[z], LIMB);
        sum[z] = _mm512_add_epi64(_mm512_and_si512(sum[z], mask), _mm512_alignr_epi64(up, below, 7));
        below = up;
        over |= u128::from(_mm512_cmpgt_epu64_mask(sum[z], mask)) << (8 * z);
        full |= u128::from(_mm512_cmpeq_epu64_mask(sum[z], mask)) << (8 * z);
    }
    let carried = ((over << 1) + full) ^ full;
    for z in 0..Z {
        let one_more =
            _mm512_mask_add_epi64(sum[z], (carried >> (8 * z)) as u8, sum[z], _mm512_set1_epi64(1));
        store(_mm512_and_si512(one_more, mask), &mut product[z]);
    }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load(row: &Row) -> __m512i {
    // SAFETY: a row is 64 octets that may be read, and the load asks for no alignment.
    unsafe { _mm512_loadu_si512(row.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn store(vector: __m512i, row: &mut Row) {
    // SAFETY: a row is 64 octets that are ours to write, and the store asks for no alignment.
    unsafe { _mm512_storeu_si512(row.as_mut_ptr().cast(), vector) }
}
