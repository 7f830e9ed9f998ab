//! Marks of copies that server rules make, in `state.sqlite`.

use super::{SqliteDirectory, words};
use crate::engine::{DirectoryError, ServerCopy, ServerCopyState};
use rusqlite::{Connection, OptionalExtension, params};

/// Postfix gives a message up after 5 days; no queue id comes back after that.
const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

impl SqliteDirectory {
    pub(super) fn copy_states(&self, copies: &[ServerCopy]) -> Result<Vec<ServerCopyState>, DirectoryError> {
        if copies.is_empty() {
            return Ok(Vec::new());
        }
        self.write_state(|at| Ok(copies.iter().map(|copy| state(at, copy)).collect::<Result<_, _>>()?))
    }

    pub(super) fn begin_copies(&self, copies: &[(ServerCopy, String)]) -> Result<(), DirectoryError> {
        if copies.is_empty() {
            return Ok(());
        }
        let now = words::now();
        self.write_state(|at| {
            at.execute("DELETE FROM server_copies WHERE begun < ?1", [now - KEPT_SECONDS])?;
            for (copy, name) in copies {
                let key = params![copy.queue_id, copy.rule, copy.mailbox];
                at.execute(
                    "DELETE FROM server_copies WHERE queue_id = ?1 AND rule = ?2 AND mailbox = ?3",
                    key,
                )?;
                let sql = "INSERT INTO server_copies (queue_id, rule, mailbox, name, done, begun)
                    VALUES (?1, ?2, ?3, ?4, 0, ?5)";
                at.execute(sql, params![copy.queue_id, copy.rule, copy.mailbox, name, now])?;
            }
            Ok(())
        })
    }

    pub(super) fn finish_copies(&self, copies: &[ServerCopy]) -> Result<(), DirectoryError> {
        if copies.is_empty() {
            return Ok(());
        }
        self.write_state(|at| {
            for copy in copies {
                let sql =
                    "UPDATE server_copies SET done = 1 WHERE queue_id = ?1 AND rule = ?2 AND mailbox = ?3";
                at.execute(sql, params![copy.queue_id, copy.rule, copy.mailbox])?;
            }
            Ok(())
        })
    }
}

fn state(at: &Connection, copy: &ServerCopy) -> rusqlite::Result<ServerCopyState> {
    let sql = "SELECT name, done FROM server_copies WHERE queue_id = ?1 AND rule = ?2 AND mailbox = ?3";
    let found = at
        .query_row(sql, params![copy.queue_id, copy.rule, copy.mailbox], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
        })
        .optional()?;
    Ok(match found {
        None => ServerCopyState::Unknown,
        Some((_, true)) => ServerCopyState::Done,
        Some((name, false)) => ServerCopyState::Begun(name),
    })
}
