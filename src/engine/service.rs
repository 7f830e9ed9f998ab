//! Messages of many sessions, each of which waits for the answer to its own.
//!
//! Sessions put their messages into a [`Queue`] and wait. A few lanes take what is there, up to a window (so many messages, and so
//! many octets), and never wait for more: while one stores, the next looks up, judges and seals what came meanwhile, all of it by
//! one call. What was looked up is kept until the directory changes; a window that meets a change is given back, and so is a
//! message whose rules do more than store: its own session delivers it then, so that a slow program holds up nobody else. The
//! order of different sessions means nothing.
//!
//! Each message gets one answer, on a channel of its own that ends with it. Whoever panics with messages in hand lets go of their
//! channels, and those who wait learn that nobody knows what became of them, which is a doubt.

mod alone;

use super::addressee::account_of;
use super::batch::window::{self, Judged};
use super::known::Known;
use super::{Engine, EngineError, InFlight, Outcome, Parcel};
use crate::mail::Address;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

pub use alone::House;

/// How many take windows in turn: those that store, and one that prepares.
pub(super) const LANES: usize = 3;

/// What is said to a session.
enum Handed {
    /// It was delivered, or not.
    Told(Outcome),
    /// The session is to deliver it by itself.
    Back,
}

/// A message that waits, and where its answer goes.
struct Ticket {
    parcel: Arc<Parcel>,
    answer: SyncSender<Handed>,
}

impl Ticket {
    /// A session that waits no more needs none.
    fn say(self, handed: Handed) {
        let Ticket { parcel, answer } = self;
        drop(parcel);
        let _ = answer.send(handed);
    }
}

/// Messages that wait for a lane. One queue has one [`Service`] that serves it.
#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    came: Condvar,
}

#[derive(Default)]
struct Waiting {
    tickets: VecDeque<Ticket>,
    is_closed: bool,
}

impl Queue {
    /// No more messages come: those that are there are taken, and then the service ends. What comes all the same its session
    /// delivers by itself.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.came.notify_all();
    }

    /// Waits for the answer.
    fn hand_over(&self, parcel: &Arc<Parcel>) -> Handed {
        let (answer, heard) = sync_channel(1);
        let ticket = Ticket { parcel: Arc::clone(parcel), answer };
        let mut waiting = self.lock();
        if waiting.is_closed {
            return Handed::Back;
        }
        waiting.tickets.push_back(ticket);
        drop(waiting);
        self.came.notify_one();
        heard.recv().unwrap_or_else(|_| Handed::Told(Outcome::lost()))
    }

    /// Waits until there is something, and takes as much of it as a window holds. Nothing: it is closed, and all is taken.
    fn take(&self, window: InFlight) -> Vec<Ticket> {
        let mut waiting = self.lock();
        while waiting.tickets.is_empty() && !waiting.is_closed {
            waiting = self.came.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let (mut taken, mut octets) = (Vec::new(), 0_u64);
        while let Some(next) = waiting.tickets.front() {
            octets = octets.saturating_add(alone::weight(&next.parcel));
            if !taken.is_empty() && (octets > window.octets || taken.len() >= window.messages) {
                break;
            }
            taken.extend(waiting.tickets.pop_front());
        }
        taken
    }

    /// Nobody serves it any more: what is left its sessions deliver by themselves.
    fn give_back(&self) {
        self.close();
        let left = std::mem::take(&mut self.lock().tickets);
        left.into_iter().for_each(|ticket| ticket.say(Handed::Back));
    }

    /// How many wait.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.lock().tickets.len()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// However a service ends.
struct Serving<'q>(&'q Queue);

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

/// Delivers the messages of many sessions.
pub struct Service<'s> {
    /// As for one.
    pub engine: Engine<'s>,
    /// What a lane takes at a time, of what is there: so many messages, whose octets count once for each recipient. A message whose
    /// octets alone are more its session delivers.
    pub window: InFlight,
    /// Octets that are held to deliver one message by itself, counted in the same way: what is above is sealed as it is written,
    /// if its rules allow that.
    pub memory_limit: u64,
}

impl Service<'_> {
    /// Is there such a recipient? An error is what a delivery to it alone would say of it.
    pub fn judge(&self, recipient: &Address) -> Result<(), EngineError> {
        let Engine { directory, settings, .. } = self.engine;
        let routes = directory.routes(std::slice::from_ref(recipient), settings.recipient_delimiter)?;
        account_of(routes.first(), recipient).map(drop)
    }

    /// Serves the queue until it is closed and empty, on threads of its own.
    pub fn run(&self, queue: &Queue) {
        let _serving = Serving(queue);
        let known = Known::of(&self.engine);
        let making = Mutex::new(());
        let lane = || while self.turn(&known, &making, queue) {};
        std::thread::scope(|threads| {
            // Where the system has no more threads, fewer lanes do it all.
            for number in 1..LANES {
                let name = format!("service {number}");
                let _ = std::thread::Builder::new().name(name).spawn_scoped(threads, lane);
            }
            lane();
        });
    }

    /// One window; false at the end. A panic costs the window that is in hand.
    fn turn(&self, known: &Known<'_>, making: &Mutex<()>, queue: &Queue) -> bool {
        let window = || {
            let making = making.lock().unwrap_or_else(PoisonError::into_inner);
            let tickets = queue.take(self.window);
            let goes_on = !tickets.is_empty();
            self.deliver_window(known, tickets, making);
            goes_on
        };
        catch_unwind(AssertUnwindSafe(window)).unwrap_or_else(|_| {
            known.forget();
            true
        })
    }

    /// `making` is held while others may not judge or seal.
    fn deliver_window(&self, known: &Known<'_>, tickets: Vec<Ticket>, making: MutexGuard<'_, ()>) {
        let engine = Engine { directory: known, ..self.engine };
        let begin = known.refresh();
        let parcels: Vec<Arc<Parcel>> = tickets.iter().map(|ticket| Arc::clone(&ticket.parcel)).collect();
        window::look_ahead(&engine, known, &parcels);
        let (mut stored, mut judged, mut staying) = (Vec::new(), Vec::new(), Vec::new());
        for (ticket, parcel) in tickets.into_iter().zip(&parcels) {
            match window::judge(&engine, known, parcel) {
                None => ticket.say(Handed::Back),
                Some(one) => {
                    stored.push(Arc::clone(parcel));
                    judged.push(one);
                    staying.push(ticket);
                }
            }
        }
        let outcomes = self.store(&engine, known, (&stored, judged), || {
            let is_same = !known.has_changed(begin);
            drop(making);
            is_same
        });
        // Those who are answered find nothing of theirs in memory here.
        drop((stored, parcels));
        match outcomes {
            None => staying.into_iter().for_each(|ticket| ticket.say(Handed::Back)),
            Some(outcomes) => {
                let told = staying.into_iter().zip(outcomes);
                told.for_each(|(ticket, outcome)| ticket.say(Handed::Told(outcome)));
            }
        }
    }

    /// Seals all, and stores all if it still may; one outcome for each.
    fn store(
        &self,
        engine: &Engine<'_>,
        known: &Known<'_>,
        (parcels, judged): (&[Arc<Parcel>], Vec<Judged<'_>>),
        may_store: impl FnOnce() -> bool,
    ) -> Option<Vec<Outcome>> {
        let turn = || may_store().then_some(((), None::<window::Anew<'_, ()>>));
        window::deliver(engine, known, parcels, judged, turn).map(|((), outcomes)| outcomes)
    }
}
