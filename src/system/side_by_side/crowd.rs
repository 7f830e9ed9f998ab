//! How many are at work at once, for tests.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// Whoever comes waits until so many are there, and then they go on together.
#[derive(Debug)]
pub(crate) struct Crowd {
    size: usize,
    state: Mutex<State>,
    full: Condvar,
}

#[derive(Debug, Default)]
struct State {
    inside: usize,
    most: usize,
    /// Of the crowd that waits.
    waiting: usize,
    crowds: usize,
}

impl Crowd {
    pub(crate) fn of(size: usize) -> Crowd {
        Crowd { size, state: Mutex::default(), full: Condvar::new() }
    }

    /// Fails where nobody comes for a minute.
    pub(crate) fn visit(&self) {
        let mut state = self.state.lock().unwrap();
        (state.inside, state.waiting) = (state.inside + 1, state.waiting + 1);
        state.most = state.most.max(state.inside);
        let crowd = state.crowds;
        if state.waiting == self.size {
            (state.waiting, state.crowds) = (0, crowd + 1);
            self.full.notify_all();
        }
        let is_not_full = |state: &mut State| state.crowds == crowd;
        let minute = Duration::from_secs(60);
        let (mut state, waited) = self.full.wait_timeout_while(state, minute, is_not_full).unwrap();
        assert!(!waited.timed_out(), "{} at once, and not {}", state.waiting, self.size);
        state.inside -= 1;
    }

    /// So many were there at once since the last time.
    pub(crate) fn take_most(&self) -> usize {
        std::mem::take(&mut self.state.lock().unwrap().most)
    }
}
