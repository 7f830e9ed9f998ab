//! Octets of memory that are shared by all sessions.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// So many octets, and who waits for some. Who has room and waits for more of the same would wait for ever, so nobody does.
#[derive(Debug)]
pub(super) struct Budget {
    most: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    /// The number of the next one who comes, and of the one whose turn it is.
    next: u64,
    turn: u64,
}

/// Octets that are somebody's until this is dropped.
#[derive(Debug)]
pub(super) struct Room {
    budget: Arc<Budget>,
    octets: u64,
}

impl Budget {
    pub(super) fn of(most: u64) -> Arc<Budget> {
        Arc::new(Budget { most, state: Mutex::default(), changed: Condvar::new() })
    }

    /// Waits for room, in the order of those who come. Whoever wants more than there is gets all of it, when nobody else has any.
    pub(super) fn wait(self: &Arc<Budget>, octets: u64) -> Room {
        let octets = octets.min(self.most);
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        while state.turn != number || state.used.saturating_add(octets) > self.most {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.turn += 1;
        state.used += octets;
        drop(state);
        self.changed.notify_all();
        Room { budget: Arc::clone(self), octets }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// Makes it larger, if that needs no waiting.
    pub(super) fn grow(&mut self, octets: u64) -> bool {
        let mut state = self.budget.lock();
        let used = state.used.saturating_add(octets);
        let fits = used <= self.budget.most;
        if fits {
            state.used = used;
            self.octets += octets;
        }
        fits
    }

    /// Makes it smaller.
    pub(super) fn shrink(&mut self, octets: u64) {
        let octets = octets.min(self.octets);
        self.octets -= octets;
        self.budget.lock().used -= octets;
        self.budget.changed.notify_all();
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.shrink(self.octets);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn who_finds_no_room_waits_for_who_has_it() {
        let budget = Budget::of(10);
        let first = budget.wait(6);
        let (told, heard) = channel();
        std::thread::scope(|threads| {
            let budget = &budget;
            let large = told.clone();
            threads.spawn(move || {
                let room = budget.wait(7);
                large.send("large").unwrap();
                drop(room);
            });
            while budget.lock().next < 2 {
                std::thread::yield_now();
            }
            // It would fit now, and comes later; beside the large one it does not.
            threads.spawn(move || {
                let room = budget.wait(4);
                told.send("small").unwrap();
                drop(room);
            });
            while budget.lock().next < 3 {
                std::thread::yield_now();
            }
            assert!(heard.recv_timeout(Duration::from_millis(20)).is_err());
            drop(first);
            assert_eq!([heard.recv().unwrap(), heard.recv().unwrap()], ["large", "small"]);
        });
        assert_eq!(budget.lock().used, 0);
    }

    #[test]
    fn room_grows_as_far_as_there_is_some_and_shrinks() {
        let budget = Budget::of(10);
        let (mut one, other) = (budget.wait(4), budget.wait(2));
        assert!(!one.grow(5) && one.grow(4) && !one.grow(1));
        one.shrink(3);
        assert!(one.grow(3));
        drop(other);
        drop(one);
        assert_eq!(budget.lock().used, 0);
        let all = budget.wait(1000);
        assert_eq!((all.octets, budget.lock().used), (10, 10));
    }
}
