use super::*;
use crate::engine::{Content, Place, PlainConsent};
use crate::mail::{FileName, Flag, FolderName, MailboxName};
use crate::store::{Call, MemoryStore};
use crate::system::Crowd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// The disk, with a record of what was synced, on which one folder cannot be.
#[derive(Debug, Clone, Default)]
struct Watched {
    folders: Arc<Mutex<Vec<PathBuf>>>,
    files: Arc<Mutex<usize>>,
    bad: Option<&'static str>,
    /// Whose syncs are at work at once.
    crowd: Option<Arc<Crowd>>,
}

impl Files for Watched {
    fn around<T>(&self, call: Call, path: &Path, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match call {
            Call::Sync => *self.files.lock().unwrap() += 1,
            Call::SyncFolder => self.folders.lock().unwrap().push(path.to_owned()),
            _ => return run(),
        }
        self.crowd.iter().for_each(|crowd| crowd.visit());
        let is_bad = call == Call::SyncFolder && self.bad.is_some_and(|bad| path.ends_with(bad));
        if is_bad { Err(io::Error::other("bad sector")) } else { run() }
    }
}

struct Desk {
    root: tempfile::TempDir,
    files: Watched,
    store: MaildirStore<Watched>,
}

fn desk(bad: Option<&'static str>) -> Desk {
    let root = tempfile::tempdir().unwrap();
    let files = Watched { bad, ..Watched::default() };
    let store = MaildirStore::with_files(root.path(), "{domain}/{local}", files.clone()).unwrap();
    for name in ["bob", "ada"] {
        MaildirStore::new(root.path(), "{domain}/{local}")
            .unwrap()
            .create(&owner(name), &MailboxName::inbox())
            .unwrap();
    }
    Desk { root, files, store }
}

fn owner(name: &str) -> Address {
    Address::parse(&format!("{name}@north.example")).unwrap()
}

fn copy<'a>(name: &str, mailbox: &str, text: &'a str) -> Copy<'a> {
    Copy {
        owner: owner(name),
        place: Place::Mailbox(MailboxName::parse(mailbox).unwrap()),
        create: true,
        flags: Vec::new(),
        content: Content::Plain(text.as_bytes(), PlainConsent::for_tests()),
    }
}

impl Desk {
    fn stage(&self, copies: &[Copy<'_>]) -> Vec<Result<Box<dyn Staged>, StoreError>> {
        self.store.stage_all(&copies.iter().collect::<Vec<_>>())
    }

    /// Each file of the folder in the order of the names, as readers order them.
    fn lying(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.root.path().join("north.example").join(folder))
            .map(|found| found.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default();
        let micros = |name: &str| -> (u64, u64) {
            let (seconds, rest) = name.split_once(".M").unwrap();
            (seconds.parse().unwrap(), rest.split('P').next().unwrap().parse().unwrap())
        };
        names.sort_by_key(|name| micros(name));
        let path = |name: &String| self.root.path().join("north.example").join(folder).join(name);
        names.iter().map(|name| std::fs::read_to_string(path(name)).unwrap()).collect()
    }
}

fn words(ends: &[Result<(), StoreError>]) -> Vec<String> {
    ends.iter().map(|end| end.as_ref().map_or_else(ToString::to_string, |()| "there".into())).collect()
}

/// A hundred files by many threads, and the order of the requests in each mailbox.
#[test]
fn readers_see_the_order_of_the_copies_and_each_folder_is_synced_once() {
    let desk = desk(None);
    let texts: Vec<String> = (0..100).map(|number| format!("{number:03}")).collect();
    let copies: Vec<Copy<'_>> =
        texts.iter().enumerate().map(|(at, text)| copy(["bob", "ada"][at % 2], "INBOX", text)).collect();
    let staged: Vec<_> = desk.stage(&copies).into_iter().map(Result::unwrap).collect();
    assert_eq!(*desk.files.files.lock().unwrap(), 100, "each is synced before it is called staged");
    assert_eq!((desk.lying("bob/new").len(), desk.lying("bob/tmp").len()), (0, 50));
    desk.files.folders.lock().unwrap().clear();
    assert!(desk.store.commit_all(staged).iter().all(Result::is_ok));
    assert_eq!(desk.files.folders.lock().unwrap().len(), 2, "one sync for each folder");
    let of = |side: usize| texts.iter().skip(side).step_by(2).cloned().collect::<Vec<_>>();
    assert_eq!((desk.lying("bob/new"), desk.lying("ada/new")), (of(0), of(1)));
    assert_eq!(desk.lying("bob/tmp").len() + desk.lying("ada/tmp").len(), 0);
}

#[test]
fn thirty_two_are_synced_at_a_time() {
    let mut desk = desk(None);
    let names: Vec<String> = (0..4 * LANES).map(|number| format!("user{number}")).collect();
    for name in &names {
        desk.store.create(&owner(name), &MailboxName::inbox()).unwrap();
    }
    let crowd = Arc::new(Crowd::of(LANES));
    let files = Watched { crowd: Some(Arc::clone(&crowd)), ..Watched::default() };
    desk.store = MaildirStore::with_files(desk.root.path(), "{domain}/{local}", files).unwrap();
    let copies: Vec<Copy<'_>> = names.iter().map(|name| copy(name, "INBOX", "x")).collect();
    let staged: Vec<_> = desk.stage(&copies).into_iter().map(Result::unwrap).collect();
    assert_eq!(crowd.take_most(), 32, "files");
    assert!(desk.store.commit_all(staged).iter().all(Result::is_ok));
    assert_eq!(crowd.take_most(), 32, "folders");
}

#[test]
fn a_folder_that_cannot_be_synced_fails_those_that_came_into_it() {
    let desk = desk(Some("ada/new"));
    let copies = [copy("bob", "INBOX", "1"), copy("ada", "INBOX", "2"), copy("bob", "INBOX", "3")];
    let staged: Vec<_> = desk.stage(&copies).into_iter().map(Result::unwrap).collect();
    let ends = words(&desk.store.commit_all(staged));
    assert_eq!((ends[0].as_str(), ends[2].as_str()), ("there", "there"));
    assert!(ends[1].starts_with("cannot sync the folder "), "{}", ends[1]);
}

#[test]
fn one_that_cannot_be_staged_or_made_visible_fails_alone() {
    let desk = desk(None);
    let copies = [
        copy("bob", "INBOX", "1"),
        Copy { create: false, ..copy("bob", "Nowhere", "2") },
        copy("bob", "INBOX", "3"),
    ];
    let mut staged = desk.stage(&copies);
    let refused = staged.remove(1).err().unwrap();
    assert!(matches!(refused, StoreError::NoMailbox { .. }), "{refused}");
    let staged: Vec<_> = staged.into_iter().map(Result::unwrap).collect();
    let lost = desk.root.path().join("north.example/bob/tmp").join(staged[0].name());
    std::fs::remove_file(lost).unwrap();
    let ends = words(&desk.store.commit_all(staged));
    assert!(ends[0].starts_with("cannot link "), "{}", ends[0]);
    assert_eq!((ends[1].as_str(), desk.lying("bob/new")), ("there", vec!["3".to_owned()]));
}

#[test]
fn the_quota_counts_those_that_come_together() {
    let desk = desk(None);
    let quota = desk.root.path().join("north.example/bob/maildirsize");
    std::fs::write(&quota, "1000S,3C\n0 0\n").unwrap();
    let copies = ["1", "22", "333", "4444"].map(|text| copy("bob", "INBOX", text));
    let mut staged = desk.stage(&copies);
    let refused = staged.pop().unwrap().err().unwrap();
    assert!(matches!(refused, StoreError::OverQuota(_)), "{refused}");
    let staged: Vec<_> = staged.into_iter().map(Result::unwrap).collect();
    assert!(desk.store.commit_all(staged).iter().all(Result::is_ok));
    assert_eq!(std::fs::read_to_string(&quota).unwrap(), "1000S,3C\n0 0\n6 3\n");
}

/// Both need a mailbox that is not there and a letter that is not given.
#[test]
fn mailboxes_and_letters_are_made_for_the_first_that_needs_them() {
    let desk = desk(None);
    let flagged = |text| Copy { flags: vec![Flag::Keyword("Work".into())], ..copy("bob", "Deep/Box", text) };
    let copies = [flagged("1"), flagged("2")];
    let staged: Vec<_> = desk.stage(&copies).into_iter().map(Result::unwrap).collect();
    assert!(desk.store.commit_all(staged).iter().all(Result::is_ok));
    assert_eq!(desk.lying("bob/.Deep.Box/cur"), ["1", "2"]);
    let words = desk.root.path().join("north.example/bob/.Deep.Box/dovecot-keywords");
    assert_eq!(std::fs::read_to_string(words).unwrap(), "0 Work\n");
}

#[test]
fn files_of_one_name_are_numbered_in_their_order() {
    let desk = desk(None);
    let place = || Place::File(FolderName::parse("In").unwrap(), FileName::of(Some("a.pdf"), ""));
    let copies = ["1", "2", "3"].map(|text| Copy { place: place(), ..copy("bob", "INBOX", text) });
    let staged: Vec<_> = desk.stage(&copies).into_iter().map(Result::unwrap).collect();
    desk.files.folders.lock().unwrap().clear();
    assert!(desk.store.commit_all(staged).iter().all(Result::is_ok));
    assert_eq!(desk.files.folders.lock().unwrap().len(), 1);
    let folder = desk.root.path().join("files/north.example/bob/In");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!([read("a.pdf"), read("a-2.pdf"), read("a-3.pdf")], ["1", "2", "3"]);
}

#[test]
fn what_another_store_staged_is_committed_as_that_store_does_it() {
    let (desk, other) = (desk(None), MemoryStore::default());
    let staged = other.stage(&copy("bob", "INBOX", "1")).unwrap();
    assert!(desk.store.commit_all(vec![staged]).iter().all(Result::is_ok));
    assert_eq!((other.total(), desk.lying("bob/new").len()), (1, 0));
}

#[test]
fn what_is_dropped_leaves_nothing() {
    let desk = desk(None);
    drop(desk.stage(&[copy("bob", "INBOX", "1"), copy("bob", "INBOX", "2")]));
    assert_eq!((desk.lying("bob/new").len(), desk.lying("bob/tmp").len()), (0, 0));
    assert!(desk.store.commit_all(Vec::new()).is_empty());
}
