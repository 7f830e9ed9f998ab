//! Why the directory did not do what an administrator asked.

use crate::engine::DirectoryError;
use crate::mail::Address;
use crate::pki::{Fingerprint, PkiError};
use std::path::PathBuf;
use time::OffsetDateTime;

/// Why the directory could not be opened, or did not do what was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// Busy or broken.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// No store there.
    #[error("there is no store in {}: make one with sealpost --root {} init", .0.display(), .0.display())]
    NoStore(PathBuf),
    /// Somebody else can read our secrets.
    #[error("{} is open to others (mode {found:04o}): chmod {wanted:o} {}", .path.display(), .path.display())]
    WrongMode {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        found: u32,
        /// What they must be.
        wanted: u32,
    },
    /// A file that cannot be made or looked at.
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io {
        /// The verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// Written by a newer Sealpost.
    #[error(
        "the directory has layout {found} and this sealpost knows up to {known}: use the newer sealpost that made it"
    )]
    NewerSchema {
        /// Of the file.
        found: i64,
        /// The newest that we know.
        known: i64,
    },
    /// No such domain.
    #[error("there is no domain {0}")]
    NoDomain(String),
    /// No such account.
    #[error("there is no account {0}")]
    NoAccount(Address),
    /// What is no domain name.
    #[error("\"{name}\" is no domain name: {reason}")]
    DomainName {
        /// What was given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A name that a domain has already.
    #[error("{name} is already a name of the domain {domain}")]
    DomainTaken {
        /// The name.
        name: String,
        /// Whose it is.
        domain: String,
    },
    /// An address that an account has already.
    #[error("{address} is already an address of the account {account}")]
    AddressTaken {
        /// The address.
        address: Address,
        /// Whose it is.
        account: Address,
    },
    /// An alias that is not there.
    #[error("{alias} is no alias of {holder}")]
    NoAlias {
        /// The alias.
        alias: String,
        /// Domain or account.
        holder: String,
    },
    /// A domain that still has accounts.
    #[error("the domain {domain} still has accounts: remove them first ({count})")]
    HasAccounts {
        /// The domain.
        domain: String,
        /// How many.
        count: usize,
    },
    /// Mail sealed to these keys could never be opened again.
    #[error(
        "{holder} has keys, and what is sealed to them cannot be opened without them: {}",
        list(.fingerprints)
    )]
    KeysWouldBeLost {
        /// Domain or account.
        holder: String,
        /// Keys that were not named to be forgotten.
        fingerprints: Vec<Fingerprint>,
    },
    /// The domain has its key.
    #[error("the domain {domain} has a key already ({fingerprint}): remove it first")]
    KeyExists {
        /// The domain.
        domain: String,
        /// SHA-256 of its SubjectPublicKeyInfo.
        fingerprint: Fingerprint,
    },
    /// Somebody else was faster.
    #[error(
        "the key of the domain {domain} was changed meanwhile: look at it again (sealpost key show --domain {domain})"
    )]
    KeyChanged {
        /// The domain.
        domain: String,
    },
    /// The account has this key.
    #[error("the account {account} has the key {fingerprint} already")]
    KeyHeld {
        /// The account.
        account: Address,
        /// SHA-256 of its SubjectPublicKeyInfo.
        fingerprint: Fingerprint,
    },
    /// Somebody else was faster.
    #[error("the keys of {0} were changed by somebody else meanwhile: nothing was done, try again")]
    KeysChanged(Address),
    /// No such mail in the queue.
    #[error("there is no mail {0} in the queue")]
    NoMail(String),
    /// Too few digits.
    #[error("{0} names more than one mail of the queue: give more of it")]
    SeveralMails(String),
    /// Somebody sends it.
    #[error(
        "the mail {id} is being sent, or was when its sender died: it is claimed until {:02}:{:02}:{:02} UTC",
        .until.hour(), .until.minute(), .until.second()
    )]
    MailBusy {
        /// Its id.
        id: String,
        /// Nobody else touches it before, UTC.
        until: OffsetDateTime,
    },
    /// What is no key of the queue.
    #[error("{} is no key of the queue: {reason}", .path.display())]
    QueueKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Mail waits, and what opens it is gone.
    #[error(
        "{} is missing, and mail waits that was sealed under it (mails: {mails}, key {wanted}): put it back, or give the \
         mail up with: sealpost queue remove --unreadable",
        .path.display()
    )]
    QueueKeyGone {
        /// Where it was.
        path: PathBuf,
        /// How many mails.
        mails: usize,
        /// The id of the key.
        wanted: String,
    },
    /// Mail waits, and another key lies there.
    #[error(
        "{} is the key {found}, and mail waits that was sealed under another one (mails: {mails}, key {wanted}): put that \
         one back, or give the mail up with: sealpost queue remove --unreadable",
        .path.display()
    )]
    OtherQueueKey {
        /// The file.
        path: PathBuf,
        /// The id of what it holds.
        found: String,
        /// How many mails.
        mails: usize,
        /// The id of the key that they need.
        wanted: String,
    },
    /// What is no backup of a directory.
    #[error("{} is no backup of a directory: {reason}", .path.display())]
    NoBackup {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A directory with something in it.
    #[error("the store in {} has domains already ({domains}): nothing was restored", .root.display())]
    NotEmpty {
        /// The store.
        root: PathBuf,
        /// How many.
        domains: usize,
    },
    /// No such key.
    #[error("{0} has no such key")]
    NoKey(String),
    /// No such certificate.
    #[error("{0} has no such certificate")]
    NoCertificate(String),
    /// No chain above the domain's certificate.
    #[error("{0} has no chain")]
    NoChain(String),
    /// The certificate belongs to another key.
    #[error("the certificate holds the key {found}, and the key of {domain} is {wanted}")]
    OtherKey {
        /// The domain.
        domain: String,
        /// In the certificate.
        found: Fingerprint,
        /// Of the domain.
        wanted: Fingerprint,
    },
    /// This certificate is there.
    #[error("{account} has the certificate {fingerprint} already")]
    CertificateHeld {
        /// The account.
        account: Address,
        /// SHA-256 of its DER.
        fingerprint: Fingerprint,
    },
    /// The domain may not issue.
    #[error("{domain} issues nothing while its mode is {mode}")]
    NotIssuing {
        /// The domain.
        domain: String,
        /// Its mode.
        mode: &'static str,
    },
    /// Its authority is another one by now.
    #[error(
        "the authority of {0} was replaced while the certificate was made, which was thrown away: do it again"
    )]
    AuthorityChanged(String),
    /// The certificate names an address that is not the account's.
    #[error("{address} is no address of the account {account}")]
    OtherAddress {
        /// In the certificate.
        address: String,
        /// The account.
        account: Address,
    },
    /// The key has its certificate.
    #[error("the key {key} of {account} has a certificate already: {certificate}")]
    KeyCertified {
        /// The account.
        account: Address,
        /// SHA-256 of its SubjectPublicKeyInfo.
        key: Fingerprint,
        /// The newest certificate of it.
        certificate: Fingerprint,
    },
    /// No key need be made for it any more.
    #[error("{account} was given the certificate {certificate} meanwhile: no further key was made")]
    Served {
        /// The account.
        account: Address,
        /// Its certificate in use.
        certificate: Fingerprint,
    },
    /// No key need be made for it any more.
    #[error("{account} was given the key {key} meanwhile, which has no certificate yet: do it again")]
    KeyWaits {
        /// The account.
        account: Address,
        /// SHA-256 of its SubjectPublicKeyInfo.
        key: Fingerprint,
    },
    /// A key that is somebody else's.
    #[error("the key {key} is that of the account {account}: each account needs a key of its own")]
    KeyOfOther {
        /// SHA-256 of its SubjectPublicKeyInfo.
        key: Fingerprint,
        /// Whose it is.
        account: Address,
    },
    /// What should be renewed was renewed.
    #[error(
        "{certificate} is not the newest certificate of its key any more: {account} was given another one meanwhile"
    )]
    NotNewest {
        /// The account.
        account: Address,
        /// SHA-256 of its DER.
        certificate: Fingerprint,
    },
    /// Somebody else may have the key.
    #[error("the key {0} was revoked as compromised: it gets no certificate again, make a new key")]
    Compromised(Fingerprint),
    /// The certificate was taken back.
    #[error("{certificate} was revoked on {} ({reason})", at.date())]
    Revoked {
        /// SHA-256 of its DER.
        certificate: Fingerprint,
        /// From when on.
        at: OffsetDateTime,
        /// The word of the reason.
        reason: &'static str,
    },
    /// A certificate that was not taken back for a while.
    #[error("{0} is not on hold")]
    NotHeld(Fingerprint),
    /// No certificate of ours.
    #[error("{domain} has issued no certificate with the serial number {serial}")]
    NotIssued {
        /// The domain.
        domain: String,
        /// The serial number.
        serial: String,
    },
    /// It cannot be taken back before it was there.
    #[error("{certificate} was issued on {}: it cannot be revoked from an earlier day", issued.date())]
    BeforeIssue {
        /// SHA-256 of its DER.
        certificate: Fingerprint,
        /// When.
        issued: OffsetDateTime,
    },
    /// A certificate or key that the directory holds, or was given, is broken.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// Nothing to end.
    #[error("no rules run for {0}")]
    NoRules(String),
    /// Somebody else was faster.
    #[error(
        "the rules for {0} were changed by somebody else meanwhile: nothing was done, look at them again"
    )]
    RulesChanged(String),
    /// A right that was not granted.
    #[error("there is no such right to revoke on {0}")]
    NoGrant(String),
}

fn list(fingerprints: &[Fingerprint]) -> String {
    fingerprints.iter().map(Fingerprint::to_string).collect::<Vec<_>>().join(", ")
}

impl From<rusqlite::Error> for AdminError {
    fn from(error: rusqlite::Error) -> AdminError {
        AdminError::Directory(fault(&error))
    }
}

/// Busy is told apart because it passes.
pub(super) fn fault(error: &rusqlite::Error) -> DirectoryError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => DirectoryError::Busy,
        _ => DirectoryError::Failed(error.to_string()),
    }
}

/// What delivery is told of an error met while reading.
impl From<AdminError> for DirectoryError {
    fn from(error: AdminError) -> DirectoryError {
        match error {
            AdminError::Directory(error) => error,
            other => DirectoryError::Failed(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::{Connection, TransactionBehavior};

    #[test]
    fn a_held_lock_is_busy_and_everything_else_has_failed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut holder = Connection::open(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        let held = holder.transaction_with_behavior(TransactionBehavior::Exclusive).unwrap();
        let wanted = other.busy_timeout(std::time::Duration::ZERO);
        let wanted = wanted.and_then(|()| other.execute_batch("CREATE TABLE t (a)")).unwrap_err();
        assert!(matches!(fault(&wanted), DirectoryError::Busy), "{wanted}");
        drop(held);
        let wrong = other.execute_batch("SELECT * FROM missing").unwrap_err();
        assert!(matches!(fault(&wrong), DirectoryError::Failed(_)));
    }
}
