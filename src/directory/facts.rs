//! What rules look up of accounts: preferences in `directory.sqlite`, datasets in `state.sqlite`.

use super::lookup::known_account;
use super::{AdminError, MOST_MEMBERS, SqliteDirectory, datasets, preferences, words};
use crate::engine::{AccountFacts, DirectoryError, Remembered};
use crate::mail::Address;
use crate::rules::Needs;
use rusqlite::{Connection, params};

impl SqliteDirectory {
    pub(super) fn facts_of(&self, asked: &[(Address, Needs)]) -> Result<Vec<AccountFacts>, DirectoryError> {
        let ids = self.ids_of(asked.iter().map(|(address, _)| address))?;
        let mut facts = self.read(|at| {
            let pairs = asked.iter().zip(&ids);
            pairs.map(|((_, needs), id)| preferences_asked(at, id, needs)).collect::<Result<Vec<_>, _>>()
        })?;
        if asked.iter().all(|(_, needs)| needs.datasets.is_empty()) {
            return Ok(facts);
        }
        self.write_state(|at| {
            for (((_, needs), id), facts) in asked.iter().zip(&ids).zip(&mut facts) {
                for name in &needs.datasets {
                    facts.datasets.insert(name.clone(), members(at, id, name)?);
                }
            }
            Ok(())
        })?;
        Ok(facts)
    }

    pub(super) fn add_to_datasets(&self, values: &[Remembered]) -> Result<(), DirectoryError> {
        let ids = self.ids_of(values.iter().map(|value| &value.account))?;
        let now = words::now();
        self.write_state(|at| {
            let mut full = None;
            for (value, id) in values.iter().zip(&ids) {
                let room = datasets::count(at, id, &value.dataset)? < MOST_MEMBERS;
                match room || has(at, id, value)? {
                    true => datasets::insert(at, id, &value.dataset, &value.value, now)?,
                    false => full = Some(datasets::full(&value.account, &value.dataset)),
                }
            }
            Ok(full)
        })?
        .map_or(Ok(()), Err)
    }

    fn ids_of<'a>(&self, accounts: impl Iterator<Item = &'a Address>) -> Result<Vec<String>, DirectoryError> {
        let accounts: Vec<&Address> = accounts.collect();
        Ok(self.read(|at| accounts.iter().map(|address| known_account(at, address)).collect())?)
    }
}

fn preferences_asked(at: &Connection, id: &str, needs: &Needs) -> Result<AccountFacts, AdminError> {
    if !needs.preferences {
        return Ok(AccountFacts::default());
    }
    Ok(AccountFacts { preferences: preferences::list(at, id)?, ..AccountFacts::default() })
}

/// Is it a member already?
fn has(at: &Connection, id: &str, value: &Remembered) -> Result<bool, AdminError> {
    let sql = "SELECT 1 FROM datasets WHERE account_id = ?1 AND name = ?2 AND value = ?3";
    Ok(at.prepare_cached(sql)?.exists(params![id, value.dataset, value.value])?)
}

fn members(at: &Connection, id: &str, name: &str) -> Result<Vec<String>, AdminError> {
    let sql = "SELECT value FROM datasets WHERE account_id = ?1 AND name = ?2 ORDER BY value";
    let mut statement = at.prepare_cached(sql)?;
    let found = statement.query_map([id, name], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}
