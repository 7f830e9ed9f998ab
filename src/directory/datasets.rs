//! Datasets of accounts as people handle them: named sets of texts in `state.sqlite`. One that has no member is not there.
//!
//! Members are kept with small ASCII letters: conditions compare without regard to case, and so one is one.

use super::lookup::known_account;
use super::words::{self, Moment};
use super::{AdminError, SqliteDirectory};
use crate::engine::DirectoryError;
use crate::mail::Address;
use rusqlite::{Connection, params};
use time::OffsetDateTime;

/// Members of one dataset: rules look at all of them for each message, and a stranger who writes under many names must
/// not fill the disk. Ours.
pub const MOST_MEMBERS: usize = 100_000;

/// A dataset of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// How many members it has.
    pub members: usize,
    /// When the last one came.
    pub changed: OffsetDateTime,
}

/// A member of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The text.
    pub value: String,
    /// When it came.
    pub added: OffsetDateTime,
}

impl SqliteDirectory {
    /// The datasets of an account by name.
    pub fn datasets(&self, account: &Address) -> Result<Vec<Dataset>, AdminError> {
        self.of_account(account, |at, id| {
            let sql = "SELECT name, COUNT(*), MAX(added) FROM datasets WHERE account_id = ?1
                GROUP BY name ORDER BY name";
            let mut statement = at.prepare(sql)?;
            let found = statement.query_map([id], |row| {
                let members = usize::try_from(row.get::<_, i64>(1)?).unwrap_or_default();
                Ok(Dataset { name: row.get(0)?, members, changed: row.get::<_, Moment>(2)?.0 })
            })?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    /// The members of a dataset in their order.
    pub fn members(&self, account: &Address, dataset: &str) -> Result<Vec<Member>, AdminError> {
        self.of_account(account, |at, id| {
            let sql = "SELECT value, added FROM datasets WHERE account_id = ?1 AND name = ?2 ORDER BY value";
            let mut statement = at.prepare(sql)?;
            let found = statement.query_map([id, dataset], |row| {
                Ok(Member { value: row.get(0)?, added: row.get::<_, Moment>(1)?.0 })
            })?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    /// Does the account have a dataset of that name? Without an account: does anybody?
    pub fn has_dataset(&self, account: Option<&Address>, dataset: &str) -> Result<bool, AdminError> {
        let id = account.map(|account| self.read(|at| known_account(at, account))).transpose()?;
        Ok(self.write_state(|at| {
            let sql = "SELECT 1 FROM datasets WHERE (?1 IS NULL OR account_id = ?1) AND name = ?2 LIMIT 1";
            Ok(at.prepare(sql)?.exists(params![id, dataset])?)
        })?)
    }

    /// Adds members, all or none; those that are there already stay as they are. Gives the number of new ones.
    pub fn add_members(
        &self,
        account: &Address,
        dataset: &str,
        values: &[String],
    ) -> Result<usize, AdminError> {
        self.of_account(account, |at, id| {
            let before = count(at, id, dataset)?;
            let now = words::now();
            for value in values {
                insert(at, id, dataset, value, now)?;
            }
            match count(at, id, dataset)? {
                all if all > MOST_MEMBERS => Err(full(account, dataset).into()),
                all => Ok(all - before),
            }
        })
    }

    /// Takes members out. Gives the number of those that were there.
    pub fn remove_members(
        &self,
        account: &Address,
        dataset: &str,
        values: &[String],
    ) -> Result<usize, AdminError> {
        self.of_account(account, |at, id| {
            let sql = "DELETE FROM datasets WHERE account_id = ?1 AND name = ?2 AND value = ?3";
            let mut statement = at.prepare(sql)?;
            let mut removed = 0;
            for value in values {
                removed += statement.execute(params![id, dataset, value.to_ascii_lowercase()])?;
            }
            Ok(removed)
        })
    }

    /// Removes a dataset. Gives the number of its members.
    pub fn remove_dataset(&self, account: &Address, dataset: &str) -> Result<usize, AdminError> {
        self.of_account(account, |at, id| {
            let sql = "DELETE FROM datasets WHERE account_id = ?1 AND name = ?2";
            Ok(at.execute(sql, params![id, dataset])?)
        })
    }

    fn of_account<T>(
        &self,
        account: &Address,
        ask: impl FnOnce(&Connection, &str) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let id = self.read(|at| known_account(at, account))?;
        Ok(self.write_state(|at| ask(at, &id))?)
    }
}

/// Adds a member that may be there.
pub(super) fn insert(
    at: &Connection,
    id: &str,
    dataset: &str,
    value: &str,
    now: i64,
) -> Result<(), AdminError> {
    let sql = "INSERT INTO datasets (account_id, name, value, added) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO NOTHING";
    at.prepare_cached(sql)?.execute(params![id, dataset, value.to_ascii_lowercase(), now])?;
    Ok(())
}

/// How many members it has; no more than one too many are counted.
pub(super) fn count(at: &Connection, id: &str, dataset: &str) -> Result<usize, AdminError> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM datasets WHERE account_id = ?1 AND name = ?2 LIMIT ?3)";
    let most = i64::try_from(MOST_MEMBERS + 1).unwrap_or(i64::MAX);
    let count: i64 = at.prepare_cached(sql)?.query_row(params![id, dataset, most], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

pub(super) fn full(account: &Address, dataset: &str) -> DirectoryError {
    DirectoryError::FullDataset { account: account.clone(), dataset: dataset.to_owned(), most: MOST_MEMBERS }
}
