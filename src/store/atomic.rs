//! Every change to the disk that the store makes, one method a system call, and the sequences made of them: a new file is
//! written and synced, made visible under a name that nobody has, or put in the place of another; a folder is made to last.
//!
//! [`Files::around`] is the seam for tests: they fail or die at the n-th call. The product uses [`Disk`], which has no size
//! and no switch.

use crate::engine::StoreError;
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::iter;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Which of the calls of [`Files`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is called as its method")]
pub enum Call {
    MakeFolder,
    Create,
    OpenToAppend,
    Write,
    SetModified,
    SetGroup,
    SetMode,
    Sync,
    SyncFolder,
    Link,
    Rename,
    Remove,
}

/// The system calls that change something. Reading goes past it.
pub trait Files: Clone + Send + Sync + 'static {
    /// Stands around each of them: a test counts there, fails, or looks at `path`, which is what is made, removed or synced, the
    /// old name of a file that is renamed, and nothing where a file is open.
    fn around<T>(&self, _call: Call, _path: &Path, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        run()
    }

    /// mkdir(2), mode 0700.
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.around(Call::MakeFolder, path, || DirBuilder::new().mode(0o700).create(path))
    }
    /// open(2) of a file that must not exist, mode 0600.
    fn create(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        self.around(Call::Create, path, || options.open(path))
    }
    /// open(2) of a file that must exist, for appending.
    fn open_to_append(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        // A pipe that nobody reads would make us wait.
        options.append(true).custom_flags(O_NOFOLLOW | O_NONBLOCK);
        self.around(Call::OpenToAppend, path, || options.open(path))
    }
    /// write(2) until all is written.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.around(Call::Write, Path::new(""), || file.write_all(bytes))
    }
    /// futimens(2): the time of modification.
    fn set_modified(&self, file: &File, time: SystemTime) -> io::Result<()> {
        self.around(Call::SetModified, Path::new(""), || file.set_modified(time))
    }
    /// fchown(2) of the group alone.
    fn set_group(&self, file: &File, group: u32) -> io::Result<()> {
        self.around(Call::SetGroup, Path::new(""), || std::os::unix::fs::fchown(file, None, Some(group)))
    }
    /// fchmod(2): permission bits.
    fn set_mode(&self, file: &File, mode: u32) -> io::Result<()> {
        self.around(Call::SetMode, Path::new(""), || file.set_permissions(Permissions::from_mode(mode)))
    }
    /// fsync(2) of a file.
    fn sync(&self, file: &File) -> io::Result<()> {
        self.around(Call::Sync, Path::new(""), || file.sync_all())
    }
    /// fsync(2) of a folder: makes its entries last.
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.around(Call::SyncFolder, path, || File::open(path)?.sync_all())
    }
    /// link(2): fails if the new name exists.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.around(Call::Link, to, || std::fs::hard_link(from, to))
    }
    /// rename(2): replaces the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.around(Call::Rename, from, || std::fs::rename(from, to))
    }
    /// unlink(2).
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.around(Call::Remove, path, || std::fs::remove_file(path))
    }
}

/// The disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {}

/// The error of a failed call, for `map_err`.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { doing, path, source }
}

/// Writes and syncs a file that must not exist. After an error the file is gone again.
pub(super) fn write_new(files: &impl Files, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let file = files.create(path).map_err(failed("create", path))?;
    fill(files, path, file, bytes, |_| Ok(()))
}

/// The same with the time of modification, the group and the permissions of another file.
pub(super) fn write_like(
    files: &impl Files,
    path: &Path,
    bytes: &[u8],
    other: &Metadata,
) -> Result<(), StoreError> {
    let file = files.create(path).map_err(failed("create", path))?;
    fill(files, path, file, bytes, |file| dress(files, file, other))
}

/// Where the group cannot be kept nobody of the group that the file has instead may read it. The time comes last among
/// what changes the inode, and all of it before the sync.
fn dress(files: &impl Files, file: &File, other: &Metadata) -> io::Result<()> {
    let own = file.metadata()?;
    let has_group = own.gid() == other.gid() || files.set_group(file, other.gid()).is_ok();
    let mode = other.mode() & if has_group { 0o777 } else { 0o707 } | 0o400;
    if own.mode() & 0o777 != mode {
        files.set_mode(file, mode)?;
    }
    files.set_modified(file, other.modified()?)
}

/// Writes and syncs a file that was just created. After an error it is gone. A failed sync is final: the kernel may
/// have dropped the dirty pages, so a second sync that succeeds would prove nothing.
fn fill(
    files: &impl Files,
    path: &Path,
    mut file: File,
    bytes: &[u8],
    dress: impl FnOnce(&File) -> io::Result<()>,
) -> Result<(), StoreError> {
    let written = files
        .write(&mut file, bytes)
        .map_err(failed("write", path))
        .and_then(|()| dress(&file).map_err(failed("set time and permissions of", path)))
        .and_then(|()| files.sync(&file).map_err(failed("sync", path)));
    if written.is_err() {
        discard(files, path);
    }
    written
}

/// Gives a written and synced file a second, visible name in a folder of the same file system and makes that name
/// last. The first name stays for its owner to remove. An error from the sync leaves the file visible.
pub(super) fn publish(files: &impl Files, staged: &Path, visible: &Path) -> Result<(), StoreError> {
    link_new(files, staged, visible)?;
    sync_parent(files, visible)
}

/// Link and not rename, because rename(2) would replace a file of that name without a word.
pub(super) fn link_new(files: &impl Files, staged: &Path, visible: &Path) -> Result<(), StoreError> {
    match files.link(staged, visible) {
        Ok(()) => Ok(()),
        // EEXIST: a network file system may have done it and lost its answer; the inode tells.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && same_file(staged, visible) => Ok(()),
        // EPERM, EOPNOTSUPP, ENOSYS: a file system without hard links (FAT, some FUSE).
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) => {
            rename_new(files, staged, visible)
        }
        // The rest (ENOSPC, EDQUOT, EROFS, EIO, ENOENT after somebody removed the folder) is for the sender to retry.
        Err(source) => Err(failed("link", visible)(source)),
    }
}

/// The look before the rename is no lock, and needs to be none: 64 random bits stand in every name.
fn rename_new(files: &impl Files, staged: &Path, visible: &Path) -> Result<(), StoreError> {
    match visible.try_exists() {
        Ok(false) => files.rename(staged, visible).map_err(failed("rename", visible)),
        Ok(true) => Err(failed("rename", visible)(ErrorKind::AlreadyExists.into())),
        Err(source) => Err(failed("look for", visible)(source)),
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.metadata(), other.metadata()) {
        (Ok(one), Ok(other)) => one.dev() == other.dev() && one.ino() == other.ino(),
        _ => false,
    }
}

/// Replaces `path` in one step by a file that was just created under `temporary`, in the same folder.
pub(super) fn replace(
    files: &impl Files,
    (temporary, file): (&Path, File),
    path: &Path,
    bytes: &[u8],
) -> Result<(), StoreError> {
    fill(files, temporary, file, bytes, |_| Ok(()))?;
    let renamed = files.rename(temporary, path).map_err(failed("rename", temporary));
    if renamed.is_err() {
        discard(files, temporary);
    }
    renamed?;
    sync_parent(files, path)
}

/// Does nothing lie there, or something that a file may take the place of? A device, a pipe or a socket is none: root would lose
/// `/dev/null` to a result that was meant for nobody. Nor is a link, wherever it leads: `/dev/stdout` is one.
pub fn is_replaceable(path: &Path) -> bool {
    path.symlink_metadata().map_or_else(|error| error.kind() == ErrorKind::NotFound, |there| there.is_file())
}

pub(super) fn check_replaceable(path: &Path) -> Result<(), StoreError> {
    let refused = || failed("replace", path)(io::Error::other("it is no file"));
    if is_replaceable(path) { Ok(()) } else { Err(refused()) }
}

/// Puts a whole, synced file in the place of `path`; after an error what was there is there still.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    check_replaceable(path)?;
    let (temporary, file) = make_beside(path, |temporary| Disk.create(temporary))?;
    replace(&Disk, (&temporary, file), path, bytes)
}

/// So many files may lie there that were left by dead processes of this one's number: in a container many have the same.
const MOST_LEFT_BEHIND: u32 = 100;

/// The names that a file may have until it takes the place of another, in the order in which they are tried.
pub(super) fn names_beside(path: &Path) -> impl Iterator<Item = PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let first = format!(".{name}.{}", std::process::id());
    let further: Vec<_> = (1..=MOST_LEFT_BEHIND).map(|number| format!("{first}.{number}")).collect();
    iter::once(first).chain(further).map(|name| path.with_file_name(name))
}

/// Makes a file under the first of them that nobody has, and says which. What is there is not touched: it may be the whole result
/// of a run that was killed.
pub(super) fn make_beside<T>(
    path: &Path,
    make: impl Fn(&Path) -> io::Result<T>,
) -> Result<(PathBuf, T), StoreError> {
    let mut tried = path.to_owned();
    for name in names_beside(path) {
        match make(&name) {
            Ok(made) => return Ok((name, made)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => tried = name,
            Err(source) => return Err(failed("create", &name)(source)),
        }
    }
    Err(failed("create", &tried)(ErrorKind::AlreadyExists.into()))
}

/// Makes a folder that may exist already (another delivery was faster, or an earlier one was cut off here).
pub(super) fn ensure_folder(files: &impl Files, path: &Path) -> Result<(), StoreError> {
    match files.make_folder(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(failed("make the folder", path)),
    }
}

/// Makes every folder from below `base` down to `path` and syncs the parent of each. `base` must exist: where it does
/// not, a disk is not mounted. A parent is synced even if the folder was there, because whoever made it may have died
/// before it synced.
pub(super) fn ensure_folders(files: &impl Files, base: &Path, path: &Path) -> Result<(), StoreError> {
    let mut levels: Vec<&Path> = path.ancestors().take_while(|level| *level != base).collect();
    levels.reverse();
    levels.into_iter().try_for_each(|level| {
        ensure_folder(files, level)?;
        sync_parent(files, level)
    })
}

pub(super) fn sync_parent(files: &impl Files, path: &Path) -> Result<(), StoreError> {
    let parent = folder(path);
    files.sync_folder(parent).map_err(failed("sync the folder", parent))
}

/// The folder that a file is in.
pub(super) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Removes a file of ours. That it cannot be removed is no fault of the delivery: it is not visible.
pub(super) fn discard(files: &impl Files, path: &Path) {
    match files.remove(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "a temporary file stays behind");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publish_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        write_new(&Disk, &one, b"new").unwrap();
        write_new(&Disk, &two, b"old").unwrap();
        let error = publish(&Disk, &one, &two).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot link {}", two.display()));
        assert_eq!(std::fs::read(&two).unwrap(), b"old");
    }

    #[test]
    fn publish_again_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        write_new(&Disk, &one, b"new").unwrap();
        publish(&Disk, &one, &two).unwrap();
        publish(&Disk, &one, &two).unwrap();
        assert_eq!(std::fs::read(&two).unwrap(), b"new");
    }

    /// Of processes with the number of this one, that were killed.
    #[test]
    fn what_was_left_behind_is_in_nobody_s_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let left: Vec<_> = names_beside(&path).collect();
        assert_eq!(left[0], folder.path().join(format!(".file.{}", std::process::id())));
        assert_eq!(left[1], folder.path().join(format!(".file.{}.1", std::process::id())));
        for (before, name) in left.iter().enumerate() {
            replace_file(&path, before.to_string().as_bytes()).unwrap();
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), before + 1);
            std::fs::write(name, "left").unwrap();
        }
        let error = replace_file(&path, b"new").unwrap_err();
        assert_eq!(error.to_string(), format!("cannot create {}", left.last().unwrap().display()));
        assert_eq!(std::fs::read(&path).unwrap(), b"100");
        assert!(left.iter().all(|name| std::fs::read(name).unwrap() == b"left"));
    }

    #[test]
    fn files_and_folders_are_for_their_owner_only() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("a/b");
        ensure_folders(&Disk, base.path(), &folder).unwrap();
        write_new(&Disk, &folder.join("file"), b"").unwrap();
        assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(folder.join("file").metadata().unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_missing_base_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("unmounted");
        assert!(ensure_folders(&Disk, &base, &base.join("a")).is_err());
        assert!(!base.exists());
    }
}
