//! In the place of the octets, by what encodes from one place to another.

use super::LineEncoder;
use std::ops::Range;

/// The longest line, in octets.
const LONGEST: usize = 57;

/// The last `octets` of it become their text: as many lines at a time as stand clear of what they are made of. What is one
/// line, or does not fit beside what it becomes, goes through a buffer of a line.
pub(super) fn encode_in_place(encoder: &LineEncoder, out: &mut Vec<u8>, octets: usize) {
    let start = out.len().saturating_sub(octets);
    out.resize(start + encoder.encoded_len(octets), 0);
    let body = out.get_mut(start..).unwrap_or_default();
    let (line, width) = (encoder.shape.octets, encoder.shape.width());
    let mut lines = octets.div_ceil(line);
    while lines > 0 {
        let end = octets.min(lines * line);
        // Behind so many lines the text stands clear of the octets that it is made of.
        let first = end.div_ceil(width).min(lines - 1);
        encode_range(encoder, body, first, first * line..end);
        lines = first;
    }
}

/// The octets of that range become the lines from that one on. They may reach into the place of the text by a line at most.
fn encode_range(encoder: &LineEncoder, body: &mut [u8], first: usize, range: Range<usize>) {
    let Some((front, text)) = body.split_at_mut_checked(first * encoder.shape.width()) else { return };
    let mut line = [0; LONGEST];
    let octets = front.get(range.clone()).unwrap_or_else(|| {
        let octets = front.iter().chain(text.iter()).skip(range.start).take(range.len());
        line.iter_mut().zip(octets).for_each(|(slot, octet)| *slot = *octet);
        line.get(..range.len()).unwrap_or_default()
    });
    // No more room than it needs, and no less: what follows is written already.
    if let Some(text) = text.get_mut(..encoder.encoded_len(octets.len())) {
        let _ = encoder.engine.encode_slice(octets, text);
    }
}
