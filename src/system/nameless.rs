//! A file that gets its name when it is whole: whoever is killed before leaves nothing behind.

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::libc::{EISDIR, ENOSYS, EOPNOTSUPP, O_TMPFILE};
use nix::unistd::linkat;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file for writing that no name leads to; the kernel takes it away with its last descriptor.
#[derive(Debug)]
pub struct Nameless {
    file: File,
    /// Where the kernel shows it to us, and to nobody else.
    shown: PathBuf,
}

impl Nameless {
    /// In that folder, for its owner alone. Nothing where the file system makes no such files (NFS, FAT, some FUSE), or where
    /// none could be named later, because `/proc` is not there.
    pub fn create(folder: &Path) -> io::Result<Option<Nameless>> {
        let opened = OpenOptions::new().write(true).mode(0o600).custom_flags(O_TMPFILE).open(folder);
        match opened {
            Err(error) if makes_no_nameless(&error) => Ok(None),
            Err(error) => Err(error),
            Ok(file) => Ok(Nameless::shown(file)),
        }
    }

    fn shown(file: File) -> Option<Nameless> {
        let shown = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        let is_it = match (file.metadata(), shown.metadata()) {
            (Ok(file), Ok(shown)) => (file.dev(), file.ino()) == (shown.dev(), shown.ino()),
            _ => false,
        };
        is_it.then_some(Nameless { file, shown })
    }

    /// To write to, and to sync.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives it a name that nobody has: [`AlreadyExists`](io::ErrorKind::AlreadyExists) is the error if somebody does.
    pub fn name(&self, path: &Path) -> io::Result<()> {
        linkat(AT_FDCWD, &self.shown, AT_FDCWD, path, AtFlags::AT_SYMLINK_FOLLOW).map_err(Errno::into)
    }
}

/// Of the file system, or of a kernel or a network file system that does not know the flag. By number: which kinds the library
/// makes of them is its own affair.
pub(super) fn makes_no_nameless(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(EOPNOTSUPP | EISDIR | ENOSYS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{ErrorKind, Write};

    #[test]
    fn it_is_seen_when_it_is_named_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let entries = || std::fs::read_dir(folder.path()).unwrap().count();
        let mut nameless = Nameless::create(folder.path()).unwrap().unwrap();
        nameless.file().write_all(b"all of it").unwrap();
        assert_eq!(entries(), 0);
        let path = folder.path().join("named");
        nameless.name(&path).unwrap();
        assert_eq!((entries(), std::fs::read(&path).unwrap()), (1, b"all of it".to_vec()));
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        let other = Nameless::create(folder.path()).unwrap().unwrap();
        assert_eq!(other.name(&path).unwrap_err().kind(), ErrorKind::AlreadyExists, "nothing is replaced");
        drop(other);
        assert_eq!(entries(), 1);
    }

    #[test]
    fn a_folder_that_is_none_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = Nameless::create(&folder.path().join("none")).unwrap_err();
        assert_eq!(nowhere.kind(), ErrorKind::NotFound);
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(Nameless::create(&file).unwrap_err().kind(), ErrorKind::NotADirectory);
    }

    /// A file system without them that every machine has. Who may not write there is told that first.
    #[test]
    fn where_there_are_none_nothing_is_made() {
        match Nameless::create(Path::new("/proc/self")) {
            Ok(made) => assert!(made.is_none()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::PermissionDenied),
        }
    }

    #[test]
    fn what_says_that_there_are_none_is_no_other_error() {
        for number in [EOPNOTSUPP, nix::libc::ENOTSUP, EISDIR, ENOSYS] {
            assert!(makes_no_nameless(&io::Error::from_raw_os_error(number)), "{number}");
        }
        for number in [nix::libc::EACCES, nix::libc::ENOSPC, nix::libc::ENOENT] {
            assert!(!makes_no_nameless(&io::Error::from_raw_os_error(number)), "{number}");
        }
    }
}
