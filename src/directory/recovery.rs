//! Recovery certificates, the further recipient of a domain's mail; and whose domain certificates messages name.

use super::certificates::read_der;
use super::words::{self, Moment};
use super::{AdminError, SqliteDirectory, domains};
use crate::cms::RecipientId;
use crate::pki::{Certificate, Fingerprint};
use rusqlite::{Connection, params};
use time::OffsetDateTime;

/// A recovery certificate with its place in the directory.
#[derive(Debug, Clone)]
pub struct RecoveryCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// When it came.
    pub added: OffsetDateTime,
}

impl SqliteDirectory {
    /// Gives a domain a recovery certificate in the place of the one before, which is given back. What was sealed to that
    /// one stays so.
    pub fn set_recovery(
        &self,
        domain: &str,
        certificate: &Certificate,
    ) -> Result<Option<Certificate>, AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            let before = take(at, &id)?;
            let sql = "INSERT INTO recovery_certificates (domain_id, der, added) VALUES (?1, ?2, ?3)";
            at.execute(sql, params![id, certificate.der(), words::now()])?;
            Ok(before)
        })
    }

    /// The recovery certificate of a domain.
    pub fn recovery(&self, domain: &str) -> Result<Option<RecoveryCertificate>, AdminError> {
        self.read(|at| look_up(at, &domains::known_id(at, domain)?))
    }

    /// Takes it away and gives it back; nothing if there was none.
    pub fn remove_recovery(&self, domain: &str) -> Result<Option<Certificate>, AdminError> {
        self.write(|at| take(at, &domains::known_id(at, domain)?))
    }
}

fn take(at: &Connection, id: &str) -> Result<Option<Certificate>, AdminError> {
    let before = of_domain(at, id)?;
    at.execute("DELETE FROM recovery_certificates WHERE domain_id = ?1", [id])?;
    Ok(before)
}

fn look_up(at: &Connection, id: &str) -> Result<Option<RecoveryCertificate>, AdminError> {
    let mut statement =
        at.prepare_cached("SELECT der, added FROM recovery_certificates WHERE domain_id = ?1")?;
    let mut rows = statement.query([id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(RecoveryCertificate { certificate: read_der(row)?, added: row.get::<_, Moment>(1)?.0 }))
}

/// The certificate as delivery wants it.
pub(super) fn of_domain(at: &Connection, id: &str) -> Result<Option<Certificate>, AdminError> {
    Ok(look_up(at, id)?.map(|held| held.certificate))
}

/// A domain that has a certificate which a recipient names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainHolder {
    /// Its main name.
    pub domain: String,
    /// Is it its recovery certificate, or one of its own key?
    pub recovery: bool,
    /// The certificate.
    pub certificate: Fingerprint,
    /// Is it one of today? Otherwise it was replaced or removed, and its key is kept.
    pub active: bool,
    /// When it came; of one that is kept: when it was replaced or removed.
    pub since: OffsetDateTime,
}

impl SqliteDirectory {
    /// Whose domain certificates these name: those of domain keys, of today and before, and recovery certificates. Domains are
    /// few: all of them are looked through, once.
    pub fn domain_holders(&self, named: &[&RecipientId]) -> Result<Vec<Vec<DomainHolder>>, AdminError> {
        let mut found = vec![Vec::new(); named.len()];
        for (holder, ids) in self.read(|at| holders(at))? {
            for (asked, answers) in named.iter().zip(&mut found) {
                if ids.contains(asked) {
                    answers.push(holder.clone());
                }
            }
        }
        Ok(found)
    }
}

/// Every certificate of a domain with what messages call it.
pub(super) fn holders(at: &Connection) -> Result<Vec<(DomainHolder, Vec<RecipientId>)>, AdminError> {
    let sql = "SELECT c.der, n.name, c.added, 0, 1 FROM domain_certificates c
            JOIN domain_names n ON n.domain_id = c.domain_id AND n.main = 1
        UNION ALL SELECT r.der, n.name, r.added, 1, 1 FROM recovery_certificates r
            JOIN domain_names n ON n.domain_id = r.domain_id AND n.main = 1
        UNION ALL SELECT a.der, n.name, a.retired, 0, 0 FROM retired_authorities a
            JOIN domain_names n ON n.domain_id = a.domain_id AND n.main = 1
            WHERE NOT EXISTS (SELECT 1 FROM domain_certificates c WHERE c.domain_id = a.domain_id AND c.der = a.der)";
    let mut statement = at.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let certificate = read_der(row)?;
        let holder = DomainHolder {
            domain: row.get(1)?,
            recovery: row.get(3)?,
            certificate: certificate.fingerprint(),
            active: row.get(4)?,
            since: row.get::<_, Moment>(2)?.0,
        };
        found.push((holder, certificate.recipient_ids()));
    }
    Ok(found)
}
