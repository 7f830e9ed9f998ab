//! Keys that come from elsewhere, with their certificates.

use super::lookup::known_account;
use super::{AdminError, NewVaultKey, SqliteDirectory, certificates, keys};
use crate::engine::CertificateState;
use crate::mail::Address;
use crate::pki::{Certificate, Fingerprint};
use rusqlite::Connection;

/// What one file brings for an account.
#[derive(Debug, Clone, Copy)]
pub struct KeyImport<'a> {
    /// Keys; those that the account has already stay as they are.
    pub keys: &'a [NewVaultKey<'a>],
    /// Certificates of these keys.
    pub certificates: &'a [ImportedCertificate<'a>],
    /// Where it all comes from: the name of the file.
    pub source: &'a str,
}

/// A certificate that comes with its key.
#[derive(Debug, Clone, Copy)]
pub struct ImportedCertificate<'a> {
    /// The certificate.
    pub certificate: &'a Certificate,
    /// Active: mail is sealed to it from now on. Retired: it says how old mail names the key.
    pub state: CertificateState,
}

impl SqliteDirectory {
    /// Stores keys and certificates, all of them or none. A certificate that the account has already stays as it is.
    /// Gives the keys that were new.
    pub fn import_keys(
        &self,
        account: &Address,
        import: &KeyImport<'_>,
    ) -> Result<Vec<Fingerprint>, AdminError> {
        self.write(|at| {
            let id = known_account(at, account)?;
            let held: Vec<Fingerprint> =
                keys::of_account(at, &id)?.into_iter().map(|key| key.fingerprint).collect();
            let mut new = Vec::new();
            for key in import.keys.iter().filter(|key| !held.contains(&key.fingerprint)) {
                keys::insert(at, &id, key)?;
                new.push(key.fingerprint);
            }
            import.certificates.iter().try_for_each(|one| add(at, account, &id, one, import.source))?;
            certificates::refresh_key_states(at, &id)?;
            Ok(new)
        })
    }
}

fn add(
    at: &Connection,
    account: &Address,
    id: &str,
    imported: &ImportedCertificate<'_>,
    source: &str,
) -> Result<(), AdminError> {
    let ImportedCertificate { certificate, state } = *imported;
    // Who has the key needs nobody's consent to its certificate.
    let is_it = |held: &certificates::CertificateRecord| {
        held.held.certificate == *certificate && held.held.state != CertificateState::Pending
    };
    if certificates::records(at, id)?.iter().any(is_it) {
        return Ok(());
    }
    match state {
        CertificateState::Active => certificates::add(at, account, certificate, source).map(drop),
        other => certificates::insert(at, id, certificate, other, source),
    }
}
