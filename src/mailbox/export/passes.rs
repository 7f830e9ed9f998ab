//! How often a mailbox is listed until nothing in it can have been missed.
//!
//! Whoever sets a flag renames a file, and readdir(3) leaves open whether a listing that is under way gives the old name, the
//! new one, both or neither. A listing is exact if nothing was renamed meanwhile, which the folders' times of modification
//! tell; beside a busy client several must agree.

use crate::store::StoredMailbox;
use std::time::{Duration, SystemTime};

/// A mailbox that does not come to rest is listed so often and no more.
pub(super) const PASSES: usize = 20;
/// So many listings in a row, if none of them is exact, must agree.
const AGREE: usize = 3;
/// The coarsest clock of a file system (FAT): of a younger change it is open whether it was before the listing or in it.
const TICK: Duration = Duration::from_secs(2);

/// Stands beside a listing from its begin to its end.
pub(super) struct Watch<'a> {
    mailbox: &'a StoredMailbox,
    before: [Option<SystemTime>; 2],
    is_old: bool,
}

impl Watch<'_> {
    pub(super) fn begin(mailbox: &StoredMailbox) -> Watch<'_> {
        let before = changed(mailbox);
        let is_old = before.iter().flatten().all(|time| time.elapsed().is_ok_and(|age| age > TICK));
        Watch { mailbox, before, is_old }
    }

    /// Has no name changed since?
    fn is_still(&self) -> bool {
        self.is_old && changed(self.mailbox) == self.before
    }
}

fn changed(mailbox: &StoredMailbox) -> [Option<SystemTime>; 2] {
    ["new", "cur"].map(|part| mailbox.folder().join(part).metadata().ok()?.modified().ok())
}

/// Listings in a row that gave nothing new.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quiet(usize);

impl Quiet {
    /// Takes up a listing that has just ended.
    pub(super) fn see(&mut self, watch: &Watch<'_>, has_news: bool) {
        self.count(watch.is_still(), has_news);
    }

    fn count(&mut self, is_still: bool, has_news: bool) {
        self.0 = match (has_news, is_still) {
            (true, _) => 0,
            (false, true) => AGREE,
            (false, false) => self.0 + 1,
        };
    }

    /// Can nothing have been missed?
    pub(super) fn is_enough(self) -> bool {
        self.0 >= AGREE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_enough(listings: &[(bool, bool)]) -> bool {
        let mut quiet = Quiet::default();
        listings.iter().for_each(|(is_still, has_news)| quiet.count(*is_still, *has_news));
        quiet.is_enough()
    }

    #[test]
    fn one_exact_listing_is_enough_or_three_that_agree() {
        assert!(is_enough(&[(true, true), (true, false)]));
        assert!(!is_enough(&[(true, true)]));
        assert!(!is_enough(&[(false, false), (false, false), (false, true), (false, false), (false, false)]));
        assert!(is_enough(&[(false, true), (false, false), (false, false), (false, false)]));
    }
}
