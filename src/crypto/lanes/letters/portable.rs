//! Comparisons that the compiler makes vectors of, with whatever the processor has.

/// Fewer than an octet can count.
const RUN: usize = 64;

pub(super) fn spaces(text: &[u8]) -> Option<usize> {
    let (runs, rest) = text.as_chunks::<RUN>();
    let (mut spaces, mut foreign) = look(rest);
    for run in runs {
        let (more, other) = look(run);
        spaces += more;
        foreign |= other;
    }
    (!foreign).then_some(spaces)
}

/// How many of at most [`RUN`] octets are white space, and is one foreign? Nothing branches on one of them.
#[inline(always)]
fn look(run: &[u8]) -> (usize, bool) {
    let (mut spaces, mut foreign) = (0_u8, false);
    for &octet in run {
        let is_space = (octet == b' ') | (octet.wrapping_sub(b'\t') < 5);
        // From `/` to `9` they stand side by side.
        let is_letter =
            ((octet | 0x20).wrapping_sub(b'a') < 26) | (octet.wrapping_sub(b'/') < 11) | (octet == b'+');
        spaces += u8::from(is_space);
        foreign |= !(is_space | is_letter);
    }
    (usize::from(spaces), foreign)
}
