//! What a backup holds of `state.sqlite`: datasets, which people write by hand, and who was answered, so that nobody is
//! answered twice. Both lie in tables of their own in the file of the backup, beside those of the directory.

use super::{AdminError, SqliteDirectory};
use rusqlite::{Connection, params};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS state_datasets (account_id TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    added BIGINT NOT NULL, PRIMARY KEY (account_id, name, value));
CREATE TABLE IF NOT EXISTS state_replies (account TEXT NOT NULL, rule TEXT NOT NULL, sender TEXT NOT NULL,
    sent BIGINT NOT NULL, PRIMARY KEY (account, rule, sender));
";
const DATASETS: &str = "SELECT account_id, name, value, added FROM";
const REPLIES: &str = "SELECT account, rule, sender, sent FROM";

/// Three texts and a moment.
type Row = (String, String, String, i64);

/// Datasets and replies.
#[derive(Default)]
pub(super) struct Remembered {
    datasets: Vec<Row>,
    replies: Vec<Row>,
}

impl Remembered {
    /// What a backup holds; nothing if it was made when backups held none.
    pub(super) fn in_backup(at: &Connection) -> Result<Option<Remembered>, AdminError> {
        if !is_held(at)? {
            return Ok(None);
        }
        let datasets = rows(at, &format!("{DATASETS} state_datasets"))?;
        Ok(Some(Remembered { datasets, replies: rows(at, &format!("{REPLIES} state_replies"))? }))
    }

    /// Into the file of a backup.
    pub(super) fn write_to(&self, at: &mut Connection) -> Result<(), AdminError> {
        let transaction = at.transaction()?;
        transaction.execute_batch(TABLES)?;
        add(&transaction, "INSERT INTO state_datasets VALUES (?1, ?2, ?3, ?4)", &self.datasets)?;
        add(&transaction, "INSERT INTO state_replies VALUES (?1, ?2, ?3, ?4)", &self.replies)?;
        Ok(transaction.commit()?)
    }

    fn is_empty(&self) -> bool {
        self.datasets.is_empty() && self.replies.is_empty()
    }
}

/// How many datasets a backup holds.
pub(super) fn count_datasets(at: &Connection) -> Result<usize, AdminError> {
    if !is_held(at)? {
        return Ok(0);
    }
    let sql = "SELECT count(*) FROM (SELECT DISTINCT account_id, name FROM state_datasets)";
    let count: i64 = at.query_row(sql, [], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

fn is_held(at: &Connection) -> Result<bool, AdminError> {
    let sql = "SELECT count(*) = 2 FROM sqlite_schema WHERE name IN ('state_datasets', 'state_replies')";
    Ok(at.query_row(sql, [], |row| row.get(0))?)
}

fn rows(at: &Connection, sql: &str) -> Result<Vec<Row>, AdminError> {
    let mut statement = at.prepare(sql)?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn add(at: &Connection, sql: &str, rows: &[Row]) -> Result<(), AdminError> {
    let mut statement = at.prepare(sql)?;
    for (holder, name, value, moment) in rows {
        statement.execute(params![holder, name, value, moment])?;
    }
    Ok(())
}

impl SqliteDirectory {
    /// What `state.sqlite` remembers now.
    pub(super) fn remembered(&self) -> Result<Remembered, AdminError> {
        if !self.has_state() {
            return Ok(Remembered::default());
        }
        Ok(self.write_state(|at| {
            let datasets = rows(at, &format!("{DATASETS} datasets"))?;
            Ok(Remembered { datasets, replies: rows(at, &format!("{REPLIES} replies"))? })
        })?)
    }

    /// Datasets become those of the backup. Who was answered since stays answered. Mail on its way and marks of copies are
    /// of today, and are left alone.
    pub(super) fn remember_again(&self, backup: &Remembered) -> Result<(), AdminError> {
        if backup.is_empty() && !self.has_state() {
            return Ok(());
        }
        let replies = "INSERT INTO replies (account, rule, sender, sent) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (account, rule, sender) DO UPDATE SET sent = max(sent, excluded.sent)";
        let datasets = "INSERT INTO datasets (account_id, name, value, added) VALUES (?1, ?2, ?3, ?4)";
        Ok(self.write_state(|at| {
            at.execute("DELETE FROM datasets", [])?;
            add(at, datasets, &backup.datasets)?;
            add(at, replies, &backup.replies)
        })?)
    }
}
