//! Certificates that are no account's, for reports.

use super::certificates::read_der;
use super::words::Word;
use super::{AdminError, CertificateUse, SqliteDirectory, domains};
use crate::pki::Certificate;
use rusqlite::Connection;

/// Where a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorityPlace {
    /// It is the domain's own.
    Domain(CertificateUse),
    /// In the chain above a domain's certificate.
    Chain,
    /// In the trusted set of a domain or the server.
    Trusted,
}

/// A certificate of a domain or the server.
#[derive(Debug, Clone)]
pub struct AuthorityCertificate {
    /// Whose; absent: the server's.
    pub domain: Option<String>,
    /// Where.
    pub place: AuthorityPlace,
    /// The certificate.
    pub certificate: Certificate,
}

/// Each table with the place that it stands for; a purpose is read from the third column.
const PLACES: [(&str, AuthorityPlace); 3] = [
    (
        "SELECT c.der, n.name, c.purpose FROM domain_certificates c
            JOIN domain_names n ON n.domain_id = c.domain_id AND n.main = 1 ORDER BY n.name, c.purpose",
        AuthorityPlace::Domain(CertificateUse::Generic),
    ),
    (
        "SELECT c.der, n.name, NULL FROM chain_certificates c
            JOIN domain_names n ON n.domain_id = c.domain_id AND n.main = 1 ORDER BY n.name, c.position",
        AuthorityPlace::Chain,
    ),
    (
        "SELECT c.der, n.name, NULL FROM trusted c
            LEFT JOIN domain_names n ON n.domain_id = c.domain_id AND n.main = 1 ORDER BY n.name, c.id",
        AuthorityPlace::Trusted,
    ),
];

impl SqliteDirectory {
    /// The certificates of domains, of the chains above them, and those that domains and server trust.
    pub fn authority_certificates(&self) -> Result<Vec<AuthorityCertificate>, AdminError> {
        self.read(|at| {
            let mut found = Vec::new();
            for (sql, place) in PLACES {
                read(at, sql, place, &mut found)?;
            }
            Ok(found)
        })
    }

    /// Has the domain no account at all?
    pub fn has_no_account(&self, domain: &str) -> Result<bool, AdminError> {
        self.read(|at| Ok(domains::account_count(at, &domains::known_id(at, domain)?)? == 0))
    }
}

fn read(
    at: &Connection,
    sql: &str,
    place: AuthorityPlace,
    found: &mut Vec<AuthorityCertificate>,
) -> Result<(), AdminError> {
    let mut statement = at.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let purpose = row.get::<_, Option<Word<CertificateUse>>>(2)?;
        let place = purpose.map_or(place, |word| AuthorityPlace::Domain(word.0));
        found.push(AuthorityCertificate { domain: row.get(1)?, place, certificate: read_der(row)? });
    }
    Ok(())
}
