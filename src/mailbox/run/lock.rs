//! One run at a time in the mailboxes of an account.

use super::RunError;
use crate::mail::Address;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

/// Held until it is dropped or the process ends, however it ends: so the steps that the journal holds of an account that
/// is locked are those of dead runs.
pub(in crate::mailbox) struct Lock {
    _maildir: File,
}

impl Lock {
    /// Takes the lock, flock(2) of the Maildir's folder; none of a Maildir that does not exist.
    pub(in crate::mailbox) fn take(owner: &Address, maildir: &Path) -> Result<Option<Lock>, RunError> {
        let no_lock =
            |error: std::io::Error| RunError::NoLock { owner: owner.clone(), reason: error.to_string() };
        let folder = match File::open(maildir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(no_lock)?,
        };
        match folder.try_lock() {
            Ok(()) => Ok(Some(Lock { _maildir: folder })),
            Err(TryLockError::WouldBlock) => Err(RunError::Busy(owner.clone())),
            Err(TryLockError::Error(error)) => Err(no_lock(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let anna = Address::parse("anna@north.example").unwrap();
        let first = Lock::take(&anna, folder.path()).unwrap().unwrap();
        let refused = Lock::take(&anna, folder.path()).err().unwrap();
        assert_eq!(
            refused.to_string(),
            "another run is at work in the mailboxes of anna@north.example; try again when it is done"
        );
        drop(first);
        assert!(Lock::take(&anna, folder.path()).unwrap().is_some());
        assert!(Lock::take(&anna, &folder.path().join("none")).unwrap().is_none());
    }
}
