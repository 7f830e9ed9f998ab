//! A copy of the directory while others work with it, and a copy back.
//!
//! Both go through SQLite's backup interface: what is read is one state of the directory, and what is written is one
//! transaction. So a restore can be seen whole or not at all, also by hooks that have the directory open.
//!
//! `state.sqlite` is left out: it holds nothing that a store cannot do without (marks against doubled copies, and
//! wrong passwords), and nothing of it is true of another day.

use super::open;
use super::schema::{self, File};
use super::{AdminError, SqliteDirectory, keys};
use crate::engine::DirectoryError;
use crate::pki::Fingerprint;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A writer in the way is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody who makes keys all the time is not waited for.
const KEEP_TRIES: u32 = 5;

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
}

impl SqliteDirectory {
    /// Writes one state of the directory to a new file of mode 0600, and checks it. After an error there is none.
    pub fn back_up(&self, to: &Path) -> Result<BackupContents, AdminError> {
        let fresh = NewFile::create(to)?;
        let mut copy = open::connect(to)?;
        copy_pages(&self.connection(), &mut copy)?;
        // One file, whole by itself.
        copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        let contents = check(&copy, to)?;
        drop(copy);
        fresh.keep()?;
        Ok(contents)
    }

    /// Is this file a whole directory of a layout that we know? Says what is in it.
    pub fn check_backup(path: &Path) -> Result<BackupContents, AdminError> {
        contents(&open_backup(path)?)
    }

    /// Puts a backup in the place of the directory. One with domains in it is refused unless `keep_old` names the new
    /// file where its state of before is kept.
    pub fn restore(&self, from: &Path, keep_old: Option<&Path>) -> Result<Restored, AdminError> {
        let backup = open_backup(from)?;
        let domains = self.domains()?.len();
        let kept = match keep_old {
            _ if domains == 0 => None,
            Some(path) => Some(path.to_owned()),
            None => return Err(AdminError::NotEmpty { root: self.root().to_owned(), domains }),
        };
        if let Some(path) = &kept {
            self.keep(path)?;
        }
        let before = keys::all(&self.connection())?;
        copy_pages(&backup, &mut self.connection())?;
        schema::migrate(&mut self.connection(), File::Directory)?;
        self.empty_log()?;
        let after = keys::all(&self.connection())?;
        let gone = before.into_iter().filter(|key| !after.contains(key)).collect();
        Ok(Restored { contents: contents(&self.connection())?, kept, gone })
    }
}

impl SqliteDirectory {
    /// A backup that has every key: one that came while it was made is in the next.
    fn keep(&self, path: &Path) -> Result<(), AdminError> {
        for _ in 0..KEEP_TRIES {
            self.back_up(path)?;
            let kept = keys::all(&open_backup(path)?)?;
            if keys::all(&self.connection())?.iter().all(|key| kept.contains(key)) {
                return Ok(());
            }
            let failed = |source| AdminError::Io { doing: "remove", path: path.to_owned(), source };
            std::fs::remove_file(path).map_err(failed)?;
        }
        Err(DirectoryError::Busy.into())
    }
}

/// All pages in one step: a copy in several would begin anew whenever somebody else writes.
fn copy_pages(from: &Connection, to: &mut Connection) -> Result<(), AdminError> {
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

fn open_backup(path: &Path) -> Result<Connection, AdminError> {
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

fn contents(at: &Connection) -> Result<BackupContents, AdminError> {
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
    })
}

/// A file of ours that goes away unless it is kept.
struct NewFile {
    path: PathBuf,
    is_kept: bool,
}

impl NewFile {
    fn create(path: &Path) -> Result<NewFile, AdminError> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        made.map_err(|source| AdminError::Io { doing: "make", path: path.to_owned(), source })?;
        Ok(NewFile { path: path.to_owned(), is_kept: false })
    }

    /// Synced, with its name in the folder.
    fn keep(mut self) -> Result<(), AdminError> {
        let folder = self.path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let sync = |path: &Path| std::fs::File::open(path).and_then(|file| file.sync_all());
        let synced: io::Result<()> = sync(&self.path).and_then(|()| sync(folder));
        synced.map_err(|source| AdminError::Io { doing: "sync", path: self.path.clone(), source })?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::NewDomain;

    fn open(folder: &Path) -> SqliteDirectory {
        SqliteDirectory::create(folder).unwrap()
    }

    /// An older sealpost made it: it comes to the newest layout with the restore.
    #[test]
    fn a_backup_of_an_older_layout_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("old");
        for layout in 1..File::Directory.newest() {
            let _ = std::fs::remove_file(&old);
            let connection = Connection::open(&old).unwrap();
            schema::climb(&connection, File::Directory, layout).unwrap();
            let add = "INSERT INTO domains (id, mode) VALUES ('1', 'enabled');
                INSERT INTO domain_names VALUES ('north.example', '1', 1);";
            connection.execute_batch(add).unwrap();
            drop(connection);
            assert_eq!(SqliteDirectory::check_backup(&old).unwrap().domains, 1);
            let root = folder.path().join(layout.to_string());
            let directory = open(&root);
            assert_eq!(directory.restore(&old, None).unwrap().contents.domains, 1);
            assert_eq!(directory.domains().unwrap()[0].name, "north.example");
            let version = schema::version(&directory.connection(), File::Directory).unwrap();
            assert_eq!(version, File::Directory.newest());
        }
    }

    /// A reader that has the directory open sees the old state or the new one.
    #[test]
    fn who_reads_meanwhile_sees_one_state() {
        let folder = tempfile::tempdir().unwrap();
        let (root, copy) = (folder.path().join("root"), folder.path().join("copy"));
        let directory = open(&root);
        let add = |name: &str| directory.add_domain(&NewDomain { name: name.into(), ..NewDomain::default() });
        add("north.example").unwrap();
        directory.back_up(&copy).unwrap();
        add("south.example").unwrap();
        let reader = SqliteDirectory::open_for_reading(&root).unwrap();
        reader
            .read(|at| {
                let count = |at: &Connection| contents(at).unwrap().domains;
                assert_eq!(count(at), 2);
                directory.restore(&copy, Some(&folder.path().join("kept"))).unwrap();
                assert_eq!(count(at), 2);
                Ok(())
            })
            .unwrap();
        assert_eq!(reader.domains().unwrap().len(), 1);
        assert_eq!(SqliteDirectory::check_backup(&folder.path().join("kept")).unwrap().domains, 2);
    }
}
