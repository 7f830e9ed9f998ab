//! Which file a file is, whatever it is called.

use super::stored::StoredMessage;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::UNIX_EPOCH;

/// What stays the same when a file is renamed or linked, and is another when somebody puts a file of the same name there: a
/// backup that is restored gives the same name, size and times, with another inode or another time of birth.
///
/// The number of the device is no part of it, for it may be another after a restart, and what a loss of power left could never
/// be finished then; both files lie in one mailbox. Where the file system tells no birth, one that comes to have the same inode,
/// size and time of modification is taken for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity(String);

impl Identity {
    /// Of the file with this metadata.
    pub(super) fn of(data: &Metadata) -> Identity {
        let born = data.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let born =
            born.map_or(String::new(), |born| format!("{}.{:09}", born.as_secs(), born.subsec_nanos()));
        let modified = format!("{}.{:09}", data.mtime(), data.mtime_nsec());
        Identity(format!("{} {} {modified} {born}", data.ino(), data.size()))
    }

    /// As it was written down.
    pub fn from_text(text: String) -> Identity {
        Identity(text)
    }

    /// To be written down.
    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// Is it the file that has this name now? One that cannot be looked at is not.
    pub(super) fn has(&self, message: &StoredMessage) -> bool {
        message.path().symlink_metadata().is_ok_and(|data| Identity::of(&data) == *self)
    }

    /// Does another file have this name now?
    pub(super) fn lacks(&self, message: &StoredMessage) -> bool {
        message.path().symlink_metadata().is_ok_and(|data| Identity::of(&data) != *self)
    }
}
