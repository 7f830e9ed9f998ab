//! The key schedule of AES-256 (FIPS 197, 5.2) by the processor: no table, no branch on the key.
#![expect(unsafe_code, reason = "who calls what needs AES-NI must show that it is there")]
#![expect(clippy::indexing_slicing, reason = "the numbers of the rounds are constants")]

use super::memory::load;
use super::{Aesni, Rounds};
use std::arch::x86_64::*;

/// Writes the round keys of a key.
pub(super) fn expand(_proof: Aesni, key: &[u8; 32], keys: &mut Rounds) {
    // SAFETY: there is a proof only where AES-NI was found.
    unsafe { all(key, keys) }
}

#[target_feature(enable = "aes")]
fn all(key: &[u8; 32], keys: &mut Rounds) {
    keys.iter_mut().zip(key.as_chunks().0).for_each(|(round, half)| *round = load(half));
    pair::<2, 0x01>(keys);
    pair::<4, 0x02>(keys);
    pair::<6, 0x04>(keys);
    pair::<8, 0x08>(keys);
    pair::<10, 0x10>(keys);
    pair::<12, 0x20>(keys);
    even::<14, 0x40>(keys);
}

/// Two rounds, each out of the one before and the one before that.
#[target_feature(enable = "aes")]
fn pair<const AT: usize, const CONSTANT: i32>(keys: &mut Rounds) {
    even::<AT, CONSTANT>(keys);
    let word = _mm_shuffle_epi32::<0xaa>(_mm_aeskeygenassist_si128::<0>(keys[AT]));
    keys[AT + 1] = mix(keys[AT - 1], word);
}

#[target_feature(enable = "aes")]
fn even<const AT: usize, const CONSTANT: i32>(keys: &mut Rounds) {
    let word = _mm_shuffle_epi32::<0xff>(_mm_aeskeygenassist_si128::<CONSTANT>(keys[AT - 1]));
    keys[AT] = mix(keys[AT - 2], word);
}

/// Each word takes all before it, and the one that the schedule makes.
#[target_feature(enable = "aes")]
fn mix(words: __m128i, made: __m128i) -> __m128i {
    let two = _mm_xor_si128(words, _mm_slli_si128::<4>(words));
    let four = _mm_xor_si128(two, _mm_slli_si128::<8>(two));
    _mm_xor_si128(four, made)
}
