//! The third stage of a run: what was made takes the place of what was there.

use super::batch::{Batch, Entry, Unlisted, reason};
use super::journal::mark;
use super::make::Change;
use super::prove::{Unproved, prove};
use super::trouble::Trouble;
use super::workshop::{Halt, Workshop};
use super::{Event, RunError};
use crate::directory::StepMark;
use crate::engine::StoreError;
use crate::mail::Address;
use crate::mailbox::{Left, Notes, Outcome, Seen};
use crate::store::{Files, Replaced, Replacement, StoredMessage};
use crate::system::side_by_side;
use std::sync::mpsc::Sender;

/// Puts batches in their place.
pub(super) struct Placer<'a, F> {
    shop: &'a Workshop<'a, F>,
    owner: &'a Address,
    trouble: &'a Trouble,
}

/// Staged, with what will be told of it.
struct Placed<F: Files> {
    replacement: Replacement<F>,
    before: u64,
    after: u64,
    notes: Notes,
}

impl<'a, F: Files> Placer<'a, F> {
    pub(super) fn new(shop: &'a Workshop<'a, F>, owner: &'a Address, trouble: &'a Trouble) -> Placer<'a, F> {
        Placer { shop, owner, trouble }
    }

    /// Stages, proves, remembers, commits, and tells of each in their order.
    pub(super) fn place(&self, batch: Batch<'_, Change>, tell: &mut dyn FnMut(Event)) -> Result<(), Halt> {
        self.shop.go_on()?;
        let Batch { entries, not_meant, unlisted, permits, in_hand } = batch;
        for Unlisted { mailbox, reason } in unlisted {
            tell(Event::Unlisted { mailbox, reason });
        }
        let staged: Vec<Entry<Placed<F>>> =
            side_by_side(entries, self.shop.lanes, |entry| self.stage(entry)).into_iter().flatten().collect();
        let staging = self.trouble.check();
        drop(permits);
        let marks: Vec<StepMark> =
            staged.iter().filter_map(|entry| Some(mark(&entry.state.as_ref().ok()?.replacement))).collect();
        if !marks.is_empty() {
            self.shop.journal.remember(marks.clone()).map_err(RunError::from)?;
        }
        self.commit(staged, marks, in_hand.as_ref(), tell);
        if not_meant > 0 {
            tell(Event::NotMeant { owner: self.owner.clone(), messages: not_meant });
        }
        drop(in_hand);
        // What is committed after the disk was full was staged before, and does not mean that there is room again.
        Ok(staging.and_then(|()| self.trouble.check())?)
    }

    /// Writes, syncs and reads back; nothing where the disk has said no too often.
    fn stage(&self, entry: Entry<Change>) -> Option<Entry<Placed<F>>> {
        let Entry { stored, state } = entry;
        let mailbox = &stored.mailbox().name;
        let change = match state {
            Err(outcome) => return Some(Entry { stored, state: Err(outcome) }),
            Ok(_) if self.trouble.has_given_up(mailbox) => return None,
            Ok(change) => change,
        };
        let proved = prove(self.shop.run.store, self.shop.run.id, &stored, &change);
        self.trouble.heed(mailbox, proved.as_ref().err().and_then(Unproved::of_the_store));
        let Change { data, content, notes, .. } = change;
        let (before, after) = (data.len(), content.bytes().len() as u64);
        Some(match proved {
            Ok(replacement) => Entry { stored, state: Ok(Placed { replacement, before, after, notes }) },
            Err(error) => Entry::failed(stored, &error),
        })
    }

    /// A step whose commit failed stays in the journal: the next run looks after it. What is not there any more the reader
    /// looks for once more.
    fn commit(
        &self,
        staged: Vec<Entry<Placed<F>>>,
        marks: Vec<StepMark>,
        reader: Option<&Sender<StoredMessage>>,
        tell: &mut dyn FnMut(Event),
    ) {
        let mut replacements = Vec::with_capacity(marks.len());
        let told: Vec<Entry<Told>> = staged.into_iter().map(|entry| entry.split(&mut replacements)).collect();
        let replaced = Replacement::commit_all(replacements);
        let committed = told.iter().filter(|entry| entry.state.is_ok());
        for (entry, result) in committed.zip(&replaced) {
            self.trouble.heed(&entry.stored.mailbox().name, result.as_ref().err());
        }
        let done = marks.into_iter().zip(&replaced).filter(|(_, result)| result.is_ok());
        self.shop.journal.forget(done.map(|(mark, _)| mark).collect());
        let mut replaced = replaced.into_iter();
        for Entry { stored, state } in told {
            let outcome = state.map_or_else(|outcome| outcome, |told| told.outcome(replaced.next()));
            match (&outcome, reader) {
                (Outcome::Left(Left::Gone), Some(reader)) if reader.send(stored.clone()).is_ok() => {}
                _ => tell(Event::Message(Seen { stored, outcome })),
            }
        }
    }
}

/// What will be told of a message that is replaced.
struct Told {
    before: u64,
    after: u64,
    notes: Notes,
}

impl Told {
    fn outcome(self, replaced: Option<Result<Replaced, StoreError>>) -> Outcome {
        match replaced {
            Some(Ok(Replaced::Done)) => {
                Outcome::Replaced { before: self.before, after: self.after, notes: self.notes }
            }
            Some(Ok(Replaced::Gone)) => Outcome::Left(Left::Gone),
            Some(Err(error)) => {
                Outcome::Failed(format!("{}; the next run in this mailbox settles it", reason(&error)))
            }
            None => Outcome::Failed("internal error: this is a bug, please report it".into()),
        }
    }
}

impl<F: Files> Entry<Placed<F>> {
    fn split(self, replacements: &mut Vec<Replacement<F>>) -> Entry<Told> {
        let state = self.state.map(|Placed { replacement, before, after, notes }| {
            replacements.push(replacement);
            Told { before, after, notes }
        });
        Entry { stored: self.stored, state }
    }
}
