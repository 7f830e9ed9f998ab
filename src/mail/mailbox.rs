//! Names of mailboxes.

use super::Address;

/// A mailbox inside one account: levels joined by `/`, at least one; `INBOX` in any case is the inbox. A name that a
/// Maildir++ folder cannot carry (empty level, `.` or `..` level, leading `~`, control characters) is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MailboxName(String);

/// A mailbox as rules name it: `Box` of the acting account, or `~owner[@domain]/Box`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MailboxRef {
    /// The owner's local part or full address; absent: the acting account.
    pub owner: Option<Owner>,
    /// The mailbox.
    pub name: MailboxName,
}

/// The owner in a [`MailboxRef`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// `~account`: in the acting account's domain (server scope: the recipient's domain).
    Local(String),
    /// `~account@domain`.
    Full(Address),
}

/// Why a text is no mailbox name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no mailbox name: {reason}")]
pub struct MailboxNameError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl MailboxName {
    /// The inbox.
    pub fn inbox() -> MailboxName {
        MailboxName("INBOX".into())
    }
    /// Reads `Box/Sub`; `inbox` in any case becomes `INBOX`.
    pub fn parse(text: &str) -> Result<MailboxName, MailboxNameError> {
        todo!("{text}")
    }
    /// Is it the inbox?
    pub fn is_inbox(&self) -> bool {
        self.0 == "INBOX"
    }
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MailboxRef {
    /// Reads `Box/Sub`, `~owner/Box` or `~owner@domain/Box`.
    pub fn parse(text: &str) -> Result<MailboxRef, MailboxNameError> {
        todo!("{text}")
    }
}
