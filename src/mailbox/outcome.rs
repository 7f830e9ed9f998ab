//! What became of a message, for reports.

use crate::store::StoredMessage;
use serde::Serialize;

/// Why a message stays as it is, without a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Left {
    /// Sealed to exactly the wanted certificates, or clear where it should be.
    AlreadyRight,
    /// Sealed to every wanted account by an active certificate of it, and to others besides, as a delivery keeps it.
    AndOthers,
    /// Sealed to certificates of the owner, and not to all of today's: a rekey hands it over.
    OtherKeys,
    /// Sealed to others, and they are left alone.
    SealedToOthers,
    /// Sealed to the wanted, with algorithms that are not written any more. Other recipients do not change that: it is decrypted and encrypted anew, or wrapped.
    WeakAlgorithms,
    /// Encrypted with OpenPGP.
    OpenPgp,
    /// Not sealed: there is nothing to open.
    Clear,
    /// Removed or moved by somebody else meanwhile.
    Gone,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Other bytes took its place; with what should be known about it.
    Replaced {
        /// Octets before.
        before: u64,
        /// Octets now.
        after: u64,
        /// For the report.
        notes: Vec<String>,
    },
    /// The same in a dry run: nothing was changed.
    WouldReplace,
    /// It stays.
    Left(Left),
    /// It stays, and should not: why. Nothing of the message is in it.
    Failed(String),
}

/// A message and what became of it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// As it was listed.
    pub stored: StoredMessage,
    /// What became of it.
    pub outcome: Outcome,
}
