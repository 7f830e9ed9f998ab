//! Messages read ahead, side by side, as many as memory should hold.

use crate::crypto::SecretBytes;
use crate::engine::StoreError;
use crate::mailbox::Selection;
use crate::mailbox::passes::{PASSES, Quiet, Watch};
use crate::mailbox::run::{Known, MESSAGES, NAMES, OCTETS, RESTLESS, reason, whole};
use crate::store::{MaildirStore, Messages, StoredMailbox, StoredMessage, is_of_one_file};
use crate::system::side_by_side;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

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

/// All that are selected by name, size and date. An error is about one file or one folder, and the others follow.
pub(super) fn of<'a>(
    store: &'a MaildirStore,
    mailbox: &Arc<StoredMailbox>,
    selection: &'a Selection,
) -> Batches<'a> {
    Batches {
        store,
        mailbox: Arc::clone(mailbox),
        selection,
        watch: Watch::begin(std::slice::from_ref(mailbox)),
        listed: store.messages(mailbox),
        known: Known::default(),
        lost: HashMap::new(),
        names: Vec::new(),
        faults: Vec::new(),
        passes: 1,
        has_news: false,
        quiet: Quiet::default(),
        over: false,
    }
}

/// Passes over the mailbox until nothing can have been missed: a client that sets flags renames files, which may hide them
/// from a listing.
pub(super) struct Batches<'a> {
    store: &'a MaildirStore,
    mailbox: Arc<StoredMailbox>,
    selection: &'a Selection,
    /// Beside this pass.
    watch: Watch,
    listed: Messages,
    known: Known,
    /// Not there any more under the names with which they were listed.
    lost: HashMap<u64, StoredMessage>,
    /// Listed and not read yet, the next one last.
    names: Vec<StoredMessage>,
    /// Not told yet.
    faults: Vec<StoreError>,
    passes: usize,
    /// In this pass.
    has_news: bool,
    quiet: Quiet,
    over: bool,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(fault) = self.faults.pop() {
                return Some(Err(fault));
            }
            if !self.names.is_empty() {
                return Some(Ok(self.read()));
            }
            if self.over && !self.begin_again() {
                return self.restless().map(Ok);
            }
            self.list();
        }
    }
}

impl Batches<'_> {
    fn begin_again(&mut self) -> bool {
        self.quiet.see(&self.watch, self.has_news);
        if self.passes == PASSES || self.quiet.is_enough_for(!self.lost.is_empty()) {
            return false;
        }
        (self.passes, self.has_news, self.over) = (self.passes + 1, false, false);
        self.watch = Watch::begin(std::slice::from_ref(&self.mailbox));
        self.listed = self.store.messages(&self.mailbox);
        true
    }

    /// What was renamed again and again. If nothing can have been missed, what is lost was removed or moved.
    fn restless(&mut self) -> Option<Batch> {
        let lost = std::mem::take(&mut self.lost);
        let unread = |stored: &StoredMessage| unread(stored, RESTLESS.to_owned());
        (!self.quiet.is_gone() && !lost.is_empty()).then(|| lost.values().map(unread).collect())
    }

    fn list(&mut self) {
        while !self.over && self.names.len() < NAMES {
            match self.listed.next() {
                None => self.over = true,
                Some(Ok(stored)) => self.meet(stored),
                Some(Err(error)) if self.selection.names_messages() && is_of_one_file(&error) => {}
                Some(Err(error)) => {
                    if self.known.add(self.known.key_of(&reason(&error))) {
                        self.faults.push(error);
                    }
                }
            }
        }
        self.names.sort_unstable_by(|one, other| other.base().cmp(one.base()));
    }

    fn meet(&mut self, stored: StoredMessage) {
        let key = self.known.key(&stored);
        if self.selection.by_name(&stored) && self.known.add(key) {
            self.has_news = true;
            self.lost.remove(&key);
            self.names.push(stored);
        }
    }

    fn read(&mut self) -> Batch {
        let rest = self.names.len().saturating_sub(MESSAGES);
        let next: Vec<StoredMessage> = self.names.drain(rest..).rev().collect();
        let read = load(next, self.selection);
        self.names.extend(read.postponed.into_iter().rev());
        for stored in read.gone {
            let key = self.known.key(&stored);
            self.known.remove(key);
            self.lost.insert(key, stored);
        }
        read.batch
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
    gone: Vec<StoredMessage>,
}

/// Reads side by side until there is no room; what is left is given back in its order.
fn load(names: Vec<StoredMessage>, selection: &Selection) -> Taken {
    let held = AtomicU64::new(0);
    let slots = side_by_side(names, READERS, |stored| {
        let slot = slot(&stored, selection, &held);
        (stored, slot)
    });
    let mut taken = Taken::default();
    for (stored, slot) in slots {
        match slot {
            Slot::Loaded(loaded) => taken.batch.push(loaded),
            Slot::Postponed => taken.postponed.push(stored),
            Slot::Gone => taken.gone.push(stored),
            Slot::Passed => {}
        }
    }
    taken
}

fn slot(stored: &StoredMessage, selection: &Selection, held: &AtomicU64) -> Slot {
    let (mut file, data) = match stored.open() {
        Ok(Some(opened)) => opened,
        Ok(None) => return Slot::Gone,
        Err(error) => return Slot::Loaded(unread(stored, reason(&error))),
    };
    if !selection.by_metadata(&data) {
        return Slot::Passed;
    }
    let before = held.fetch_add(data.len(), Ordering::Relaxed);
    if before > 0 && before.saturating_add(data.len()) > OCTETS {
        return Slot::Postponed;
    }
    match whole(&mut file, data.len()) {
        Ok(bytes) => Slot::Loaded(Loaded {
            stored: stored.clone(),
            size: data.len(),
            date: data.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            bytes: Ok(bytes),
        }),
        Err(error) => Slot::Loaded(unread(stored, error.to_string())),
    }
}

fn unread(stored: &StoredMessage, reason: String) -> Loaded {
    Loaded { stored: stored.clone(), size: 0, date: SystemTime::UNIX_EPOCH, bytes: Err(reason) }
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
        let mut batches = of(&scene.store, &scene.mailbox, &selection);
        batches.list();
        scene.rename("cur/2.b:2,", "cur/2.b:2,S");
        scene.rename("new/3.c", "cur/3.c:2,S");
        fs::remove_file(scene.mailbox.folder().join("cur/4.d:2,")).unwrap();
        assert_eq!(names(batches), [vec!["1.a"], vec!["2.b", "3.c"]]);
    }

    /// A client that sets flags all the time hides files from each listing: none is missing in the end.
    #[test]
    fn what_a_listing_does_not_show_is_found_by_the_next() {
        let scene = Scene::new();
        for at in 0..3000 {
            scene.put(&format!("cur/{at:04}.x:2,"), b"x");
        }
        let over = std::sync::atomic::AtomicBool::new(false);
        let rename = |round: usize| {
            let flags = if round.is_multiple_of(2) { ["", "S"] } else { ["S", ""] };
            (0..3000).step_by(3).for_each(|at| {
                let [from, to] = flags.map(|flags| format!("cur/{at:04}.x:2,{flags}"));
                scene.rename(&from, &to);
            });
        };
        let told = std::thread::scope(|threads| {
            threads.spawn(|| {
                let mut round = 0;
                while !over.load(Ordering::Relaxed) {
                    rename(round);
                    round += 1;
                }
            });
            let told = names(of(&scene.store, &scene.mailbox, &Selection::all())).concat();
            over.store(true, Ordering::Relaxed);
            told
        });
        let distinct: std::collections::BTreeSet<&String> = told.iter().collect();
        assert_eq!((told.len(), distinct.len()), (3000, 3000));
    }

    #[test]
    fn what_cannot_be_listed_is_told_once_and_the_others_come() {
        use std::os::unix::ffi::OsStrExt;
        let scene = Scene::new();
        scene.put("cur/2.b:2,", b"x");
        fs::write(scene.mailbox.folder().join("cur").join(std::ffi::OsStr::from_bytes(b"1.\xe4")), b"x")
            .unwrap();
        fs::remove_dir(scene.mailbox.folder().join("new")).unwrap();
        std::os::unix::fs::symlink("new", scene.mailbox.folder().join("new")).unwrap();
        let selection = Selection::all();
        let (good, bad): (Vec<_>, Vec<_>) =
            of(&scene.store, &scene.mailbox, &selection).partition(Result::is_ok);
        assert_eq!(names(good.into_iter()), [["2.b"]]);
        let bad: Vec<String> =
            bad.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
        assert_eq!(bad.len(), 2, "{bad:?}");
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
