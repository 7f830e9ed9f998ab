//! The kernels against the definition, octet by octet: all lengths, line ends at all places and across the borders of registers.
//!
//! A processor that has none of them leaves all to the ways octet by octet, and that is all that shows here then: each test says
//! so. Those ways are held to the definition on every machine, where they are (`mail/line.rs`, `smime/inner.rs`).

use super::*;
use crate::mail::vectors::skip;
use proptest::prelude::*;
use std::sync::LazyLock;

/// What there is a kernel for on this machine.
struct Kernels {
    count: bool,
    copy: bool,
}

static KERNELS: LazyLock<Kernels> = LazyLock::new(|| {
    let (count, copy) = detected();
    for (has, what) in [(count, "AVX-512 BW: no kernel counts"), (copy, "AVX-512 VBMI2: no kernel copies")] {
        if !has {
            skip("kernels", &format!("the processor has no {what} line ends"));
        }
    }
    Kernels { count, copy }
});

#[cfg(target_arch = "x86_64")]
fn detected() -> (bool, bool) {
    (x86::Counting::detect().is_some(), x86::Copying::detect().is_some())
}

#[cfg(not(target_arch = "x86_64"))]
fn detected() -> (bool, bool) {
    (false, false)
}

/// The definition: what it becomes, all line ends, and those that got a CR.
fn expected(text: &[u8], before: u8) -> (Vec<u8>, usize, usize) {
    let (mut out, mut last, mut all, mut bare) = (Vec::new(), before, 0, 0);
    for &octet in text {
        if octet == b'\n' {
            all += 1;
            if last != b'\r' {
                bare += 1;
                out.push(b'\r');
            }
        }
        out.push(octet);
        last = octet;
    }
    (out, all, bare)
}

/// How much the kernel leaves at most: less than a register of text, or room for less than what a register may become.
const REGISTER: usize = 64;

/// Copies into a room of exactly so many octets behind others, and looks at every octet and at what is told of it.
fn assert_copied(text: &[u8], before: u8, room: usize) {
    let mut out = Vec::with_capacity(3 + room);
    out.extend_from_slice(b"abc");
    let (capacity, most) = (out.capacity(), 3 + room);
    let mut last = before;
    let read = append_crlf(text, &mut last, &mut out, most);
    assert!(read.is_multiple_of(REGISTER) && out.len() <= most);
    assert_eq!(out.capacity(), capacity, "clear text is left behind where a buffer grows");
    let (copied, left) = text.split_at(read);
    assert!(out[3..] == expected(copied, before).0, "{text:?} after {before}, {room}");
    assert_eq!(last, copied.last().copied().unwrap_or(before));
    let is_done = left.len() < REGISTER || most - out.len() < 2 * REGISTER;
    assert!(if KERNELS.copy { is_done } else { read == 0 }, "{room}, {read}");
}

fn assert_counted(text: &[u8]) {
    let (_, all, bare) = expected(text, 0);
    assert_eq!(count(text), KERNELS.count.then_some((all, bare)), "{text:?}");
}

/// So many octets of it, again and again.
fn repeated(pattern: &[u8], length: usize) -> Vec<u8> {
    pattern.iter().copied().cycle().take(length).collect()
}

const PATTERNS: [&[u8]; 8] =
    [b"\n", b"\r", b"\r\n", b"\n\r", b"a\n", b"a", b"\r\r\n", b"a line of a length that is odd and prime\n"];

#[test]
fn every_length() {
    for pattern in PATTERNS {
        for length in 0..400 {
            let text = repeated(pattern, length);
            assert_counted(&text);
            for before in [b'\r', b'a'] {
                assert_copied(&text, before, 2 * length);
            }
        }
    }
}

#[test]
fn every_size_of_the_room() {
    for pattern in PATTERNS {
        let text = repeated(pattern, 300);
        (0..700).for_each(|room| assert_copied(&text, 0, room));
    }
}

/// Among octets of all values: of one that is not looked for, nothing must come.
#[test]
fn every_pair_at_every_place() {
    let pairs: [&[u8]; 6] = [b"\n", b"\r", b"\r\n", b"\n\n", b"\n\r", b"\r\r\n"];
    let quiet: Vec<u8> = (0..=255).filter(|octet| !b"\r\n".contains(octet)).collect();
    for pair in pairs {
        for place in 0..200 {
            let mut text = quiet.clone();
            text.splice(place..place + pair.len(), pair.iter().copied());
            assert_counted(&text);
            assert_copied(&text, 0, 600);
        }
    }
}

/// More than what an octet counts in each column.
#[test]
fn long_texts_are_counted_whole() {
    for length in [64 * 255, 64 * 255 + 1, 64 * 256, 64 * 256 + 1, 64 * 511 + 3, 100_000] {
        for pattern in PATTERNS {
            assert_counted(&repeated(pattern, length));
        }
    }
}

/// What is kept in registers is gone with the next text, what goes by way of the stack may stay for long.
#[test]
#[cfg(target_os = "linux")]
#[cfg_attr(debug_assertions, ignore = "what is not optimised keeps registers on the stack: --release")]
fn nothing_of_a_text_stays_on_the_stack() {
    use std::os::unix::fs::FileExt;
    let text: Vec<u8> = (0..200_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let memory = std::fs::File::open("/proc/self/mem").unwrap();
    let (mut stack, here) = (vec![0; 32 * 1024], 0_u8);
    for length in [13, 63, 64, 100, 127, 190] {
        count_deeper(&text[..length]);
        let bottom = std::ptr::from_ref(std::hint::black_box(&here)).addr() - stack.len();
        memory.read_exact_at(&mut stack, bottom as u64).unwrap();
        let left = text.windows(12).find(|words| memchr::memmem::find(&stack, words).is_some());
        assert_eq!(left, None, "{length}");
    }
}

/// So far down that nobody writes over it before it is looked at.
#[inline(never)]
#[cfg(target_os = "linux")]
fn count_deeper(text: &[u8]) {
    let between = [0_u8; 8192];
    std::hint::black_box(&between);
    std::hint::black_box(count(std::hint::black_box(text)));
}

proptest! {
    /// As texts are read: in pieces, each into what room there is, the rest octet by octet.
    #[test]
    fn pieces_give_what_the_whole_gives(
        text in proptest::collection::vec(proptest::sample::select(b"\r\n\n\nabc".to_vec()), 0..1000),
        before in proptest::sample::select(b"\r\na".to_vec()),
        rooms in proptest::collection::vec(0..500usize, 1..8),
    ) {
        assert_counted(&text);
        let (mut rest, mut last, mut out) = (text.as_slice(), before, Vec::new());
        for room in rooms.into_iter().cycle() {
            let mut piece = Vec::with_capacity(room + 2);
            let read = append_crlf(rest, &mut last, &mut piece, room);
            let (_, after) = rest.split_at(read);
            let (one, after) = after.split_at(after.len().min(1));
            piece.extend(expected(one, last).0);
            last = one.last().copied().unwrap_or(last);
            out.append(&mut piece);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert!(out == expected(&text, before).0);
    }
}
