//! Messages on their way through a run, some hundred at a time.

use super::budget::Permit;
use crate::mailbox::Outcome;
use crate::store::StoredMessage;
use std::error::Error;
use std::sync::mpsc::Sender;

/// In the order of their names.
pub(super) struct Batch<'a, T> {
    pub(super) entries: Vec<Entry<T>>,
    /// Messages beside them that the selection does not mean.
    pub(super) not_meant: u64,
    /// For the octets of their files.
    pub(super) permits: Vec<Permit<'a>>,
    /// Dropped when the batch is placed: the reader hears it.
    pub(super) in_hand: Option<Sender<()>>,
}

/// A message with what goes on with it, or with its end.
pub(super) struct Entry<T> {
    pub(super) stored: StoredMessage,
    pub(super) state: Result<T, Outcome>,
}

impl<T> Batch<'_, T> {
    pub(super) fn empty() -> Batch<'static, T> {
        Batch { entries: Vec::new(), not_meant: 0, permits: Vec::new(), in_hand: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.not_meant == 0
    }
}

impl<T> Entry<T> {
    pub(super) fn failed(stored: StoredMessage, error: &dyn Error) -> Entry<T> {
        Entry { stored, state: Err(Outcome::Failed(reason(error))) }
    }
}

/// What happened and why, down to the system's word.
pub(super) fn reason(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        text = format!("{text}: {deeper}");
        source = deeper.source();
    }
    text
}
