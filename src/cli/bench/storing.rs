//! Storing as a delivery does: a message counts when it and the folder that it lies in are on the disk.

use super::super::failure::{Code, Failure};
use super::Size;
use super::people::{Holder, letter};
use super::rounds::Rounds;
use crate::engine::{Content, Copy, Mailstore, Place};
use crate::mail::{Address, MailboxName};
use crate::smime::Sealed;
use crate::store::{Disk, Files, MaildirStore};
use crate::system::side_by_side;
use std::path::Path;

/// Messages on their way to the disk at once, each to a mailbox of its own.
pub(super) const WRITERS: usize = 64;
/// What each of them stores in a round.
const IN_TURN: usize = 4;
/// What one measurement writes at most.
const WRITTEN: usize = 128 << 20;

/// A store with a mailbox for each writer.
pub(super) struct Shelf<F = Disk> {
    store: MaildirStore<F>,
    owners: Vec<Address>,
}

/// Of one size.
pub(super) struct Storing {
    pub(super) size: Size,
    /// Messages a second, each when the one before is on the disk.
    pub(super) in_turn: f64,
    pub(super) at_once: f64,
}

impl Shelf {
    /// Measurements of one size.
    pub(super) const MEASURED: usize = 2;

    pub(super) fn new(folder: &Path) -> Result<Shelf, Failure> {
        Shelf::on(Disk, folder)
    }
}

impl<F: Files> Shelf<F> {
    fn on(disk: F, folder: &Path) -> Result<Shelf<F>, Failure> {
        let store = MaildirStore::with_files(folder, "{domain}/{local}", disk);
        let store = store.map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        let owner = |number| Address::parse(&format!("writer{number}@bench.example"));
        let owners: Result<Vec<Address>, _> = (0..WRITERS).map(owner).collect();
        let owners = owners.map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        owners.iter().try_for_each(|owner| store.create(owner, &MailboxName::inbox()))?;
        Ok(Shelf { store, owners })
    }

    pub(super) fn measure(
        &self,
        rounds: &Rounds<'_>,
        holder: &Holder,
        size: Size,
    ) -> Result<Storing, Failure> {
        let message = letter(size.bytes);
        let most = |messages: usize| WRITTEN / (messages * size.bytes);
        rounds.begin(format!("storing {}, one after the other", size.name));
        let prepare = || self.copies(holder.sealed(&message, 1)?);
        let in_turn = rounds.median_of(most(1), prepare, |copies| self.store(&copies))?;
        rounds.begin(format!("storing {}, {WRITERS} at once", size.name));
        let prepare = || self.copies(holder.sealed(&message, WRITERS * IN_TURN)?);
        let at_once =
            rounds.median_of(most(WRITERS * IN_TURN), prepare, |copies| self.store_at_once(&copies))?;
        Ok(Storing { size, in_turn: 1.0 / in_turn, at_once: (WRITERS * IN_TURN) as f64 / at_once })
    }

    /// Those that one writer stores stand together.
    fn copies(&self, sealed: Vec<Sealed>) -> Result<Vec<Copy<'static>>, Failure> {
        let owners = self.owners.iter().flat_map(|owner| std::iter::repeat_n(owner, IN_TURN));
        let copy = |(sealed, owner): (Sealed, &Address)| Copy {
            owner: owner.clone(),
            place: Place::Mailbox(MailboxName::inbox()),
            create: false,
            flags: Vec::new(),
            content: Content::Sealed(sealed),
        };
        Ok(sealed.into_iter().zip(owners).map(copy).collect())
    }

    fn store(&self, copies: &[Copy<'_>]) -> Result<(), Failure> {
        Ok(copies.iter().try_for_each(|copy| self.store.stage(copy)?.commit())?)
    }

    fn store_at_once(&self, copies: &[Copy<'_>]) -> Result<(), Failure> {
        let shares = copies.chunks(IN_TURN).collect();
        side_by_side(shares, WRITERS, |copies| self.store(copies)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::people::holders;
    use super::*;
    use crate::store::Call;
    use crate::system::Crowd;
    use std::io;
    use std::sync::{Arc, OnceLock};

    /// The disk, where syncs of files wait for each other once the mailboxes are made.
    #[derive(Clone, Default)]
    struct Crowded(Arc<OnceLock<Crowd>>);

    impl Files for Crowded {
        fn around<T>(&self, call: Call, _: &Path, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
            self.0.get().filter(|_| call == Call::Sync).into_iter().for_each(Crowd::visit);
            run()
        }
    }

    #[test]
    fn all_writers_write_at_once() {
        let (folder, disk) = (tempfile::tempdir().unwrap(), Crowded::default());
        let shelf = Shelf::on(disk.clone(), folder.path()).ok().unwrap();
        let crowd = disk.0.get_or_init(|| Crowd::of(WRITERS));
        let holders = holders().ok().unwrap();
        let sealed = holders[0].sealed(&letter(0), WRITERS * IN_TURN).ok().unwrap();
        let copies = shelf.copies(sealed).ok().unwrap();
        shelf.store_at_once(&copies).ok().unwrap();
        assert_eq!(crowd.take_most(), WRITERS);
        let owners = copies.chunks(IN_TURN).map(|of| of[0].owner.to_string());
        assert_eq!(owners.collect::<std::collections::BTreeSet<_>>().len(), WRITERS, "to a mailbox each");
    }
}
