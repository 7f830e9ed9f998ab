//! What a rule file says, checked.

use crate::crypto::Profile;
use crate::mail::{Flag, MailboxRef};

/// Where a rule set is installed; some words are allowed in some scopes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScopeKind {
    /// The site: once per message; every mailbox name starts with `~`.
    Server,
    /// A domain: once per local recipient.
    Domain,
    /// An account: once per delivery to it.
    Account,
}

/// The rules of one file, in their order.
#[derive(Debug, Clone)]
pub struct RuleSet;

impl RuleSet {
    /// Reads a TOML rule file; a wrong file is refused whole, with every fault at once. `file` is the name shown.
    pub fn from_toml(file: &str, text: &str, scope: ScopeKind) -> Result<RuleSet, RuleFaults> {
        todo!("{file} {text} {scope:?}")
    }
}

/// Every fault of a rule file: file, line, column, a caret, what was found, what is allowed, the nearest name.
/// `Display` is the plain rendering.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{rendered}")]
pub struct RuleFaults {
    rendered: String,
}

/// Options of a `Store …` action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreOptions {
    /// Overrides the owner's profile.
    pub profile: Option<Profile>,
}

/// An action, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// `Store Encrypted in`
    StoreEncrypted(MailboxRef, StoreOptions),
    /// `Store in`
    Store(MailboxRef),
    /// `Mark`
    Mark(Vec<Flag>),
    /// `Reject with`
    Reject(String),
    /// `Discard`
    Discard,
    /// `Stop Processing`
    Stop,
}
