//! Whole lines by AVX-512 VBMI: the first 48 octets of a line become 64 letters, the others the rest of the letters and the
//! line end. Each is one permutation that spreads octets, one shift of each octet by its own distance, and one look-up.
#![expect(unsafe_code, reason = "loads, stores, and the call into what the processor was found to have")]

use super::Shape;
use encodify::base64::LineEnding;
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// Letters in a register.
const REGISTER: usize = 64;

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

/// The processor has AVX-512 VBMI, and there is code for such lines: with lengths that the compiler knows, a line takes four
/// cycles, and nine without.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel {
    shape: Shape,
    lines: Lines,
}

/// What there is code for: letters and the line end.
#[derive(Debug, Clone, Copy)]
enum Lines {
    Body(LineEnding),
    Pem(LineEnding),
}

impl Kernel {
    pub(super) fn detect(shape: Shape) -> Option<Kernel> {
        let lines = match shape.letters {
            76 => Lines::Body(shape.ending),
            64 => Lines::Pem(shape.ending),
            _ => return None,
        };
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi");
        has.then_some(Kernel { shape, lines })
    }

    /// Appends as many whole lines as there is room for already, and gives the octets that are left.
    pub(super) fn append<'a>(&self, octets: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let lines = self.forward(octets, out.spare_capacity_mut());
        // SAFETY: so many lines were written to the begin of the spare capacity.
        unsafe { out.set_len(out.len() + lines * self.shape.width()) };
        octets.get(lines * self.shape.octets..).unwrap_or_default()
    }

    fn forward(&self, octets: &[u8], room: &mut [MaybeUninit<u8>]) -> usize {
        // SAFETY: a kernel is made only where the features were found.
        unsafe {
            match self.lines {
                Lines::Body(LineEnding::Lf) => forward::<57, 77>(octets, room),
                Lines::Body(LineEnding::CrLf) => forward::<57, 78>(octets, room),
                Lines::Pem(LineEnding::Lf) => forward::<48, 65>(octets, room),
                Lines::Pem(LineEnding::CrLf) => forward::<48, 66>(octets, room),
            }
        }
    }

    /// The whole lines behind `start` become their text where they are; nothing else may stand there. From the last to the
    /// first: the text of a line begins behind its octets or with them, so that it lies on none that are still to be read.
    pub(super) fn encode_in_place(&self, out: &mut Vec<u8>, start: usize) {
        let Some(there) = out.len().checked_sub(start) else { return };
        let (octets, width) = (self.shape.octets, self.shape.width());
        let lines = there / octets;
        out.reserve(lines * (width - octets));
        let Some(body) = whole_room(out).get_mut(start..start + lines * width) else { return };
        // SAFETY: a kernel is made only where the features were found, so many lines of octets are there, and the body is as
        // long as so many lines of text.
        unsafe {
            match self.lines {
                Lines::Body(LineEnding::Lf) => backward::<57, 77>(body, lines),
                Lines::Body(LineEnding::CrLf) => backward::<57, 78>(body, lines),
                Lines::Pem(LineEnding::Lf) => backward::<48, 65>(body, lines),
                Lines::Pem(LineEnding::CrLf) => backward::<48, 66>(body, lines),
            }
        }
        // SAFETY: every octet from `start` to there was written, and those before it were there.
        unsafe { out.set_len(start + lines * width) };
    }
}

/// Says how many lines there were octets and room for.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
fn forward<const OCTETS: usize, const WIDTH: usize>(octets: &[u8], room: &mut [MaybeUninit<u8>]) -> usize {
    let tables = Tables::new::<OCTETS, WIDTH>();
    let (octets, room) = (octets.as_chunks::<OCTETS>().0, room.as_chunks_mut::<WIDTH>().0);
    for (octets, text) in octets.iter().zip(room.iter_mut()) {
        tables.encode::<OCTETS, WIDTH>(load(octets), text);
    }
    octets.len().min(room.len())
}

/// # Safety
/// So many lines of octets at the begin of the body are initialised, and it has room for so many lines of text.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn backward<const OCTETS: usize, const WIDTH: usize>(body: &mut [MaybeUninit<u8>], lines: usize) {
    let tables = Tables::new::<OCTETS, WIDTH>();
    let begin = body.as_mut_ptr();
    for line in (0..lines).rev() {
        // SAFETY: the caller has it that the line is in the body and initialised. It is read before its text is written, which
        // begins behind the octets of all lines before it.
        let octets = load(unsafe { &*begin.add(line * OCTETS).cast::<[u8; OCTETS]>() });
        // SAFETY: the caller has it that the text is in the body; no other reference to it is alive.
        let text = unsafe { &mut *begin.add(line * WIDTH).cast() };
        tables.encode::<OCTETS, WIDTH>(octets, text);
    }
}

struct Tables {
    front: __m512i,
    behind: __m512i,
    alphabet: __m512i,
    /// The line end where the second register has no letters.
    end: __m128i,
}

impl Tables {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
    fn new<const OCTETS: usize, const WIDTH: usize>() -> Tables {
        let letters = OCTETS / 3 * 4;
        let first_of_two = if WIDTH - letters == 2 { 1 << (letters - REGISTER) } else { 0 };
        let [lf, cr] = [b'\n', b'\r'].map(|octet| _mm_set1_epi8(octet as i8));
        let end = _mm_mask_blend_epi8(first_of_two, lf, cr);
        let [front, behind] = [&FRONT, &BEHIND].map(|places| load(places.as_flattened()));
        Tables { front, behind, alphabet: load(ALPHABET), end }
    }

    /// Fills the text.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
    fn encode<const OCTETS: usize, const WIDTH: usize>(
        &self,
        octets: __m512i,
        text: &mut [MaybeUninit<u8>; WIDTH],
    ) {
        let shifts = _mm512_set1_epi64(SHIFTS);
        let front = _mm512_multishift_epi64_epi8(shifts, _mm512_permutexvar_epi8(self.front, octets));
        let behind = _mm512_multishift_epi64_epi8(shifts, _mm512_permutexvar_epi8(self.behind, octets));
        let front = _mm512_permutexvar_epi8(front, self.alphabet);
        let behind = _mm512_castsi512_si128(_mm512_permutexvar_epi8(behind, self.alphabet));
        let letters = mask(OCTETS / 3 * 4 - REGISTER) as __mmask16;
        let behind = _mm_mask_mov_epi8(self.end, letters, behind);
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

/// As many octets as there is room for, at most 16.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn store(register: __m128i, text: &mut [MaybeUninit<u8>]) {
    // SAFETY: the mask has bits for octets of the slice only: all others are not touched. It asks for no alignment.
    unsafe { _mm_mask_storeu_epi8(text.as_mut_ptr().cast(), mask(text.len()) as __mmask16, register) }
}

/// What is there and what is free, in one piece: whoever gets it here writes octets and nothing else.
fn whole_room(out: &mut Vec<u8>) -> &mut [MaybeUninit<u8>] {
    let (start, capacity) = (out.as_mut_ptr().cast(), out.capacity());
    // SAFETY: a vector has so many octets, borrowed with it; they need not be initialised, and those that are stay so, because
    // what is stored in this file is.
    unsafe { std::slice::from_raw_parts_mut(start, capacity) }
}
