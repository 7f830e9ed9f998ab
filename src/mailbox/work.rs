//! What is done with stored messages, apart from the disk.

use super::{Left, Notes, Proof};
use crate::store::{NewContent, StoredMessage};

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
#[expect(clippy::large_enum_variant, reason = "nearly every one is the large one")]
pub enum Made {
    /// This takes its place, once what was written proves right.
    Replace(NewContent, Proof, Notes),
    /// It stays as it is.
    Leave(Left),
    /// It stays, and that is a failure: why.
    Fail(String),
}

/// Why a message stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// Without a fault.
    Left(Left),
    /// That is a failure: why, and what to do. Nothing of the message is in it.
    Failed(String),
}

impl From<Stays> for Made {
    fn from(stays: Stays) -> Made {
        match stays {
            Stays::Left(left) => Made::Leave(left),
            Stays::Failed(reason) => Made::Fail(reason),
        }
    }
}
