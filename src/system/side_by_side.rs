//! Work that waits for the disk, side by side. It is not for rayon, whose threads are for the processor alone.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, scope};

/// What becomes of each, in their order; at most so many at a time. Where the system has no more threads, fewer.
pub fn side_by_side<T: Send, R: Send>(items: Vec<T>, lanes: usize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let lanes = lanes.min(items.len());
    if lanes < 2 {
        return items.into_iter().map(work).collect();
    }
    let queue = Mutex::new(items.into_iter().enumerate());
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let lane = || {
        let mut done = Vec::new();
        while let Some((place, item)) = take() {
            done.push((place, work(item)));
        }
        done
    };
    let mut all = scope(|threads| {
        let spawn = |_| Builder::new().spawn_scoped(threads, lane).ok();
        let others: Vec<_> = (1..lanes).filter_map(spawn).collect();
        let mut all = lane();
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    });
    all.sort_unstable_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
pub(crate) mod crowd;

#[cfg(test)]
mod tests {
    use super::crowd::Crowd;
    use super::*;

    #[test]
    fn so_many_at_a_time_and_results_in_the_order_of_the_items() {
        let four = Crowd::of(4);
        let doubled = side_by_side((0..64).collect(), 4, |number| {
            four.visit();
            number * 2
        });
        assert_eq!(doubled, (0..64).map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!(four.take_most(), 4);
        assert_eq!(side_by_side(Vec::<u8>::new(), 4, |number| number), [0; 0]);
    }
}
