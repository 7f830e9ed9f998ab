//! Messages read ahead, side by side, as many as memory should hold.

use crate::crypto::SecretBytes;
use crate::engine::StoreError;
use crate::mailbox::Selection;
use crate::store::{MaildirStore, Messages, StoredMailbox, StoredMessage};
use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::SystemTime;

/// Names that are put in order at a time: a few megabytes.
const NAMES: usize = 65_536;
/// Messages of a batch.
const MESSAGES: usize = 512;
/// Octets of a batch; a message that is larger is a batch of its own.
const OCTETS: u64 = 16 << 20;
/// Threads that read. They wait for the disk, not for the processor.
const READERS: usize = 4;

/// A message as it was read.
pub(super) struct Loaded {
    pub(super) stored: StoredMessage,
    pub(super) size: u64,
    pub(super) date: SystemTime,
    pub(super) bytes: Result<SecretBytes, String>,
}

/// Some messages, in the order of their names.
pub(super) type Batch = Vec<Loaded>;

/// All that are selected by name, size and date.
pub(super) fn of<'a>(
    store: &MaildirStore,
    mailbox: &Arc<StoredMailbox>,
    selection: &'a Selection,
) -> impl Iterator<Item = Result<Batch, StoreError>> + use<'a> {
    let again = store.messages(mailbox);
    Batches {
        listed: store.messages(mailbox),
        again: Some(again),
        names: Vec::new(),
        lost: HashSet::new(),
        selection,
        over: false,
    }
}

struct Batches<'a> {
    listed: Messages,
    /// For the second look at the mailbox.
    again: Option<Messages>,
    /// Base names of messages that were not there any more under the name with which they were listed. A client that sets
    /// flags renames files: they are looked for once more.
    lost: HashSet<String>,
    /// Listed and not read yet, the next one last.
    names: Vec<StoredMessage>,
    selection: &'a Selection,
    over: bool,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.names.is_empty() {
            if let Err(error) = self.list() {
                (self.over, self.again) = (true, None);
                return Some(Err(error));
            }
            if self.names.is_empty() && !self.begin_again() {
                return None;
            }
        }
        let rest = self.names.len().saturating_sub(MESSAGES);
        let next: Vec<StoredMessage> = self.names.drain(rest..).rev().collect();
        let read = load(next, self.selection);
        self.names.extend(read.postponed.into_iter().rev());
        self.lost.extend(read.gone);
        // Listed twice, because it was moved from `new` to `cur` meanwhile, and found the second time.
        for loaded in &read.batch {
            self.lost.remove(loaded.stored.base());
        }
        Some(Ok(read.batch))
    }
}

impl Batches<'_> {
    /// Lists once more; what is lost by then was removed or moved.
    fn begin_again(&mut self) -> bool {
        let again = self.again.take().filter(|_| !self.lost.is_empty());
        let begins = again.is_some();
        if let Some(again) = again {
            (self.listed, self.over) = (again, false);
        }
        begins
    }

    fn is_wanted(&self, stored: &StoredMessage) -> bool {
        let first = self.again.is_some();
        (first || self.lost.contains(stored.base())) && self.selection.by_name(stored)
    }

    fn list(&mut self) -> Result<(), StoreError> {
        while !self.over && self.names.len() < NAMES {
            match self.listed.next().transpose()? {
                None => self.over = true,
                Some(stored) if self.is_wanted(&stored) => self.names.push(stored),
                Some(_) => {}
            }
        }
        self.names.sort_unstable_by(|one, other| other.base().cmp(one.base()));
        // A reader may move a message from `new` to `cur` while they are listed.
        self.names.dedup_by(|one, other| one.base() == other.base());
        Ok(())
    }
}

enum Slot {
    Loaded(Loaded),
    /// There was no room for it.
    Postponed,
    /// Not there under that name.
    Gone,
    /// Not selected.
    Passed,
}

#[derive(Default)]
struct Taken {
    batch: Batch,
    postponed: Vec<StoredMessage>,
    gone: Vec<String>,
}

/// Reads side by side until there is no room; what is left is given back in its order.
fn load(names: Vec<StoredMessage>, selection: &Selection) -> Taken {
    let (next, held) = (AtomicUsize::new(0), AtomicU64::new(0));
    let read = || {
        let mut slots = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(stored) = names.get(at) else { return slots };
            slots.push((at, slot(stored, selection, &held)));
        }
    };
    let mut slots = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS.min(names.len())).map(|_| scope.spawn(read)).collect();
        let read =
            readers.into_iter().map(|reader| reader.join().unwrap_or_else(|panic| resume_unwind(panic)));
        read.flatten().collect::<Vec<_>>()
    });
    slots.sort_unstable_by_key(|(at, _)| *at);
    let mut taken = Taken::default();
    for (stored, (_, slot)) in names.iter().zip(slots) {
        match slot {
            Slot::Loaded(loaded) => taken.batch.push(loaded),
            Slot::Postponed => taken.postponed.push(stored.clone()),
            Slot::Gone => taken.gone.push(stored.base().to_owned()),
            Slot::Passed => {}
        }
    }
    taken
}

fn slot(stored: &StoredMessage, selection: &Selection, held: &AtomicU64) -> Slot {
    let (file, data) = match open(stored) {
        Ok(Some(opened)) => opened,
        Ok(None) => return Slot::Gone,
        Err(reason) => return Slot::Loaded(unread(stored, reason)),
    };
    if !selection.by_metadata(&data) {
        return Slot::Passed;
    }
    let before = held.fetch_add(data.len(), Ordering::Relaxed);
    if before > 0 && before.saturating_add(data.len()) > OCTETS {
        return Slot::Postponed;
    }
    match read(file, &data) {
        Ok(bytes) => Slot::Loaded(Loaded {
            stored: stored.clone(),
            size: data.len(),
            date: data.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            bytes: Ok(bytes),
        }),
        Err(error) => Slot::Loaded(unread(stored, error.to_string())),
    }
}

fn open(stored: &StoredMessage) -> Result<Option<(File, Metadata)>, String> {
    stored.open().map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
    })
}

fn unread(stored: &StoredMessage, reason: String) -> Loaded {
    Loaded { stored: stored.clone(), size: 0, date: SystemTime::UNIX_EPOCH, bytes: Err(reason) }
}

/// The buffer is made as large as the file, so that it never grows and leaves no copy behind.
fn read(file: File, data: &Metadata) -> io::Result<SecretBytes> {
    let size = usize::try_from(data.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let read = file.take(data.len()).read_to_end(&mut bytes);
    let bytes = SecretBytes::new(bytes);
    read.map(|_| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Address;
    use std::fs;

    struct Scene {
        _root: tempfile::TempDir,
        store: MaildirStore,
        mailbox: Arc<StoredMailbox>,
    }

    impl Scene {
        fn new() -> Scene {
            let root = tempfile::tempdir().unwrap();
            let store = MaildirStore::new(root.path(), "{domain}/{local}").unwrap();
            let owner = Address::parse("bob@north.example").unwrap();
            let mailbox = store.stored_mailboxes(&owner).unwrap().remove(0);
            for part in ["new", "cur"] {
                fs::create_dir_all(mailbox.folder().join(part)).unwrap();
            }
            Scene { _root: root, store, mailbox }
        }

        fn put(&self, name: &str, bytes: &[u8]) {
            fs::write(self.mailbox.folder().join(name), bytes).unwrap();
        }

        fn rename(&self, from: &str, to: &str) {
            fs::rename(self.mailbox.folder().join(from), self.mailbox.folder().join(to)).unwrap();
        }
    }

    fn names(batches: impl Iterator<Item = Result<Batch, StoreError>>) -> Vec<Vec<String>> {
        let name = |loaded: &Loaded| loaded.stored.base().to_owned();
        batches.map(|batch| batch.unwrap().iter().map(name).collect()).collect()
    }

    /// Listed, and then a client sets a flag, opens a new message, and removes one.
    #[test]
    fn what_is_renamed_meanwhile_is_found_and_shown_once() {
        let scene = Scene::new();
        scene.put("cur/1.a:2,", b"x");
        scene.put("cur/2.b:2,", b"x");
        scene.put("new/3.c", b"x");
        scene.put("cur/4.d:2,", b"x");
        let selection = Selection::all();
        let again = Some(scene.store.messages(&scene.mailbox));
        let listed = scene.store.messages(&scene.mailbox);
        let (names_, lost) = (Vec::new(), HashSet::new());
        let mut batches = Batches { listed, again, names: names_, lost, selection: &selection, over: false };
        batches.list().unwrap();
        scene.rename("cur/2.b:2,", "cur/2.b:2,S");
        scene.rename("new/3.c", "cur/3.c:2,S");
        fs::remove_file(scene.mailbox.folder().join("cur/4.d:2,")).unwrap();
        assert_eq!(names(batches), [vec!["1.a"], vec!["2.b", "3.c"]]);
    }

    #[test]
    fn a_batch_holds_so_many_octets_and_each_message_comes_once() {
        let scene = Scene::new();
        let large = vec![b'x'; usize::try_from(OCTETS).unwrap() / 2 - 1];
        for at in 1..6 {
            scene.put(&format!("cur/{at}.x:2,"), &large);
        }
        scene.put("cur/6.x:2,", &[&large[..], &large, &large].concat());
        scene.put("cur/7.x:2,", b"x");
        let selection = Selection::all();
        let mut all = Vec::new();
        for batch in of(&scene.store, &scene.mailbox, &selection) {
            let batch = batch.unwrap();
            let octets: u64 = batch.iter().map(|loaded| loaded.size).sum();
            assert!(octets <= OCTETS || batch.len() == 1, "{octets} octets of {}", batch.len());
            all.extend(batch.iter().map(|loaded| loaded.stored.base().to_owned()));
        }
        all.sort_unstable();
        assert_eq!(all, ["1.x", "2.x", "3.x", "4.x", "5.x", "6.x", "7.x"]);
    }
}
