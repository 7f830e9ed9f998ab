//! How often mailboxes are listed until nothing in them can have been missed.
//!
//! Whoever sets a flag renames a file, and readdir(3) leaves open whether a listing that is under way gives the old name, the
//! new one, both or neither. A listing is exact if nothing was renamed meanwhile, which the folders' times of modification
//! tell; beside a busy client, or right after changes of our own, several must agree.

use crate::store::StoredMailbox;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A mailbox that does not come to rest is listed so often and no more.
pub(super) const PASSES: usize = 20;
/// So many listings in a row, if none of them is exact, must agree.
const AGREE: usize = 3;
/// A single name is missed by three in a row beside somebody who renames all day: so many must miss what is called gone.
const GONE: usize = 8;
/// The coarsest clock of a file system (FAT): of a younger change it is open whether it was before the listing or in it.
const TICK: Duration = Duration::from_secs(2);

/// Stands beside a listing from its begin to its end.
pub(super) struct Watch {
    folders: Vec<PathBuf>,
    before: Vec<Option<SystemTime>>,
    is_old: bool,
}

impl Watch {
    pub(super) fn begin(mailboxes: &[Arc<StoredMailbox>]) -> Watch {
        let parts = |mailbox: &Arc<StoredMailbox>| ["new", "cur"].map(|part| mailbox.folder().join(part));
        let folders: Vec<PathBuf> = mailboxes.iter().flat_map(parts).collect();
        let before = changed(&folders);
        let is_old = before.iter().flatten().all(|time| time.elapsed().is_ok_and(|age| age > TICK));
        Watch { folders, before, is_old }
    }

    /// Has no name changed since?
    fn is_still(&self) -> bool {
        self.is_old && changed(&self.folders) == self.before
    }
}

fn changed(folders: &[PathBuf]) -> Vec<Option<SystemTime>> {
    folders.iter().map(|folder| folder.metadata().ok()?.modified().ok()).collect()
}

/// Listings in a row that gave nothing new.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quiet(usize);

impl Quiet {
    /// Takes up a listing that has just ended.
    pub(super) fn see(&mut self, watch: &Watch, has_news: bool) {
        self.count(watch.is_still(), has_news);
    }

    fn count(&mut self, is_still: bool, has_news: bool) {
        self.0 = match (has_news, is_still) {
            (true, _) => 0,
            (false, true) => GONE,
            (false, false) => self.0 + 1,
        };
    }

    /// Can nothing have been missed?
    pub(super) fn is_enough(self) -> bool {
        self.0 >= AGREE
    }

    /// The same where some that were listed are lost: those must be gone.
    pub(super) fn is_enough_for(self, is_any_lost: bool) -> bool {
        if is_any_lost { self.is_gone() } else { self.is_enough() }
    }

    /// Is what was looked for not there any more?
    pub(super) fn is_gone(self) -> bool {
        self.0 >= GONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Address, MailboxName};
    use crate::store::MaildirStore;
    use std::fs::File;
    use std::path::Path;

    fn is_enough(listings: &[(bool, bool)]) -> bool {
        let mut quiet = Quiet::default();
        listings.iter().for_each(|(is_still, has_news)| quiet.count(*is_still, *has_news));
        quiet.is_enough()
    }

    /// Now, for a test that is held up for a while.
    fn now() -> SystemTime {
        SystemTime::now() + TICK * 60
    }

    fn change(folder: &Path, at: SystemTime) {
        File::open(folder).unwrap().set_modified(at).unwrap();
    }

    /// Two mailboxes whose folders changed then.
    fn mailboxes(changed: SystemTime) -> (tempfile::TempDir, Vec<Arc<StoredMailbox>>) {
        let root = tempfile::tempdir().unwrap();
        let store = MaildirStore::new(root.path(), "{domain}/{local}").unwrap();
        let owner = Address::parse("bob@north.example").unwrap();
        for name in ["INBOX", "Archive"] {
            store.create(&owner, &MailboxName::parse(name).unwrap()).unwrap();
        }
        let mailboxes = store.stored_mailboxes(&owner).unwrap();
        for folder in &Watch::begin(&mailboxes).folders {
            change(folder, changed);
        }
        (root, mailboxes)
    }

    #[test]
    fn a_listing_is_exact_if_all_folders_were_old_and_nothing_changed_in_any() {
        let (_root, old) = mailboxes(SystemTime::now() - TICK * 2);
        assert_eq!(old.len(), 2);
        let watch = Watch::begin(&old);
        assert!(watch.is_still());
        let last = watch.folders.last().unwrap();
        std::fs::write(last.join("1.a"), "").unwrap();
        assert!(!watch.is_still());
        change(last, now());
        assert!(!Watch::begin(&old).is_still(), "it may have changed right before");
        let (_root, young) = mailboxes(now());
        assert!(!Watch::begin(&young).is_still());
        assert!(Watch::begin(&[]).is_still());
    }

    #[test]
    fn one_exact_listing_is_enough_or_three_that_agree() {
        assert!(is_enough(&[(true, true), (true, false)]));
        assert!(!is_enough(&[(true, true)]));
        assert!(!is_enough(&[(false, false), (false, false), (false, true), (false, false), (false, false)]));
        assert!(is_enough(&[(false, true), (false, false), (false, false), (false, false)]));
    }

    #[test]
    fn what_one_exact_listing_or_eight_others_do_not_show_is_gone() {
        let is_gone = |listings: &[(bool, bool)]| {
            let mut quiet = Quiet::default();
            listings.iter().for_each(|(is_still, has_news)| quiet.count(*is_still, *has_news));
            quiet.is_gone()
        };
        assert!(is_gone(&[(true, false)]));
        assert!(is_gone(&[(false, false); 8]));
        assert!(!is_gone(&[(false, false); 7]));
        assert!(!is_gone(&[&[(false, false); 5][..], &[(false, true)], &[(false, false); 5]].concat()));
    }
}
