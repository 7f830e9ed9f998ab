//! One mailbox of one account: where mail comes from or goes to as a file.

use super::selection::no_mailbox;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::words;
use crate::config::Config;
use crate::directory::SqliteDirectory;
use crate::engine::Account;
use crate::mail::{Address, MailboxName};
use crate::store::{MaildirStore, StoredMailbox};
use std::sync::Arc;

/// Which.
#[derive(clap::Args)]
pub(super) struct One {
    /// Whose mailbox
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    pub(super) account: Address,
    /// Which mailbox [default: INBOX]
    #[arg(long, value_name = "BOX", value_parser = MailboxName::parse)]
    mailbox: Option<MailboxName>,
}

impl One {
    /// The mailbox's name.
    pub(super) fn name(&self) -> MailboxName {
        self.mailbox.clone().unwrap_or_else(MailboxName::inbox)
    }

    /// What is there of it. Files that only the caller may read are read before.
    pub(super) fn site(&self, context: &Context) -> Result<Site, Failure> {
        let (config, directory) = (context.config()?, context.directory_for_reading()?);
        let store = context.store(&config)?;
        let account = directory.account(&self.account)?;
        Ok(Site { name: self.name(), config, directory, store, account })
    }
}

/// The store, and the account in it.
pub(super) struct Site {
    pub(super) config: Config,
    pub(super) directory: SqliteDirectory,
    pub(super) store: MaildirStore,
    pub(super) account: Account,
    name: MailboxName,
}

impl Site {
    /// The mailbox's name.
    pub(super) fn name(&self) -> &MailboxName {
        &self.name
    }

    /// The mailbox, which must be there.
    pub(super) fn mailbox(&self) -> Result<Arc<StoredMailbox>, Failure> {
        let owner = &self.account.address;
        let found = self.store.stored_mailbox(owner, &self.name)?;
        found.ok_or_else(|| no_mailbox(&self.name, std::slice::from_ref(owner)))
    }

    /// The mailbox, which is made if it is not there.
    pub(super) fn made_mailbox(&self) -> Result<Arc<StoredMailbox>, Failure> {
        self.store.create(&self.account.address, &self.name)?;
        self.mailbox()
    }

    /// The mailbox as it would be.
    pub(super) fn mailbox_to_come(&self) -> Arc<StoredMailbox> {
        self.store.mailbox_to_come(&self.account.address, &self.name)
    }
}
