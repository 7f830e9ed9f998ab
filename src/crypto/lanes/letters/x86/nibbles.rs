//! With AVX2 the two halves of an octet are looked up in tables of 16: what is in both is what the octet is.
#![expect(unsafe_code, reason = "loads, and the call into what the processor was found to have")]

use super::filled;
use std::arch::x86_64::*;

/// Octets in a register.
const WIDTH: usize = 32;

/// The processor has AVX2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Avx2> {
        is_x86_feature_detected!("avx2").then_some(Avx2(()))
    }
}

pub(super) fn spaces(_proof: Avx2, text: &[u8]) -> Option<usize> {
    // SAFETY: there is a proof only where the feature was found.
    unsafe { count(text) }
}

/// Bits for the groups in which letters and white space stand: tab to carriage return, the blank, `+` and `/`, digits, and
/// the two halves of an alphabet.
const CONTROLS: u8 = 1;
const BLANK: u8 = 2;
const SIGNS: u8 = 4;
const DIGITS: u8 = 8;
const FIRST_HALF: u8 = 16;
const SECOND_HALF: u8 = 32;

/// By the upper half of an octet; what is no ASCII is in no group.
const UPPER: [u8; 16] = [
    CONTROLS,
    0,
    BLANK | SIGNS,
    DIGITS,
    FIRST_HALF,
    SECOND_HALF,
    FIRST_HALF,
    SECOND_HALF,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
];

/// By the lower half.
const LOWER: [u8; 16] = [
    BLANK | DIGITS | SECOND_HALF,
    DIGITS | FIRST_HALF | SECOND_HALF,
    DIGITS | FIRST_HALF | SECOND_HALF,
    DIGITS | FIRST_HALF | SECOND_HALF,
    DIGITS | FIRST_HALF | SECOND_HALF,
    DIGITS | FIRST_HALF | SECOND_HALF,
    DIGITS | FIRST_HALF | SECOND_HALF,
    DIGITS | FIRST_HALF | SECOND_HALF,
    DIGITS | FIRST_HALF | SECOND_HALF,
    CONTROLS | DIGITS | FIRST_HALF | SECOND_HALF,
    CONTROLS | FIRST_HALF | SECOND_HALF,
    CONTROLS | SIGNS | FIRST_HALF,
    CONTROLS | FIRST_HALF,
    CONTROLS | FIRST_HALF,
    FIRST_HALF,
    SIGNS | FIRST_HALF,
];

struct Sums {
    upper: __m256i,
    lower: __m256i,
    /// All bits of an octet are set if a foreign one was met in its place.
    foreign: __m256i,
    /// Four sums of what is no white space.
    others: __m256i,
}

#[target_feature(enable = "avx2")]
fn count(text: &[u8]) -> Option<usize> {
    let nothing = _mm256_setzero_si256();
    let mut sums = Sums { upper: twice(UPPER), lower: twice(LOWER), foreign: nothing, others: nothing };
    let (registers, rest) = text.as_chunks::<WIDTH>();
    registers.iter().for_each(|register| sums.add(load(register)));
    sums.add(load(&filled(rest)));
    sums.spaces((registers.len() + 1) * WIDTH)
}

impl Sums {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn add(&mut self, octets: __m256i) {
        let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(octets), _mm256_set1_epi8(0x0f));
        // Where the highest bit is set nothing is looked up by the lower half, and nothing found by the upper one.
        let upper = _mm256_shuffle_epi8(self.upper, upper);
        let groups = _mm256_and_si256(_mm256_shuffle_epi8(self.lower, octets), upper);
        let nothing = _mm256_setzero_si256();
        self.foreign = _mm256_or_si256(self.foreign, _mm256_cmpeq_epi8(groups, nothing));
        let space = _mm256_and_si256(groups, _mm256_set1_epi8((CONTROLS | BLANK) as i8));
        let other = _mm256_and_si256(_mm256_cmpeq_epi8(space, nothing), _mm256_set1_epi8(1));
        self.others = _mm256_add_epi64(self.others, _mm256_sad_epu8(other, nothing));
    }

    /// Of so many octets.
    #[target_feature(enable = "avx2")]
    fn spaces(self, octets: usize) -> Option<usize> {
        let others = [
            _mm256_extract_epi64::<0>(self.others),
            _mm256_extract_epi64::<1>(self.others),
            _mm256_extract_epi64::<2>(self.others),
            _mm256_extract_epi64::<3>(self.others),
        ];
        // No text has so many octets that a sum has another sign, or does not fit.
        let others = others.iter().sum::<i64>() as usize;
        (_mm256_movemask_epi8(self.foreign) == 0).then(|| octets - others)
    }
}

/// The table in both halves of a register: each looks things up for itself.
#[inline]
#[target_feature(enable = "avx2")]
fn twice(table: [u8; 16]) -> __m256i {
    _mm256_set_m128i(load_table(&table), load_table(&table))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_table(table: &[u8; 16]) -> __m128i {
    // SAFETY: the reference makes 16 bytes readable, and the instruction asks for no alignment.
    unsafe { _mm_loadu_si128(table.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(octets: &[u8; WIDTH]) -> __m256i {
    // SAFETY: the reference makes 32 bytes readable, and the instruction asks for no alignment.
    unsafe { _mm256_loadu_si256(octets.as_ptr().cast()) }
}
