//! Up to 16 streams with VAES, four in a register of 512 bits.
#![expect(unsafe_code, reason = "who calls what needs VAES must show that it is there")]
#![expect(clippy::indexing_slicing, reason = "registers are constants")]

use super::super::Block;
use super::Vaes;
use super::columns::{COLUMNS, Columns, Row};
use super::memory::{Four, load, load_four, store, store_four};
use std::arch::x86_64::*;
use std::array::from_fn;

/// The most streams at once.
pub(super) const WIDTH: usize = COLUMNS;

/// Encrypts a piece a column; they are as long as each other.
pub(super) fn run(_proof: Vaes, columns: &mut Columns, pieces: &mut [&mut [Block]]) {
    let run = match pieces.len() {
        0..=4 => encrypt::<1>,
        5..=8 => encrypt::<2>,
        9..=12 => encrypt::<3>,
        _ => encrypt::<4>,
    };
    // SAFETY: there is a proof only where VAES and AVX-512 were found.
    unsafe { run(columns, pieces) }
}

/// G registers of four columns. As for a stream alone, the last round is done twice, once with what the next block begins
/// with added already. Columns without a piece carry zeros and go nowhere.
#[target_feature(enable = "avx512f,vaes")]
fn encrypt<const G: usize>(columns: &mut Columns, pieces: &mut [&mut [Block]]) {
    let Some(length) = pieces.first().map(|piece| piece.len()) else { return };
    let [first, rounds @ .., last] = &columns.keys;
    let chains: [__m512i; G] = from_fn(|group| load_four(four(&columns.chains, group)));
    let firsts: [__m512i; G] = from_fn(|group| load_four(four(first, group)));
    let joined: [__m512i; G] = from_fn(|group| _mm512_xor_si512(firsts[group], load_four(four(last, group))));
    let mut states: [__m512i; G] = from_fn(|group| {
        _mm512_xor_si512(_mm512_xor_si512(gather(pieces, group, 0), firsts[group]), chains[group])
    });
    let mut done = chains;
    for at in 0..length {
        for row in rounds {
            states = from_fn(|group| _mm512_aesenc_epi128(states[group], load_four(four(row, group))));
        }
        for group in 0..G {
            done[group] = _mm512_aesenclast_epi128(states[group], load_four(four(last, group)));
            let next = _mm512_xor_si512(joined[group], gather(pieces, group, at + 1));
            states[group] = _mm512_aesenclast_epi128(states[group], next);
        }
        (0..G).for_each(|group| scatter(pieces, group, at, done[group]));
    }
    for (chains, done) in columns.chains.as_chunks_mut().0.iter_mut().zip(done) {
        store_four(chains, done);
    }
}

/// The columns of a register.
fn four(row: &Row, group: usize) -> &Four {
    &row.as_chunks().0[group]
}

/// The next blocks of the four pieces of a register; zeros where there is no piece, or behind its end.
#[inline]
#[target_feature(enable = "avx512f")]
fn gather(pieces: &[&mut [Block]], group: usize, at: usize) -> __m512i {
    let block = |column: usize| {
        pieces.get(4 * group + column).and_then(|piece| piece.get(at)).map_or(_mm_setzero_si128(), load)
    };
    let one = _mm512_castsi128_si512(block(0));
    let two = _mm512_inserti32x4::<1>(one, block(1));
    let three = _mm512_inserti32x4::<2>(two, block(2));
    _mm512_inserti32x4::<3>(three, block(3))
}

/// Back to the same places.
#[inline]
#[target_feature(enable = "avx512f")]
fn scatter(pieces: &mut [&mut [Block]], group: usize, at: usize, register: __m512i) {
    let blocks = [
        _mm512_castsi512_si128(register),
        _mm512_extracti32x4_epi32::<1>(register),
        _mm512_extracti32x4_epi32::<2>(register),
        _mm512_extracti32x4_epi32::<3>(register),
    ];
    for (piece, block) in pieces.iter_mut().skip(4 * group).zip(blocks) {
        piece.get_mut(at).into_iter().for_each(|place| store(place, block));
    }
}
