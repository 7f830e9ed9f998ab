//! What the engine asks of the world. Synchronous, `Send + Sync`, batch-shaped.

use super::{Account, LargeContent, PlainConsent, Route};
use crate::mail::{Address, FileName, Flag, FolderName, MailboxName};
use crate::pki::{Certificate, Crl};
use crate::rules::{Needs, ScopeKind};
use crate::smime::Sealed;
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use time::OffsetDateTime;

/// The wall clock.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> OffsetDateTime;
}

/// The authorities that everybody trusts, whatever the directory says. Read when something asks for them.
pub trait BuiltIn: Send + Sync {
    /// All of them.
    fn certificates(&self) -> Result<Arc<[Certificate]>, BuiltInError>;

    /// Another number once what was given holds no more: what was judged by it is to be forgotten then.
    fn generation(&self) -> u64 {
        0
    }
}

/// The built-in set cannot be read: the whole reason, with what to do. Always a doubt: 75.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BuiltInError(pub String);

/// The directory did not answer. Always a doubt: 75.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Another process holds it for longer than we wait.
    #[error("the directory is busy")]
    Busy,
    /// A dataset that takes no more members; what else was to be added is.
    #[error(
        "the dataset {dataset} of {account} has {most} members, and takes no more: sealpost dataset remove --account {account}"
    )]
    FullDataset {
        /// Whose.
        account: Address,
        /// Its name.
        dataset: String,
        /// So many are allowed.
        most: usize,
    },
    /// Everything else.
    #[error("the directory failed: {0}")]
    Failed(String),
}

/// A rule file as installed.
#[derive(Debug, Clone)]
pub struct InstalledRules {
    /// Server, domain or account.
    pub scope: ScopeKind,
    /// Domain or account; empty for the server.
    pub holder: String,
    /// The file's name, for messages.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// A copy that a server rule makes, known by queue id so that a second call does not store it again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerCopy {
    /// The MTA's queue id and a digest of the message: an MTA uses its ids again.
    pub queue_id: String,
    /// The rule's name.
    pub rule: String,
    /// `~owner@domain/Box`; of a clear copy `clear ~owner@domain/Box`.
    pub mailbox: String,
}

/// How far a [`ServerCopy`] has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerCopyState {
    /// Never seen.
    Unknown,
    /// About to be made visible under this name (a crash may have come between); ask the store whether it is there.
    Begun(String),
    /// Stored.
    Done,
}

/// What rules look up of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFacts {
    /// Those of its datasets that were asked for, by name.
    pub datasets: BTreeMap<String, Vec<String>>,
    /// Its preferences: name, value. Empty unless asked for.
    pub preferences: Vec<(String, String)>,
}

/// A value that a rule adds to a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Whose dataset.
    pub account: Address,
    /// Its name.
    pub dataset: String,
    /// The value; one that is there already stays as it is.
    pub value: String,
}

/// A state of the directory. It is another one whenever something may have been changed since, by whomever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation {
    /// Changes by others, as far as they can be told apart.
    pub others: i64,
    /// Changes by this process.
    pub own: u64,
}

/// Domains, accounts, certificates, rules, rights.
pub trait Directory: Send + Sync {
    /// Its state now: while it is the same, every answer but [`Directory::rule_facts`] and [`Directory::server_copies`] is.
    /// Nothing if that cannot be told: then no answer is kept.
    fn generation(&self) -> Result<Option<Generation>, DirectoryError> {
        Ok(None)
    }
    /// Where each address leads (exact, alias, without detail, catch-all).
    fn routes(&self, addresses: &[Address], delimiter: Option<char>) -> Result<Vec<Route>, DirectoryError>;
    /// Accounts by their canonical addresses.
    fn accounts(&self, addresses: &[Address]) -> Result<Vec<Option<Account>>, DirectoryError>;
    /// The server's rule sets, and those of the domains and accounts named.
    fn rules(&self, accounts: &[Address]) -> Result<Vec<InstalledRules>, DirectoryError>;
    /// For each (owner, mailbox, actor): may the actor insert into it?
    fn may_insert(&self, asked: &[(Address, MailboxName, Address)]) -> Result<Vec<bool>, DirectoryError>;
    /// The revocation lists that the site was given from these issuers (DER of their Names). The signatures of the lists
    /// were checked when they came.
    fn revocation_lists(&self, issuers: &[Vec<u8>]) -> Result<Vec<Crl>, DirectoryError>;
    /// What the rules of these accounts look up.
    fn rule_facts(&self, asked: &[(Address, Needs)]) -> Result<Vec<AccountFacts>, DirectoryError>;
    /// Adds to datasets.
    fn remember(&self, values: &[Remembered]) -> Result<(), DirectoryError>;
    /// How far each server copy has come.
    fn server_copies(&self, copies: &[ServerCopy]) -> Result<Vec<ServerCopyState>, DirectoryError>;
    /// Records, durably, that the copies are about to become visible under these names.
    fn begin_server_copies(&self, copies: &[(ServerCopy, String)]) -> Result<(), DirectoryError>;
    /// Records that they are visible.
    fn finish_server_copies(&self, copies: &[ServerCopy]) -> Result<(), DirectoryError>;
}

/// What may be stored: sealed bytes, or clear ones with a consent.
pub enum Content<'a> {
    /// Sealed, or recognised as sealed by its sender.
    Sealed(Sealed),
    /// Clear: the bytes as they arrived (without the MTA's mbox line).
    Plain(&'a [u8], PlainConsent),
    /// Either of them, too large to be held.
    Large(LargeContent<'a>),
}

/// Where a copy goes, inside its owner's account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// A message in a mailbox.
    Mailbox(MailboxName),
    /// A file in a folder of the account's files. One of that name that is there stays; the new one gets a number.
    File(FolderName, FileName),
}

impl Place {
    /// The mailbox, if it is one.
    pub fn mailbox(&self) -> Option<&MailboxName> {
        match self {
            Place::Mailbox(mailbox) => Some(mailbox),
            Place::File(..) => None,
        }
    }

    /// The name of the mailbox or of the folder.
    pub fn name(&self) -> &str {
        match self {
            Place::Mailbox(mailbox) => mailbox.as_str(),
            Place::File(folder, _) => folder.as_str(),
        }
    }

    /// The file's name as it is asked for.
    pub fn file(&self) -> Option<String> {
        match self {
            Place::Mailbox(_) => None,
            Place::File(_, name) => Some(name.to_string()),
        }
    }
}

/// One copy to store.
pub struct Copy<'a> {
    /// Whose account.
    pub owner: Address,
    /// Where in it.
    pub place: Place,
    /// May the mailbox be created? A folder of files always is.
    pub create: bool,
    /// Flags of the new message; a file has none.
    pub flags: Vec<Flag>,
    /// The bytes.
    pub content: Content<'a>,
}

/// Why a copy could not be stored. Never with the message's content in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The mailbox does not exist and may not be created.
    #[error("mailbox {mailbox} of {owner} does not exist")]
    NoMailbox {
        /// Whose.
        owner: String,
        /// Which.
        mailbox: String,
    },
    /// Over quota: 4.2.2.
    #[error("the mailbox of {0} is full")]
    OverQuota(String),
    /// It is not known of which copies a store told and of which not.
    #[error("the store gave {answers} answers for {copies} copies")]
    Unanswered {
        /// How many were handed to it.
        copies: usize,
        /// What it said.
        answers: usize,
    },
    /// Everything else: what was done to which file.
    #[error("cannot {doing} {path}")]
    Io {
        /// The verb.
        doing: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
}

/// Written and synced, not visible. Dropping it undoes it.
pub trait Staged: Send {
    /// The unique base name under which it will be visible; of a file the name that it will have unless one is there.
    fn name(&self) -> &str;
    /// Bytes of the file.
    fn size(&self) -> u64;
    /// What the log should say although the copy is whole.
    fn warnings(&self) -> &[String] {
        &[]
    }
    /// Makes it visible and syncs the directory.
    fn commit(self: Box<Self>) -> Result<(), StoreError>;
    /// By which a store that makes many visible together ([`Mailstore::commit_all`]) knows its own.
    fn as_any(&self) -> Option<&dyn Any> {
        None
    }
}

/// Where copies go.
pub trait Mailstore: Send + Sync {
    /// Writes and syncs the copy without making it visible.
    fn stage(&self, copy: &Copy<'_>) -> Result<Box<dyn Staged>, StoreError>;
    /// The same for many, side by side where that is faster: one answer for each, in their order, which is also the order in
    /// which readers of a mailbox will see them. One that fails fails alone.
    fn stage_all(&self, copies: &[&Copy<'_>]) -> Vec<Result<Box<dyn Staged>, StoreError>> {
        copies.iter().map(|copy| self.stage(copy)).collect()
    }
    /// [`Staged::commit`] for many that this store staged, with one sync of a directory for all that come into it: one answer
    /// for each, in their order. One that fails fails alone, or with all of its directory if that could not be synced.
    fn commit_all(&self, staged: Vec<Box<dyn Staged>>) -> Vec<Result<(), StoreError>> {
        staged.into_iter().map(|one| one.commit()).collect()
    }
    /// Does the mailbox exist?
    fn exists(&self, owner: &Address, mailbox: &MailboxName) -> Result<bool, StoreError>;
    /// The names of all mailboxes of the account, INBOX first.
    fn mailboxes(&self, owner: &Address) -> Result<Vec<String>, StoreError>;
    /// Does the mailbox hold a message with this base name?
    fn holds(&self, owner: &Address, mailbox: &MailboxName, name: &str) -> Result<bool, StoreError>;
    /// Is there a file of this name in this folder of the account's files?
    fn holds_file(&self, owner: &Address, folder: &FolderName, name: &str) -> Result<bool, StoreError>;
}
