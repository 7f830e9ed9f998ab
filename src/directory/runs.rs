//! Runs over stored messages, in `state.sqlite`: which have not ended, and what they had in hand.

use super::{SqliteDirectory, words};
use crate::engine::DirectoryError;
use crate::mail::Address;
use rusqlite::{Connection, OptionalExtension, params};

/// A new file beside an old one, in names: what a run that dies leaves is found by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepMark {
    /// Whose mailbox.
    pub account: Address,
    /// Its name.
    pub mailbox: String,
    /// The old file's base name.
    pub old: String,
    /// The new file's base name.
    pub new: String,
    /// The letters with which the new one was made.
    pub letters: String,
}

/// A run that begins, or goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BegunRun {
    /// Its number.
    pub id: u64,
    /// Did one with the same task begin before, and not end?
    pub resumed: bool,
}

impl SqliteDirectory {
    /// Begins a run with that task, or goes on with the one that did not end. `fresh` is the number of a new one.
    pub fn begin_run(&self, task: &str, fresh: u64) -> Result<BegunRun, DirectoryError> {
        self.write_state(|at| {
            if let Some(id) = unended(at, task)? {
                return Ok(BegunRun { id, resumed: true });
            }
            let sql = "INSERT INTO mailbox_runs (id, task, started) VALUES (?1, ?2, ?3)";
            at.execute(sql, params![format!("{fresh:016x}"), task, words::now()])?;
            Ok(BegunRun { id: fresh, resumed: false })
        })
    }

    /// The run came to its end.
    pub fn end_run(&self, id: u64) -> Result<(), DirectoryError> {
        self.write_state(|at| {
            at.execute("DELETE FROM mailbox_runs WHERE id = ?1", [format!("{id:016x}")])?;
            Ok(())
        })
    }

    /// Forgets the steps that are done and remembers, durably, those that begin.
    pub fn remember_steps(&self, done: &[StepMark], begun: &[StepMark]) -> Result<(), DirectoryError> {
        self.write_state(|at| {
            for step in done {
                let sql =
                    "DELETE FROM mailbox_steps WHERE account = ?1 AND mailbox = ?2 AND old = ?3 AND new = ?4";
                at.execute(sql, params![step.account.to_string(), step.mailbox, step.old, step.new])?;
            }
            for step in begun {
                let sql = "INSERT INTO mailbox_steps (account, mailbox, old, new, letters)
                    VALUES (?1, ?2, ?3, ?4, ?5)";
                let account = step.account.to_string();
                at.execute(sql, params![account, step.mailbox, step.old, step.new, step.letters])?;
            }
            Ok(())
        })
    }

    /// What runs that are dead had in hand in the mailboxes of an account.
    pub fn steps_of(&self, account: &Address) -> Result<Vec<StepMark>, DirectoryError> {
        self.write_state(|at| {
            let sql = "SELECT mailbox, old, new, letters FROM mailbox_steps WHERE account = ?1";
            let mut statement = at.prepare(sql)?;
            let rows = statement.query_map([account.to_string()], |row| {
                let account = account.clone();
                let (mailbox, old) = (row.get(0)?, row.get(1)?);
                Ok(StepMark { account, mailbox, old, new: row.get(2)?, letters: row.get(3)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn unended(at: &Connection, task: &str) -> rusqlite::Result<Option<u64>> {
    let sql = "SELECT id FROM mailbox_runs WHERE task = ?1";
    let id: Option<String> = at.query_row(sql, [task], |row| row.get(0)).optional()?;
    Ok(id.and_then(|id| u64::from_str_radix(&id, 16).ok()))
}
