//! A file that is written piece by piece and becomes visible when it is whole.

use super::atomic::{Disk, Files, discard, failed, sync_parent};
use crate::engine::StoreError;
use std::fs::File;
use std::io;
use std::path::Path;

/// Takes the next piece of a file.
pub type Pieces<'p> = &'p mut dyn FnMut(&[u8]) -> io::Result<()>;

/// Puts a whole, synced file in the place of `path`: `give` hands over its pieces. If it gives up, or after an error, what
/// was there is there still.
pub fn pour_file<E>(
    path: &Path,
    give: impl FnOnce(Pieces<'_>) -> Result<(), E>,
) -> Result<Result<(), E>, StoreError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    if let Err(given_up) = pour_new(&Disk, &temporary, give)? {
        return Ok(Err(given_up));
    }
    let renamed = Disk.rename(&temporary, path).map_err(failed("rename", &temporary));
    if renamed.is_err() {
        discard(&Disk, &temporary);
    }
    renamed?;
    sync_parent(&Disk, path).map(Ok)
}

/// Writes and syncs a file that must not exist. If `give` gives up, or after an error, it is gone again.
pub(super) fn pour_new<E>(
    files: &impl Files,
    path: &Path,
    give: impl FnOnce(Pieces<'_>) -> Result<(), E>,
) -> Result<Result<(), E>, StoreError> {
    let mut file = files.create(path).map_err(failed("create", path))?;
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
}
