//! Domains, accounts, certificates, vault records, rules and rights in SQLite.
//!
//! `directory.sqlite` lies in the root. Delivery reads it through [`crate::engine::Directory`] and writes nothing to
//! it; administration goes through the methods of [`SqliteDirectory`], each of them one transaction. Marks of server
//! copies lie in a second file, `state.sqlite`, made when the first one is asked for.
//!
//! The SQL is portable: keys are made by the client (UUIDv7) or are natural, there are no triggers, no sequences and
//! no functions of one database, so that another database can stand behind the same trait.

mod accounts;
mod attempts;
mod authorities;
mod backup;
mod certificates;
mod copies;
mod crls;
mod datasets;
mod domains;
mod error;
mod facts;
mod fingerprints;
mod holders;
mod holdings;
mod id;
mod import;
mod issue;
mod keys;
mod ldap;
mod lookup;
mod open;
mod pending;
mod preferences;
mod queue;
mod recovery;
mod remembered;
mod restore;
mod revoke;
mod rights;
mod rules;
mod runs;
mod schema;
mod signed_crls;
mod trust;
mod words;

pub use accounts::{AccountChange, NewAccount};
pub use attempts::{UnlockAttempt, Unlocking};
pub use authorities::{RetiredAuthority, Rotation};
pub use backup::BackupContents;
pub use certificates::{AddedCertificate, CertificateRecord, CertificateUse, DomainCertificate};
pub use crls::ForeignCrl;
pub use datasets::{Dataset, MOST_MEMBERS, Member};
pub use domains::{DomainChange, NewDomain, Setting};
pub use error::AdminError;
pub use fingerprints::RecipientIds;
pub use holders::CertificateHolder;
pub use holdings::{AuthorityCertificate, AuthorityPlace};
pub use import::{ImportedCertificate, KeyImport};
pub use issue::{Follows, Issue, IssuedCertificate};
pub use keys::{DomainKey, KeyState, NewVaultKey, RewrappedKey, VaultKey};
pub use ldap::{ADDRESS, LdapEntry, LdapError, LdapSearch, LdapServer};
pub use open::SqliteDirectory;
pub use pending::{Offered, PendingCertificate};
pub use queue::{
    ClaimedMail, HeldEnd, HeldMail, MailState, OpenedMail, QueueKey, QueuedMail, QueuedRecipient, Settled,
    SqliteOutbox,
};
pub use recovery::{DomainHolder, RecoveryCertificate};
pub use restore::{CarriedOver, MayReplace, Restored};
pub use rights::{Grant, Right};
pub use rules::{Asked, InstalledSet, NewRules, RuleChange, RuleHolder};
pub use runs::{BegunRun, StepMark};
pub use signed_crls::SignedCrl;
pub use trust::{TrustHolder, TrustedCertificate};

#[cfg(test)]
mod tests;
