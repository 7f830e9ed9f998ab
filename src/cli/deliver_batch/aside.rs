//! Where files go whose messages are stored.

use super::shown;
use super::source::{Place, folders_of};
use crate::cli::failure::{Code, Failure};
use crate::cli::words::shell_word;
use crate::system::{FileId, FileStamp};
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A folder beside the one that is read.
pub(super) struct Aside {
    folder: PathBuf,
    emptied: Mutex<BTreeSet<PathBuf>>,
}

impl Aside {
    /// Looks whether files can be moved there.
    pub(super) fn new(folder: &Path, from: &Path) -> Result<Aside, Failure> {
        if from == Path::new("-") {
            return Err(Failure::new(Code::Usage, "--done moves files, and standard input is none")
                .hint("sealpost mailbox import knows the messages of an mbox again"));
        }
        let look = |path: &Path| path.metadata().map_err(|error| Failure::io("look at", shown(path), &error));
        let to = look(folder).map_err(|failure| match failure.code {
            Code::NotFound => failure.hint(format!("make it first: mkdir {}", shell_word(&shown(folder)))),
            _ => failure,
        })?;
        let source = look(from)?;
        if !to.is_dir() {
            return Err(Failure::new(Code::Usage, format!("{} is no folder", shown(folder))));
        }
        // Whatever path leads there: links and mounts give a folder many.
        let parts = ["cur", "new"].iter().filter_map(|part| from.join(part).metadata().ok());
        if parts.chain([source]).any(|read| FileId::of(&read) == FileId::of(&to)) {
            return Err(Failure::new(Code::Usage, "--done is a folder that is read"));
        }
        for read in folders_of(from) {
            if look(&read)?.dev() != to.dev() {
                let text = format!("{} is not on the file system of {}", shown(folder), shown(&read));
                return Err(Failure::new(Code::Usage, text).hint("files are moved, not copied"));
            }
        }
        Ok(Aside { folder: folder.to_owned(), emptied: Mutex::default() })
    }

    /// Moves the file of a message, and replaces none that is there. Another file that has its name by now is a message that
    /// nobody read, and of one that was written to nobody read all: both stay.
    pub(super) fn take(&self, place: &Place) -> Result<(), String> {
        let Some((file, stamp)) = place.file() else { return Ok(()) };
        let to = self.folder.join(file.file_name().unwrap_or_default());
        let now = file.symlink_metadata();
        if let Some(word) = now.as_ref().ok().and_then(|now| changed(stamp, FileStamp::of(now))) {
            return Err(word.into());
        }
        let moved = now.and_then(|_| self.link(file, stamp, &to)).and_then(|()| std::fs::remove_file(file));
        moved.map_err(|error| format!("it is stored, and cannot be moved to {}: {error}", shown(&to)))?;
        let mut emptied = self.emptied.lock().unwrap_or_else(PoisonError::into_inner);
        emptied.extend(file.parent().map(Path::to_owned));
        Ok(())
    }

    /// Gives the file another name, unless it has it already: whoever was killed before the first name was gone left both. One
    /// name that is seen by two paths is no second one.
    fn link(&self, file: &Path, stamp: FileStamp, to: &Path) -> io::Result<()> {
        match std::fs::hard_link(file, to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let there = to.symlink_metadata()?;
                let is_begun = there.nlink() >= 2 && FileId::of(&there) == stamp.id();
                if is_begun && self.is_elsewhere(file)? { Ok(()) } else { Err(error) }
            }
            linked => linked,
        }
    }

    fn is_elsewhere(&self, file: &Path) -> io::Result<bool> {
        let read = file.parent().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(FileId::of(&read.metadata()?) != FileId::of(&self.folder.metadata()?))
    }

    /// Syncs both sides.
    pub(super) fn make_last(self) -> Result<(), Failure> {
        let emptied = self.emptied.into_inner().unwrap_or_else(PoisonError::into_inner);
        let sync = |folder: &PathBuf| -> io::Result<()> { File::open(folder)?.sync_all() };
        std::iter::once(&self.folder).chain(&emptied).try_for_each(|folder| {
            sync(folder).map_err(|error| Failure::io("sync the folder", shown(folder), &error))
        })
    }
}

/// Why it is not moved, if it is not what it was.
fn changed(read: FileStamp, now: FileStamp) -> Option<&'static str> {
    if now.id() != read.id() {
        Some("it is stored, and another file has its name by now, which stays where it is")
    } else if now != read {
        Some("it is stored as it was read, and was written to since then: it stays where it is")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::input::first_of_file;

    #[test]
    fn what_was_read_is_moved_and_what_came_under_its_name_stays() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        for folder in [&from, &to] {
            std::fs::create_dir(folder).unwrap();
        }
        let aside = Aside::new(&to, &from).ok().unwrap();
        let read = |name: &str| {
            let file = from.join(name);
            std::fs::write(&file, "read").unwrap();
            let (_, id) = first_of_file(&file, 10, 10).unwrap();
            Place::File(file, Some(id))
        };
        let (same, replaced) = (read("same"), read("replaced"));
        std::fs::write(from.join("new"), "not read").unwrap();
        std::fs::rename(from.join("new"), from.join("replaced")).unwrap();
        aside.take(&same).unwrap();
        let word = aside.take(&replaced).unwrap_err();
        assert_eq!(word, "it is stored, and another file has its name by now, which stays where it is");
        assert_eq!(std::fs::read_to_string(to.join("same")).unwrap(), "read");
        assert_eq!(std::fs::read_to_string(from.join("replaced")).unwrap(), "not read");
        assert!(!from.join("same").exists() && !to.join("replaced").exists());
    }

    /// A kill between the two steps of a move leaves both names, and the next run finishes it.
    #[test]
    fn a_move_that_was_begun_is_finished_and_nothing_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        for folder in [&from, &to] {
            std::fs::create_dir(folder).unwrap();
        }
        let aside = Aside::new(&to, &from).ok().unwrap();
        let place = || {
            let (_, id) = first_of_file(&from.join("mail"), 10, 10).unwrap();
            Place::File(from.join("mail"), Some(id))
        };
        std::fs::write(from.join("mail"), "read").unwrap();
        std::fs::hard_link(from.join("mail"), to.join("mail")).unwrap();
        aside.take(&place()).unwrap();
        assert!(!from.join("mail").exists());
        assert_eq!(std::fs::read_to_string(to.join("mail")).unwrap(), "read");
        std::fs::write(from.join("mail"), "other").unwrap();
        assert!(aside.take(&place()).unwrap_err().contains("cannot be moved to"));
        assert_eq!(std::fs::read_to_string(from.join("mail")).unwrap(), "other");
        assert_eq!(std::fs::read_to_string(to.join("mail")).unwrap(), "read");
    }

    #[test]
    fn a_file_that_was_written_to_since_it_was_read_stays() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        for folder in [&from, &to] {
            std::fs::create_dir(folder).unwrap();
        }
        let aside = Aside::new(&to, &from).ok().unwrap();
        let old = std::fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
        for after in ["read, and more", "re", "othe"] {
            let file = from.join("mail");
            std::fs::write(&file, "read").unwrap();
            File::options().write(true).open(&file).unwrap().set_times(old).unwrap();
            let (_, stamp) = first_of_file(&file, 10, 10).unwrap();
            std::fs::write(&file, after).unwrap();
            let word = aside.take(&Place::File(file.clone(), Some(stamp))).unwrap_err();
            assert_eq!(
                word,
                "it is stored as it was read, and was written to since then: it stays where it is"
            );
            assert_eq!(std::fs::read_to_string(&file).unwrap(), after);
            assert!(!to.join("mail").exists());
        }
    }

    /// However often the file has a name elsewhere.
    #[test]
    fn the_only_name_is_not_removed_where_two_paths_lead_to_one_folder() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        for folder in [&from, &to] {
            std::fs::create_dir(folder).unwrap();
        }
        let aside = Aside::new(&to, &from).ok().unwrap();
        std::fs::remove_dir(&from).unwrap();
        std::os::unix::fs::symlink(&to, &from).unwrap();
        std::fs::write(to.join("mail"), "read").unwrap();
        for name in ["mail", "other"] {
            let (_, stamp) = first_of_file(&from.join("mail"), 10, 10).unwrap();
            let word = aside.take(&Place::File(from.join("mail"), Some(stamp))).unwrap_err();
            assert!(word.contains("cannot be moved to"), "{word}");
            assert_eq!(std::fs::read_to_string(to.join("mail")).unwrap(), "read");
            let _ = std::fs::hard_link(to.join("mail"), root.path().join(name));
        }
    }
}
