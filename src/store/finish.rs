//! What dead runs left, finished.

use super::MaildirStore;
use super::atomic::Files;
use super::pair::{Pair, State};
use super::replace::Step;
use super::settle::settle_late;
use crate::engine::StoreError;

/// How a step of a dead run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finished {
    /// The old file was there still; it is gone now, and its flags are on the new one.
    Done,
    /// One of the two is there, and there is nothing to do.
    Settled,
    /// Neither is in the mailbox.
    NotFound,
    /// Another file has the old one's name, from a backup perhaps. It stays.
    Stranger,
}

impl<F: Files> MaildirStore<F> {
    /// Finishes what a dead run left: the old file of a step whose new one is visible goes, and its flags are handed on. A file
    /// that has the old one's name and is another one stays.
    pub fn finish(&self, step: &Step) -> Result<Finished, StoreError> {
        self.finish_all(std::slice::from_ref(step)).pop().unwrap_or(Ok(Finished::NotFound))
    }

    /// The same for many: one answer for each, in their order, and one look into each mailbox.
    pub fn finish_all(&self, steps: &[Step]) -> Vec<Result<Finished, StoreError>> {
        let mut pairs: Vec<Pair> = steps.iter().map(Pair::left_behind).collect();
        settle_late(&self.files, &mut pairs);
        pairs.into_iter().map(ended).collect()
    }
}

fn ended(pair: Pair) -> Result<Finished, StoreError> {
    match pair.state {
        State::OldRemoved => Ok(Finished::Done),
        State::OldGone | State::NewGone | State::Open => Ok(Finished::Settled),
        State::BothGone => Ok(Finished::NotFound),
        State::Stranger => Ok(Finished::Stranger),
        State::Failed(error) => Err(error),
    }
}
