//! Opening the files: their modes, and how SQLite is set up.

use super::schema::{self, File};
use super::{AdminError, error};
use crate::engine::DirectoryError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Longer than any command of ours holds the directory; after it the MTA is told to try again.
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// Between attempts at what does not wait by itself.
const AGAIN: Duration = Duration::from_millis(5);
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
const OTHERS: u32 = 0o077;

/// The directory of one machine, in SQLite.
pub struct SqliteDirectory {
    root: PathBuf,
    connection: Mutex<Connection>,
    access: Access,
    state: Mutex<Option<Connection>>,
}

/// What a directory was opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Reading,
    Writing,
}

impl SqliteDirectory {
    /// Opens the directory of the store in `root` for administration; an older layout is brought up to date.
    pub fn open(root: &Path) -> Result<SqliteDirectory, AdminError> {
        check_store(root)?;
        SqliteDirectory::with(root, open_file(root, File::Directory)?, Access::Writing)
    }

    /// The same for what is not worth waiting for: where somebody else is writing it is told at once.
    pub fn open_without_waiting(root: &Path) -> Result<SqliteDirectory, AdminError> {
        check_store(root)?;
        let connection = open_file(root, File::Directory)?;
        connection.busy_timeout(Duration::ZERO)?;
        SqliteDirectory::with(root, connection, Access::Writing)
    }

    /// Opens it for delivery, which writes nothing to it.
    pub fn open_for_reading(root: &Path) -> Result<SqliteDirectory, AdminError> {
        check_store(root)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(root.join(File::Directory.name()), flags)?;
        wait_and_leave_the_log(&connection)?;
        if schema::version(&connection, File::Directory)? < File::Directory.newest() {
            return SqliteDirectory::open(root);
        }
        SqliteDirectory::with(root, connection, Access::Reading)
    }

    /// For who ends with the process: what was only read needs no closing, and the kernel lets go of its locks. To take SQLite's
    /// structures apart costs as much as several questions.
    pub fn leave_open(self) {
        let no_state = self.state.lock().is_ok_and(|state| state.is_none());
        if self.access == Access::Reading && no_state {
            std::mem::forget(self);
        }
    }

    /// Is there a store in `root`, as far as this user can see?
    pub fn exists(root: &Path) -> bool {
        root.join(File::Directory.name()).exists()
    }

    /// Makes what is missing of root folder and directory, and opens it. What is there stays as it is.
    pub fn create(root: &Path) -> Result<SqliteDirectory, AdminError> {
        let made = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(root);
        made.map_err(|source| AdminError::Io { doing: "make", path: root.to_owned(), source })?;
        check_mode(root, FOLDER_MODE)?;
        SqliteDirectory::with(root, open_file(root, File::Directory)?, Access::Writing)
    }

    fn with(root: &Path, connection: Connection, access: Access) -> Result<SqliteDirectory, AdminError> {
        Ok(SqliteDirectory {
            root: root.to_owned(),
            connection: Mutex::new(connection),
            access,
            state: Mutex::new(None),
        })
    }

    /// Runs a change as one transaction: all of it or nothing.
    pub(super) fn write<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let made = change(&transaction)?;
        transaction.commit()?;
        Ok(made)
    }

    /// Empties the write-ahead log, where what was overwritten can still be read. A reader in the way delays it to the
    /// next time that somebody does this.
    pub(super) fn empty_log(&self) -> Result<(), AdminError> {
        Ok(self.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Runs questions against one state of the directory.
    pub(super) fn read<T>(
        &self,
        ask: impl FnOnce(&Transaction<'_>) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        ask(&transaction)
    }

    /// Runs a change of `state.sqlite`, which is made when it is first asked for.
    pub(super) fn write_state<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, AdminError>,
    ) -> Result<T, DirectoryError> {
        let mut held = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match held.take() {
            Some(open) => held.insert(open),
            None => held.insert(open_file(&self.root, File::State)?),
        };
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(|error| error::fault(&error))?;
        let made = change(&transaction)?;
        transaction.commit().map_err(|error| error::fault(&error))?;
        Ok(made)
    }

    /// The folder of the store.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SqliteDirectory {
    /// Who wrote folds the log into the file, unless somebody else is at it: whoever opens the file next, which is mostly a
    /// hook, reads all that is in the log. Nothing depends on it.
    fn drop(&mut self) {
        if self.access == Access::Writing {
            let connection = self.connection();
            let waits_not = connection.busy_timeout(Duration::ZERO);
            let _ = waits_not
                .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
        }
    }
}

fn check_store(root: &Path) -> Result<(), AdminError> {
    if !SqliteDirectory::exists(root) {
        return Err(AdminError::NoStore(root.to_owned()));
    }
    check_mode(root, FOLDER_MODE)?;
    check_mode(&root.join(File::Directory.name()), FILE_MODE)
}

/// Nobody but the owner may do anything with it.
pub(super) fn check_mode(path: &Path, wanted: u32) -> Result<(), AdminError> {
    let looked = std::fs::metadata(path);
    let failed = |source| AdminError::Io { doing: "look at", path: path.to_owned(), source };
    let found = looked.map_err(failed)?.permissions().mode() & 0o7777;
    if found & OTHERS == 0 {
        Ok(())
    } else {
        Err(AdminError::WrongMode { path: path.to_owned(), found, wanted })
    }
}

/// Opens one of our files for writing, made empty and 0600 where it is missing. SQLite gives its own files beside it
/// the same mode.
fn open_file(root: &Path, file: File) -> Result<Connection, AdminError> {
    let path = root.join(file.name());
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            return Err(AdminError::Io { doing: "make", path, source });
        }
        _ => check_mode(&path, FILE_MODE)?,
    }
    let mut connection = connect(&path)?;
    log_ahead(&connection)?;
    schema::migrate(&mut connection, file)?;
    Ok(connection)
}

/// Where another process changes the kind of the log just now, SQLite says that the file is busy and does not wait.
fn log_ahead(connection: &Connection) -> Result<(), AdminError> {
    let begin = Instant::now();
    loop {
        match write_ahead(connection).map_err(AdminError::from) {
            Err(AdminError::Directory(DirectoryError::Busy)) if begin.elapsed() < BUSY => {
                std::thread::sleep(AGAIN);
            }
            done => return done,
        }
    }
}

fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    match connection.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0))?.as_str() {
        "wal" => Ok(()),
        _ => connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())),
    }
}

/// A file that is there, for writing.
pub(super) fn connect(path: &Path) -> Result<Connection, AdminError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    set_up(&connection)?;
    Ok(connection)
}

fn set_up(connection: &Connection) -> Result<(), AdminError> {
    wait_and_leave_the_log(connection)?;
    // What is removed is overwritten: the keys of domains lie here in the clear.
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON")?;
    Ok(())
}

/// The last one to close neither copies the log back nor removes it: a hook that comes and goes would otherwise
/// write and sync at every delivery, and make the files anew under the feet of the next.
fn wait_and_leave_the_log(connection: &Connection) -> Result<(), AdminError> {
    connection.busy_timeout(BUSY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A question that is asked again with another value is not planned again.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}
