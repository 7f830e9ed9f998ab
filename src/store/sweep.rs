//! What dead runs left in `tmp/`: messages that were staged, in the clear where they were decrypted.

use super::MaildirStore;
use super::atomic::{Files, failed};
use super::name;
use super::stored::StoredMailbox;
use crate::engine::StoreError;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is older is not in hand any more: a batch takes seconds.
const IN_HAND: Duration = Duration::from_secs(60 * 60);

impl<F: Files> MaildirStore<F> {
    /// Removes what runs staged in a mailbox, and makes that last. For whoever holds the lock of the account, so that those runs
    /// are dead. Says how many files it removed.
    pub fn sweep(&self, mailbox: &StoredMailbox) -> Result<usize, StoreError> {
        let waiting = mailbox.folder.join("tmp");
        let left = staged_in(&waiting)?;
        for path in &left {
            match self.files.remove(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed.map_err(failed("remove", path))?,
            }
        }
        if !left.is_empty() {
            self.files.sync_folder(&waiting).map_err(failed("sync the folder", &waiting))?;
        }
        Ok(left.len())
    }

    /// How many files a dead run left in the mailbox's `tmp/`: those that were written more than an hour ago.
    pub fn left_in_tmp(&self, mailbox: &StoredMailbox) -> Result<usize, StoreError> {
        let left = staged_in(&mailbox.folder.join("tmp"))?;
        Ok(left.iter().filter(|path| is_old(path)).count())
    }
}

/// By the inode's change: the time of modification is the message's.
fn is_old(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(changed) = path.symlink_metadata().map(|data| data.ctime()) else { return false };
    let changed = u64::try_from(changed).map(Duration::from_secs).unwrap_or_default();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    now.checked_sub(changed).is_some_and(|age| age > IN_HAND)
}

/// Files whose names carry a run.
fn staged_in(waiting: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match std::fs::read_dir(waiting) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        listed => listed.map_err(failed("list", waiting))?,
    };
    let mut staged = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed("list", waiting))?;
        let is_ours = entry.file_name().to_str().is_some_and(|name| name::run_in(name).is_some());
        staged.extend(is_ours.then(|| entry.path()));
    }
    Ok(staged)
}

/// Makes it last that nothing of a batch lies in these folders. That it did not is no fault of the messages, which are in their
/// places; the next run looks again.
pub(super) fn sync_emptied(files: &impl Files, folders: &BTreeSet<PathBuf>) {
    for folder in folders {
        if let Err(error) = files.sync_folder(folder) {
            tracing::warn!(folder = %folder.display(), %error, "what was removed from there may be back after a crash");
        }
    }
}
