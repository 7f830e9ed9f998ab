//! A copy of the directory while others work with it, through SQLite's backup interface: what is read is one state of the
//! directory.
//!
//! Of `state.sqlite` it takes datasets and who was answered (`remembered.rs`). The rest is left out: marks against doubled
//! copies, wrong passwords and mail on its way are not true of another day, and mail would go twice.

use super::open;
use super::remembered::{self, Remembered};
use super::schema::{self, File};
use super::{AdminError, SqliteDirectory};
use crate::engine::DirectoryError;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A writer in the way is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What a directory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct BackupContents {
    /// Domains.
    pub domains: usize,
    /// Accounts.
    pub accounts: usize,
    /// Vault keys of accounts, each under its password.
    pub vault_keys: usize,
    /// Keys of domains, in the clear, those of replaced authorities among them.
    pub domain_keys: usize,
    /// Datasets of accounts.
    pub datasets: usize,
}

impl SqliteDirectory {
    /// Writes one state of the directory to a new file of mode 0600, and checks it. After an error there is none.
    pub fn back_up(&self, to: &Path) -> Result<BackupContents, AdminError> {
        let remembered = self.remembered()?;
        let (contents, made) = copy_out(&self.connection(), &remembered, to)?;
        made.keep();
        Ok(contents)
    }

    /// Is this file a whole directory of a layout that we know? Says what is in it.
    pub fn check_backup(path: &Path) -> Result<BackupContents, AdminError> {
        contents(&open_backup(path)?)
    }
}

/// One state of the directory in a new file, checked and synced, which goes away unless it is kept.
pub(super) fn copy_out(
    from: &Connection,
    remembered: &Remembered,
    to: &Path,
) -> Result<(BackupContents, NewFile), AdminError> {
    let made = NewFile::create(to)?;
    let mut copy = open::connect(to)?;
    copy_pages(from, &mut copy)?;
    remembered.write_to(&mut copy)?;
    // One file, whole by itself.
    copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    let contents = check(&copy, to)?;
    drop(copy);
    made.sync()?;
    Ok((contents, made))
}

/// All pages in one step: a copy in several would begin anew whenever somebody else writes.
pub(super) fn copy_pages(from: &Connection, to: &mut Connection) -> Result<(), AdminError> {
    let backup = Backup::new(from, to)?;
    let end = Instant::now() + PATIENCE;
    loop {
        match backup.step(-1)? {
            StepResult::Done => return Ok(()),
            _ if Instant::now() > end => return Err(DirectoryError::Busy.into()),
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

pub(super) fn open_backup(path: &Path) -> Result<Connection, AdminError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags)?;
    check(&opened, path)?;
    Ok(opened)
}

/// Is it a whole directory of a layout that we know?
fn check(copy: &Connection, path: &Path) -> Result<BackupContents, AdminError> {
    let no_backup = |reason: String| AdminError::NoBackup { path: path.to_owned(), reason };
    let damaged = |error: rusqlite::Error| no_backup(format!("it is truncated or damaged ({error})"));
    let said: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(damaged)?;
    if said != "ok" {
        return Err(no_backup("it is truncated or damaged".to_owned()));
    }
    if schema::version(copy, File::Directory)? == 0 {
        return Err(no_backup("it is another database".to_owned()));
    }
    let orphans = copy.prepare("PRAGMA foreign_key_check").and_then(|mut asked| asked.exists([]));
    if orphans.map_err(damaged)? {
        return Err(no_backup("parts of it do not belong together".to_owned()));
    }
    contents(copy).map_err(|_| no_backup("it is another database".to_owned()))
}

pub(super) fn contents(at: &Connection) -> Result<BackupContents, AdminError> {
    let count = |table: &str| -> Result<usize, AdminError> {
        let rows: i64 = at.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        Ok(usize::try_from(rows).unwrap_or(0))
    };
    let retired = "SELECT count(*) FROM sqlite_schema WHERE name = 'retired_authorities'";
    let has_retired: bool = at.query_row(retired, [], |row| row.get(0))?;
    // Each key once: several of its certificates may be kept, and it may be that of today.
    let domain_keys = match has_retired {
        true => {
            "(SELECT domain_id, fingerprint FROM domain_keys
            UNION SELECT domain_id, fingerprint FROM retired_authorities)"
        }
        false => "domain_keys",
    };
    Ok(BackupContents {
        domains: count("domains")?,
        accounts: count("accounts")?,
        vault_keys: count("vault_keys")?,
        domain_keys: count(domain_keys)?,
        datasets: remembered::count_datasets(at)?,
    })
}

/// A file of ours that goes away unless it is kept.
pub(super) struct NewFile {
    path: PathBuf,
    is_kept: bool,
}

impl NewFile {
    fn create(path: &Path) -> Result<NewFile, AdminError> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        made.map_err(|source| AdminError::Io { doing: "make", path: path.to_owned(), source })?;
        Ok(NewFile { path: path.to_owned(), is_kept: false })
    }

    /// To the disk, with its name in the folder.
    fn sync(&self) -> Result<(), AdminError> {
        let folder = self.path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let sync = |path: &Path| std::fs::File::open(path).and_then(|file| file.sync_all());
        let synced: io::Result<()> = sync(&self.path).and_then(|()| sync(folder));
        synced.map_err(|source| AdminError::Io { doing: "sync", path: self.path.clone(), source })
    }

    /// It stays.
    pub(super) fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.path.clone()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
