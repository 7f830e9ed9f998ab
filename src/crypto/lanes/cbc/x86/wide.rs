//! Up to 16 streams with VAES, four in a register of 512 bits.
#![expect(unsafe_code, reason = "who calls what needs VAES must show that it is there")]
#![expect(
    clippy::indexing_slicing,
    reason = "registers are constants, and a step beyond the end of a piece must not go on"
)]

use super::Vaes;
use super::columns::{COLUMNS, Columns, Row};
use super::memory::{Four, Piece, load_four, store_four};
use super::soon::Soon;
use std::arch::x86_64::*;
use std::array::from_fn;

/// The most streams at once.
pub(super) const WIDTH: usize = COLUMNS;

/// Columns in a register.
pub(super) const GROUP: usize = 4;

/// Of what is written soon, that are asked for beside a block of each column: sixteen blocks become 350 octets of a text in
/// base64, and 384 are asked for.
const ROWS: usize = 6;

/// Encrypts a piece a column; they are as long as each other, and fill whole registers.
pub(super) fn run(_proof: Vaes, columns: &mut Columns, pieces: &mut [Piece<'_>], soon: &mut Soon<'_>) {
    let run = match pieces.len() {
        0 => return,
        1..=4 => encrypt::<1>,
        5..=8 => encrypt::<2>,
        9..=12 => encrypt::<3>,
        _ => encrypt::<4>,
    };
    // SAFETY: there is a proof only where VAES and AVX-512 were found.
    unsafe { run(columns, pieces, soon) }
}

/// The pieces of the columns of a register.
type FourPieces<'a> = [Piece<'a>; GROUP];

/// G registers of four columns. As for a stream alone, the last round is done twice, once with what the next block begins
/// with added already; behind the last block that is the last once more, and nobody looks at it.
#[target_feature(enable = "avx512f,vaes")]
fn encrypt<const G: usize>(columns: &mut Columns, pieces: &mut [Piece<'_>], soon: &mut Soon<'_>) {
    let Some(pieces) = pieces.as_chunks_mut().0.first_chunk_mut::<G>() else { return };
    let length = pieces[0][0].len();
    let [first, rounds @ .., last] = &columns.keys;
    let mut chains: [__m512i; G] = from_fn(|group| load_four(four(&columns.chains, group)));
    let joined: [__m512i; G] =
        from_fn(|group| _mm512_xor_si512(load_four(four(first, group)), load_four(four(last, group))));
    let mut states: [__m512i; G] = from_fn(|group| {
        let block = _mm512_xor_si512(gather(&pieces[group], 0), load_four(four(first, group)));
        _mm512_xor_si512(chains[group], block)
    });
    for at in 0..length {
        soon.ask(ROWS);
        for row in rounds {
            for (state, keys) in states.iter_mut().zip(row.as_chunks().0) {
                *state = _mm512_aesenc_epi128(*state, load_four(keys));
            }
        }
        for group in 0..G {
            let next = _mm512_xor_si512(joined[group], gather(&pieces[group], (at + 1).min(length - 1)));
            chains[group] = _mm512_aesenclast_epi128(states[group], load_four(four(last, group)));
            states[group] = _mm512_aesenclast_epi128(states[group], next);
            scatter(&mut pieces[group], at, chains[group]);
        }
    }
    for (four, chains) in columns.chains.as_chunks_mut().0.iter_mut().zip(chains) {
        store_four(four, chains);
    }
}

/// The columns of a register.
#[inline]
fn four(row: &Row, group: usize) -> &Four {
    &row.as_chunks().0[group]
}

/// A block of each of four pieces.
#[inline]
#[target_feature(enable = "avx512f")]
fn gather(pieces: &FourPieces<'_>, at: usize) -> __m512i {
    let [one, two, three, four] = pieces;
    let register = _mm512_castsi128_si512(one.load(at));
    let register = _mm512_inserti32x4::<1>(register, two.load(at));
    let register = _mm512_inserti32x4::<2>(register, three.load(at));
    _mm512_inserti32x4::<3>(register, four.load(at))
}

/// To the places of what they were.
#[inline]
#[target_feature(enable = "avx512f")]
fn scatter(pieces: &mut FourPieces<'_>, at: usize, register: __m512i) {
    let [one, two, three, four] = pieces;
    one.store(at, _mm512_castsi512_si128(register));
    two.store(at, _mm512_extracti32x4_epi32::<1>(register));
    three.store(at, _mm512_extracti32x4_epi32::<2>(register));
    four.store(at, _mm512_extracti32x4_epi32::<3>(register));
}
