//! Which messages a run has looked at.

use crate::store::StoredMessage;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// Hashes of mailbox and base name under a key that is drawn for each run, about 20 octets a message: 20 MB for a million. Two of
/// a million messages have the same one with a probability of 3 in 100 million; the second would be left for the next run.
#[derive(Default)]
pub(super) struct Known {
    keyed: RandomState,
    keys: HashSet<u64>,
}

impl Known {
    /// What stands for a message here: it stays when flags change.
    pub(super) fn key(&self, stored: &StoredMessage) -> u64 {
        self.keyed.hash_one((&stored.mailbox().name, stored.base()))
    }

    /// Is it the first time?
    pub(super) fn add(&mut self, key: u64) -> bool {
        self.keys.insert(key)
    }

    /// It was not there after all.
    pub(super) fn remove(&mut self, key: u64) {
        self.keys.remove(&key);
    }
}
