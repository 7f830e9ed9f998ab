//! What was read and not yet given away.

use zeroize::Zeroizing;

/// Less room than this is not made.
const LEAST: usize = 64 << 10;
/// A buffer of more than so much is given back as soon as less is needed.
const KEPT: usize = 2 << 20;

/// A queue of octets in one buffer. Each octet is moved a bounded number of times, and every buffer is wiped.
pub(super) struct Held {
    bytes: Zeroizing<Vec<u8>>,
    start: usize,
    /// About so many are held at most, as far as one knows: room is made for them, but not for half as many again.
    most: usize,
}

impl Held {
    /// Of about `most` octets when it is full.
    pub(super) fn of_about(most: usize) -> Held {
        Held { bytes: Zeroizing::default(), start: 0, most }
    }

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

    /// To the front of the buffer, if what is moved is no more than what was forgotten since the last time; or into a new one.
    fn make_room(&mut self, more: usize) {
        let (kept, wanted) = (self.octets().len(), self.octets().len() + more);
        let room = self.bytes.capacity();
        if kept <= self.start && wanted <= room && room <= KEPT {
            self.bytes.copy_within(self.start.., 0);
            self.bytes.truncate(kept);
            self.start = 0;
        } else {
            self.move_out(self.room_for(wanted));
        }
    }

    /// Half as much again as what is kept, so that the next time comes only after as much was pushed.
    fn room_for(&self, wanted: usize) -> usize {
        let ample = (wanted + wanted / 2).max(LEAST);
        if wanted <= self.most { ample.min(self.most.max(LEAST)) } else { ample }
    }

    /// A new buffer: growing the old one would leave a copy behind that nobody wipes.
    fn move_out(&mut self, room: usize) {
        let mut larger = Zeroizing::new(Vec::with_capacity(room));
        larger.extend_from_slice(self.octets());
        (self.bytes, self.start) = (larger, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_come_out_as_they_went_in() {
        let mut held = Held::of_about(usize::MAX);
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

    /// What is taken out leaves its room to what follows, and what is known to be enough is not exceeded.
    #[test]
    fn one_buffer_serves_whatever_passes_through() {
        let mut held = Held::of_about(1 << 20);
        while held.octets().len() < (1 << 20) - 60_000 {
            held.push(&[1; 60_000]);
        }
        assert_eq!(held.bytes.capacity(), 1 << 20);
        let buffer = held.bytes.as_ptr();
        for number in 0..100_u8 {
            held.advance(held.octets().len() - 3);
            held.push(&[number; 60_000]);
            assert_eq!((held.octets().len(), held.octets().last()), (60_003, Some(&number)));
        }
        assert_eq!((held.bytes.as_ptr(), held.bytes.capacity()), (buffer, 1 << 20));
    }

    /// Beyond what was expected as well.
    #[test]
    fn room_grows_by_a_part_of_what_is_there() {
        let (mut held, mut buffers) = (Held::of_about(100_000), 0);
        let mut room = 0;
        for _ in 0..10_000 {
            held.push(&[1; 1000]);
            buffers += usize::from(held.bytes.capacity() != room);
            room = held.bytes.capacity();
        }
        assert!(buffers < 20, "{buffers}");
    }

    #[test]
    fn room_is_given_back() {
        let mut held = Held::of_about(usize::MAX);
        held.push(&vec![0; 10 << 20]);
        held.advance(10 << 20);
        held.push(&vec![0; 6 << 20]);
        assert!(held.bytes.capacity() <= 9 << 20, "{}", held.bytes.capacity());
    }
}
