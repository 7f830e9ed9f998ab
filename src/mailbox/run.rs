//! A run over the messages of accounts.
//!
//! Three stages work side by side on batches (`workshop`): messages are read (`read`), the work says what becomes of them (`make`),
//! and what it made takes their place (`place`), with a record of what is in hand (`journal`), which the next run finishes (`dead`). A run holds a lock on the
//! Maildir of the account that it works on (`lock`).

mod accounts;
mod batch;
mod budget;
mod dead;
mod event;
mod journal;
mod known;
mod lock;
mod make;
mod place;
mod prove;
mod read;
mod trouble;
mod workshop;

pub(super) use batch::reason;
pub use event::Event;
pub(super) use known::Known;
pub(super) use lock::Lock;
pub(super) use read::{MESSAGES, NAMES, OCTETS, RESTLESS, too_large, whole};
pub use trouble::GivenUp;

use super::{Selection, Work};
use crate::directory::SqliteDirectory;
use crate::engine::{DirectoryError, StoreError};
use crate::mail::{Address, MailboxName};
use crate::store::{Disk, Files, MaildirStore, RunId, StoredMailbox, StoredMessage};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Where a run works, and how.
pub struct Run<'a, F = Disk> {
    /// The mail.
    pub store: &'a MaildirStore<F>,
    /// What it has in hand is remembered there.
    pub journal: &'a SqliteDirectory,
    /// Set when it shall end after the messages in hand.
    pub stop: &'a AtomicBool,
    /// Its number.
    pub id: RunId,
    /// Did it begin before, and was interrupted? Then what it made is there already.
    pub resumed: bool,
    /// Only say what would be done.
    pub dry_run: bool,
    /// A larger message is a failure, octets: it would have to be in memory as a whole.
    pub largest: u64,
}

/// The messages of many accounts that a run looks at.
pub struct Accounts<'a> {
    /// Whose.
    pub owners: &'a [Address],
    /// One mailbox of each; absent: all of them.
    pub mailbox: Option<&'a MailboxName>,
    /// Which messages there.
    pub selection: &'a Selection,
}

/// Makes the work for an account, or says why there is none.
pub type Works<'a> = dyn Fn(&Address) -> Result<Box<dyn Work + 'a>, String> + Sync + 'a;

/// The messages of one account that a run looks at.
pub struct Scope<'a> {
    /// Whose.
    pub owner: &'a Address,
    /// One mailbox; absent: all of them.
    pub mailbox: Option<&'a MailboxName>,
    /// Which messages there.
    pub selection: &'a Selection,
}

/// Why a run over an account did not come to its end. What it did is done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// No such mailbox.
    #[error("mailbox {mailbox} of {owner} does not exist")]
    NoMailbox {
        /// Whose.
        owner: Address,
        /// Which.
        mailbox: MailboxName,
    },
    /// There is no work for the account: why.
    #[error("{0}")]
    NoWork(String),
    /// Another run holds the lock.
    #[error("another run is at work in the mailboxes of {0}; try again when it is done")]
    Busy(Address),
    /// The file system of the Maildir has no locks.
    #[error("the mailboxes of {owner} cannot be locked against other runs: {reason}")]
    NoLock {
        /// Whose.
        owner: Address,
        /// The system's word.
        reason: String,
    },
    /// The disk is full or read-only: one message after the other failed.
    #[error("{failures} messages in a row could not be written, the last because: {last}")]
    GaveUp {
        /// How many.
        failures: usize,
        /// Why the last one.
        last: String,
    },
    /// Mailboxes in which one message after the other failed; the others were worked on.
    #[error("{}", trouble::listed(.0))]
    GaveUpOn(Vec<GivenUp>),
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// How a run over an account ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every message was looked at.
    Whole,
    /// Somebody stopped it.
    Stopped,
}

impl<F: Files> Run<'_, F> {
    /// Works on the messages of many accounts, some side by side, and tells of everything, from the thread that calls. What an
    /// account fails by is told, and the others go on.
    pub fn accounts(&self, accounts: &Accounts<'_>, works: &Works<'_>, see: &mut dyn FnMut(Event)) -> Ended {
        accounts::run(self, accounts, works, see)
    }

    /// How many messages a scope means, as far as names tell: the length of a bar. What this run made is not counted.
    pub fn count(&self, scope: &Scope<'_>) -> Result<u64, RunError> {
        self.tally(scope, |stored| stored.run() != Some(self.id) && scope.selection.by_name(stored))
    }

    /// How many messages this run made before it was interrupted.
    fn done_before(&self, scope: &Scope<'_>) -> Result<u64, RunError> {
        if self.resumed { self.tally(scope, |stored| stored.run() == Some(self.id)) } else { Ok(0) }
    }

    fn tally(&self, scope: &Scope<'_>, counts: impl Fn(&StoredMessage) -> bool) -> Result<u64, RunError> {
        let mut messages = 0;
        for mailbox in self.mailboxes(scope)? {
            for stored in self.store.messages(&mailbox) {
                // What cannot be listed is told when it is worked on.
                messages += u64::from(stored.is_ok_and(|stored| counts(&stored)));
            }
        }
        Ok(messages)
    }

    /// The mailboxes that a scope names.
    pub fn mailboxes(&self, scope: &Scope<'_>) -> Result<Vec<Arc<StoredMailbox>>, RunError> {
        let Some(wanted) = scope.mailbox else { return Ok(self.store.stored_mailboxes(scope.owner)?) };
        let found = self.store.stored_mailbox(scope.owner, wanted)?;
        let none = || RunError::NoMailbox { owner: scope.owner.clone(), mailbox: wanted.clone() };
        Ok(vec![found.ok_or_else(none)?])
    }
}
