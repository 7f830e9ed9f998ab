//! The revocation lists that domains sign, by number.

use super::words::{self, Moment};
use super::{AdminError, IssuedCertificate, SqliteDirectory, domains, issue};
use crate::pki::Crl;
use rusqlite::{Connection, params};
use time::OffsetDateTime;

/// A list that a domain has signed.
#[derive(Debug, Clone)]
pub struct SignedCrl {
    /// Its cRLNumber: one sequence for all lists of a domain.
    pub number: u64,
    /// The list.
    pub crl: Crl,
    /// When.
    pub signed: OffsetDateTime,
}

impl SqliteDirectory {
    /// Signs lists of a domain and records them, all or nothing: `sign` is given the number of the first one and what the
    /// domain has issued, and each list that it gives has the next number. No other process can take one of them.
    pub fn sign_crls(
        &self,
        domain: &str,
        sign: impl FnOnce(u64, &[IssuedCertificate]) -> Result<Vec<Crl>, AdminError>,
    ) -> Result<Vec<SignedCrl>, AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            let first = last_number(at, &id)?.saturating_add(1);
            let lists = sign(first, &issue::all(at, &id)?)?;
            let now = words::now();
            for (number, crl) in (first..).zip(&lists) {
                let sql = "INSERT INTO signed_crls (issuer, number, der, signed) VALUES (?1, ?2, ?3, ?4)";
                at.execute(sql, params![id, as_stored(number), crl.der(), now])?;
            }
            let moment = OffsetDateTime::from_unix_timestamp(now).unwrap_or(OffsetDateTime::UNIX_EPOCH);
            Ok((first..).zip(lists).map(|(number, crl)| SignedCrl { number, crl, signed: moment }).collect())
        })
    }

    /// The lists that a domain has signed, the newest first.
    pub fn signed_crls(&self, domain: &str) -> Result<Vec<SignedCrl>, AdminError> {
        self.read(|at| {
            let id = domains::known_id(at, domain)?;
            let sql = "SELECT der, number, signed FROM signed_crls WHERE issuer = ?1 ORDER BY number DESC";
            let mut statement = at.prepare(sql)?;
            let mut rows = statement.query([id])?;
            let mut lists = Vec::new();
            while let Some(row) = rows.next()? {
                let der = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
                let number = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
                lists.push(SignedCrl {
                    number,
                    crl: Crl::from_der(der)?,
                    signed: row.get::<_, Moment>(2)?.0,
                });
            }
            Ok(lists)
        })
    }
}

/// 0 if there is none yet.
fn last_number(at: &Connection, issuer: &str) -> Result<u64, AdminError> {
    let sql = "SELECT max(number) FROM signed_crls WHERE issuer = ?1";
    let last: Option<i64> = at.query_row(sql, [issuer], |row| row.get(0))?;
    Ok(last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0))
}

fn as_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
