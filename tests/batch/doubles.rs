//! A store and programs that do what a test says, and nothing besides.

use sealpost::engine::{CommandRun, Copy, HelperError, Helpers, Mailstore, Staged, StoreError};
use sealpost::mail::{Address, FolderName, MailboxName};
use sealpost::rules::{Answer, Command, Envelope};
use sealpost::store::MemoryStore;

type Ends = Vec<Result<(), StoreError>>;
type AllStaged = Vec<Result<Box<dyn Staged>, StoreError>>;

/// A store in memory with something between it and whoever stages or commits many.
pub(crate) struct OddStore<S, C> {
    pub(crate) store: MemoryStore,
    /// Instead of staging.
    pub(crate) stage: S,
    /// What becomes of the answers to a commit.
    pub(crate) commit: C,
}

impl<S, C> Mailstore for OddStore<S, C>
where
    S: Fn(&MemoryStore, &[&Copy<'_>]) -> AllStaged + Send + Sync,
    C: Fn(Ends) -> Ends + Send + Sync,
{
    fn stage(&self, copy: &Copy<'_>) -> Result<Box<dyn Staged>, StoreError> {
        self.store.stage(copy)
    }
    fn stage_all(&self, copies: &[&Copy<'_>]) -> AllStaged {
        (self.stage)(&self.store, copies)
    }
    fn commit_all(&self, staged: Vec<Box<dyn Staged>>) -> Ends {
        (self.commit)(self.store.commit_all(staged))
    }
    fn exists(&self, owner: &Address, mailbox: &MailboxName) -> Result<bool, StoreError> {
        self.store.exists(owner, mailbox)
    }
    fn mailboxes(&self, owner: &Address) -> Result<Vec<String>, StoreError> {
        self.store.mailboxes(owner)
    }
    fn holds(&self, owner: &Address, mailbox: &MailboxName, name: &str) -> Result<bool, StoreError> {
        self.store.holds(owner, mailbox, name)
    }
    fn holds_file(&self, owner: &Address, folder: &FolderName, name: &str) -> Result<bool, StoreError> {
        self.store.holds_file(owner, folder, name)
    }
}

/// Programs that succeed, and filters that accept.
pub(crate) struct Programs<X, A> {
    /// While a command runs.
    pub(crate) execute: X,
    /// While a filter is asked.
    pub(crate) ask: A,
}

impl<X, A> Helpers for Programs<X, A>
where
    X: Fn(&CommandRun<'_>) + Send + Sync,
    A: Fn() + Send + Sync,
{
    fn may_run(&self, _: &Command, _: &Envelope) -> Result<(), HelperError> {
        Ok(())
    }
    fn execute(&self, run: &CommandRun<'_>) -> Result<(), HelperError> {
        (self.execute)(run);
        Ok(())
    }
    fn ask(&self, _: &str, _: &[u8], _: &Envelope) -> Result<Answer, HelperError> {
        (self.ask)();
        Ok(Answer::Accept)
    }
}
