//! With AVX-512 VBMI one instruction looks 64 octets up in a table of 128.
#![expect(unsafe_code, reason = "loads, and the call into what the processor was found to have")]

use super::super::{Class, class};
use super::filled;
use crate::crypto::lanes::fetch;
use std::arch::x86_64::*;
use std::array;

/// Octets in a register.
const WIDTH: usize = 64;
/// Registers that are taken together, each from another quarter of the text, so that their answers are added up once.
const TOGETHER: usize = 4;

/// Asked for so early, a row is there when it is counted.
const ROWS_AHEAD: usize = 16;

/// What stands for a letter, for white space, and for anything else: the highest bit, which octets beyond the table have too.
const LETTER: u8 = 0;
const SPACE: u8 = 1;
const FOREIGN: u8 = 0x80;

/// The processor has AVX-512 with VBMI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Vbmi(());

impl Vbmi {
    pub(super) fn detect() -> Option<Vbmi> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi");
        has.then_some(Vbmi(()))
    }
}

pub(super) fn spaces(_proof: Vbmi, text: &[u8]) -> Option<usize> {
    // SAFETY: there is a proof only where the features were found.
    unsafe { count(text) }
}

/// Octets 0 to 63, and 64 to 127.
const TABLE: [[u8; WIDTH]; 2] = [half(0), half(WIDTH as u8)];

const fn half(first: u8) -> [u8; WIDTH] {
    let mut table = [FOREIGN; WIDTH];
    let mut rest: &mut [u8] = &mut table;
    let mut octet = first;
    while let Some((slot, behind)) = rest.split_first_mut() {
        *slot = match class(octet) {
            Class::Letter => LETTER,
            Class::Space => SPACE,
            Class::Foreign => FOREIGN,
        };
        octet += 1;
        rest = behind;
    }
    table
}

struct Sums {
    table: [__m512i; 2],
    /// The highest bit of an octet is set if a foreign one was met in its place.
    foreign: __m512i,
    /// Eight sums of white space.
    spaces: __m512i,
}

/// Of a long text four quarters are read side by side, and asked for before they are needed: memory gives more to who reads in
/// several places at once. Measured on an Emerald Rapids over 1.4 MiB, half of which lay in the cache of the third level: 35 µs
/// in the place of 47.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn count(text: &[u8]) -> Option<usize> {
    let [low, high] = &TABLE;
    let nothing = _mm512_setzero_si512();
    let mut sums = Sums { table: [load(low), load(high)], foreign: nothing, spaces: nothing };
    let (front, text) = split_at_line(text);
    let (registers, rest) = text.as_chunks::<WIDTH>();
    let quarter = registers.len() / TOGETHER;
    let (quarters, single) = registers.split_at_checked(TOGETHER * quarter).unwrap_or_default();
    let mut places = quarters.chunks_exact(quarter.max(1));
    let [a, b, c, d] = array::from_fn(|_| places.next().unwrap_or_default());
    for (row, (((a, b), c), d)) in a.iter().zip(b).zip(c).zip(d).enumerate() {
        let ahead = [0, 1, 2, 3].map(|place| place * quarter + row + ROWS_AHEAD);
        ahead.into_iter().filter_map(|row| quarters.get(row)).for_each(fetch::to_read);
        sums.add([a, b, c, d].map(|octets| load(octets)));
    }
    let letters = load(&filled(&[]));
    for register in single.iter().chain([&filled(front), &filled(rest)]) {
        sums.add([load(register), letters, letters, letters]);
    }
    sums.spaces()
}

/// Less than a register, and what begins with a line of the cache: a register that lies across two is loaded twice.
fn split_at_line(text: &[u8]) -> (&[u8], &[u8]) {
    let front = text.as_ptr().align_offset(WIDTH);
    text.split_at_checked(front).filter(|_| front < WIDTH).unwrap_or((&[], text))
}

impl Sums {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn add(&mut self, registers: [__m512i; TOGETHER]) {
        let [low, high] = self.table;
        let [a, b, c, d] = registers;
        let [p, q, r, s] = [a, b, c, d].map(|octets| _mm512_permutex2var_epi8(low, octets, high));
        let seen = [[a, p, b], [q, c, r], [d, s, self.foreign]].map(|[x, y, z]| any_of(x, y, z));
        self.foreign = any_of(seen[0], seen[1], seen[2]);
        let marks = _mm512_add_epi8(_mm512_add_epi8(p, q), _mm512_add_epi8(r, s));
        let marks = _mm512_and_si512(marks, _mm512_set1_epi8(0x7f));
        self.spaces = _mm512_add_epi64(self.spaces, _mm512_sad_epu8(marks, _mm512_setzero_si512()));
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    fn spaces(self) -> Option<usize> {
        // No text has so many octets that the sum has another sign, or does not fit.
        let spaces = _mm512_reduce_add_epi64(self.spaces) as usize;
        (_mm512_movepi8_mask(self.foreign) == 0).then_some(spaces)
    }
}

/// The bits that one of the three has.
#[inline]
#[target_feature(enable = "avx512f")]
fn any_of(one: __m512i, two: __m512i, three: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0xfe>(one, two, three)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(octets: &[u8; WIDTH]) -> __m512i {
    // SAFETY: the reference makes 64 bytes readable, and the instruction asks for no alignment.
    unsafe { _mm512_loadu_si512(octets.as_ptr().cast()) }
}
