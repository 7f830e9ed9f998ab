//! Messages that are worked on together.

use super::{Arrived, Imported};
use crate::crypto::SecretBytes;
use crate::mail::Flag;
use crate::mail::mbox::{Cut, Keeping};
use crate::mailbox::Left;
use crate::store::{Arrival, Mark, Part};
use std::time::SystemTime;

/// At most so many messages are sealed together, and one sync of a folder is for so many.
const MESSAGES: usize = 256;
/// Or so many octets, but for one message that is larger.
const OCTETS: usize = 16 << 20;

/// Some messages, in the order of the file.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) entries: Vec<Pending>,
    octets: usize,
}

/// A message of the file: its number and where it begins, and what is at hand of it or what became of it.
pub(super) struct Item<T> {
    pub(super) place: (u64, u64),
    pub(super) state: Result<T, Arrived>,
}

/// A clear message in memory.
pub(super) struct Whole {
    pub(super) message: SecretBytes,
    pub(super) arrival: Arrival,
    /// For the report.
    pub(super) note: Option<&'static str>,
}

/// What shall be sealed.
pub(super) type Pending = Item<Whole>;

impl<T> Item<T> {
    pub(super) fn and_then<U>(self, next: impl FnOnce(T) -> Result<U, Arrived>) -> Item<U> {
        Item { place: self.place, state: self.state.and_then(next) }
    }

    pub(super) fn map<U>(self, next: impl FnOnce(T) -> U) -> Item<U> {
        Item { place: self.place, state: self.state.map(next) }
    }
}

impl Batch {
    pub(super) fn push(&mut self, pending: Pending) {
        self.octets += pending.state.as_ref().map_or(0, |whole| whole.message.expose().len());
        self.entries.push(pending);
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= MESSAGES || self.octets >= OCTETS
    }
}

impl Item<Whole> {
    pub(super) fn failed(place: (u64, u64), reason: String) -> Pending {
        Item { place, state: Err(Arrived::Failed(reason)) }
    }

    pub(super) fn there(place: (u64, u64)) -> Pending {
        Item { place, state: Err(Arrived::ThereAlready) }
    }

    pub(super) fn message(
        place: (u64, u64),
        cut: Cut,
        (date, mark, flags): (SystemTime, u64, &[Flag]),
    ) -> Pending {
        let Cut { message, keeping: Keeping { flags: own, noticed } } = cut;
        let part = if noticed { Part::Cur } else { Part::New };
        let flags = own.into_iter().chain(flags.iter().cloned()).collect();
        let arrival = Arrival { date, flags, part, mark: Mark(mark) };
        Item { place, state: Ok(Whole { message: message.into(), arrival, note: None }) }
    }

    /// What should be said of it, if it is stored.
    pub(super) fn noting(self, note: Option<&'static str>) -> Pending {
        self.map(|whole| Whole { note, ..whole })
    }
}

/// What is said of a message that is stored.
#[derive(Default)]
pub(super) struct Said {
    /// Why it is stored as its sender encrypted it, if it is.
    pub(super) left: Option<Left>,
    /// For the report.
    pub(super) notes: Vec<String>,
}

/// What is told of the message at that place.
pub(super) fn told((number, offset): (u64, u64), arrived: Arrived, said: Said) -> Imported {
    let Said { left, notes } = said;
    Imported { number, offset, arrived, left, notes }
}
