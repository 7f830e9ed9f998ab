//! Whom a message shall be sealed to, against whom it names.

use crate::cms::{Recipient, RecipientId};
use crate::mail::Address;
use crate::pki::{Certificate, ValidatedCertificate};
use crate::store::StoredMailbox;
use std::collections::HashSet;

/// The certificates that a message shall be sealed to, by what messages call them.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The names of each certificate.
    certificates: Vec<Vec<RecipientId>>,
    all: HashSet<RecipientId>,
}

impl Wanted {
    /// These certificates.
    pub fn of<'c>(certificates: impl IntoIterator<Item = &'c ValidatedCertificate>) -> Wanted {
        let mut wanted = Wanted::default();
        for names in
            certificates.into_iter().map(ValidatedCertificate::certificate).map(Certificate::recipient_ids)
        {
            wanted.all.extend(names.iter().cloned());
            wanted.certificates.push(names);
        }
        wanted
    }

    /// Is it one of them?
    pub fn names(&self, id: &RecipientId) -> bool {
        self.all.contains(id)
    }

    /// Do these recipients name each of the certificates, by any of its names, and nobody else? A recipient that has no
    /// name, like a password, is somebody else.
    pub fn are_exactly(&self, recipients: &[Recipient]) -> bool {
        let named: Option<HashSet<&RecipientId>> = recipients.iter().map(|to| to.id.as_ref()).collect();
        let Some(named) = named else { return false };
        let has = |names: &Vec<RecipientId>| names.iter().any(|name| named.contains(name));
        named.iter().all(|id| self.names(id)) && self.certificates.iter().all(has)
    }
}

/// Who it is that a message names, by the directory.
#[derive(Debug, Clone)]
pub enum NamedReader {
    /// Nobody whom it knows as an account.
    Stranger,
    /// An account, by an active or a retired certificate of it; or several that share one.
    Accounts(Vec<NamedAccount>),
}

/// An account that a message names.
#[derive(Debug, Clone)]
pub struct NamedAccount {
    /// Its address.
    pub address: Address,
    /// What becomes of its copy.
    pub share: Share,
}

/// What becomes of another account's copy. That a message names it says nothing: whoever can write to a stored file can put
/// any name there (RFC 5652 6.2: a RecipientInfo is not authenticated). A right on the mailbox decides, or the administrator.
#[derive(Debug, Clone)]
pub enum Share {
    /// It stays: these are what mail for the account is sealed to now, with its recovery certificate.
    Stays(Vec<ValidatedCertificate>),
    /// It should stay, and mail for the account cannot be sealed now: why.
    Unfit(String),
    /// It falls away.
    Falls,
}

/// Knows the accounts behind the names in messages.
pub trait Readers: Sync {
    /// One answer for each name that messages of the mailbox have, in their order, or why there is none. Asked once for
    /// many messages. A certificate that waits to be accepted makes nobody a reader.
    fn find(&self, mailbox: &StoredMailbox, named: &[RecipientId]) -> Result<Vec<NamedReader>, String>;
}
