//! What dead runs left half done in an account, finished before anything else is done there.

use super::workshop::Workshop;
use super::{Event, RunError, batch::reason};
use crate::directory::StepMark;
use crate::engine::StoreError;
use crate::mail::Address;
use crate::store::{Files, Finished, Identity, Step, StoredMailbox};
use std::sync::Arc;

/// A mailbox in which steps could not be finished, and why. The run keeps out of it: it would take the old file of such a step
/// for a message that nothing was made of.
pub(super) struct Unfinished {
    pub(super) mailbox: Arc<StoredMailbox>,
    pub(super) reason: String,
}

/// The steps of an account, and what became of them.
struct Dead<'m> {
    /// Not found yet.
    open: Vec<&'m StepMark>,
    /// To be forgotten.
    settled: Vec<StepMark>,
    unfinished: Vec<Unfinished>,
}

impl<F: Files> Workshop<'_, F> {
    /// Removes what dead runs staged in the mailboxes of an account, which is locked: it may be clear text.
    pub(super) fn sweep(&self, owner: &Address, tell: &mut dyn FnMut(Event)) -> Result<(), RunError> {
        for mailbox in self.run.store.stored_mailboxes(owner)? {
            if let Err(error) = self.run.store.sweep(&mailbox) {
                let text = format!("what an earlier run left in tmp may be there still: {}", reason(&error));
                tell(Event::Warning { owner: owner.clone(), text });
            }
        }
        Ok(())
    }

    /// Finishes what dead runs left in the mailboxes of an account, which is locked, and forgets it. Says where it could not.
    pub(super) fn finish_dead(
        &self,
        owner: &Address,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Vec<Unfinished>, RunError> {
        let marks = self.run.journal.steps_of(owner)?;
        if marks.is_empty() {
            return Ok(Vec::new());
        }
        let mut dead = Dead { open: marks.iter().collect(), settled: Vec::new(), unfinished: Vec::new() };
        let mailboxes = self.run.store.stored_mailboxes(owner)?;
        self.finish_where_they_were(&mailboxes, &mut dead, tell);
        self.finish_elsewhere(&mailboxes, &mut dead, tell);
        self.run.journal.remember_steps(&dead.settled, &[])?;
        let lost: Vec<StepMark> = dead.open.into_iter().cloned().collect();
        self.run.journal.forget_late_steps(&lost)?;
        Ok(dead.unfinished)
    }

    fn finish_where_they_were(
        &self,
        mailboxes: &[Arc<StoredMailbox>],
        dead: &mut Dead<'_>,
        tell: &mut dyn FnMut(Event),
    ) {
        for mailbox in mailboxes {
            let here = dead.open.extract_if(.., |mark| mark.mailbox == mailbox.name).collect();
            for (mark, finished) in self.finish_in(mailbox, here) {
                match finished {
                    Ok(Finished::NotFound) => dead.open.push(mark),
                    Ok(finished) => dead.settle(mark, finished, tell),
                    Err(error) => dead.fail(mailbox, &error),
                }
            }
        }
    }

    /// Somebody may have renamed the mailbox since, and what lies in it goes by the names of its files. One of the two alone may
    /// be a copy, and the mailbox of both come later.
    fn finish_elsewhere(
        &self,
        mailboxes: &[Arc<StoredMailbox>],
        dead: &mut Dead<'_>,
        tell: &mut dyn FnMut(Event),
    ) {
        let mut alone = Vec::new();
        for mailbox in mailboxes {
            let here = dead.open.extract_if(.., |mark| mark.mailbox != mailbox.name).collect();
            for (mark, finished) in self.finish_in(mailbox, here) {
                match finished {
                    Ok(Finished::NotFound) => dead.open.push(mark),
                    Ok(Finished::Settled) => {
                        alone.push(mark);
                        dead.open.push(mark);
                    }
                    Ok(finished) => dead.settle(mark, finished, tell),
                    Err(error) => {
                        dead.fail(mailbox, &error);
                        dead.open.push(mark);
                    }
                }
            }
        }
        for mark in dead.open.extract_if(.., |mark| alone.contains(mark)) {
            dead.settled.push(mark.clone());
        }
    }

    fn finish_in<'m>(
        &self,
        mailbox: &Arc<StoredMailbox>,
        marks: Vec<&'m StepMark>,
    ) -> Vec<(&'m StepMark, Result<Finished, StoreError>)> {
        let steps: Vec<Step> = marks.iter().map(|mark| step(mailbox, mark)).collect();
        marks.into_iter().zip(self.run.store.finish_all(&steps)).collect()
    }
}

fn step(mailbox: &Arc<StoredMailbox>, mark: &StepMark) -> Step {
    Step {
        mailbox: Arc::clone(mailbox),
        old: mark.old.clone(),
        new: mark.new.clone(),
        letters: mark.letters.clone(),
        file: Identity::from_text(mark.file.clone()),
    }
}

impl Dead<'_> {
    fn settle(&mut self, mark: &StepMark, finished: Finished, tell: &mut dyn FnMut(Event)) {
        self.settled.push(mark.clone());
        match finished {
            Finished::Done => tell(Event::Finished(mark.clone())),
            Finished::Stranger => tell(Event::Warning {
                owner: mark.account.clone(),
                text: format!(
                    "{} {}: another file has the name of one that an earlier run replaced (from a backup?); it stays beside the new one",
                    mark.mailbox, mark.old
                ),
            }),
            Finished::Settled | Finished::NotFound => {}
        }
    }

    /// The first reason is the one that is told.
    fn fail(&mut self, mailbox: &Arc<StoredMailbox>, error: &StoreError) {
        if self.unfinished.iter().all(|other| other.mailbox != *mailbox) {
            self.unfinished.push(Unfinished { mailbox: Arc::clone(mailbox), reason: reason(error) });
        }
    }
}
