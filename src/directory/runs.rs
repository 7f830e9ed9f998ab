//! Runs over stored messages, in `state.sqlite`: which have not ended, and what they had in hand.

use super::{SqliteDirectory, words};
use crate::engine::DirectoryError;
use crate::mail::Address;
use rusqlite::{Connection, OptionalExtension, params};

/// A run that did not end is known again for so long, in seconds.
const LONGEST: i64 = 30 * 24 * 60 * 60;

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
    /// Which file the old one is: nothing else of its name is removed.
    pub file: String,
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
    /// Begins a run with that task, or goes on with the one that did not end. `fresh` is the number of a new one. What did not
    /// end and was not asked for again in 30 days is forgotten.
    pub fn begin_run(&self, task: &str, fresh: u64) -> Result<BegunRun, DirectoryError> {
        self.write_state(|at| {
            at.execute("DELETE FROM mailbox_runs WHERE started < ?1", [words::now() - LONGEST])?;
            if let Some(id) = unended(at, task)? {
                let sql = "UPDATE mailbox_runs SET started = ?2 WHERE task = ?1";
                at.execute(sql, params![task, words::now()])?;
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

    /// Forgets the steps that are done and remembers those that begin: one transaction, on the disk when this returns.
    pub fn remember_steps(&self, done: &[StepMark], begun: &[StepMark]) -> Result<(), DirectoryError> {
        self.write_state(|at| {
            let sql =
                "DELETE FROM mailbox_steps WHERE account = ?1 AND mailbox = ?2 AND old = ?3 AND new = ?4";
            let mut forget = at.prepare_cached(sql)?;
            for step in done {
                forget.execute(params![step.account.to_string(), step.mailbox, step.old, step.new])?;
            }
            // Again, where a group that failed is written once more.
            let sql =
                "INSERT OR REPLACE INTO mailbox_steps (account, mailbox, old, new, letters, file, begun)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let mut remember = at.prepare_cached(sql)?;
            for step in begun {
                let account = step.account.to_string();
                let StepMark { mailbox, old, new, letters, file, .. } = step;
                remember.execute(params![account, mailbox, old, new, letters, file, words::now()])?;
            }
            Ok(())
        })
    }

    /// Forgets those of these steps that are older than 30 days: what they name was looked for, and is not there.
    pub fn forget_late_steps(&self, steps: &[StepMark]) -> Result<(), DirectoryError> {
        self.write_state(|at| {
            let sql = "DELETE FROM mailbox_steps
                WHERE account = ?1 AND mailbox = ?2 AND old = ?3 AND new = ?4 AND begun < ?5";
            let (mut forget, latest) = (at.prepare(sql)?, words::now() - LONGEST);
            for step in steps {
                forget.execute(params![
                    step.account.to_string(),
                    step.mailbox,
                    step.old,
                    step.new,
                    latest
                ])?;
            }
            Ok(())
        })
    }

    /// What runs that are dead had in hand in the mailboxes of an account.
    pub fn steps_of(&self, account: &Address) -> Result<Vec<StepMark>, DirectoryError> {
        self.write_state(|at| {
            let sql = "SELECT mailbox, old, new, letters, file FROM mailbox_steps WHERE account = ?1";
            let mut statement = at.prepare(sql)?;
            let rows = statement.query_map([account.to_string()], |row| {
                let account = account.clone();
                let (mailbox, old, new) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(StepMark { account, mailbox, old, new, letters: row.get(3)?, file: row.get(4)? })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> (tempfile::TempDir, SqliteDirectory) {
        let folder = tempfile::tempdir().unwrap();
        let directory = SqliteDirectory::create(&folder.path().join("root")).unwrap();
        (folder, directory)
    }

    fn step(account: &str, new: &str) -> StepMark {
        let account = Address::parse(account).unwrap();
        let (mailbox, old) = ("INBOX".to_owned(), "1.old.mx".to_owned());
        let (letters, file) = ("FS".to_owned(), "12 34".to_owned());
        StepMark { account, mailbox, old, new: new.to_owned(), letters, file }
    }

    #[test]
    fn a_task_that_did_not_end_goes_on_under_its_number() {
        let (_folder, directory) = directory();
        let begin = |task, fresh| directory.begin_run(task, fresh).unwrap();
        assert_eq!(begin("a", u64::MAX), BegunRun { id: u64::MAX, resumed: false });
        assert_eq!(begin("b", 2), BegunRun { id: 2, resumed: false });
        assert_eq!(begin("a", 3), BegunRun { id: u64::MAX, resumed: true });
        directory.end_run(u64::MAX).unwrap();
        assert_eq!(begin("a", 4), BegunRun { id: 4, resumed: false });
        assert_eq!(begin("b", 5), BegunRun { id: 2, resumed: true });
    }

    #[test]
    fn what_did_not_end_is_forgotten_after_thirty_days() {
        let (_folder, directory) = directory();
        let age = |seconds: i64| {
            let sql = "UPDATE mailbox_runs SET started = ?1";
            directory.write_state(|at| Ok(at.execute(sql, [words::now() - seconds])?)).unwrap();
        };
        directory.begin_run("a", 1).unwrap();
        age(LONGEST - 60);
        assert!(directory.begin_run("a", 2).unwrap().resumed);
        age(LONGEST + 60);
        assert_eq!(directory.begin_run("a", 3).unwrap(), BegunRun { id: 3, resumed: false });
    }

    #[test]
    fn steps_are_remembered_until_they_are_done() {
        let (_folder, directory) = directory();
        let (anna, bob) = (step("anna@north.example", "1.new.mx"), step("bob@north.example", "2.new.mx"));
        directory.remember_steps(&[], &[anna.clone(), bob.clone()]).unwrap();
        directory.remember_steps(&[], std::slice::from_ref(&anna)).unwrap();
        assert_eq!(directory.steps_of(&anna.account).unwrap(), std::slice::from_ref(&anna));
        let next = step("anna@north.example", "3.new.mx");
        directory.remember_steps(std::slice::from_ref(&anna), std::slice::from_ref(&next)).unwrap();
        assert_eq!(directory.steps_of(&anna.account).unwrap(), [next]);
        assert_eq!(directory.steps_of(&bob.account).unwrap(), [bob]);
    }

    #[test]
    fn steps_that_nobody_finds_are_forgotten_after_thirty_days() {
        let (_folder, directory) = directory();
        let steps = ["1.new.mx", "2.new.mx"].map(|new| step("anna@north.example", new));
        directory.remember_steps(&[], &steps).unwrap();
        let age = |seconds: i64| {
            let sql = "UPDATE mailbox_steps SET begun = ?1";
            directory.write_state(|at| Ok(at.execute(sql, [words::now() - seconds])?)).unwrap();
        };
        age(LONGEST - 60);
        directory.forget_late_steps(&steps).unwrap();
        assert_eq!(directory.steps_of(&steps[0].account).unwrap().len(), 2);
        age(LONGEST + 60);
        directory.forget_late_steps(&steps[..1]).unwrap();
        assert_eq!(directory.steps_of(&steps[0].account).unwrap(), steps[1..], "the other one was found");
    }

    /// What a run had in hand is not true of another day.
    #[test]
    fn a_backup_holds_no_runs() {
        let (folder, directory) = directory();
        directory.begin_run("a", 1).unwrap();
        directory.remember_steps(&[], &[step("anna@north.example", "1.new.mx")]).unwrap();
        let copy = folder.path().join("copy");
        directory.back_up(&copy).unwrap();
        let copy = Connection::open(copy).unwrap();
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'mailbox%'";
        assert_eq!(copy.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }
}
