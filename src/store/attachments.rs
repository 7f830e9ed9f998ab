//! Files that rules copy out of messages: folders of files beside an account's Maildir.
//!
//! `.tmp` in an account's files is what `tmp/` is in a Maildir: files there are not visible, and nobody but us looks, so
//! that we sweep it. A file's name comes from a stranger: it stands in no error and no log.

use super::atomic::{Files, discard, ensure_folders, failed, link_new, write_new};
use super::group::Waiting;
use super::layout::{Layout, TemplateError};
use super::{MaildirStore, name};
use crate::engine::{Staged, StoreError};
use crate::mail::{Address, FileName, FolderName};
use std::any::Any;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where the files lie unless the site says otherwise.
pub(super) const DEFAULT: &str = "files/{domain}/{local}";
/// The folder of what is not visible yet. No rule can name it.
const TEMPORARY: &str = ".tmp";
/// As readers of Maildirs do.
const STALE: Duration = Duration::from_secs(36 * 60 * 60);
/// Files of one name that are told apart by a number; then by random digits, so that a sender's choice of names costs a
/// bounded number of trials.
const MOST_NUMBERED: usize = 5;
/// Folders are made, synced and swept for the many files of one message once: when that is longer ago, again.
const READY_FOR: Duration = Duration::from_secs(60);

/// Folders that were made, synced and swept, and when. Shared by all clones of a store.
#[derive(Debug, Clone, Default)]
pub(super) struct Readied(Arc<Mutex<HashMap<PathBuf, Instant>>>);

impl Readied {
    /// Does what makes this folder ready, unless that was done shortly before and the folder is there still.
    fn once(&self, folder: &Path, make: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
        if self.knows(folder) && folder.is_dir() {
            return Ok(());
        }
        make()?;
        self.lock().insert(folder.to_owned(), Instant::now());
        Ok(())
    }

    fn knows(&self, folder: &Path) -> bool {
        let mut readied = self.lock();
        readied.retain(|_, at| at.elapsed() < READY_FOR);
        readied.contains_key(folder)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Files> MaildirStore<F> {
    /// Puts the files of accounts where `template` says, such as `files/{domain}/{local}`: below `root`, or anywhere with a
    /// leading `/`, as for [`MaildirStore::new`].
    pub fn with_files_below(self, root: &Path, template: &str) -> Result<MaildirStore<F>, TemplateError> {
        Ok(MaildirStore { attachments: Layout::new(root, template)?, ..self })
    }

    /// The folder of an account's files, whether it exists or not.
    pub fn files_of(&self, owner: &Address) -> PathBuf {
        self.attachments.maildir(owner)
    }

    pub(super) fn files_in(&self, owner: &Address, folder: &FolderName) -> PathBuf {
        folder.levels().fold(self.files_of(owner), |path, level| path.join(level))
    }

    pub(super) fn write_file(
        &self,
        owner: &Address,
        (folder, file): (&FolderName, &FileName),
        bytes: &[u8],
    ) -> Result<Box<dyn Staged>, StoreError> {
        let place = self.files_of(owner);
        let visible = self.files_in(owner, folder);
        let waiting = place.join(TEMPORARY);
        let ensure = |folder: &Path| ensure_folders(&self.files, self.attachments.base(), folder);
        self.readied.once(&waiting, || ensure(&waiting).map(|()| sweep(&self.files, &waiting)))?;
        self.readied.once(&visible, || ensure(&visible))?;
        let temporary = waiting.join(name::unique(&self.host, bytes.len(), bytes.len()));
        write_new(&self.files, &temporary, bytes)?;
        let (file, shown) = (file.clone(), file.to_string());
        let files = self.files.clone();
        Ok(Box::new(StagedAttachment { files, temporary, visible, file, shown, size: bytes.len() as u64 }))
    }
}

/// Removes what was staged long ago by somebody who died. That it cannot is no fault of this delivery.
fn sweep(files: &impl Files, folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let written = entry.metadata().and_then(|data| data.modified()).ok();
        if written.and_then(|written| written.elapsed().ok()).is_some_and(|age| age > STALE) {
            discard(files, &entry.path());
        }
    }
}

/// A file in `.tmp`. The name there goes with the value, committed or not.
pub(super) struct StagedAttachment<F: Files> {
    files: F,
    temporary: PathBuf,
    visible: PathBuf,
    file: FileName,
    shown: String,
    size: u64,
}

impl<F: Files> StagedAttachment<F> {
    /// Makes it visible under this name. Is the name taken?
    fn link_as(&self, name: &str) -> Result<bool, StoreError> {
        match link_new(&self.files, &self.temporary, &self.visible.join(name)) {
            Ok(()) => Ok(false),
            Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => Ok(true),
            Err(StoreError::Io { doing, source, .. }) => {
                Err(StoreError::Io { doing, path: self.visible.clone(), source })
            }
            Err(error) => Err(error),
        }
    }
}

impl<F: Files> Staged for StagedAttachment<F> {
    fn name(&self) -> &str {
        &self.shown
    }
    fn size(&self) -> u64 {
        self.size
    }
    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.reveal()?;
        self.files.sync_folder(&self.visible).map_err(failed("sync the folder", &self.visible))
    }
    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl<F: Files> Waiting for StagedAttachment<F> {
    fn reveal(&self) -> Result<(), StoreError> {
        for number in 1..=MOST_NUMBERED {
            if !self.link_as(&self.file.numbered(number))? {
                return Ok(());
            }
        }
        match self.link_as(&self.file.marked(&name::random()))? {
            false => Ok(()),
            true => Err(failed("link", &self.visible)(ErrorKind::AlreadyExists.into())),
        }
    }
    fn folder(&self) -> &Path {
        &self.visible
    }
    fn counts(&self) -> Option<(&Path, u64)> {
        None
    }
}

impl<F: Files> Drop for StagedAttachment<F> {
    fn drop(&mut self) {
        discard(&self.files, &self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Content, Copy, Mailstore, Place, PlainConsent};
    use crate::store::Call;
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::PermissionsExt;

    fn bob() -> Address {
        Address::parse("bob@north.example").unwrap()
    }

    fn store() -> (tempfile::TempDir, MaildirStore) {
        let root = tempfile::tempdir().unwrap();
        let store = MaildirStore::new(root.path(), "mail/{domain}/{local}/Maildir").unwrap();
        (root, store)
    }

    fn staged<F: Files>(store: &MaildirStore<F>, name: &str, bytes: &[u8]) -> Box<dyn Staged> {
        let place = Place::File(FolderName::parse("In/Deep").unwrap(), FileName::of(Some(name), ""));
        let content = Content::Plain(bytes, PlainConsent::for_tests());
        store.stage(&Copy { owner: bob(), place, create: true, flags: Vec::new(), content }).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_visible_once_it_is_committed_and_not_before() {
        let (_root, store) = store();
        let files = store.files_of(&bob());
        let one = staged(&store, "a.pdf", b"one");
        assert_eq!((one.name(), one.size()), ("a.pdf", 3));
        assert_eq!((names(&files.join("In/Deep")).len(), names(&files.join(".tmp")).len()), (0, 1));
        drop(one);
        assert_eq!(names(&files.join(".tmp")), [""; 0]);
        staged(&store, "a.pdf", b"one").commit().unwrap();
        assert_eq!(
            (names(&files.join("In/Deep")), names(&files.join(".tmp")).len()),
            (vec!["a.pdf".into()], 0)
        );
        assert_eq!(std::fs::read(files.join("In/Deep/a.pdf")).unwrap(), b"one");
        let mode = |path: &str| files.join(path).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode("In"), mode("In/Deep"), mode("In/Deep/a.pdf"), mode(".tmp")),
            (0o700, 0o700, 0o600, 0o700)
        );
    }

    #[test]
    fn nothing_is_overwritten() {
        let (_root, store) = store();
        let folder = store.files_of(&bob()).join("In/Deep");
        let both = [staged(&store, "a.pdf", b"1"), staged(&store, "a.pdf", b"2")];
        both.into_iter().for_each(|staged| staged.commit().unwrap());
        assert_eq!(names(&folder), ["a-2.pdf", "a.pdf"]);
        assert_eq!(std::fs::read(folder.join("a.pdf")).unwrap(), b"1");
        for _ in 2..MOST_NUMBERED + 3 {
            staged(&store, "a.pdf", b"more").commit().unwrap();
        }
        let numbered = names(&folder).iter().filter(|name| name.len() <= "a-9.pdf".len()).count();
        assert_eq!((names(&folder).len(), numbered), (MOST_NUMBERED + 3, MOST_NUMBERED));
        assert_eq!(std::fs::read(folder.join("a-2.pdf")).unwrap(), b"2");
    }

    /// The disk, with a count of its calls.
    #[derive(Debug, Clone, Default)]
    struct Counted(Arc<Mutex<usize>>);

    impl Files for Counted {
        fn around<T>(&self, _: Call, _: &Path, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
            *self.0.lock().unwrap() += 1;
            run()
        }
    }

    /// Create, write, sync; at most six links; sync of the folder, removal: and the folders once.
    #[test]
    fn many_files_of_one_name_cost_so_many_calls_each() {
        let calls = |files: usize| {
            let (counted, root) = (Counted::default(), tempfile::tempdir().unwrap());
            let store =
                MaildirStore::with_files(root.path(), "mail/{domain}/{local}", counted.clone()).unwrap();
            let waiting: Vec<_> = (0..files).map(|_| staged(&store, "a.bin", b"")).collect();
            waiting.into_iter().for_each(|one| one.commit().unwrap());
            assert_eq!(names(&store.files_of(&bob()).join("In/Deep")).len(), files);
            *counted.0.lock().unwrap()
        };
        let (ten, hundred) = (calls(10), calls(100));
        assert_eq!(hundred - ten, 90 * (3 + MOST_NUMBERED + 1 + 2));
    }

    #[test]
    fn a_folder_that_is_gone_is_made_again() {
        let (_root, store) = store();
        drop(staged(&store, "a", b""));
        std::fs::remove_dir_all(store.files_of(&bob())).unwrap();
        staged(&store, "a", b"").commit().unwrap();
        assert_eq!(names(&store.files_of(&bob()).join("In/Deep")), ["a"]);
    }

    #[test]
    fn what_a_crash_left_is_swept_and_what_others_stage_is_not() {
        let (root, store) = store();
        let waiting = store.files_of(&bob()).join(".tmp");
        let other = staged(&store, "a", b"");
        std::fs::write(waiting.join("old"), "").unwrap();
        let old = std::time::SystemTime::now() - STALE - Duration::from_secs(60);
        File::open(waiting.join("old")).unwrap().set_modified(old).unwrap();
        drop(staged(&store, "b", b""));
        assert_eq!(names(&waiting).len(), 2, "swept once a minute");
        let next = MaildirStore::new(root.path(), "mail/{domain}/{local}/Maildir").unwrap();
        drop(staged(&next, "b", b""));
        assert_eq!(names(&waiting).len(), 1);
        drop(other);
        assert_eq!(names(&waiting).len(), 0);
    }

    #[test]
    fn an_error_names_the_folder_and_not_the_file() {
        let (_root, store) = store();
        let one = staged(&store, "secret.pdf", b"one");
        std::fs::remove_dir_all(store.files_of(&bob())).unwrap();
        let error = one.commit().unwrap_err().to_string();
        assert!(error.contains("In/Deep") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn a_disk_that_is_not_mounted_is_not_made() {
        let root = tempfile::tempdir().unwrap();
        let gone = root.path().join("unmounted").join("{domain}/{local}");
        let store = MaildirStore::new(root.path(), "mail/{domain}/{local}").unwrap();
        let store = store.with_files_below(root.path(), gone.to_str().unwrap()).unwrap();
        let place = Place::File(FolderName::parse("A").unwrap(), FileName::of(Some("a"), ""));
        let content = Content::Plain(b"", PlainConsent::for_tests());
        let copy = Copy { owner: bob(), place, create: true, flags: Vec::new(), content };
        assert!(store.stage(&copy).is_err());
        assert!(!root.path().join("unmounted").exists());
    }
}
