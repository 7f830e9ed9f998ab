//! Whose certificates messages name.

use super::certificates::{read_der, revocation};
use super::lookup::main_address;
use super::words::{Hex, Moment, Word};
use super::{AdminError, SqliteDirectory};
use crate::cms::RecipientId;
use crate::engine::CertificateState;
use crate::mail::Address;
use crate::pki::{Certificate, Fingerprint, Revocation};
use rusqlite::{Connection, Row, params};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

/// An account that has a certificate which a recipient names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateHolder {
    /// Its canonical address.
    pub account: Address,
    /// The certificate.
    pub certificate: Fingerprint,
    /// Sealed to or not, as far as the account says.
    pub state: CertificateState,
    /// Its issuer, a domain of ours, took it back: nothing is sealed to it, whatever the account says.
    pub revoked: Option<Revocation>,
    /// When it came.
    pub added: OffsetDateTime,
}

impl SqliteDirectory {
    /// Who holds the certificate that each of these names, oldest first: nobody whom we know, one account, or several that
    /// share one. All questions see one state of the directory.
    pub fn certificate_holders(
        &self,
        named: &[&RecipientId],
    ) -> Result<Vec<Vec<CertificateHolder>>, AdminError> {
        self.read(|at| named.iter().map(|id| holders(at, id)).collect())
    }
}

fn holders(at: &Connection, named: &RecipientId) -> Result<Vec<CertificateHolder>, AdminError> {
    let sql = "SELECT c.account_id, c.fingerprint, c.state, c.added, i.revoked, i.reason FROM recipient_ids r
        JOIN certificates c ON c.id = r.certificate_id LEFT JOIN issued i ON i.fingerprint = c.fingerprint WHERE r.digest = ?1 ORDER BY c.id";
    let mut statement = at.prepare_cached(sql)?;
    let mut rows = statement.query([digest(named)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(holder(at, row)?);
    }
    Ok(found)
}

fn holder(at: &Connection, row: &Row<'_>) -> Result<CertificateHolder, AdminError> {
    Ok(CertificateHolder {
        account: main_address(at, &row.get::<_, String>(0)?)?,
        certificate: row.get::<_, Hex>(1)?.0,
        state: row.get::<_, Word<CertificateState>>(2)?.0,
        added: row.get::<_, Moment>(3)?.0,
        revoked: revocation(row, 4, 5)?,
    })
}

/// Makes a certificate known by what messages call it.
pub(super) fn index(at: &Connection, row: &str, certificate: &Certificate) -> Result<(), AdminError> {
    let sql = "INSERT INTO recipient_ids (digest, certificate_id) VALUES (?1, ?2)";
    for id in certificate.recipient_ids() {
        at.prepare_cached(sql)?.execute(params![digest(&id), row])?;
    }
    Ok(())
}

/// The same for all that an older layout holds. One that cannot be read stays unknown, and the store can be opened.
pub(super) fn index_all(at: &Connection) -> Result<(), AdminError> {
    let mut statement = at.prepare("SELECT der, id FROM certificates")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Ok(certificate) = read_der(row) {
            index(at, &row.get::<_, String>(1)?, &certificate)?;
        }
    }
    Ok(())
}

/// SHA-256 in hexadecimal: identifiers are of any length, and this is what is compared.
fn digest(id: &RecipientId) -> String {
    let mut hash = Sha256::new();
    match id {
        // The issuer is DER and tells where it ends.
        RecipientId::IssuerAndSerialNumber { issuer, serial } => {
            hash.update([0]);
            hash.update(issuer);
            hash.update(serial);
        }
        RecipientId::SubjectKeyIdentifier(key) => {
            hash.update([1]);
            hash.update(key);
        }
    }
    Fingerprint(hash.finalize().into()).to_string()
}
