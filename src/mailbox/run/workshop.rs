//! The three stages of a run over one account, side by side: while one batch is written, the next is worked on and the one after it
//! is read.

use super::batch::Batch;
use super::budget::Budget;
use super::journal::Journal;
use super::lock::Lock;
use super::make::{Change, make};
use super::place::Placer;
use super::read::{Loaded, Reader};
use super::trouble::Trouble;
use super::{Ended, Event, Run, RunError, Scope};
use crate::mail::MailboxName;
use crate::mailbox::Work;
use std::panic::resume_unwind;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::scope as threads_of;

/// So many messages are staged at one time: what they sync the file system writes in groups.
const LANES: usize = 32;
/// Octets of files in memory, over all accounts: three batches, one for each stage.
const MEMORY: u64 = 48 << 20;

/// What the accounts of a run share.
pub(super) struct Workshop<'a> {
    pub(super) run: &'a Run<'a>,
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

impl<'a> Workshop<'a> {
    /// For so many accounts at one time.
    pub(super) fn of(run: &'a Run<'a>, accounts: usize) -> Workshop<'a> {
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
        self.run.mailboxes(scope)?;
        let maildir = self.run.store.folder(scope.owner, &MailboxName::inbox());
        let lock = if self.run.dry_run { None } else { Lock::take(scope.owner, &maildir)? };
        tell(Event::Begins { owner: scope.owner.clone(), done_before: self.run.done_before(scope)? });
        if lock.is_some() {
            self.finish_dead(scope.owner, tell)?;
        }
        self.stages(scope, work, tell)
    }

    fn stages(
        &self,
        scope: &Scope<'_>,
        work: &dyn Work,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Ended, RunError> {
        let trouble = &Trouble::default();
        let halts = threads_of(|threads| {
            let (to_make, to_be_made) = sync_channel(1);
            let (to_place, to_be_placed) = sync_channel(1);
            let reader = threads.spawn(move || Reader::new(self, scope, trouble, to_make).run());
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
