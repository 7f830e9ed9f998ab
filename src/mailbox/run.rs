//! A run over the messages of accounts.

mod event;

pub use event::Event;

use super::{Left, Made, Outcome, Read, Seen, Selection, Work};
use crate::crypto::SecretBytes;
use crate::directory::{SqliteDirectory, StepMark};
use crate::engine::{DirectoryError, StoreError};
use crate::mail::{Address, MailboxName};
use crate::store::{MaildirStore, Replaced, Replacement, RunId, StoredMailbox, StoredMessage};
use std::fs::Metadata;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where a run works, and how.
pub struct Run<'a> {
    /// The mail.
    pub store: &'a MaildirStore,
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
    /// The disk takes no more: one message after the other failed.
    #[error("{failures} messages in a row could not be written, the last because: {last}")]
    GaveUp {
        /// How many.
        failures: usize,
        /// Why the last one.
        last: String,
    },
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

impl Run<'_> {
    /// Works on the messages of an account and tells of each.
    pub fn account(
        &self,
        scope: &Scope<'_>,
        work: &dyn Work,
        see: &mut dyn FnMut(Seen),
    ) -> Result<Ended, RunError> {
        for mailbox in self.mailboxes(scope)? {
            for stored in self.store.messages(&mailbox) {
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(Ended::Stopped);
                }
                let stored = stored?;
                if stored.run() == Some(self.id) || !scope.selection.by_name(&stored) {
                    continue;
                }
                if let Some(outcome) = self.message(&stored, scope.selection, work)? {
                    see(Seen { stored, outcome });
                }
            }
        }
        Ok(Ended::Whole)
    }

    /// Works on the messages of many accounts, some side by side, and tells of everything. What an account fails by is told,
    /// and the others go on.
    pub fn accounts(&self, accounts: &Accounts<'_>, works: &Works<'_>, see: &mut dyn FnMut(Event)) -> Ended {
        for owner in accounts.owners {
            if self.stop.load(Ordering::Relaxed) {
                return Ended::Stopped;
            }
            see(Event::Begins { owner: owner.clone(), done_before: 0 });
            let scope = Scope { owner, mailbox: accounts.mailbox, selection: accounts.selection };
            let ended = works(owner)
                .map_err(RunError::NoWork)
                .and_then(|work| self.account(&scope, &*work, &mut |seen| see(Event::Message(seen))));
            let owner = owner.clone();
            match ended {
                Ok(ended) => see(Event::Ends { owner, ended }),
                Err(error) => see(Event::Fails { owner, error }),
            }
        }
        Ended::Whole
    }

    /// How many messages a scope means, as far as names tell: the length of a bar. What this run made is not counted.
    pub fn count(&self, scope: &Scope<'_>) -> Result<u64, RunError> {
        let mut messages = 0;
        for mailbox in self.mailboxes(scope)? {
            for stored in self.store.messages(&mailbox) {
                let stored = stored?;
                messages += u64::from(stored.run() != Some(self.id) && scope.selection.by_name(&stored));
            }
        }
        Ok(messages)
    }

    /// The mailboxes that a scope names.
    pub fn mailboxes(&self, scope: &Scope<'_>) -> Result<Vec<Arc<StoredMailbox>>, RunError> {
        let mut all = self.store.stored_mailboxes(scope.owner)?;
        let Some(wanted) = scope.mailbox else { return Ok(all) };
        let folder = self.store.folder(scope.owner, wanted);
        all.retain(|mailbox| mailbox.folder() == folder);
        if all.is_empty() {
            return Err(RunError::NoMailbox { owner: scope.owner.clone(), mailbox: wanted.clone() });
        }
        Ok(all)
    }

    fn message(
        &self,
        stored: &StoredMessage,
        selection: &Selection,
        work: &dyn Work,
    ) -> Result<Option<Outcome>, RunError> {
        let Some((mut file, data)) = stored.open()? else { return Ok(Some(Outcome::Left(Left::Gone))) };
        if !selection.by_metadata(&data) {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(data.len()).unwrap_or(0));
        let read = file.read_to_end(&mut bytes);
        let bytes = SecretBytes::new(bytes);
        if let Err(error) = read {
            return Ok(Some(Outcome::Failed(error.to_string())));
        }
        if !selection.by_bytes(bytes.expose()) {
            return Ok(None);
        }
        let made = work.make(&[Read { stored, bytes: bytes.expose() }]).into_iter().next();
        self.outcome(stored, &data, made).map(Some)
    }

    fn outcome(
        &self,
        stored: &StoredMessage,
        data: &Metadata,
        made: Option<Made>,
    ) -> Result<Outcome, RunError> {
        let (content, proof, notes) = match made {
            None => return Ok(Outcome::Failed("nothing was made of it".into())),
            Some(Made::Leave(left)) => return Ok(Outcome::Left(left)),
            Some(Made::Fail(reason)) => return Ok(Outcome::Failed(reason)),
            Some(Made::Replace(..)) if self.dry_run => return Ok(Outcome::WouldReplace),
            Some(Made::Replace(content, proof, notes)) => (content, proof, notes),
        };
        let staged = self.store.stage_replacement((stored, data), self.id, &content)?;
        if !proof.holds(staged.read_back()?.expose()) {
            return Ok(Outcome::Failed("what was written is not what was read back".into()));
        }
        let mark = mark(&staged);
        self.journal.remember_steps(&[], std::slice::from_ref(&mark))?;
        let replaced = Replacement::commit_all(vec![staged]).into_iter().next();
        self.journal.remember_steps(&[mark], &[])?;
        match replaced.transpose()? {
            Some(Replaced::Done) => {
                Ok(Outcome::Replaced { before: data.len(), after: content.bytes().len() as u64, notes })
            }
            _ => Ok(Outcome::Left(Left::Gone)),
        }
    }
}

fn mark(staged: &Replacement) -> StepMark {
    let step = staged.step();
    StepMark {
        account: step.mailbox.owner.clone(),
        mailbox: step.mailbox.name.clone(),
        old: step.old,
        new: step.new,
        letters: step.letters,
    }
}
