//! The replacements that are in hand, written down before they are made visible. Accounts that are worked on side by side share
//! transactions: each costs the disk one sync.

use super::workshop::Workshop;
use super::{Event, RunError};
use crate::directory::{SqliteDirectory, StepMark};
use crate::engine::DirectoryError;
use crate::mail::Address;
use crate::store::{Replacement, Step};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Collects what is to be written; whoever comes first writes for all.
pub(super) struct Journal<'a> {
    directory: &'a SqliteDirectory,
    waiting: Mutex<Waiting>,
    /// How many groups are written; held while one is.
    written: Mutex<u64>,
}

#[derive(Default)]
struct Waiting {
    done: Vec<StepMark>,
    begun: Vec<StepMark>,
    /// The number of the group that waits.
    group: u64,
}

impl<'a> Journal<'a> {
    pub(super) fn of(directory: &'a SqliteDirectory) -> Journal<'a> {
        Journal { directory, waiting: Mutex::default(), written: Mutex::default() }
    }

    /// Forgets steps with the next group that is written. Until then the next run may find them, and nothing to do.
    pub(super) fn forget(&self, done: Vec<StepMark>) {
        held(&self.waiting).done.extend(done);
    }

    /// Remembers steps. They are on the disk when this returns.
    pub(super) fn remember(&self, begun: Vec<StepMark>) -> Result<(), DirectoryError> {
        let group = {
            let mut waiting = held(&self.waiting);
            waiting.begun.extend(begun);
            waiting.group
        };
        let mut written = held(&self.written);
        if *written > group {
            return Ok(());
        }
        let (done, begun) = self.take_waiting();
        match self.directory.remember_steps(&done, &begun) {
            Ok(()) => *written += 1,
            Err(error) => {
                self.put_back(done, begun);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Forgets what waits to be forgotten. If it cannot be written, the next run finds it, and nothing to do.
    pub(super) fn close(&self) {
        if held(&self.waiting).done.is_empty() {
            return;
        }
        if let Err(error) = self.remember(Vec::new()) {
            tracing::warn!(%error, "the journal of the run keeps steps that are done");
        }
    }

    fn take_waiting(&self) -> (Vec<StepMark>, Vec<StepMark>) {
        let mut waiting = held(&self.waiting);
        waiting.group += 1;
        (std::mem::take(&mut waiting.done), std::mem::take(&mut waiting.begun))
    }

    /// The others of the group try for themselves, and hear for themselves why it cannot be written.
    fn put_back(&self, done: Vec<StepMark>, begun: Vec<StepMark>) {
        let mut waiting = held(&self.waiting);
        waiting.group -= 1;
        waiting.done.extend(done);
        waiting.begun.extend(begun);
    }
}

impl Workshop<'_> {
    /// Finishes what dead runs left in the mailboxes of an account, which is locked, and forgets it. What cannot be finished keeps
    /// the run from working there: it would take the old file of the step for a message that nothing was made of.
    pub(super) fn finish_dead(&self, owner: &Address, tell: &mut dyn FnMut(Event)) -> Result<(), RunError> {
        let marks = self.run.journal.steps_of(owner)?;
        if marks.is_empty() {
            return Ok(());
        }
        let mailboxes = self.run.store.stored_mailboxes(owner)?;
        let in_one_of = |mark: &StepMark| {
            let mailbox = mailboxes.iter().find(|mailbox| mailbox.name == mark.mailbox)?;
            let (old, new, letters) = (mark.old.clone(), mark.new.clone(), mark.letters.clone());
            Some(Step { mailbox: Arc::clone(mailbox), old, new, letters })
        };
        let (marked, steps): (Vec<&StepMark>, Vec<Step>) =
            marks.iter().filter_map(|mark| Some((mark, in_one_of(mark)?))).unzip();
        for (mark, finished) in marked.into_iter().zip(self.run.store.finish_all(&steps)) {
            if finished? {
                tell(Event::Finished(mark.clone()));
            }
        }
        Ok(self.run.journal.remember_steps(&marks, &[])?)
    }
}

/// The step of a replacement, as the journal has it.
pub(super) fn mark(staged: &Replacement) -> StepMark {
    let Step { mailbox, old, new, letters } = staged.step();
    StepMark { account: mailbox.owner.clone(), mailbox: mailbox.name.clone(), old, new, letters }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    fn step(account: &str) -> StepMark {
        let account = Address::parse(&format!("{account}@north.example")).unwrap();
        let [mailbox, old, new] = ["INBOX", "1.old", "1.new"].map(str::to_owned);
        StepMark { account, mailbox, old, new, letters: String::new() }
    }

    /// While one transaction is written, eight accounts come: the next one is theirs, all together.
    #[test]
    fn accounts_that_come_together_share_one_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let directory = SqliteDirectory::create(&folder.path().join("root")).unwrap();
        let journal = Journal::of(&directory);
        let names: Vec<String> = (0..8).map(|number| format!("user{number}")).collect();
        thread::scope(|threads| {
            let writing = held(&journal.written);
            for name in &names {
                threads.spawn(|| journal.remember(vec![step(name)]).unwrap());
            }
            while held(&journal.waiting).begun.len() < names.len() {
                thread::sleep(Duration::from_millis(1));
            }
            drop(writing);
        });
        assert_eq!(*held(&journal.written), 1);
        for name in &names {
            let step = step(name);
            assert_eq!(directory.steps_of(&step.account).unwrap(), [step]);
        }
        journal.forget(names.iter().map(|name| step(name)).collect());
        journal.close();
        assert_eq!(*held(&journal.written), 2);
        assert!(names.iter().all(|name| directory.steps_of(&step(name).account).unwrap().is_empty()));
    }
}
