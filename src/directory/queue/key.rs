//! `queue.key`: 32 octets, made by the first mail that is enqueued. No backup holds it: it opens nothing but what waits in
//! `state.sqlite`, and no backup holds that mail either.
//!
//! Everything in the queue is under one key: while there is mail under a key that is gone, nothing is sealed under another,
//! so that the file can be put back.

use super::super::open::check_mode;
use super::super::{AdminError, id};
use crate::crypto::{Entropy, SecretBytes, StorageKey};
use crate::engine::DirectoryError;
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const NAME: &str = "queue.key";
const MODE: u32 = 0o600;
const LENGTH: usize = 32;
/// Octets of a digest that name a key.
const ID: usize = 8;

/// What the queue is sealed under. No `Debug`.
pub struct QueueKey {
    pub(super) key: StorageKey,
    id: String,
}

impl QueueKey {
    fn new(key: StorageKey) -> QueueKey {
        let mut digest = Sha256::new_with_prefix("sealpost queue key 1 ");
        digest.update(key.expose());
        let id = digest.finalize().iter().take(ID).map(|octet| format!("{octet:02x}")).collect();
        QueueKey { key, id }
    }

    /// Says nothing of the key but whether it is this one.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Where the key lies.
pub(super) fn path(root: &Path) -> PathBuf {
    root.join(NAME)
}

/// How many mails of the queue are under another key than this one (absent: under any), and the id of that.
pub(super) fn under_another(
    at: &Connection,
    key: Option<&QueueKey>,
) -> Result<Option<(String, usize)>, AdminError> {
    let sql = "SELECT key_id, count(*) FROM queue WHERE key_id <> ?1 GROUP BY key_id ORDER BY 2 DESC LIMIT 1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok((row.get(0)?, usize::try_from(row.get::<_, i64>(1)?).unwrap_or(usize::MAX)))
    };
    Ok(at.query_row(sql, [key.map_or("", QueueKey::id)], read).optional()?)
}

/// Why what is under that key keeps the queue from going on.
pub(super) fn refusal(root: &Path, key: Option<&QueueKey>, (wanted, mails): (String, usize)) -> AdminError {
    let path = path(root);
    match key {
        None => AdminError::QueueKeyGone { path, mails, wanted },
        Some(key) => AdminError::OtherQueueKey { path, found: key.id.clone(), mails, wanted },
    }
}

/// The key that is there. One that others can read is refused.
pub(super) fn load(root: &Path) -> Result<Option<QueueKey>, AdminError> {
    let path = path(root);
    let mut file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed("open", &path))?,
    };
    check_mode(&path, MODE)?;
    let broken = |reason: &str| AdminError::QueueKey { path: path.clone(), reason: reason.to_owned() };
    let mut octets = SecretBytes::new(vec![0; LENGTH]);
    match file.read_exact(octets.expose_mut()) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(broken("it is cut off")),
        read => read.map_err(failed("read", &path))?,
    }
    if file.read(&mut [0]).map_err(failed("read", &path))? != 0 {
        return Err(broken("it has more than 32 octets"));
    }
    let key = StorageKey::from_bytes(octets).map_err(|error| broken(&error.to_string()))?;
    Ok(Some(QueueKey::new(key)))
}

/// A new one where none is there. Of two processes that make one at once, the first to link it wins, and both use that.
pub(super) fn make(root: &Path, entropy: &dyn Entropy) -> Result<QueueKey, AdminError> {
    let seed = entropy.seed().map_err(|error| DirectoryError::Failed(error.to_string()))?;
    publish(root, &StorageKey::generate(seed))?;
    let missing = || DirectoryError::Failed(format!("{} went away", path(root).display()));
    load(root)?.ok_or_else(|| missing().into())
}

/// Written and synced under another name, then linked: nobody ever sees half of it.
fn publish(root: &Path, key: &StorageKey) -> Result<(), AdminError> {
    let (path, temporary) = (path(root), root.join(format!(".{NAME}.{}", id::fresh()?)));
    let opened = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&temporary);
    let mut file = opened.map_err(failed("create", &temporary))?;
    let written = file.write_all(key.expose()).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| match std::fs::hard_link(&temporary, &path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let _ = std::fs::remove_file(&temporary);
    let synced = linked.and_then(|()| File::open(root)?.sync_all());
    synced.map_err(failed("make", &path))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> AdminError {
    let path = path.to_owned();
    move |source| AdminError::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{EntropyError, Seed};
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicU8, Ordering};

    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn seed(&self) -> Result<Seed, EntropyError> {
            Ok(Seed::from_bytes(&mut [self.0.fetch_add(1, Ordering::SeqCst); 32]))
        }
    }

    #[test]
    fn many_at_once_end_with_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let entropy = Counting(AtomicU8::new(1));
        let make = || make(folder.path(), &entropy).unwrap().key.expose().to_vec();
        let keys: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0] && key.len() == LENGTH));
        let names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
        assert_eq!(names, [NAME]);
        let mode = folder.path().join(NAME).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, MODE);
    }

    #[test]
    fn the_id_tells_keys_apart_and_shows_nothing_of_them() {
        let key = |octet| QueueKey::new(StorageKey::from_bytes(SecretBytes::new(vec![octet; 32])).unwrap());
        assert_eq!(key(7).id(), key(7).id());
        assert_ne!(key(7).id(), key(8).id());
        assert_eq!((key(7).id().len(), key(7).id().contains("0707")), (16, false));
    }

    #[test]
    fn a_key_that_is_none_or_open_to_others_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let refused = |octets: &[u8], mode: u32| {
            std::fs::write(&path, octets).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            load(folder.path()).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(load(folder.path()).unwrap().is_none());
        assert!(refused(&[7; 31], 0o600).ends_with("queue.key is no key of the queue: it is cut off"));
        assert!(refused(&[7; 33], 0o600).ends_with("it has more than 32 octets"));
        assert!(refused(&[7; 32], 0o640).contains("is open to others (mode 0640)"));
        assert_eq!(refused(&[7; 32], 0o600), "");
    }
}
