//! Preferences of accounts: names and values for the condition `Preference`.

use super::lookup::known_account;
use super::{AdminError, SqliteDirectory};
use crate::mail::Address;
use rusqlite::{Connection, params};

impl SqliteDirectory {
    /// The preferences of an account by name.
    pub fn preferences(&self, account: &Address) -> Result<Vec<(String, String)>, AdminError> {
        self.read(|at| list(at, &known_account(at, account)?))
    }

    /// Sets one; what it was before is gone.
    pub fn set_preference(&self, account: &Address, name: &str, value: &str) -> Result<(), AdminError> {
        self.write(|at| {
            let sql = "INSERT INTO preferences (account_id, name, value) VALUES (?1, ?2, ?3)
                ON CONFLICT (account_id, name) DO UPDATE SET value = ?3";
            at.execute(sql, params![known_account(at, account)?, name, value])?;
            Ok(())
        })
    }

    /// Takes one away. Was it there?
    pub fn unset_preference(&self, account: &Address, name: &str) -> Result<bool, AdminError> {
        self.write(|at| {
            let sql = "DELETE FROM preferences WHERE account_id = ?1 AND name = ?2";
            Ok(at.execute(sql, params![known_account(at, account)?, name])? > 0)
        })
    }
}

/// Name and value of each, by name.
pub(super) fn list(at: &Connection, id: &str) -> Result<Vec<(String, String)>, AdminError> {
    let sql = "SELECT name, value FROM preferences WHERE account_id = ?1 ORDER BY name";
    let mut statement = at.prepare_cached(sql)?;
    let found = statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}
