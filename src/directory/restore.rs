//! A backup in the place of the directory, while others work with it.
//!
//! All of it is one transaction, and nobody else writes from its begin to its end: what was there is kept beside, what is
//! there now comes out of the backup, and what must not be forgotten is carried over. So a restore can be seen whole or
//! not at all, also by hooks that have the directory open, and whatever was stored before it is in the kept file.
//! Only datasets lie in another database, and come just before: a crash between the two leaves those of the backup beside the
//! directory of before, until the restore is done again.
//!
//! What must not be forgotten are revocations: a backup of Sunday knows nothing of the key that was lost on Monday, and
//! a list that is numbered like one of Monday's is taken for that one.

use super::backup::{self, BackupContents, NewFile};
use super::remembered::Remembered;
use super::schema::{self, File};
use super::{AdminError, SqliteDirectory, keys, open};
use crate::pki::{Fingerprint, RevocationReason};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OpenFlags, Row, params, params_from_iter};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What a restore may take the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayReplace {
    /// A directory without domains.
    NoDomains,
    /// Any directory.
    Anything,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What is there now.
    pub contents: BackupContents,
    /// Where the directory of before lies, if there was something in it.
    pub kept: Option<PathBuf>,
    /// Keys that were there and are now in the kept directory only.
    pub gone: Vec<Fingerprint>,
    /// What is there though the backup has it not.
    pub carried: CarriedOver,
}

/// What a restore took over from the directory that it replaced, because the backup does not have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct CarriedOver {
    /// Certificates of our domains that were taken back, or put on hold.
    pub revocations: usize,
    /// Certificates that were issued, those among them that were taken back included.
    pub issued: usize,
    /// Revocation lists that were signed: their numbers are used.
    pub signed_lists: usize,
    /// Revocation lists of other authorities.
    pub foreign_lists: usize,
}

impl SqliteDirectory {
    /// Puts a backup in the place of the directory, and keeps what was there in a new file, if it was anything.
    pub fn restore(
        &self,
        from: &Path,
        keep_old: &Path,
        may_replace: MayReplace,
    ) -> Result<Restored, AdminError> {
        let incoming = incoming(from)?;
        let remembered = Remembered::in_backup(&incoming)?;
        let mut kept = None;
        self.connection().busy_timeout(backup::PATIENCE)?;
        let mut restored = self.write(|at| {
            at.busy_timeout(open::BUSY)?;
            self.require(at, may_replace)?;
            kept = self.keep(at, keep_old)?;
            let before = keys::all(at)?;
            replace(&incoming, at)?;
            let carried =
                kept.as_ref().map(|_| carry_over(&backup::open_backup(keep_old)?, at)).transpose()?;
            let after = keys::all(at)?;
            let contents = backup::contents(&incoming)?;
            remembered.as_ref().map_or(Ok(()), |remembered| self.remember_again(remembered))?;
            Ok(Restored {
                contents,
                kept: None,
                gone: before.into_iter().filter(|key| !after.contains(key)).collect(),
                carried: carried.unwrap_or_default(),
            })
        })?;
        restored.kept = kept.map(NewFile::keep);
        self.empty_log()?;
        Ok(restored)
    }

    fn require(&self, at: &Connection, may_replace: MayReplace) -> Result<(), AdminError> {
        match (backup::contents(at)?.domains, may_replace) {
            (0, _) | (_, MayReplace::Anything) => Ok(()),
            (domains, _) => Err(AdminError::NotEmpty { root: self.root().to_owned(), domains }),
        }
    }

    /// The state of before, if it is anything. It is read by the side: who is writing may not be copied from, and nobody
    /// else can have written.
    fn keep(&self, at: &Connection, path: &Path) -> Result<Option<NewFile>, AdminError> {
        if is_empty(at)? {
            return Ok(None);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(self.root().join(File::Directory.name()), flags)?;
        Ok(Some(backup::copy_out(&reader, &self.remembered()?, path)?.1))
    }
}

/// The backup in the newest layout. One of an older layout is brought there in memory: it is not our file.
fn incoming(from: &Path) -> Result<Connection, AdminError> {
    let backup = backup::open_backup(from)?;
    if schema::version(&backup, File::Directory)? == File::Directory.newest() {
        return Ok(backup);
    }
    let mut copy = Connection::open_in_memory()?;
    backup::copy_pages(&backup, &mut copy)?;
    schema::migrate(&mut copy, File::Directory)?;
    Ok(copy)
}

fn tables(at: &Connection) -> Result<Vec<String>, AdminError> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
    strings(at, sql, [])
}

fn strings(at: &Connection, sql: &str, asked: impl rusqlite::Params) -> Result<Vec<String>, AdminError> {
    let mut statement = at.prepare(sql)?;
    let found = statement.query_map(asked, |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn is_empty(at: &Connection) -> Result<bool, AdminError> {
    for table in tables(at)? {
        if at.prepare(&format!("SELECT 1 FROM {table}"))?.exists([])? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Every row of ours by every row of theirs.
fn replace(from: &Connection, at: &Connection) -> Result<(), AdminError> {
    // Rows refer to others in whatever order; the end of the transaction asks.
    at.execute_batch("PRAGMA defer_foreign_keys = ON")?;
    let tables = tables(at)?;
    for table in &tables {
        at.execute(&format!("DELETE FROM {table}"), [])?;
    }
    for table in &tables {
        add_rows(from, at, table, |_| Ok(true))?;
    }
    Ok(())
}

/// Adds the rows that are wanted and not there. Says how many.
fn add_rows(
    from: &Connection,
    to: &Connection,
    table: &str,
    wanted: impl Fn(&Row<'_>) -> rusqlite::Result<bool>,
) -> Result<usize, AdminError> {
    let columns = strings(to, "SELECT name FROM pragma_table_info(?1) ORDER BY cid", [table])?;
    let (names, marks) = (columns.join(", "), vec!["?"; columns.len()].join(", "));
    let mut add =
        to.prepare(&format!("INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"))?;
    let mut statement = from.prepare(&format!("SELECT {names} FROM {table}"))?;
    let mut rows = statement.query([])?;
    let mut added = 0;
    while let Some(row) = rows.next()? {
        if wanted(row)? {
            let values = (0..columns.len()).map(|place| row.get_ref(place).map(ToSqlOutput::Borrowed));
            added += add.execute(params_from_iter(values.collect::<Result<Vec<_>, _>>()?))?;
        }
    }
    Ok(added)
}

/// What the replaced directory has and the backup has not.
fn carry_over(old: &Connection, at: &Connection) -> Result<CarriedOver, AdminError> {
    let issuers = "SELECT id FROM domains UNION SELECT issuer FROM issued";
    let issuers: HashSet<String> = strings(at, issuers, [])?.into_iter().collect();
    let is_known = |row: &Row<'_>| Ok(issuers.contains(&row.get::<_, String>("issuer")?));
    let is_wanted = |row: &Row<'_>| Ok(is_known(row)? || row.get::<_, Option<i64>>("revoked")?.is_some());
    let changed = carry_revocations(old, at)?;
    let before = revoked(at)?;
    let issued = add_rows(old, at, "issued", is_wanted)?;
    Ok(CarriedOver {
        revocations: changed + revoked(at)?.saturating_sub(before),
        issued,
        signed_lists: add_rows(old, at, "signed_crls", is_known)?,
        foreign_lists: add_rows(old, at, "foreign_crls", |_| Ok(true))?,
    })
}

fn revoked(at: &Connection) -> Result<usize, AdminError> {
    let count: i64 =
        at.query_row("SELECT count(*) FROM issued WHERE revoked IS NOT NULL", [], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Of certificates that both have. For good is stronger than a hold; what the backup says otherwise stays.
fn carry_revocations(old: &Connection, at: &Connection) -> Result<usize, AdminError> {
    let hold = RevocationReason::CertificateHold.name();
    let mut update = at.prepare(
        "UPDATE issued SET revoked = ?3, reason = ?4 WHERE issuer = ?1 AND serial = ?2
            AND (revoked IS NULL OR (reason = ?5 AND ?4 <> ?5))",
    )?;
    let mut statement =
        old.prepare("SELECT issuer, serial, revoked, reason FROM issued WHERE revoked IS NOT NULL")?;
    let mut rows = statement.query([])?;
    let mut changed = 0;
    while let Some(row) = rows.next()? {
        let (issuer, serial): (String, String) = (row.get(0)?, row.get(1)?);
        let (moment, reason): (i64, String) = (row.get(2)?, row.get(3)?);
        changed += update.execute(params![issuer, serial, moment, reason, hold])?;
    }
    Ok(changed)
}

#[cfg(test)]
mod tests;
