//! Revocation lists of other authorities that the site was given.

use super::words::{self, Hex, Moment};
use super::{AdminError, SqliteDirectory, id};
use crate::pki::{Crl, Fingerprint, NameSet};
use rusqlite::{Connection, params};
use time::OffsetDateTime;

/// A list with its place in the directory.
#[derive(Debug, Clone)]
pub struct ForeignCrl {
    /// SHA-256 of its DER.
    pub fingerprint: Fingerprint,
    /// The list.
    pub crl: Crl,
    /// When it came.
    pub added: OffsetDateTime,
    /// Where from.
    pub source: String,
}

impl SqliteDirectory {
    /// Stores a list whose signature the caller has checked, and removes those that it replaces: both or nothing.
    pub fn add_crl(&self, crl: &Crl, source: &str, replaced: &[Fingerprint]) -> Result<(), AdminError> {
        self.write(|at| {
            for old in replaced {
                delete(at, *old)?;
            }
            let sql = "INSERT INTO foreign_crls (id, fingerprint, der, added, source)
                VALUES (?1, ?2, ?3, ?4, ?5)";
            let (row, print) = (id::fresh()?, crl.fingerprint().to_string());
            at.execute(sql, params![row, print, crl.der(), words::now(), source])?;
            Ok(())
        })
    }

    /// All lists, the oldest first.
    pub fn crls(&self) -> Result<Vec<ForeignCrl>, AdminError> {
        self.read(|at| all(at))
    }

    /// Removes a list; false if there is none of that fingerprint.
    pub fn remove_crl(&self, crl: Fingerprint) -> Result<bool, AdminError> {
        self.write(|at| delete(at, crl))
    }
}

fn delete(at: &Connection, crl: Fingerprint) -> Result<bool, AdminError> {
    Ok(at.execute("DELETE FROM foreign_crls WHERE fingerprint = ?1", [crl.to_string()])? > 0)
}

/// All lists, the oldest first.
pub(super) fn all(at: &Connection) -> Result<Vec<ForeignCrl>, AdminError> {
    let sql = "SELECT der, fingerprint, added, source FROM foreign_crls ORDER BY id";
    let mut statement = at.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut lists = Vec::new();
    while let Some(row) = rows.next()? {
        let der = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        lists.push(ForeignCrl {
            crl: Crl::from_der(der)?,
            fingerprint: row.get::<_, Hex>(1)?.0,
            added: row.get::<_, Moment>(2)?.0,
            source: row.get(3)?,
        });
    }
    Ok(lists)
}

/// The lists of these issuers, given as DER of their Names. Of others, which may be large, only the issuer is read.
pub(super) fn of_issuers(at: &Connection, issuers: &[Vec<u8>]) -> Result<Vec<Crl>, AdminError> {
    if issuers.is_empty() {
        return Ok(Vec::new());
    }
    let issuers = NameSet::of(issuers);
    let mut statement = at.prepare_cached("SELECT der FROM foreign_crls ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut lists = Vec::new();
    while let Some(row) = rows.next()? {
        let der = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        if Crl::issuer_of(der).is_some_and(|issuer| issuers.contains(issuer)) {
            lists.push(Crl::from_der(der)?);
        }
    }
    Ok(lists)
}
