//! A folder that is there while it is measured.

use super::super::failure::Failure;
use crate::system::lies_in_memory;
use std::fs::{DirBuilder, remove_dir_all};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// What the folder is called, with the number of the process.
const NAME: &str = "sealpost-bench";

/// It goes away with the value.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes one below `place`, for us alone.
    pub(super) fn make(place: &Path) -> Result<Folder, Failure> {
        for number in 0u32.. {
            let path = place.join(format!("{NAME}-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => (),
                made => return made.map(|()| Folder(path)).map_err(|error| unmade(place, &error)),
            }
        }
        Err(unmade(place, &ErrorKind::AlreadyExists.into()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Syncing there waits for no disk.
    pub(super) fn is_in_memory(&self) -> bool {
        lies_in_memory(&self.0)
    }

    /// Removes it, and says if that fails.
    pub(super) fn remove(self) -> Result<(), Failure> {
        remove_dir_all(&self.0).map_err(|error| Failure::io("remove", self.0.display(), &error))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What failed before is said; that this is left too says its name.
        let _ = remove_dir_all(&self.0);
    }
}

fn unmade(place: &Path, error: &std::io::Error) -> Failure {
    Failure::io("make a folder in", place.display(), error).hint("--store-in DIR names another folder")
}
