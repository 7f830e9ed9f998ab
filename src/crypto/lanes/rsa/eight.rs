//! Eight blocks side by side, one in each lane of the vectors (AVX-512 IFMA): limb k of all of them is one vector. A product
//! is made first and reduced then; both take four limbs of a factor at a time, to load and store a column once for four.

#![expect(unsafe_code, reason = "stores, and the call into what the processor was found to have")]
#![expect(
    clippy::indexing_slicing,
    reason = "columns of products; all lengths follow from the number of limbs"
)]
#![expect(
    clippy::needless_range_loop,
    reason = "several arrays at one index, or at indices that belong together"
)]

use super::Power;
use super::modulus::{ExponentBit, LIMB, MASK, read};
use std::arch::x86_64::*;
use std::{array, mem};
use zeroize::Zeroizing;

/// Limbs that are taken at a time; the number of limbs is a multiple.
const DIGITS: usize = 4;

/// So many limbs of a factor, the lowest first.
type Digits = [__m512i; DIGITS];

/// Raises one to eight blocks under moduli of one size with one exponent. The processor must have AVX-512 F and IFMA.
pub(super) fn raise(group: &[Power<'_>]) -> Vec<Vec<u8>> {
    match group.first().map_or(0, |power| power.modulus.limbs()) {
        ..=40 => raise_limbs::<40>(group),
        41..=60 => raise_limbs::<60>(group),
        _ => raise_limbs::<80>(group),
    }
}

fn raise_limbs<const K: usize>(group: &[Power<'_>]) -> Vec<Vec<u8>> {
    // Lanes without a block of their own do again what the others do.
    let lanes: [&Power<'_>; 8] = array::from_fn(|lane| &group[lane % group.len()]);
    let mut blocks = Zeroizing::new([[0; K]; 8]);
    blocks.iter_mut().zip(lanes).for_each(|(limbs, power)| read(power.block, limbs));
    // SAFETY: this module is called where the processor was found to have both features, and nowhere else.
    unsafe { exponentiate(lanes, &mut blocks) };
    group.iter().zip(blocks.iter_mut()).map(|(power, raised)| power.modulus.finish(raised)).collect()
}

/// Eight moduli.
struct Moduli<const K: usize> {
    n: [__m512i; K],
    inverse: __m512i,
}

/// Raises the blocks in place.
#[target_feature(enable = "avx512f,avx512ifma")]
fn exponentiate<const K: usize>(lanes: [&Power<'_>; 8], blocks: &mut [[u64; K]; 8]) {
    let moduli = Moduli {
        n: array::from_fn(|limb| vector(array::from_fn(|lane| lanes[lane].modulus.n()[limb]))),
        inverse: vector(lanes.map(|power| power.modulus.inverse())),
    };
    let r_squared: [__m512i; K] =
        array::from_fn(|limb| vector(array::from_fn(|lane| lanes[lane].modulus.r_squared()[limb])));
    let block: Zeroizing<[__m512i; K]> =
        Zeroizing::new(array::from_fn(|limb| vector(array::from_fn(|lane| blocks[lane][limb]))));
    let empty = || Zeroizing::new([_mm512_setzero_si512(); K]);
    let (mut block_r, mut next, mut columns) = (empty(), empty(), Zeroizing::new([*empty(); 2]));
    let columns = columns.as_flattened_mut();
    multiply(&block, &r_squared, columns);
    reduce(&moduli, columns, &mut block_r);
    let mut raised = block_r.clone();
    for bit in lanes[0].modulus.exponent_bits() {
        square(&raised, columns);
        reduce(&moduli, columns, &mut next);
        match bit {
            ExponentBit::Clear => {
                mem::swap(&mut raised, &mut next);
                continue;
            }
            ExponentBit::Set => multiply(&next, &block_r, columns),
            ExponentBit::Last => multiply(&next, &block, columns),
        }
        reduce(&moduli, columns, &mut raised);
    }
    for (limb, raised) in raised.iter().enumerate() {
        blocks.iter_mut().zip(lanes_of(*raised)).for_each(|(block, lane)| block[limb] = lane);
    }
}

/// `a b`, in columns that are not carried yet.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn multiply<const K: usize>(a: &[__m512i; K], b: &[__m512i; K], columns: &mut [__m512i]) {
    columns.fill(_mm512_setzero_si512());
    let (digits, _) = b.as_chunks();
    for (block, digits) in digits.iter().enumerate() {
        add_multiples(&mut columns[DIGITS * block..], a, *digits, 0);
    }
}

/// `a²`, in columns that are not carried yet: products of two limbs are made once, doubled, and the squares added.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn square<const K: usize>(a: &[__m512i; K], columns: &mut [__m512i]) {
    columns.fill(_mm512_setzero_si512());
    let (digits, _) = a.as_chunks();
    for (block, digits) in digits.iter().enumerate() {
        let start = DIGITS * block;
        add_crossed(&mut columns[2 * start..], *digits);
        if start + DIGITS < K {
            add_multiples(&mut columns[2 * start + DIGITS..], &a[start + DIGITS..], *digits, 0);
        }
    }
    let (pairs, _) = columns.as_chunks_mut();
    for ([even, odd], limb) in pairs.iter_mut().zip(a) {
        *even = _mm512_madd52lo_epu64(_mm512_add_epi64(*even, *even), *limb, *limb);
        *odd = _mm512_madd52hi_epu64(_mm512_add_epi64(*odd, *odd), *limb, *limb);
    }
}

/// Adds the products of each two of the digits.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn add_crossed(columns: &mut [__m512i], digits: Digits) {
    for one in 1..DIGITS {
        for other in 0..one {
            let at = one + other;
            columns[at] = _mm512_madd52lo_epu64(columns[at], digits[one], digits[other]);
            columns[at + 1] = _mm512_madd52hi_epu64(columns[at + 1], digits[one], digits[other]);
        }
    }
}

/// Adds `factor` times the digits, from the column `from` on, a multiple of four.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn add_multiples(columns: &mut [__m512i], factor: &[__m512i], digits: Digits, from: usize) {
    let whole = from.max(DIGITS);
    for at in from..whole {
        columns[at] = add_at_edge(columns[at], factor, digits, at);
    }
    let windows = factor[whole - DIGITS..].windows(DIGITS + 1);
    for (column, window) in columns[whole..].iter_mut().zip(windows) {
        let (mut lows, mut highs) = (*column, _mm512_setzero_si512());
        for digit in 0..DIGITS {
            lows = _mm512_madd52lo_epu64(lows, window[DIGITS - digit], digits[digit]);
            highs = _mm512_madd52hi_epu64(highs, window[DIGITS - digit - 1], digits[digit]);
        }
        *column = _mm512_add_epi64(lows, highs);
    }
    for at in factor.len()..factor.len() + DIGITS {
        columns[at] = add_at_edge(columns[at], factor, digits, at);
    }
}

/// The same for one column, where the factor begins or ends.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn add_at_edge(column: __m512i, factor: &[__m512i], digits: Digits, at: usize) -> __m512i {
    let (mut lows, mut highs) = (column, _mm512_setzero_si512());
    for (below, digit) in digits.into_iter().enumerate() {
        if at >= below && at - below < factor.len() {
            lows = _mm512_madd52lo_epu64(lows, factor[at - below], digit);
        }
        if at > below && at - below - 1 < factor.len() {
            highs = _mm512_madd52hi_epu64(highs, factor[at - below - 1], digit);
        }
    }
    _mm512_add_epi64(lows, highs)
}

/// The columns divided by R modulo n, less than 2n, in limbs (Montgomery). The next digits hang on nothing but the four
/// columns above the last ones: those are made first, so that the processor finds the digits while it adds the others.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn reduce<const K: usize>(moduli: &Moduli<K>, columns: &mut [__m512i], product: &mut [__m512i; K]) {
    let mut digits = next_digits(moduli, columns);
    for start in (0..K - DIGITS).step_by(DIGITS) {
        let columns = &mut columns[start..start + K + DIGITS];
        for at in DIGITS..2 * DIGITS {
            columns[at] = add_at_edge(columns[at], &moduli.n, digits, at);
        }
        let next = next_digits(moduli, &mut columns[DIGITS..]);
        add_multiples(columns, &moduli.n, digits, 2 * DIGITS);
        digits = next;
    }
    add_multiples(&mut columns[K - DIGITS..], &moduli.n, digits, DIGITS);
    carry(&columns[K..], product);
}

/// How often n must be added for the four lowest columns to become nothing. What they carry goes into the fifth.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn next_digits<const K: usize>(moduli: &Moduli<K>, columns: &mut [__m512i]) -> Digits {
    let (zero, mask) = (_mm512_setzero_si512(), _mm512_set1_epi64(MASK as i64));
    let (mut digits, mut carried) = ([zero; DIGITS], zero);
    for at in 0..DIGITS {
        let mut column = columns[at];
        for below in 0..at {
            column = _mm512_madd52lo_epu64(column, moduli.n[at - below], digits[below]);
            carried = _mm512_madd52hi_epu64(carried, moduli.n[at - below - 1], digits[below]);
        }
        column = _mm512_add_epi64(column, carried);
        digits[at] = _mm512_madd52lo_epu64(zero, column, moduli.inverse);
        // With the multiple of n the limb becomes nothing: what it carries is itself, rounded up.
        carried = _mm512_srli_epi64(_mm512_add_epi64(column, mask), LIMB);
    }
    columns[DIGITS] = _mm512_add_epi64(columns[DIGITS], carried);
    digits
}

/// Brings every column below 2⁵².
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn carry<const K: usize>(columns: &[__m512i], product: &mut [__m512i; K]) {
    let mask = _mm512_set1_epi64(MASK as i64);
    let mut carried = _mm512_setzero_si512();
    for (limb, column) in product.iter_mut().zip(columns) {
        let sum = _mm512_add_epi64(*column, carried);
        *limb = _mm512_and_si512(sum, mask);
        carried = _mm512_srli_epi64(sum, LIMB);
    }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn vector(lanes: [u64; 8]) -> __m512i {
    let [a, b, c, d, e, f, g, h] = lanes.map(u64::cast_signed);
    _mm512_set_epi64(h, g, f, e, d, c, b, a)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn lanes_of(vector: __m512i) -> [u64; 8] {
    let mut lanes = [0; 8];
    // SAFETY: the array is 64 octets that are ours to write, and the store asks for no alignment.
    unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), vector) };
    lanes
}
