//! What was read and not yet given away.

use zeroize::Zeroizing;

/// Less room than this is not made.
const LEAST: usize = 64 << 10;

/// A queue of octets in one buffer. Each octet is moved a bounded number of times, and every buffer is wiped.
#[derive(Default)]
pub(super) struct Held {
    bytes: Zeroizing<Vec<u8>>,
    start: usize,
}

impl Held {
    /// All of it.
    pub(super) fn octets(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Forgets that many at the front.
    pub(super) fn advance(&mut self, octets: usize) {
        self.start = self.start.saturating_add(octets).min(self.bytes.len());
    }

    pub(super) fn push(&mut self, chunk: &[u8]) {
        if self.bytes.capacity() - self.bytes.len() < chunk.len() {
            self.make_room(chunk.len());
        }
        self.bytes.extend_from_slice(chunk);
    }

    /// A new buffer: growing the old one would leave a copy behind that nobody wipes. Half as much again as what is kept,
    /// so that the next time comes only after as much was pushed.
    fn make_room(&mut self, more: usize) {
        let wanted = self.octets().len() + more;
        let mut larger = Zeroizing::new(Vec::with_capacity((wanted + wanted / 2).max(LEAST)));
        larger.extend_from_slice(self.octets());
        (self.bytes, self.start) = (larger, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_come_out_as_they_went_in() {
        let mut held = Held::default();
        let all: Vec<u8> = (0..500_000_u32).map(|n| (n % 251) as u8).collect();
        let mut seen = Vec::new();
        for chunk in all.chunks(7777) {
            held.push(chunk);
            let taken = held.octets().len() / 2;
            seen.extend_from_slice(&held.octets()[..taken]);
            held.advance(taken);
        }
        seen.extend_from_slice(held.octets());
        assert!(seen == all);
        held.advance(usize::MAX);
        assert!(held.octets().is_empty());
    }

    #[test]
    fn room_is_given_back() {
        let mut held = Held::default();
        held.push(&vec![0; 10 << 20]);
        held.advance(10 << 20);
        held.push(&vec![0; 6 << 20]);
        assert!(held.bytes.capacity() <= 9 << 20, "{}", held.bytes.capacity());
    }
}
