//! Many messages, one after the other, as quickly as processor and disk allow.
//!
//! A batch means what one call of [`Engine::deliver`] after the other means, and shares its work: messages are taken in windows;
//! those of a window are judged in their order, sealed together on all cores, staged together and committed together. Two
//! lanes take windows in turn: while one stores, the other reads, judges and seals the next. A lane holds `ahead` until it
//! has its turn at `behind`, so that windows are stored in their order; seeds are drawn under `ahead`, in the order of the messages.
//! Whoever had to wait looks whether the directory changed meanwhile: if it did, what was made is dropped, and the messages of the
//! window go by [`Engine::deliver`], with nothing judged until they are done.
//!
//! A message whose rules do more than store, or look at what those before may have changed, ends the window before it, and goes by
//! [`Engine::deliver`] when everything before is stored; nothing is judged until it is done.

pub(super) mod parcel;
pub(super) mod window;

use super::known::Known;
use super::{Engine, Outcome, Request};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

pub use parcel::{Load, Parcel};
use window::{Anew, Judged};

/// How many take windows in turn: one that stores, one that prepares.
const LANES: usize = 2;

/// What may be in hand at a time: read, and its outcome not told. One message more is read to see that it is too many, and one
/// that is larger, or is not held, goes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InFlight {
    /// Octets of messages, as they came.
    pub octets: u64,
    /// Messages.
    pub messages: usize,
}

impl Default for InFlight {
    /// 16 MiB, 512 messages.
    fn default() -> InFlight {
        InFlight { octets: 16 << 20, messages: 512 }
    }
}

/// Delivers many messages.
pub struct Batch<'b> {
    /// As for one.
    pub engine: Engine<'b>,
    /// What is in memory.
    pub in_flight: InFlight,
    /// Set when it shall end after the windows in hand: no message is begun then, and those that were read and not begun are
    /// dropped and not told.
    pub stop: &'b AtomicBool,
}

/// What is to be read, and what was read and not judged.
struct Ahead<T, I> {
    parcels: I,
    waiting: VecDeque<(T, Arc<Parcel>)>,
    is_at_end: bool,
}

impl<T, I: Iterator<Item = (T, Parcel)>> Ahead<T, I> {
    /// The next window, as large as its share of what may be in hand.
    fn window(&mut self, in_flight: InFlight, stop: &AtomicBool) -> (Vec<T>, Vec<Arc<Parcel>>) {
        let (octets, messages) = (in_flight.octets / LANES as u64, (in_flight.messages / LANES).max(1));
        let (mut tags, mut parcels, mut held) = (Vec::new(), Vec::new(), 0_u64);
        while parcels.len() < messages && !stop.load(Ordering::Relaxed) {
            let Some(next) = self.waiting.pop_front().or_else(|| self.read()) else { break };
            held = held.saturating_add(next.1.size());
            let goes_alone = next.1.held().is_none();
            if (goes_alone || held > octets) && !parcels.is_empty() {
                self.waiting.push_front(next);
                break;
            }
            tags.push(next.0);
            parcels.push(next.1);
            if goes_alone {
                break;
            }
        }
        (tags, parcels)
    }

    fn read(&mut self) -> Option<(T, Arc<Parcel>)> {
        let next = if self.is_at_end { None } else { self.parcels.next() };
        self.is_at_end = next.is_none();
        next.map(|(tag, parcel)| (tag, Arc::new(parcel)))
    }

    /// What was read and not begun.
    fn give_back(&mut self, tags: Vec<T>, parcels: &[Arc<Parcel>]) {
        let rest = tags.into_iter().zip(parcels.iter().cloned());
        rest.rev().for_each(|one| self.waiting.push_front(one));
    }
}

impl Batch<'_> {
    /// Delivers each, and tells of each in their order, with whatever the caller calls it by. Reading and telling are done by
    /// threads of the batch.
    pub fn run<T: Send>(
        &self,
        parcels: impl Iterator<Item = (T, Parcel)> + Send,
        tell: impl FnMut(T, &Request<'_>, Outcome) + Send,
    ) {
        let known = Known::of(&self.engine);
        let ahead = Mutex::new(Ahead { parcels, waiting: VecDeque::new(), is_at_end: false });
        let behind = Mutex::new(tell);
        let lane = || while self.turn(&known, &ahead, &behind).is_some() {};
        std::thread::scope(|threads| {
            // Where the system has no more threads, one lane does it all.
            for number in 1..LANES {
                let name = format!("batch {number}");
                let _ = std::thread::Builder::new().name(name).spawn_scoped(threads, lane);
            }
            lane();
        });
    }

    /// One window, or one message that goes alone; nothing at the end, and if another lane died with a message in its hands.
    fn turn<T, I: Iterator<Item = (T, Parcel)>, F: FnMut(T, &Request<'_>, Outcome)>(
        &self,
        known: &Known<'_>,
        ahead: &Mutex<Ahead<T, I>>,
        behind: &Mutex<F>,
    ) -> Option<()> {
        let engine = Engine { directory: known, ..self.engine };
        let mut reading = ahead.lock().ok()?;
        let (mut tags, parcels) = reading.window(self.in_flight, self.stop);
        let begin = known.refresh();
        window::look_ahead(&engine, known, &parcels);
        let judged: Vec<Judged<'_>> =
            parcels.iter().map_while(|parcel| window::judge(&engine, known, parcel)).collect();
        // One that goes alone ends the window before it, or goes now.
        let begun = judged.len().max(1);
        reading.give_back(tags.split_off(begun.min(tags.len())), parcels.get(begun..).unwrap_or_default());
        let first = parcels.first()?;
        if judged.is_empty() {
            let mut tell = behind.lock().ok()?;
            known.refresh();
            let tag = tags.pop()?;
            first.deliver(&engine, |request, outcome| tell(tag, request, outcome));
            return Some(());
        }
        let turn = || {
            let turn = behind.lock().ok()?;
            // Nobody judges what comes after while the messages of this window may do more than store.
            let anew = known.has_changed(begin).then(|| Anew { engine: self.engine, alone: reading });
            Some((turn, anew))
        };
        let (mut tell, outcomes) = window::deliver(&engine, known, &parcels, judged, turn)?;
        for ((tag, parcel), outcome) in tags.into_iter().zip(&parcels).zip(outcomes) {
            tell(tag, &parcel.request(), outcome);
        }
        Some(())
    }
}
