//! The three stages of a run over one account, side by side: while one batch is written, the next is worked on and the one after it
//! is read.

use super::batch::Batch;
use super::budget::Budget;
use super::dead::Unfinished;
use super::journal::Journal;
use super::lock::Lock;
use super::make::{Change, make};
use super::place::Placer;
use super::read::{Loaded, Reader};
use super::trouble::Trouble;
use super::{Ended, Event, Run, RunError, Scope};
use crate::mail::{Address, MailboxName, printable};
use crate::mailbox::Work;
use crate::store::{Files, StoredMailbox};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::scope as threads_of;

/// So many messages are staged at one time: what they sync the file system writes in groups.
const LANES: usize = 32;
/// Octets of files in memory, over all accounts: three batches, one for each stage.
const MEMORY: u64 = 48 << 20;

/// What the accounts of a run share.
pub(super) struct Workshop<'a, F> {
    pub(super) run: &'a Run<'a, F>,
    pub(super) journal: Journal<'a>,
    pub(super) budget: Budget,
    /// Threads for the disk, for each account.
    pub(super) lanes: usize,
}

/// Why a stage ends before its end.
pub(super) enum Halt {
    /// Somebody stopped the run.
    Stopped,
    /// The stage behind it is over.
    NobodyListens,
    /// A fault.
    Fault(RunError),
}

impl From<RunError> for Halt {
    fn from(error: RunError) -> Halt {
        Halt::Fault(error)
    }
}

impl<'a, F: Files> Workshop<'a, F> {
    /// For so many accounts at one time.
    pub(super) fn of(run: &'a Run<'a, F>, accounts: usize) -> Workshop<'a, F> {
        let lanes = (LANES / accounts.max(1)).max(1);
        Workshop { run, journal: Journal::of(run.journal), budget: Budget::of(MEMORY), lanes }
    }

    /// Stops where somebody asked for it.
    pub(super) fn go_on(&self) -> Result<(), Halt> {
        if self.run.stop.load(Ordering::Relaxed) { Err(Halt::Stopped) } else { Ok(()) }
    }

    /// Works on the messages of an account and tells of each.
    pub(super) fn account(
        &self,
        scope: &Scope<'_>,
        work: &dyn Work,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Ended, RunError> {
        let meant = self.run.mailboxes(scope)?;
        let maildir = self.run.store.folder(scope.owner, &MailboxName::inbox());
        let lock = if self.run.dry_run { None } else { Some(Lock::take(scope.owner, &maildir)?) };
        tell(Event::Begins { owner: scope.owner.clone(), done_before: self.run.done_before(scope)? });
        self.tell_links(scope.owner, tell)?;
        let unfinished = match lock {
            None => Vec::new(),
            // What a delivery makes there meanwhile is for the next run, which has a folder to lock.
            Some(None) => return Ok(Ended::Whole),
            Some(Some(_)) => {
                self.sweep(scope.owner, tell)?;
                self.finish_dead(scope.owner, tell)?
            }
        };
        let left_out = unfinished.iter().map(|one| Arc::clone(&one.mailbox)).collect();
        unfinished.into_iter().filter(|one| meant.contains(&one.mailbox)).for_each(|one| tell(told(one)));
        self.stages(scope, left_out, work, tell)
    }

    /// Its own mailboxes are worked on: a link may lead to those of somebody else, whose keys are others.
    fn tell_links(&self, owner: &Address, tell: &mut dyn FnMut(Event)) -> Result<(), RunError> {
        for mailbox in self.run.store.linked_mailboxes(owner)? {
            let text =
                format!("mailbox {} is a link to another folder, and is passed over", printable(&mailbox));
            tell(Event::Warning { owner: owner.clone(), text });
        }
        Ok(())
    }

    fn stages(
        &self,
        scope: &Scope<'_>,
        left_out: Vec<Arc<StoredMailbox>>,
        work: &dyn Work,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Ended, RunError> {
        let trouble = &Trouble::default();
        let halts = threads_of(|threads| {
            let (to_make, to_be_made) = sync_channel(1);
            let (to_place, to_be_placed) = sync_channel(1);
            let reader = threads.spawn(move || Reader::new(self, (scope, left_out), trouble, to_make).run());
            let maker = threads.spawn(move || self.make_all(work, &to_be_made, &to_place));
            let placed = self.place_all((scope, trouble), to_be_placed, tell);
            let [read, made] =
                [reader, maker].map(|stage| stage.join().unwrap_or_else(|panic| resume_unwind(panic)));
            [placed, made, read]
        });
        match (ended(halts)?, trouble.given_up()) {
            (Ended::Whole, given_up) if !given_up.is_empty() => Err(RunError::GaveUpOn(given_up)),
            (ended, _) => Ok(ended),
        }
    }

    fn make_all<'b>(
        &self,
        work: &dyn Work,
        batches: &Receiver<Batch<'b, Loaded>>,
        out: &SyncSender<Batch<'b, Change>>,
    ) -> Result<(), Halt> {
        for batch in batches {
            self.go_on()?;
            out.send(make(work, batch, self.run.dry_run)).map_err(|_| Halt::NobodyListens)?;
        }
        Ok(())
    }

    /// Takes the receiver, so that the stages before it end with it.
    fn place_all(
        &self,
        (scope, trouble): (&Scope<'_>, &Trouble),
        batches: Receiver<Batch<'_, Change>>,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), Halt> {
        let placer = Placer::new(self, scope.owner, trouble);
        batches.into_iter().try_for_each(|batch| placer.place(batch, tell))
    }
}

fn told(Unfinished { mailbox, reason }: Unfinished) -> Event {
    let reason =
        format!("not worked on, because what an earlier run left there cannot be finished: {reason}");
    Event::LeftOut { mailbox, reason }
}

/// A fault before a stop before the end.
fn ended(halts: [Result<(), Halt>; 3]) -> Result<Ended, RunError> {
    let mut ended = Ended::Whole;
    for halt in halts {
        match halt {
            Err(Halt::Fault(error)) => return Err(error),
            Err(Halt::Stopped) => ended = Ended::Stopped,
            Err(Halt::NobodyListens) | Ok(()) => {}
        }
    }
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::SqliteDirectory;
    use crate::mailbox::{Left, Made, Read, Selection};
    use crate::store::{MaildirStore, RunId};
    use std::sync::atomic::AtomicBool;

    struct Idle;

    impl Work for Idle {
        fn make(&self, batch: &[Read<'_>]) -> Vec<Made> {
            batch.iter().map(|_| Made::Leave(Left::Clear)).collect()
        }
    }

    /// Somebody makes the Maildir while the run is at work, which has no lock then.
    #[test]
    fn where_there_is_no_maildir_nothing_is_done_without_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        let journal = SqliteDirectory::create(&folder.path().join("root")).unwrap();
        let store = MaildirStore::new(folder.path(), "{domain}/{local}").unwrap();
        let owner = Address::parse("anna@north.example").unwrap();
        let maildir = store.folder(&owner, &MailboxName::inbox());
        let (stop, selection) = (AtomicBool::new(false), Selection::default());
        let run = Run {
            store: &store,
            journal: &journal,
            stop: &stop,
            id: RunId(1),
            resumed: false,
            dry_run: false,
            largest: 1000,
        };
        let scope = Scope { owner: &owner, mailbox: None, selection: &selection };
        let seen = || {
            let mut seen = 0;
            let mut tell = |event| match event {
                Event::Message(_) => seen += 1,
                Event::Begins { .. } => {
                    std::fs::create_dir_all(maildir.join("new")).unwrap();
                    std::fs::write(maildir.join("new/1.x.mx"), "Subject: x\r\n\r\n").unwrap();
                }
                _ => {}
            };
            Workshop::of(&run, 1).account(&scope, &Idle, &mut tell).unwrap();
            seen
        };
        assert_eq!(seen(), 0);
        assert_eq!(seen(), 1, "there is a folder to lock now");
    }
}
