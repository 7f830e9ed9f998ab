//! Messages on their way through a run, some hundred at a time.

use super::budget::Permit;
use crate::mailbox::Outcome;
use crate::store::{StoredMailbox, StoredMessage};
use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::Sender;

/// In the order of their names.
pub(super) struct Batch<'a, T> {
    pub(super) entries: Vec<Entry<T>>,
    /// Messages beside them that the selection does not mean.
    pub(super) not_meant: u64,
    /// What could not be listed, and why.
    pub(super) unlisted: Vec<Unlisted>,
    /// For the octets of their files.
    pub(super) permits: Vec<Permit<'a>>,
    /// Dropped when the batch is placed: the reader hears it, and before that which messages were not there any more.
    pub(super) in_hand: Option<Sender<StoredMessage>>,
}

/// A file whose name cannot be read, or a folder.
pub(super) struct Unlisted {
    pub(super) mailbox: Arc<StoredMailbox>,
    pub(super) reason: String,
}

/// A message with what goes on with it, or with its end.
pub(super) struct Entry<T> {
    pub(super) stored: StoredMessage,
    pub(super) state: Result<T, Outcome>,
}

impl<T> Batch<'_, T> {
    pub(super) fn empty() -> Batch<'static, T> {
        Batch { entries: Vec::new(), not_meant: 0, unlisted: Vec::new(), permits: Vec::new(), in_hand: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.not_meant == 0 && self.unlisted.is_empty()
    }
}

impl<T> Entry<T> {
    pub(super) fn failed(stored: StoredMessage, error: &dyn Error) -> Entry<T> {
        Entry { stored, state: Err(Outcome::Failed(reason(error))) }
    }
}

/// What happened and why, down to the system's word.
pub(in crate::mailbox) fn reason(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        text = format!("{text}: {deeper}");
        source = deeper.source();
    }
    text
}
