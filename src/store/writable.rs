//! Could a message be replaced where it lies? Asked by who only wants to know what would be done.

use super::StoredMessage;
use crate::engine::StoreError;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::{AccessFlags, faccessat};
use std::path::Path;

/// The folders of its mailbox that a replacement writes to must be writable for this process.
pub fn check_replaceable(stored: &StoredMessage) -> Result<(), StoreError> {
    let folder = stored.mailbox().folder();
    check(&folder.join(stored.part().name()))?;
    let staging = folder.join("tmp");
    // Where it is missing it is made.
    if staging.is_dir() { check(&staging) } else { check(folder) }
}

fn check(folder: &Path) -> Result<(), StoreError> {
    let may = AccessFlags::W_OK | AccessFlags::X_OK;
    faccessat(AT_FDCWD, folder, may, AtFlags::AT_EACCESS).map_err(|error| StoreError::Io {
        doing: "write to",
        path: folder.to_owned(),
        source: error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        check(folder.path()).unwrap();
        let error = check(&folder.path().join("gone")).unwrap_err();
        assert!(error.to_string().starts_with("cannot write to "), "{error}");
        // Not even root may search a file as a folder.
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        check(&file).unwrap_err();
    }
}
