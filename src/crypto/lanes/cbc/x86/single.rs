//! One stream alone: nothing hides the latency of the rounds, so that nothing else may stand in the chain.
#![expect(unsafe_code, reason = "who calls what needs AES-NI must show that it is there")]

use super::super::Block;
use super::memory::{Piece, load, store};
use super::{Aesni, Rounds};
use std::arch::x86_64::*;

/// Encrypts the blocks of one stream.
pub(super) fn run(_proof: Aesni, keys: &Rounds, chain: &mut Block, piece: Piece<'_>) {
    // SAFETY: there is a proof only where AES-NI was found.
    unsafe { encrypt(keys, chain, piece) }
}

/// The last round is done twice, once for the ciphertext and once with the next block and the first key of its rounds added
/// to the last key already: that takes their addition out of the chain.
#[target_feature(enable = "aes")]
fn encrypt(keys: &Rounds, chain: &mut Block, mut piece: Piece<'_>) {
    let [first, rounds @ .., last] = keys;
    if piece.is_empty() {
        return;
    }
    let (rounds, last) = (*rounds, *last);
    let joined = _mm_xor_si128(*first, last);
    let mut state = _mm_xor_si128(_mm_xor_si128(piece.load(0), load(chain)), *first);
    let mut block = state;
    for at in 0..piece.len() {
        state = rounds.iter().fold(state, |state, key| _mm_aesenc_si128(state, *key));
        block = _mm_aesenclast_si128(state, last);
        piece.store(at, block);
        // Behind the last block nobody looks at it.
        let next = if at + 1 < piece.len() { piece.load(at + 1) } else { block };
        state = _mm_aesenclast_si128(state, _mm_xor_si128(joined, next));
    }
    store(chain, block);
}
