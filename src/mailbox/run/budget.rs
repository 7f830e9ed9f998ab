//! How much of the mail may be in memory at one time.
//!
//! A message is counted from before its file is read until its new content is staged, by the octets of its file. Beside them lies
//! what is made of it (base64 of a sealed message is 4/3 of it) and, for as many messages as are staged at one time, what is
//! read back: a run holds at most about three times the budget, or of one message that is larger than the budget, which goes alone.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Octets that may be taken, in the order in which they are asked for: a large message is not passed by small ones forever.
pub(super) struct Budget {
    limit: u64,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    taken: u64,
    next: u64,
    serving: u64,
}

/// Octets that are given back when it is dropped.
pub(super) struct Permit<'a> {
    budget: &'a Budget,
    octets: u64,
}

impl Budget {
    pub(super) fn of(limit: u64) -> Budget {
        Budget { limit, state: Mutex::default(), freed: Condvar::new() }
    }

    /// Waits for its turn and for room. Whoever waits here must hold no permit, or all could wait for each other.
    pub(super) fn take(&self, octets: u64) -> Permit<'_> {
        let mut state = self.state();
        let ticket = state.next;
        state.next += 1;
        while state.serving != ticket || !self.has_room(&state, octets) {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.serving += 1;
        state.taken += octets;
        self.freed.notify_all();
        Permit { budget: self, octets }
    }

    /// The same without waiting.
    pub(super) fn try_take(&self, octets: u64) -> Option<Permit<'_>> {
        let mut state = self.state();
        if state.serving != state.next || !self.has_room(&state, octets) {
            return None;
        }
        state.taken += octets;
        Some(Permit { budget: self, octets })
    }

    fn has_room(&self, state: &State, octets: u64) -> bool {
        state.taken == 0 || state.taken.saturating_add(octets) <= self.limit
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.budget.state();
        state.taken = state.taken.saturating_sub(self.octets);
        drop(state);
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[test]
    fn what_is_larger_than_all_goes_alone() {
        let budget = Budget::of(10);
        let large = budget.try_take(1000).unwrap();
        assert!(budget.try_take(0).is_none(), "beside what is too large there is room for nothing");
        drop(large);
        let small = budget.try_take(10).unwrap();
        assert!(budget.try_take(1).is_none());
        drop(small);
        assert!(budget.try_take(1).is_some());
    }

    #[test]
    fn a_large_one_is_not_passed_by() {
        let (budget, has_large) = (Budget::of(10), AtomicBool::new(false));
        let first = budget.take(5);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let _large = budget.take(100);
                has_large.store(true, Ordering::SeqCst);
            });
            while budget.state().next < 2 {
                std::thread::sleep(Duration::from_millis(1));
            }
            assert!(budget.try_take(1).is_none(), "somebody waits");
            assert!(!has_large.load(Ordering::SeqCst));
            drop(first);
        });
        assert!(has_large.load(Ordering::SeqCst));
    }
}
