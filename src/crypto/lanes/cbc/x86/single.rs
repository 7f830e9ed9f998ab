//! One stream alone: nothing hides the latency of the rounds, so that nothing else may stand in the chain.
#![expect(unsafe_code, reason = "who calls what needs AES-NI must show that it is there")]

use super::super::Block;
use super::memory::{load, store};
use super::{Aesni, Rounds};
use std::arch::x86_64::*;

/// Encrypts the blocks of one stream.
pub(super) fn run(_proof: Aesni, keys: &Rounds, chain: &mut Block, blocks: &mut [Block]) {
    // SAFETY: there is a proof only where AES-NI was found.
    unsafe { encrypt(keys, chain, blocks) }
}

/// The last round is done twice, once for the ciphertext and once with the next block and the first key of its rounds added
/// to the last key already: that takes their addition out of the chain.
#[target_feature(enable = "aes")]
fn encrypt(keys: &Rounds, chain: &mut Block, blocks: &mut [Block]) {
    let [first, rounds @ .., last] = keys;
    let Some(block) = blocks.first() else { return };
    let (rounds, last) = (*rounds, *last);
    let joined = _mm_xor_si128(*first, last);
    let mut state = _mm_xor_si128(_mm_xor_si128(load(block), load(chain)), *first);
    let mut at = 0;
    while let Some(block) = blocks.get_mut(at) {
        state = rounds.iter().fold(state, |state, key| _mm_aesenc_si128(state, *key));
        store(block, _mm_aesenclast_si128(state, last));
        at += 1;
        let next = blocks.get(at).map_or(_mm_setzero_si128(), load);
        state = _mm_aesenclast_si128(state, _mm_xor_si128(joined, next));
    }
    blocks.last().into_iter().for_each(|last| *chain = *last);
}
