//! `queue.key`: 32 octets, made by the first mail that is enqueued. No backup holds it: it opens nothing but what waits in
//! `state.sqlite`, and no backup holds that either.

use super::super::open::check_mode;
use super::super::{AdminError, id};
use crate::crypto::{Entropy, SecretBytes, StorageKey};
use crate::engine::DirectoryError;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const NAME: &str = "queue.key";
const MODE: u32 = 0o600;
const LENGTH: usize = 32;

/// The key that is there. One that others can read is refused.
pub(super) fn load(root: &Path) -> Result<Option<StorageKey>, AdminError> {
    let path = root.join(NAME);
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
    Ok(Some(key))
}

/// The same, or a new one. Of two processes that make one at once, the first to link it wins, and both use that.
pub(super) fn load_or_make(root: &Path, entropy: &dyn Entropy) -> Result<StorageKey, AdminError> {
    if let Some(key) = load(root)? {
        return Ok(key);
    }
    let seed = entropy.seed().map_err(|error| DirectoryError::Failed(error.to_string()))?;
    publish(root, &StorageKey::generate(seed))?;
    let missing = || DirectoryError::Failed(format!("{} went away", root.join(NAME).display()));
    load(root)?.ok_or_else(|| missing().into())
}

/// Written and synced under another name, then linked: nobody ever sees half of it.
fn publish(root: &Path, key: &StorageKey) -> Result<(), AdminError> {
    let (path, temporary) = (root.join(NAME), root.join(format!(".{NAME}.{}", id::fresh()?)));
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
        let make = || load_or_make(folder.path(), &entropy).unwrap().expose().to_vec();
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
