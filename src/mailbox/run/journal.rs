//! The replacements that are in hand, written down before they are made visible. Accounts that are worked on side by side share
//! transactions: each costs the disk one sync.

use crate::directory::{SqliteDirectory, StepMark};
use crate::engine::DirectoryError;
use crate::store::{Files, Replacement, Step};
use std::sync::{Mutex, MutexGuard, PoisonError};

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

/// The step of a replacement, as the journal has it.
pub(super) fn mark<F: Files>(staged: &Replacement<F>) -> StepMark {
    let Step { mailbox, old, new, letters, file } = staged.step();
    let (account, mailbox, file) = (mailbox.owner.clone(), mailbox.name.clone(), file.as_text().to_owned());
    StepMark { account, mailbox, old, new, letters, file }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Address;
    use std::thread;
    use std::time::Duration;

    fn step(account: &str) -> StepMark {
        let account = Address::parse(&format!("{account}@north.example")).unwrap();
        let [mailbox, old, new] = ["INBOX", "1.old", "1.new"].map(str::to_owned);
        StepMark { account, mailbox, old, new, letters: String::new(), file: "1 2 3".to_owned() }
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
