//! Whole lines by AVX-512 VBMI: the first 48 octets of a line become 64 letters, the others the rest of the letters and the
//! line end. Each is one permutation that spreads octets, one shift of each octet by its own distance, and one look-up.
#![expect(unsafe_code, reason = "loads, stores, and the call into what the processor was found to have")]

use super::Shape;
use encodify::base64::LineEnding;
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// Letters in a register.
const REGISTER: usize = 64;
/// What the second register takes of a line, with its end.
const MOST_BEHIND: usize = 16;

/// Those that a register becomes are looked up in it by their lowest six bits.
const ALPHABET: &[u8; REGISTER] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Where each four letters have their octets: three of a line, of which one is there twice.
const fn spread(first: u8) -> [[u8; 4]; REGISTER / 4] {
    let mut places = [[0; 4]; REGISTER / 4];
    let mut rest: &mut [[u8; 4]] = &mut places;
    let mut at = first;
    while let Some((four, behind)) = rest.split_first_mut() {
        *four = [at + 1, at, at + 2, at + 1];
        at += 3;
        rest = behind;
    }
    places
}

static FRONT: [[u8; 4]; REGISTER / 4] = spread(0);
/// Those of the last letters lie beyond any line, and are not used.
static BEHIND: [[u8; 4]; REGISTER / 4] = spread(48);

/// How far each of eight letters lies from the lowest bit of its eight octets.
const SHIFTS: i64 = i64::from_le_bytes([10, 4, 22, 16, 42, 36, 54, 48]);

/// The processor has AVX-512 VBMI, and the lines are such that two registers hold one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel {
    shape: Shape,
}

impl Kernel {
    pub(super) fn detect(shape: Shape) -> Option<Kernel> {
        let fits = shape.letters >= REGISTER && shape.width() <= REGISTER + MOST_BEHIND;
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi");
        (fits && has).then_some(Kernel { shape })
    }

    /// Appends as many whole lines as there is room for already, and gives the octets that are left.
    pub(super) fn append<'a>(&self, octets: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        // SAFETY: a kernel is made only where the features were found.
        let lines = unsafe { forward(self.shape, octets, out.spare_capacity_mut()) };
        // SAFETY: so many lines were written to the begin of the spare capacity.
        unsafe { out.set_len(out.len() + lines * self.shape.width()) };
        octets.get(lines * self.shape.octets..).unwrap_or_default()
    }

    /// The whole lines behind `start` become their text where they are; nothing else may stand there. From the last to the
    /// first: the text of a line begins behind its octets or with them, so that it lies on none that are still to be read.
    pub(super) fn encode_in_place(&self, out: &mut Vec<u8>, start: usize) {
        let Shape { octets, .. } = self.shape;
        let (lines, width) = (out.len().saturating_sub(start) / octets, self.shape.width());
        out.reserve(lines * (width - octets));
        let Some(body) = whole_room(out).get_mut(start..start + lines * width) else { return };
        // SAFETY: a kernel is made only where the features were found, and so many lines of octets are there.
        unsafe { backward(self.shape, body, lines) };
        // SAFETY: every octet from `start` to there was written, and those before it were there.
        unsafe { out.set_len(start + lines * width) };
    }
}

/// Says how many lines there were octets and room for.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn forward(shape: Shape, octets: &[u8], room: &mut [MaybeUninit<u8>]) -> usize {
    let tables = Tables::new(shape);
    let mut lines = 0;
    for (octets, text) in octets.chunks_exact(shape.octets).zip(room.chunks_exact_mut(shape.width())) {
        tables.encode(load(octets), text);
        lines += 1;
    }
    lines
}

/// # Safety
/// So many lines of octets at the begin of the body are initialised. Each is read before its text is written, which lies on
/// none before it.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
unsafe fn backward(shape: Shape, body: &mut [MaybeUninit<u8>], lines: usize) {
    let tables = Tables::new(shape);
    for line in (0..lines).rev() {
        let octets = body.get(line * shape.octets..(line + 1) * shape.octets).unwrap_or_default();
        // SAFETY: the mask has bits for octets of the slice only, and the caller has it that they are initialised.
        let octets = unsafe { _mm512_maskz_loadu_epi8(mask(octets.len()), octets.as_ptr().cast()) };
        if let Some(text) = body.get_mut(line * shape.width()..(line + 1) * shape.width()) {
            tables.encode(octets, text);
        }
    }
}

struct Tables {
    front: __m512i,
    behind: __m512i,
    alphabet: __m512i,
    /// The line end where the second register has no letters.
    end: __m512i,
    /// Where it has.
    letters: __mmask64,
}

impl Tables {
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn new(shape: Shape) -> Tables {
        let letters = mask(shape.letters - REGISTER);
        let first_of_two = if shape.ending == LineEnding::CrLf { letters + 1 } else { 0 };
        let [lf, cr] = [b'\n', b'\r'].map(|octet| _mm512_set1_epi8(octet as i8));
        let end = _mm512_mask_blend_epi8(first_of_two, lf, cr);
        let [front, behind] = [&FRONT, &BEHIND].map(|places| load(places.as_flattened()));
        Tables { front, behind, alphabet: load(ALPHABET), end, letters }
    }

    /// Fills the text.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn encode(&self, octets: __m512i, text: &mut [MaybeUninit<u8>]) {
        let shifts = _mm512_set1_epi64(SHIFTS);
        let [front, behind] = [self.front, self.behind].map(|places| {
            let spread = _mm512_permutexvar_epi8(places, octets);
            _mm512_multishift_epi64_epi8(shifts, spread)
        });
        let front = _mm512_permutexvar_epi8(front, self.alphabet);
        let behind = _mm512_mask_permutexvar_epi8(self.end, self.letters, behind, self.alphabet);
        if let Some((text, rest)) = text.split_first_chunk_mut() {
            store_all(front, text);
            store(behind, rest);
        }
    }
}

/// The lowest bits.
#[inline]
fn mask(count: usize) -> __mmask64 {
    if count < 64 { (1 << count) - 1 } else { !0 }
}

/// As many octets as a register holds; zeros where there are less.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load(octets: &[u8]) -> __m512i {
    // SAFETY: the mask has bits for octets of the slice only: all others are not touched. It asks for no alignment.
    unsafe { _mm512_maskz_loadu_epi8(mask(octets.len()), octets.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_all(register: __m512i, text: &mut [MaybeUninit<u8>; REGISTER]) {
    // SAFETY: the reference makes 64 octets writable, and the instruction asks for no alignment.
    unsafe { _mm512_storeu_si512(text.as_mut_ptr().cast(), register) }
}

/// As many octets as there is room for.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn store(register: __m512i, text: &mut [MaybeUninit<u8>]) {
    // SAFETY: the mask has bits for octets of the slice only: all others are not touched. It asks for no alignment.
    unsafe { _mm512_mask_storeu_epi8(text.as_mut_ptr().cast(), mask(text.len()), register) }
}

/// What is there and what is free, in one piece: whoever gets it here writes octets and nothing else.
fn whole_room(out: &mut Vec<u8>) -> &mut [MaybeUninit<u8>] {
    let (start, capacity) = (out.as_mut_ptr().cast(), out.capacity());
    // SAFETY: a vector has so many octets, borrowed with it; they need not be initialised, and those that are stay so, because
    // what is stored in this file is.
    unsafe { std::slice::from_raw_parts_mut(start, capacity) }
}
