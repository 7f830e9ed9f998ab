//! Shares jobs out among threads: the longest first, and none takes more than its share of all that is not done, wherever it
//! is, so that all end at about the same time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::vec::IntoIter;

/// As many are taken together at most: RSA is done with eight at once, and what was looked at is still in the processor's
/// second cache when it is encrypted.
const MOST: usize = 8;

/// What has to be done to a message before its content takes as long as so many octets of it.
const PREPARING: usize = 20 << 10;

/// A job with its place among all, and how long it will take, in octets.
struct Queued<J> {
    place: usize,
    weight: usize,
    job: J,
}

/// The jobs that nobody works on yet.
pub(super) struct Queue<J>(Mutex<Left<J>>);

struct Left<J> {
    /// The heaviest first.
    jobs: IntoIter<Queued<J>>,
    /// Of all that are queued.
    weight: usize,
    /// What each thread took and did not finish.
    hands: Vec<usize>,
}

impl<J> Queue<J> {
    /// Jobs with the octets of their messages.
    pub(super) fn new(jobs: impl Iterator<Item = (usize, J)>, threads: usize) -> Queue<J> {
        let weighed = jobs.enumerate();
        let weighed = weighed.map(|(place, (octets, job))| Queued {
            place,
            weight: octets.saturating_add(PREPARING),
            job,
        });
        let mut jobs: Vec<Queued<J>> = weighed.collect();
        jobs.sort_by_key(|queued| std::cmp::Reverse(queued.weight));
        let weight = jobs.iter().map(|queued| queued.weight).sum();
        Queue(Mutex::new(Left { jobs: jobs.into_iter(), weight, hands: vec![0; threads.max(1)] }))
    }

    /// So many octets that thread number `thread` took are not done yet.
    pub(super) fn tell(&self, thread: usize, octets: usize) {
        if let Some(hand) = self.lock().hands.get_mut(thread) {
            *hand = octets;
        }
    }

    /// Some for this thread, each with its place; none if what it has is its share, or nothing is left. Whoever has nothing gets
    /// something.
    pub(super) fn take(&self, thread: usize) -> Vec<(usize, J)> {
        self.lock().take(thread)
    }

    fn lock(&self) -> MutexGuard<'_, Left<J>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> Left<J> {
    fn take(&mut self, thread: usize) -> Vec<(usize, J)> {
        let mut taken = Vec::new();
        while taken.len() < MOST
            && let Some(queued) =
                self.jobs.as_slice().first().filter(|queued| self.is_due(thread, queued.weight))
        {
            let weight = queued.weight;
            self.weight -= weight;
            self.hands.get_mut(thread).into_iter().for_each(|hand| *hand += weight);
            taken.extend(self.jobs.next().map(|queued| (queued.place, queued.job)));
        }
        taken
    }

    /// Does it belong to the share of that thread, by more than a half?
    fn is_due(&self, thread: usize, weight: usize) -> bool {
        let all = self.weight + self.hands.iter().sum::<usize>();
        let hand = self.hands.get(thread).copied().unwrap_or_default();
        hand == 0 || hand + weight / 2 <= all / self.hands.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The job is its place.
    fn queue(count: usize, threads: usize) -> Queue<usize> {
        Queue::new((0..count).map(|number| (SIZE, number)), threads)
    }

    const SIZE: usize = 75 << 10;
    const WEIGHT: usize = SIZE + PREPARING;

    fn take_all<J>(queue: &Queue<J>, thread: usize) -> usize {
        std::iter::from_fn(|| Some(queue.take(thread).len()).filter(|count| *count > 0)).sum()
    }

    #[test]
    fn one_thread_takes_all_the_longest_first_and_each_once() {
        let sizes = [5, 900_000, 7, 80_000, 6];
        let queue = Queue::new(sizes.into_iter().map(|size| (size, size)), 1);
        assert_eq!(queue.take(0), [(1, 900_000), (3, 80_000), (2, 7), (4, 6), (0, 5)]);
        assert_eq!(queue.take(0), []);
        let many = self::queue(100, 1);
        let mut places: Vec<usize> =
            std::iter::from_fn(|| Some(many.take(0)).filter(|taken| !taken.is_empty()))
                .flat_map(|taken| {
                    assert!(taken.len() <= MOST && taken.iter().all(|(place, job)| place == job));
                    taken.into_iter().map(|(place, _)| place)
                })
                .collect();
        places.sort_unstable();
        assert_eq!(places, (0..100).collect::<Vec<_>>());
    }

    /// What the other still has to do counts, and not only what is queued.
    #[test]
    fn the_last_are_shared_so_that_both_end_together() {
        for (other, gets) in [(16, 16), (8, 12), (0, 8)] {
            let queue = queue(16 + 16, 2);
            assert_eq!(take_all(&queue, 1), 16);
            queue.tell(1, other * WEIGHT);
            assert_eq!(take_all(&queue, 0), gets, "the other has {other}");
            assert_eq!(take_all(&queue, 0), 0);
        }
    }

    #[test]
    fn a_long_one_is_a_share_of_its_own() {
        let sizes = [900_000, 1_000, 1_000, 1_000, 1_000];
        let queue = Queue::new(sizes.into_iter().map(|size| (size, size)), 2);
        assert_eq!(take_all(&queue, 0), 1);
        assert_eq!(take_all(&queue, 1), 4);
    }

    /// More threads than jobs, a thread that knows nothing of the others, one without a number: nothing is left behind.
    #[test]
    fn who_has_nothing_gets_something() {
        let queue = queue(3, 8);
        for thread in [7, 0, 3] {
            assert_eq!(take_all(&queue, thread), 1);
            assert_eq!(take_all(&queue, thread), 0);
        }
        let queue = self::queue(3, 2);
        queue.tell(1, 100 * WEIGHT);
        assert_eq!(take_all(&queue, 0), 3);
        assert_eq!(take_all(&self::queue(3, 0), 5), 3);
    }

    #[test]
    fn it_goes_on_when_some_is_done() {
        let queue = queue(64, 2);
        let first = take_all(&queue, 0);
        assert_eq!(first, 32);
        queue.tell(0, 0);
        assert_eq!(take_all(&queue, 0), 16);
    }
}
