//! Many at a time: files that are written and synced side by side, and made visible together with one sync of a folder for all
//! that come into it.
//!
//! Measured against one syncfs(2) for all files: as fast on a quiet disk, slower beside other writers, whose data it waits for;
//! and one bad sector would fail them all.

use super::MaildirStore;
use super::atomic::{Files, failed};
use super::content::Octets;
use super::maildir::{Admitted, Expected};
use super::quota;
use crate::engine::{Copy, Mailstore, Place, Staged, StoreError};
use crate::mail::Address;
use crate::system::side_by_side;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::Path;

/// So many files or folders are synced at a time. Measured: 16 to 32 are as many as a disk takes together.
const LANES: usize = 32;

/// Written and synced under a temporary name.
pub(super) trait Waiting {
    /// Gives it its visible name, which is not synced yet.
    fn reveal(&self) -> Result<(), StoreError>;
    /// Where that name is.
    fn folder(&self) -> &Path;
    /// The Maildir whose quota it counts in, and its octets.
    fn counts(&self) -> Option<(&Path, u64)>;
}

/// Makes all of them visible, which may be in one folder or in several, syncs each folder once, and says which are there for
/// good. The temporary names stay for their owners to remove.
pub(super) fn reveal_all(files: &impl Files, waiting: &[&dyn Waiting]) -> Vec<Result<(), StoreError>> {
    let mut ends: Vec<Result<(), StoreError>> = waiting.iter().map(|one| one.reveal()).collect();
    let folders: BTreeSet<&Path> = there(waiting, &ends).map(|one| one.folder()).collect();
    let lost = unsynced(files, folders);
    for (one, end) in waiting.iter().zip(&mut ends).filter(|(_, end)| end.is_ok()) {
        if let Some(reason) = lost.get(one.folder()) {
            *end = Err(failed("sync the folder", one.folder())(io::Error::other(reason.clone())));
        }
    }
    let mut sizes = BTreeMap::<&Path, Vec<u64>>::new();
    for (maildir, size) in there(waiting, &ends).filter_map(|one| one.counts()) {
        sizes.entry(maildir).or_default().push(size);
    }
    sizes.into_iter().for_each(|(maildir, sizes)| quota::record_many(files, maildir, sizes.into_iter()));
    ends
}

fn there<'w, 'e>(
    waiting: &'e [&'w dyn Waiting],
    ends: &'e [Result<(), StoreError>],
) -> impl Iterator<Item = &'w dyn Waiting> + use<'w, 'e> {
    waiting.iter().zip(ends).filter(|(_, end)| end.is_ok()).map(|(one, _)| *one)
}

/// The folders whose sync failed, and why.
fn unsynced<'f>(files: &impl Files, folders: BTreeSet<&'f Path>) -> BTreeMap<&'f Path, String> {
    let sync = |folder: &'f Path| files.sync_folder(folder).err().map(|error| (folder, error.to_string()));
    side_by_side(folders.into_iter().collect(), LANES, sync).into_iter().flatten().collect()
}

/// A copy on its way to the disk.
enum Job<'c> {
    Message(Admitted, Octets<'c>),
    File(&'c Copy<'c>),
}

impl<F: Files> MaildirStore<F> {
    /// Stages many: names are given in the order of the copies; then what must be looked at and made, account by account; then
    /// every file by itself.
    pub(super) fn stage_together(&self, copies: &[&Copy<'_>]) -> Vec<Result<Box<dyn Staged>, StoreError>> {
        let names: Vec<String> = copies.iter().map(|copy| self.name_for(Octets::of(copy))).collect();
        let mut jobs: Vec<(usize, Result<Job<'_>, StoreError>)> = side_by_side(
            by_account(copies).into_iter().collect(),
            LANES,
            |(_, places): (&Address, Vec<usize>)| self.admit_all(copies, &names, places),
        )
        .into_iter()
        .flatten()
        .collect();
        jobs.sort_unstable_by_key(|(place, _)| *place);
        side_by_side(jobs, LANES, |(_, job)| job.and_then(|job| self.write_job(job)))
    }

    /// The copies in these places, all of one account, in their order.
    fn admit_all<'c>(
        &self,
        copies: &[&'c Copy<'c>],
        names: &[String],
        places: Vec<usize>,
    ) -> Vec<(usize, Result<Job<'c>, StoreError>)> {
        let mut expected = Expected::default();
        let mut jobs = Vec::with_capacity(places.len());
        for place in places {
            let (Some(copy), Some(name)) = (copies.get(place), names.get(place)) else { continue };
            let job = match &copy.place {
                Place::File(..) => Ok(Job::File(copy)),
                Place::Mailbox(mailbox) => {
                    let octets = Octets::of(copy);
                    let admitted = self.admit(copy, mailbox, (name.clone(), octets.len()), &mut expected);
                    admitted.map(|admitted| Job::Message(admitted, octets))
                }
            };
            jobs.push((place, job));
        }
        jobs
    }

    fn write_job(&self, job: Job<'_>) -> Result<Box<dyn Staged>, StoreError> {
        match job {
            Job::Message(admitted, octets) => self.write_admitted(admitted, octets),
            Job::File(copy) => self.stage(copy),
        }
    }
}

/// The places of the copies of each account.
fn by_account<'c>(copies: &[&'c Copy<'_>]) -> HashMap<&'c Address, Vec<usize>> {
    let mut accounts = HashMap::<&Address, Vec<usize>>::new();
    for (place, copy) in copies.iter().enumerate() {
        accounts.entry(&copy.owner).or_default().push(place);
    }
    accounts
}

#[cfg(test)]
mod tests;
