//! Up to eight streams with AES-NI, a register each: while one waits for its round, the others do theirs.
#![expect(unsafe_code, reason = "who calls what needs AES-NI must show that it is there")]
#![expect(
    clippy::indexing_slicing,
    reason = "columns are constants, and a step beyond the end of a piece must not go on"
)]

use super::Aesni;
use super::columns::Columns;
use super::memory::Piece;
use super::soon::Soon;
use std::arch::x86_64::*;
use std::array::from_fn;

/// The most streams at once.
pub(super) const WIDTH: usize = 8;

/// Of what is written soon, that are asked for beside a block of each column: eight blocks become 175 octets of a text in
/// base64, and 192 are asked for.
const ROWS: usize = 3;

/// Encrypts a piece a column; they are as long as each other.
pub(super) fn run(_proof: Aesni, columns: &mut Columns, pieces: &mut [Piece<'_>], soon: &mut Soon<'_>) {
    let run = match pieces.len() {
        0 => return,
        1 => encrypt::<1>,
        2 => encrypt::<2>,
        3 => encrypt::<3>,
        4 => encrypt::<4>,
        5 => encrypt::<5>,
        6 => encrypt::<6>,
        7 => encrypt::<7>,
        _ => encrypt::<8>,
    };
    // SAFETY: there is a proof only where AES-NI was found.
    unsafe { run(columns, pieces, soon) }
}

#[target_feature(enable = "aes")]
fn encrypt<const N: usize>(columns: &mut Columns, pieces: &mut [Piece<'_>], soon: &mut Soon<'_>) {
    let Some(pieces) = pieces.first_chunk_mut::<N>() else { return };
    let [first, rounds @ .., last] = &columns.keys;
    let mut states: [__m128i; N] = from_fn(|column| columns.chains[column]);
    for at in 0..pieces[0].len() {
        soon.ask(ROWS);
        for column in 0..N {
            let block = _mm_xor_si128(pieces[column].load(at), first[column]);
            states[column] = _mm_xor_si128(states[column], block);
        }
        for row in rounds {
            for (state, key) in states.iter_mut().zip(row) {
                *state = _mm_aesenc_si128(*state, *key);
            }
        }
        for column in 0..N {
            states[column] = _mm_aesenclast_si128(states[column], last[column]);
            pieces[column].store(at, states[column]);
        }
    }
    columns.chains[..N].copy_from_slice(&states);
}
