//! Replacing, with faults and clients in between.

use super::*;
use crate::mail::Address;
use crate::store::{Call, Finished};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

mod faults;
mod moves;
mod races;
mod strangers;

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// What it should.
    Works,
    /// It fails.
    Fails,
    /// It works, and says that it failed.
    Lies,
}

type Hook = Box<dyn FnMut(Call, &Path) -> Answer + Send>;

/// The disk, with a look at every call before it is made. Nothing is really synced.
#[derive(Clone)]
struct Watched(Arc<Mutex<Hook>>);

impl Files for Watched {
    fn around<T>(&self, call: Call, path: &Path, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let answer = (*self.0.lock().unwrap())(call, path);
        match answer {
            Answer::Works => run(),
            Answer::Fails => Err(io::Error::other("a fault")),
            Answer::Lies => run().and(Err(io::Error::other("a lost answer"))),
        }
    }
    fn sync(&self, _: &File) -> io::Result<()> {
        self.around(Call::Sync, Path::new(""), || Ok(()))
    }
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.around(Call::SyncFolder, path, || Ok(()))
    }
}

/// Where messages lie, and with which names: as Sealpost, qmail and somebody else call them.
const NAMES: [&str; 3] =
    ["new/1700000001.M1P2Q3R4.mx,S=5,W=5", "cur/1700000002.567_1.mx:2,S", "cur/1700000003.x.mx,S=5:2,FSa"];

/// An INBOX with messages, whose content is "old" and their number.
struct World {
    _root: tempfile::TempDir,
    store: MaildirStore<Watched>,
    mailbox: Arc<StoredMailbox>,
    files: Watched,
}

impl World {
    fn new(names: &[&str]) -> World {
        let root = tempfile::tempdir().unwrap();
        let files = Watched(Arc::new(Mutex::new(Box::new(|_, _| Answer::Works))));
        let store = MaildirStore::with_files(root.path(), "{domain}/{local}", files.clone()).unwrap();
        let mailbox =
            store.stored_mailboxes(&Address::parse("bob@north.example").unwrap()).unwrap().remove(0);
        furnish(&mailbox.folder);
        for (number, name) in names.iter().enumerate() {
            fs::write(mailbox.folder.join(name), format!("old {number}")).unwrap();
        }
        World { _root: root, store, mailbox, files }
    }

    fn watch(&self, hook: impl FnMut(Call, &Path) -> Answer + Send + 'static) {
        *self.files.0.lock().unwrap() = Box::new(hook);
    }

    fn listed(&self) -> Vec<StoredMessage> {
        let mut all: Vec<_> = self.store.messages(&self.mailbox).map(Result::unwrap).collect();
        all.sort_by(|one, other| one.file_name.cmp(&other.file_name));
        all
    }

    fn stage(&self, old: &StoredMessage, text: &str) -> Result<Replacement<Watched>, StoreError> {
        let (_, data) = old.open().unwrap().unwrap();
        let bytes = SecretBytes::new(text.as_bytes().to_vec());
        let content = NewContent::Clear(bytes, PlainConsent::for_tests());
        self.store.stage_replacement((old, &data), RunId(7), &content)
    }

    /// One for each message, in the order of the names.
    fn staged(&self) -> Vec<Replacement<Watched>> {
        let numbered = self.listed().into_iter().enumerate();
        numbered.map(|(number, old)| self.stage(&old, &format!("new {number}")).unwrap()).collect()
    }

    /// What is visible: file names below the mailbox with their content.
    fn visible(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for part in ["new", "cur"] {
            for entry in fs::read_dir(self.mailbox.folder.join(part)).unwrap() {
                let entry = entry.unwrap();
                let name = format!("{part}/{}", entry.file_name().to_str().unwrap());
                all.push((name, fs::read_to_string(entry.path()).unwrap()));
            }
        }
        all.sort();
        all
    }

    /// The names of the files with that content.
    fn with(&self, content: &str) -> Vec<String> {
        self.visible().into_iter().filter(|(_, found)| found == content).map(|(name, _)| name).collect()
    }

    fn is_tidy(&self) -> bool {
        fs::read_dir(self.mailbox.folder.join("tmp")).unwrap().next().is_none()
    }
}

fn furnish(folder: &Path) {
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
}

fn letters(name: &str) -> &str {
    name.split_once(":2,").map_or("", |(_, letters)| letters)
}

#[test]
fn a_batch_takes_the_places_of_the_old_ones() {
    let world = World::new(&NAMES);
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let old = File::open(world.mailbox.folder.join(NAMES[2])).unwrap();
    old.set_modified(date).unwrap();
    old.set_permissions(fs::Permissions::from_mode(0o640)).unwrap();
    let staged = world.staged();
    assert_eq!(staged[1].read_back().unwrap().expose(), b"new 1");
    assert_eq!(world.visible().len(), 3, "nothing is visible before the commit");
    let syncs = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&syncs);
    world.watch(move |call, path| {
        if call == Call::SyncFolder {
            seen.lock().unwrap().push(path.file_name().unwrap().to_owned());
        }
        Answer::Works
    });
    let replaced: Vec<_> = Replacement::commit_all(staged).into_iter().map(Result::unwrap).collect();
    assert_eq!(replaced, [Replaced::Done; 3]);
    assert_eq!(
        *syncs.lock().unwrap(),
        ["cur", "new", "cur", "new", "tmp"],
        "each folder once, and once again"
    );
    let visible = world.visible();
    assert_eq!(visible.len(), 3);
    assert!(visible[2].0.starts_with("new/1700000001.M1P2Q3R4.P"), "{visible:?}");
    let ends = [(0, ",S=5,W=5:2,S"), (1, ",S=5,W=5:2,FSa"), (2, ",S=5,W=5")];
    assert!(ends.iter().all(|(at, end)| visible[*at].0.ends_with(end)), "{visible:?}");
    assert!(visible.iter().all(|(_, content)| content.starts_with("new")));
    assert!(world.listed().iter().all(|message| message.run() == Some(RunId(7))));
    let data = fs::metadata(world.mailbox.folder.join(&visible[1].0)).unwrap();
    assert_eq!((data.modified().unwrap(), data.mode() & 0o777), (date, 0o640));
    assert!(world.is_tidy());
}

#[test]
fn dropping_a_replacement_undoes_it() {
    let world = World::new(&NAMES);
    drop(world.staged());
    assert!(world.is_tidy());
    assert_eq!(world.visible().len(), 3);
}

#[test]
fn what_is_read_back_is_the_file_and_no_more_than_was_written() {
    let world = World::new(&NAMES);
    let staged = world.staged();
    fs::write(&staged[0].temporary, "other").unwrap();
    assert_eq!(staged[0].read_back().unwrap().expose(), b"other");
    for wrong in ["", "a longer text"] {
        fs::write(&staged[0].temporary, wrong).unwrap();
        let error = staged[0].read_back().err().unwrap();
        assert!(error.to_string().starts_with("cannot read back "), "{error}");
    }
    fs::remove_file(&staged[0].temporary).unwrap();
    std::os::unix::fs::symlink(&staged[1].temporary, &staged[0].temporary).unwrap();
    assert!(staged[0].read_back().is_err(), "a link leads elsewhere");
}

#[test]
fn a_mailbox_without_tmp_gets_one() {
    let world = World::new(&NAMES);
    fs::remove_dir(world.mailbox.folder.join("tmp")).unwrap();
    assert!(Replacement::commit_all(world.staged()).iter().all(Result::is_ok));
    assert_eq!(world.visible().len(), 3);
}

/// In `cur/` without info, with an experimental one, with unknown letters and with more behind the letters.
#[test]
fn what_other_programs_wrote_into_names_stays() {
    for info in ["", ":1,exp", ":2,", ":2,xZ9", ":2,FS,more", ":2"] {
        let world = World::new(&[&format!("cur/123.mx{info}")]);
        assert!(Replacement::commit_all(world.staged())[0].is_ok());
        let name = &world.visible()[0].0;
        assert!(name.starts_with("cur/123.mx.P") && name.ends_with(&format!(",S=5,W=5{info}")), "{name}");
    }
}

/// The same, where a client sets a flag meanwhile, as Dovecot does it.
#[test]
fn flags_meet_what_other_programs_wrote() {
    for (info, set, expected) in
        [("", ":2,F", ":2,F"), (":1,exp", ":2,F", ":2,F"), (":2,Zx,more", ":2,FZx,more", ":2,FZx,more")]
    {
        let world = World::new(&[&format!("cur/123.mx{info}")]);
        let staged = world.staged();
        let [before, after] = [info, set].map(|info| world.mailbox.folder.join(format!("cur/123.mx{info}")));
        world.watch(move |call, _| {
            if call == Call::SyncFolder {
                let _ = fs::rename(&before, &after);
            }
            Answer::Works
        });
        assert_eq!(Replacement::commit_all(staged).remove(0).unwrap(), Replaced::Done);
        let name = &world.visible()[0].0;
        assert!(name.ends_with(&format!(",S=5,W=5{expected}")), "{name}");
    }
}

#[test]
fn the_quota_changes_by_the_difference_where_it_counts() {
    let change = |name: &str, folder: &str, rename: Option<&str>| {
        let world = World::new(&[]);
        let mailbox = world.mailbox.folder.join(folder);
        furnish(&mailbox);
        fs::write(mailbox.join(name), "12345").unwrap();
        let quota = world.mailbox.folder.join("maildirsize");
        fs::write(&quota, "9S\n5 1\n").unwrap();
        let boxes = world.store.stored_mailboxes(&world.mailbox.owner).unwrap();
        let old = boxes.iter().find_map(|found| world.store.messages(found).next()).unwrap().unwrap();
        let staged = world.stage(&old, "far too much").unwrap();
        if let Some(other) = rename {
            fs::rename(mailbox.join(name), mailbox.join(other)).unwrap();
        }
        assert_eq!(Replacement::commit_all(vec![staged]).remove(0).unwrap(), Replaced::Done);
        fs::read_to_string(quota).unwrap().strip_prefix("9S\n5 1\n").unwrap().to_owned()
    };
    assert_eq!(change("cur/1.x.mx:2,S", "", None), "7 0\n");
    assert_eq!(change("cur/1.x.mx,S=3:2,S", "", None), "9 0\n", "what the name says is what was counted");
    assert_eq!(change("cur/1.x.mx:2,S", ".Sent", None), "7 0\n");
    assert_eq!(change("cur/1.x.mx:2,ST", "", None), "");
    assert_eq!(change("cur/1.x.mx:2,S", "", Some("cur/1.x.mx:2,ST")), "");
    assert_eq!(change("new/1.x.mx", ".Trash", None), "");
}

/// Dovecot's COPY gives a message a second name in another mailbox.
#[test]
fn hard_links_elsewhere_keep_their_content() {
    let world = World::new(&NAMES);
    let other = world.mailbox.folder.join("copy");
    fs::hard_link(world.mailbox.folder.join(NAMES[1]), &other).unwrap();
    assert!(Replacement::commit_all(world.staged()).iter().all(Result::is_ok));
    assert_eq!(fs::read_to_string(other).unwrap(), "old 1");
}

#[test]
fn several_mailboxes_in_a_batch() {
    let world = World::new(&NAMES);
    let sent = world.mailbox.folder.join(".Sent");
    furnish(&sent);
    fs::write(sent.join("cur/9.x.mx:2,S"), "sent").unwrap();
    let boxes = world.store.stored_mailboxes(&world.mailbox.owner).unwrap();
    let all = boxes.iter().flat_map(|found| world.store.messages(found));
    let staged: Vec<_> = all.map(|old| world.stage(&old.unwrap(), "other").unwrap()).collect();
    // Both are looked up: their names changed.
    fs::rename(sent.join("cur/9.x.mx:2,S"), sent.join("cur/9.x.mx:2,RS")).unwrap();
    let old = world.mailbox.folder.join(NAMES[1]);
    fs::rename(&old, old.with_file_name("1700000002.567_1.mx:2,ST")).unwrap();
    let replaced: Vec<_> = Replacement::commit_all(staged).into_iter().map(Result::unwrap).collect();
    assert_eq!(replaced, [Replaced::Done; 4]);
    assert_eq!(world.with("other").len(), 3);
    assert!(world.visible().iter().any(|(name, _)| name.ends_with(":2,ST")));
    let moved = fs::read_dir(sent.join("cur")).unwrap().next().unwrap().unwrap();
    assert!(moved.file_name().to_str().unwrap().ends_with(",S=5,W=5:2,RS"));
}

#[test]
fn finishing_does_nothing_where_one_of_them_is_missing() {
    let world = World::new(&NAMES);
    let steps: Vec<Step> = world.staged().iter().map(Replacement::step).collect();
    let settled =
        || world.store.finish_all(&steps).into_iter().all(|done| done.unwrap() == Finished::Settled);
    assert!(settled(), "only the old ones");
    let staged = world.staged();
    let steps: Vec<Step> = staged.iter().map(Replacement::step).collect();
    Replacement::commit_all(staged);
    let settled =
        || world.store.finish_all(&steps).into_iter().all(|done| done.unwrap() == Finished::Settled);
    assert!(settled(), "only the new ones");
    assert_eq!(world.visible().len(), 3);
}
