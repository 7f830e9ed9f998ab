//! A file for a secret that leaves the store.

use super::failure::{Code, Failure};
use nix::libc::O_NOFOLLOW;
use nix::unistd::geteuid;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file of the caller, mode 0600, that holds nothing yet. It is made before the command becomes the owner of the
/// store, who may not write where the caller may. Dropped unwritten it goes away again.
pub(super) struct NewFile {
    file: File,
    path: PathBuf,
    is_written: bool,
}

impl NewFile {
    /// Never in the place of something: that may be the only copy of another key. An empty file of the caller's own
    /// is what a call that failed may have left, and is taken.
    pub(super) fn create(path: &Path) -> Result<NewFile, Failure> {
        let opened = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => open_empty(path),
            other => other.map(Some),
        };
        match opened.map_err(|error| Failure::io("create", path.display(), &error))? {
            Some(file) => Ok(NewFile { file, path: path.to_owned(), is_written: false }),
            None => Err(Failure::new(Code::No, format!("{} is there already", path.display()))
                .hint("name another file: what is there may be the only copy of a key")),
        }
    }

    /// Writes and syncs.
    pub(super) fn write(self, mut bytes: &[u8]) -> Result<(), Failure> {
        self.fill(&mut bytes)
    }

    /// Writes what is given piece by piece, and syncs. If that does not come to its end there is no file.
    pub(super) fn pour<T, E>(
        mut self,
        give: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> Result<T, E>,
    ) -> Result<Result<T, E>, Failure> {
        let file = &mut self.file;
        let given = give(&mut |piece| file.write_all(piece));
        if given.is_ok() {
            let synced = self.file.sync_all();
            synced.map_err(|error| Failure::io("write", self.path.display(), &error))?;
            self.is_written = true;
        }
        Ok(given)
    }

    /// Writes all that the source gives, and syncs.
    pub(super) fn fill(mut self, source: &mut impl Read) -> Result<(), Failure> {
        let written = io::copy(source, &mut self.file).and_then(|_| self.file.sync_all());
        written.map_err(|error| Failure::io("write", self.path.display(), &error))?;
        self.is_written = true;
        Ok(())
    }
}

/// The file, if it is one of ours that nobody else reads, with nothing in it.
fn open_empty(path: &Path) -> io::Result<Option<File>> {
    let metadata = std::fs::symlink_metadata(path)?;
    if !metadata.is_file() || metadata.len() > 0 {
        return Ok(None);
    }
    let file = OpenOptions::new().write(true).custom_flags(O_NOFOLLOW).open(path)?;
    let metadata = file.metadata()?;
    let is_ours = metadata.uid() == geteuid().as_raw() && metadata.mode() & 0o077 == 0;
    Ok((metadata.is_file() && metadata.len() == 0 && is_ours).then_some(file))
}

impl Drop for NewFile {
    /// As far as it may: the owner of the store may not remove what the caller made. Then it stays, empty.
    fn drop(&mut self) {
        if !self.is_written {
            let _ = self.file.set_len(0);
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
