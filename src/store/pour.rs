//! A file that is written piece by piece and becomes visible when it is whole.

use super::atomic::{
    Disk, Files, check_replaceable, discard, failed, folder, make_beside, names_beside, sync_parent,
};
use crate::engine::StoreError;
use crate::system::Nameless;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Takes the next piece of a file.
pub type Pieces<'p> = &'p mut dyn FnMut(&[u8]) -> io::Result<()>;

/// Puts a whole, synced file in the place of `path`: `give` hands over its pieces. If it gives up, or after an error, what
/// was there is there still. Whoever is killed leaves nothing else behind, where [`Nameless`] files can be made; or the whole
/// file under a hidden name, between its first name and its last.
pub fn pour_file<E>(
    path: &Path,
    give: impl FnOnce(Pieces<'_>) -> Result<(), E>,
) -> Result<Result<(), E>, StoreError> {
    check_replaceable(path)?;
    let poured = match Nameless::create(folder(path)).map_err(failed("create", path))? {
        Some(file) => pour_nameless(file, path, give)?,
        None => pour_beside(path, give)?,
    };
    match poured {
        Ok(Named::Finally) => {}
        Ok(Named::Temporarily(temporary)) => take_place(&temporary, path)?,
        Err(given_up) => return Ok(Err(given_up)),
    }
    sync_parent(&Disk, path).map(Ok)
}

/// The name under which a part of the file can be seen while it is poured; none where no name leads to it.
pub fn name_while_poured(path: &Path) -> Option<PathBuf> {
    // What else is wrong with the folder is told when it is written to.
    let needs_name = matches!(Nameless::create(folder(path)), Ok(None));
    names_beside(path).find(|name| needs_name && name.symlink_metadata().is_err())
}

fn take_place(temporary: &Path, path: &Path) -> Result<(), StoreError> {
    let renamed = Disk.rename(temporary, path).map_err(failed("rename", temporary));
    if renamed.is_err() {
        discard(&Disk, temporary);
    }
    renamed
}

/// What name a whole file has.
enum Named {
    /// The one that is wanted, which nobody had.
    Finally,
    /// Another one, until it takes the place of what has that name.
    Temporarily(PathBuf),
}

fn pour_nameless<E>(
    mut file: Nameless,
    path: &Path,
    give: impl FnOnce(Pieces<'_>) -> Result<(), E>,
) -> Result<Result<Named, E>, StoreError> {
    let given = give(&mut |piece| Disk.write(file.file(), piece));
    if let Err(given_up) = synced(&Disk, path, file.file(), given)? {
        return Ok(Err(given_up));
    }
    match file.name(path) {
        Ok(()) => Ok(Ok(Named::Finally)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let (temporary, ()) = make_beside(path, |temporary| file.name(temporary))?;
            Ok(Ok(Named::Temporarily(temporary)))
        }
        Err(source) => Err(failed("create", path)(source)),
    }
}

fn pour_beside<E>(
    path: &Path,
    give: impl FnOnce(Pieces<'_>) -> Result<(), E>,
) -> Result<Result<Named, E>, StoreError> {
    let (temporary, file) = make_beside(path, |temporary| Disk.create(temporary))?;
    let poured = pour_into(&Disk, (&temporary, file), give)?;
    Ok(poured.map(|()| Named::Temporarily(temporary)))
}

/// Writes and syncs a file that must not exist. If `give` gives up, or after an error, it is gone again.
pub(super) fn pour_new<E>(
    files: &impl Files,
    path: &Path,
    give: impl FnOnce(Pieces<'_>) -> Result<(), E>,
) -> Result<Result<(), E>, StoreError> {
    let file = files.create(path).map_err(failed("create", path))?;
    pour_into(files, (path, file), give)
}

/// The same of a file that was just created.
fn pour_into<E>(
    files: &impl Files,
    (path, mut file): (&Path, File),
    give: impl FnOnce(Pieces<'_>) -> Result<(), E>,
) -> Result<Result<(), E>, StoreError> {
    let given = give(&mut |piece| files.write(&mut file, piece));
    let poured = synced(files, path, &file, given);
    if !matches!(poured, Ok(Ok(()))) {
        discard(files, path);
    }
    poured
}

/// A failed sync is final, as for files that are written at once.
fn synced<E>(
    files: &impl Files,
    path: &Path,
    file: &File,
    given: Result<(), E>,
) -> Result<Result<(), E>, StoreError> {
    match given {
        Ok(()) => files.sync(file).map_err(failed("sync", path)).map(Ok),
        given_up => Ok(given_up),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = std::fs::read_dir(folder).unwrap();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn what_is_whole_takes_the_place_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result");
        std::fs::write(&path, "old").unwrap();
        let gives_up = pour_file(&path, |take| {
            take(b"ne").unwrap();
            Err("enough")
        });
        assert_eq!(gives_up.unwrap(), Err("enough"));
        assert_eq!(
            (names(folder.path()), std::fs::read(&path).unwrap()),
            (vec!["result".into()], b"old".to_vec())
        );
        let poured = pour_file(&path, |take| take(b"ne").and_then(|()| take(b"w")));
        poured.unwrap().unwrap();
        assert_eq!(
            (names(folder.path()), std::fs::read(&path).unwrap()),
            (vec!["result".into()], b"new".to_vec())
        );
        let nowhere = folder.path().join("none/result");
        assert!(pour_file(&nowhere, |_| Ok::<_, io::Error>(())).is_err());
    }

    /// No name leads to it before, whether it takes the place of something or not.
    #[test]
    fn nothing_of_it_is_seen_while_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result");
        for before in [Vec::new(), vec!["result".to_owned()]] {
            let poured = pour_file(&path, |take| {
                take(b"cle").unwrap();
                assert_eq!(names(folder.path()), before);
                take(b"ar")
            });
            poured.unwrap().unwrap();
            assert_eq!(names(folder.path()), ["result"]);
        }
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(pour_file(&link, |take| take(b"other")).is_err(), "a link is neither replaced nor followed");
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(std::fs::read(&path).unwrap(), b"clear");
    }

    /// Of processes with the number of this one, that were killed. Where files without a name can be made, and where not.
    #[test]
    fn what_was_left_behind_is_in_nobody_s_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result");
        let left: Vec<_> = names_beside(&path).collect();
        assert!(left.len() > 50);
        let give = |take: Pieces<'_>| take(b"whole");
        for (before, name) in left.iter().enumerate() {
            std::fs::write(&path, "old").unwrap();
            pour_file(&path, give).unwrap().unwrap();
            assert_eq!(
                (names(folder.path()).len(), std::fs::read(&path).unwrap()),
                (before + 1, b"whole".to_vec())
            );
            let Ok(Ok(Named::Temporarily(temporary))) = pour_beside(&path, give) else { panic!("{before}") };
            assert_eq!((&temporary, std::fs::read(name).unwrap()), (name, b"whole".to_vec()));
        }
        std::fs::write(&path, "old").unwrap();
        assert!(pour_file(&path, give).is_err() && pour_beside(&path, give).is_err());
        assert_eq!(
            (names(folder.path()).len(), std::fs::read(&path).unwrap()),
            (left.len() + 1, b"old".to_vec())
        );
    }
}
