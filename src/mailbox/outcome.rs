//! What became of a message, for reports.

use crate::store::StoredMessage;
use serde::Serialize;
use std::collections::BTreeSet;

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

impl Left {
    /// All of them, in their order. The last one says how many there are.
    pub const ALL: [Left; Left::Gone as usize + 1] = [
        Left::AlreadyRight,
        Left::AndOthers,
        Left::OtherKeys,
        Left::SealedToOthers,
        Left::WeakAlgorithms,
        Left::OpenPgp,
        Left::Clear,
        Left::Gone,
    ];
}

/// What should be known about a message that is replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// For the report.
    pub texts: Vec<String>,
    /// Addresses of other accounts that can open it as before.
    pub keep: BTreeSet<String>,
    /// Those of accounts that it named and that can no longer open it.
    pub lose: BTreeSet<String>,
}

impl From<Vec<String>> for Notes {
    fn from(texts: Vec<String>) -> Notes {
        Notes { texts, ..Notes::default() }
    }
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Other bytes took its place.
    Replaced {
        /// Octets before.
        before: u64,
        /// Octets now.
        after: u64,
        /// What should be known about it.
        notes: Notes,
    },
    /// The same in a dry run: nothing was changed.
    WouldReplace(Notes),
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
