//! Which messages a run has looked at.

use crate::store::StoredMessage;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};

/// Hashes of mailbox and base name under a key that is drawn for each run, about 30 octets a message: 30 MB for a million. Two of
/// a million messages have the same one with a probability of 3 in 100 million; the second would be left for the next run.
#[derive(Default)]
pub(in crate::mailbox) struct Known {
    keyed: RandomState,
    /// With the inode of the file that was opened under that name, or 0.
    keys: HashMap<u64, u64>,
}

impl Known {
    /// What stands for a message here: it stays when flags change.
    pub(in crate::mailbox) fn key(&self, stored: &StoredMessage) -> u64 {
        self.keyed.hash_one((&stored.mailbox().name, stored.base()))
    }

    /// Is it the first time?
    pub(in crate::mailbox) fn add(&mut self, key: u64) -> bool {
        match self.keys.entry(key) {
            Entry::Vacant(new) => drop(new.insert(0)),
            Entry::Occupied(_) => return false,
        }
        true
    }

    /// Was it seen?
    pub(in crate::mailbox) fn has(&self, key: u64) -> bool {
        self.keys.contains_key(&key)
    }

    /// It was not there after all.
    pub(in crate::mailbox) fn remove(&mut self, key: u64) {
        self.keys.remove(&key);
    }

    /// What stands for something that is told once.
    pub(in crate::mailbox) fn key_of(&self, text: &str) -> u64 {
        self.keyed.hash_one(text)
    }

    /// Under that name this file was opened.
    pub(in crate::mailbox) fn opened(&mut self, key: u64, inode: u64) {
        self.keys.insert(key, inode);
    }

    /// Was another file opened under that name?
    pub(in crate::mailbox) fn is_another(&self, key: u64, inode: u64) -> bool {
        self.keys.get(&key).is_some_and(|known| ![0, inode].contains(known))
    }
}
