//! Certificates by the beginning of their fingerprint, whoever has them.

use super::certificates::read_der;
use super::{AdminError, SqliteDirectory, recovery};
use crate::cms::RecipientId;
use crate::pki::Fingerprint;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// What messages call a certificate.
pub type RecipientIds = Vec<RecipientId>;

impl SqliteDirectory {
    /// The certificates of accounts, domain keys (of today and before) and recovery whose fingerprint begins with these
    /// hexadecimal digits in lower case, and what messages call each.
    pub fn certificates_beginning(
        &self,
        digits: &str,
    ) -> Result<BTreeMap<Fingerprint, RecipientIds>, AdminError> {
        self.read(|at| {
            let mut found = of_accounts(at, digits)?;
            for (holder, ids) in recovery::holders(at)? {
                if holder.certificate.to_string().starts_with(digits) {
                    found.insert(holder.certificate, ids);
                }
            }
            Ok(found)
        })
    }
}

fn of_accounts(at: &Connection, digits: &str) -> Result<BTreeMap<Fingerprint, RecipientIds>, AdminError> {
    let sql = "SELECT der FROM certificates WHERE substr(fingerprint, 1, length(?1)) = ?1";
    let mut statement = at.prepare(sql)?;
    let mut rows = statement.query([digits])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let certificate = read_der(row)?;
        found.insert(certificate.fingerprint(), certificate.recipient_ids());
    }
    Ok(found)
}
