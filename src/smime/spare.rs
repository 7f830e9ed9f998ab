//! The room of a large sealed message, kept for the next one.
//!
//! The system gives memory page by page, at the first touch, and fills each with zeros: for the 8700 pages of what 25 MiB
//! become that takes half as long as their encryption. An allocator gives a large block back to the system when it is freed
//! (glibc: always from 32 MiB on), so that the next message would pay for all of them again. One block is kept, never more;
//! what it held is ciphertext.
//!
//! Huge pages (`madvise(2)`, MADV_HUGEPAGE) were tried in its place. They cost a fifth while the system has some at hand, and
//! up to six times as much as small ones where it must move others together, or get them from a host, first.

use std::mem;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Octets of the rooms that are kept. The allocator keeps smaller ones itself; with larger ones a process that seals for
/// long would hold more than it is worth.
const KEPT: RangeInclusive<usize> = 2 << 20..=64 << 20;

static SPARE: Spare = Spare(Mutex::new(Vec::new()));

/// Nothing yet, with room for so many octets at least.
pub(super) fn room(capacity: usize) -> Vec<u8> {
    SPARE.room(capacity)
}

/// For the next message, or back to the allocator.
pub(super) fn give_back(room: Vec<u8>) {
    SPARE.give_back(room);
}

/// The room that nobody uses.
struct Spare(Mutex<Vec<u8>>);

impl Spare {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room(&self, capacity: usize) -> Vec<u8> {
        if !KEPT.contains(&capacity) {
            return Vec::with_capacity(capacity);
        }
        let room = mem::take(&mut *self.lock());
        if room.capacity() >= capacity {
            return room;
        }
        // First, so that there are never both.
        drop(room);
        Vec::with_capacity(capacity)
    }

    /// Of two rooms the larger one is kept. What goes goes while nobody waits.
    fn give_back(&self, mut room: Vec<u8>) {
        room.clear();
        if KEPT.contains(&room.capacity()) {
            let mut spare = self.lock();
            if room.capacity() > spare.capacity() {
                mem::swap(&mut *spare, &mut room);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: usize = *KEPT.start();
    const MOST: usize = *KEPT.end();

    fn spare(capacity: usize) -> Spare {
        let spare = Spare(Mutex::new(Vec::new()));
        spare.give_back(vec![1; capacity]);
        spare
    }

    #[test]
    fn a_room_serves_the_next_and_nothing_is_in_it() {
        for (kept, wanted) in [(LEAST, LEAST), (MOST, LEAST), (MOST, MOST)] {
            let spare = spare(kept);
            let room = spare.room(wanted);
            assert_eq!((room.len(), room.capacity()), (0, kept));
            assert_eq!(spare.room(wanted).capacity(), wanted, "it is used once");
        }
    }

    #[test]
    fn what_is_small_or_very_large_is_not_kept() {
        for capacity in [0, LEAST - 1, MOST + 1] {
            assert_eq!(spare(capacity).lock().capacity(), 0);
            let spare = spare(MOST);
            assert_eq!(spare.room(capacity).capacity(), capacity);
            assert_eq!(spare.lock().capacity(), MOST, "it waits for others");
        }
    }

    #[test]
    fn there_is_one_and_it_is_the_larger() {
        let spare = spare(MOST - 1);
        for (given, kept) in [(LEAST, MOST - 1), (MOST, MOST), (MOST - 1, MOST)] {
            spare.give_back(Vec::with_capacity(given));
            assert_eq!(spare.lock().capacity(), kept);
        }
        let small = Spare(Mutex::new(Vec::with_capacity(LEAST)));
        assert_eq!(small.room(LEAST + 1).capacity(), LEAST + 1);
        assert_eq!(small.lock().capacity(), 0, "too small: it went before another came");
    }

    #[test]
    fn it_outlives_a_panic() {
        let spare = spare(LEAST);
        std::thread::scope(|scope| {
            let panicking = scope.spawn(|| {
                let _held = spare.lock();
                panic!("while it is held");
            });
            assert!(panicking.join().is_err());
        });
        assert_eq!(spare.room(LEAST).capacity(), LEAST);
    }
}
