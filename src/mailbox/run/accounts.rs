//! The messages of many accounts, some accounts side by side: where each has few messages, what takes time is the disk's
//! answer, and one account after the other would wait for each.

use super::workshop::Workshop;
use super::{Accounts, Ended, Event, Run, RunError, Scope, Works};
use crate::mail::Address;
use crate::store::Files;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

/// So many accounts at one time.
const ACCOUNTS: usize = 16;
/// So many events wait for whoever listens.
const EVENTS: usize = 1024;

/// What those who work on accounts share.
struct Row<'a, 'w, F> {
    shop: Workshop<'a, F>,
    accounts: &'a Accounts<'a>,
    works: &'a Works<'w>,
    next: AtomicUsize,
    stopped: AtomicBool,
}

pub(super) fn run<F: Files>(
    run: &Run<'_, F>,
    accounts: &Accounts<'_>,
    works: &Works<'_>,
    see: &mut dyn FnMut(Event),
) -> Ended {
    let workers = accounts.owners.len().clamp(1, ACCOUNTS);
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let row = Row { shop: Workshop::of(run, workers), accounts, works, next, stopped };
    std::thread::scope(|threads| {
        let (out, events) = sync_channel(EVENTS);
        for _ in 0..workers {
            let (row, out) = (&row, out.clone());
            threads.spawn(move || row.work_off(&out));
        }
        drop(out);
        events.iter().for_each(see);
    });
    row.shop.journal.close();
    if row.stopped.into_inner() { Ended::Stopped } else { Ended::Whole }
}

impl<F: Files> Row<'_, '_, F> {
    /// Takes one account after the other.
    fn work_off(&self, out: &SyncSender<Event>) {
        while let Some(owner) = self.accounts.owners.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            if self.shop.go_on().is_err() {
                return self.stopped.store(true, Ordering::Relaxed);
            }
            // Nobody listens only where whoever listened is lost to a panic.
            let mut tell = |event| drop(out.send(event));
            let ended = self.account(owner, &mut tell);
            if matches!(ended, Ok(Ended::Stopped)) {
                self.stopped.store(true, Ordering::Relaxed);
            }
            let owner = owner.clone();
            tell(match ended {
                Ok(ended) => Event::Ends { owner, ended },
                Err(error) => Event::Fails { owner, error },
            });
        }
    }

    fn account(&self, owner: &Address, tell: &mut dyn FnMut(Event)) -> Result<Ended, RunError> {
        let work = (self.works)(owner).map_err(RunError::NoWork)?;
        let scope = Scope { owner, mailbox: self.accounts.mailbox, selection: self.accounts.selection };
        self.shop.account(&scope, &*work, tell)
    }
}
