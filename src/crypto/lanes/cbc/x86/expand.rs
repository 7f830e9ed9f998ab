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
    pair::<2>(keys, 0x01);
    pair::<4>(keys, 0x02);
    pair::<6>(keys, 0x04);
    pair::<8>(keys, 0x08);
    pair::<10>(keys, 0x10);
    pair::<12>(keys, 0x20);
    even::<14>(keys, 0x40);
}

/// The keys of two rounds, each out of the one before and the one before that.
#[target_feature(enable = "aes")]
fn pair<const AT: usize>(keys: &mut Rounds, constant: i32) {
    even::<AT>(keys, constant);
    let word = _mm_shuffle_epi32::<0xff>(keys[AT]);
    keys[AT + 1] = mix(keys[AT - 1], substitute(word, 0));
}

#[target_feature(enable = "aes")]
fn even<const AT: usize>(keys: &mut Rounds, constant: i32) {
    let word = _mm_shuffle_epi32::<0xff>(keys[AT - 1]);
    let rotated = _mm_or_si128(_mm_srli_epi32::<8>(word), _mm_slli_epi32::<24>(word));
    keys[AT] = mix(keys[AT - 2], substitute(rotated, constant));
}

/// SubWord of a word that stands in all four columns (shifting the rows changes nothing then), and the round's constant.
/// AESKEYGENASSIST would do the same, more slowly.
#[target_feature(enable = "aes")]
fn substitute(word: __m128i, constant: i32) -> __m128i {
    _mm_aesenclast_si128(word, _mm_set1_epi32(constant))
}

/// Each word takes all before it, and the one that the schedule makes.
#[target_feature(enable = "aes")]
fn mix(words: __m128i, made: __m128i) -> __m128i {
    let two = _mm_xor_si128(words, _mm_slli_si128::<4>(words));
    let four = _mm_xor_si128(two, _mm_slli_si128::<8>(two));
    _mm_xor_si128(four, made)
}
