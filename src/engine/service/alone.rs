//! A message with all its recipients: by the queue, or by the thread of its session; together if that can be, and each account by
//! itself if together nothing could be stored.

use super::{Handed, Queue, Service};
use crate::engine::addressee::grouped;
use crate::engine::batch::parcel::{in_pieces, unread, whole};
use crate::engine::{Load, Outcome, Parcel, Request, Route};
use crate::mail::{self, Address, Span};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What the host of the service allows. Whoever gets room has it until what he was given is dropped.
pub trait House: Sync {
    /// Waits for room to hold so many octets of a message that was not held so far. Not asked by who has room to work.
    fn hold(&self, octets: u64) -> Box<dyn Any>;
    /// Waits for room to make the copies of a message of so many octets by itself.
    fn work(&self, octets: u64) -> Box<dyn Any>;
}

/// Octets of memory that the copies of a message take, which is sealed for each recipient.
pub(super) fn weight(parcel: &Parcel) -> u64 {
    weight_of(parcel.held().map_or(0, |message| message.len() as u64), parcel.recipients.len())
}

fn weight_of(octets: u64, recipients: usize) -> u64 {
    octets.saturating_mul(recipients.max(1) as u64)
}

/// Which recipients, by their places in the envelope.
type Places = Vec<usize>;

/// It is to be tried for each account by itself, and nobody was told anything.
struct Divided;

impl Service<'_> {
    /// Delivers a message to all its recipients, who are told of in groups: each recipient is in one, with the same outcome for all of
    /// it. All of them are one delivery. If nothing of it could be stored, for a reason that some may not share, each account is one by
    /// itself.
    pub fn deliver(
        &self,
        queue: &Queue,
        parcel: &Arc<Parcel>,
        house: &dyn House,
        tell: &mut dyn FnMut(&[usize], &Request<'_>, Outcome),
    ) {
        let everybody: Places = (0..parcel.recipients.len()).collect();
        let alone = Alone { service: self, parcel, house };
        let telling = Telling { places: &everybody, may_divide: everybody.len() > 1, tell: &mut *tell };
        let is_small = parcel.held().is_some() && weight(parcel) <= self.window.octets;
        let handed = if is_small { queue.hand_over(parcel) } else { Handed::Back };
        let end = match handed {
            Handed::Told(outcome) => telling.end(&parcel.request(), outcome),
            Handed::Back => alone.deliver(parcel.request(), telling),
        };
        if end.is_err() {
            alone.one_by_one(tell);
        }
    }
}

/// To whom the outcome belongs.
struct Telling<'t> {
    places: &'t [usize],
    may_divide: bool,
    tell: &'t mut dyn FnMut(&[usize], &Request<'_>, Outcome),
}

impl Telling<'_> {
    fn end(self, request: &Request<'_>, outcome: Outcome) -> Result<(), Divided> {
        if self.may_divide && outcome.is_divisible {
            return Err(Divided);
        }
        (self.tell)(self.places, request, outcome);
        Ok(())
    }
}

/// A message that its session delivers.
struct Alone<'a> {
    service: &'a Service<'a>,
    parcel: &'a Parcel,
    house: &'a dyn House,
}

impl Alone<'_> {
    /// Each account gets its own delivery. All of them know the message by the same name, so that what the server's rules store is
    /// stored once.
    fn one_by_one(&self, tell: &mut dyn FnMut(&[usize], &Request<'_>, Outcome)) {
        for places in self.groups() {
            let request = self.request_to(&places);
            let telling = Telling { places: &places, may_divide: false, tell: &mut *tell };
            let end = self.deliver(request, telling);
            debug_assert!(end.is_ok(), "it was not to be divided");
        }
    }

    fn request_to(&self, places: &[usize]) -> Request<'_> {
        let recipients = places.iter().filter_map(|place| self.parcel.recipients.get(*place)).cloned();
        self.parcel.request_to(recipients.collect())
    }

    /// Recipients that lead to one account are one group.
    fn groups(&self) -> Vec<Places> {
        let recipients = &self.parcel.recipients;
        let addresses: Vec<Address> = recipients.iter().map(|to| to.address.clone()).collect();
        let engine = &self.service.engine;
        let routes = engine.directory.routes(&addresses, engine.settings.recipient_delimiter);
        let mut routes = routes.unwrap_or_default().into_iter();
        // Who leads to no account is a group by himself.
        let whose = |place| match routes.next() {
            Some(Route::Account(account)) => (Ok(account), place),
            _ => (Err(place), place),
        };
        let groups = grouped((0..recipients.len()).map(whose));
        groups.into_iter().map(|(_, places)| places).collect()
    }

    /// With what it takes of memory.
    fn deliver(&self, request: Request<'_>, telling: Telling<'_>) -> Result<(), Divided> {
        let held = self.parcel.held();
        let octets = held.unwrap_or_default();
        let source: &dyn mail::Source = match &self.parcel.message {
            Load::Held(_) => &octets,
            Load::Large(source) => &**source,
        };
        let weight = weight_of(source.len(), telling.places.len());
        if held.is_some() && weight <= self.service.memory_limit {
            return self.deliver_held(request, weight, |request, outcome| telling.end(request, outcome));
        }
        self.deliver_large(request, source, weight, telling)
    }

    fn deliver_held(
        &self,
        request: Request<'_>,
        weight: u64,
        tell: impl FnOnce(&Request<'_>, Outcome) -> Result<(), Divided>,
    ) -> Result<(), Divided> {
        let _room = self.house.work(weight);
        let outcome = guarded(|| self.service.engine.deliver(&request)).unwrap_or_else(Outcome::lost);
        tell(&request, outcome)
    }

    /// Sealed while it is written, unless its rules take all of it.
    fn deliver_large(
        &self,
        request: Request<'_>,
        source: &dyn mail::Source,
        weight: u64,
        telling: Telling<'_>,
    ) -> Result<(), Divided> {
        let (message, most) = (Span::of(source), self.service.engine.settings.max_message);
        let deliver = |request: &Request<'_>| {
            let delivered = guarded(|| self.service.engine.deliver_large(request));
            delivered.unwrap_or_else(|| Some(Outcome::lost()))
        };
        let may_divide = telling.may_divide;
        let tell = |request: &Request<'_>, outcome| telling.end(request, outcome);
        let tell = match in_pieces(&request, message, most, deliver, tell) {
            Ok(told) => return told,
            Err(_) if may_divide => return Err(Divided),
            Err(tell) => tell,
        };
        if self.parcel.held().is_some() {
            return self.deliver_held(request, weight, tell);
        }
        let _room = self.house.hold(source.len());
        match whole(message, most) {
            Ok(held) => self.deliver_held(Request { message: held.expose(), ..request }, weight, tell),
            Err(error) => tell(&request, unread(error)),
        }
    }
}

/// Nothing after a panic, of which the host was told by its own hook.
fn guarded<T>(deliver: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(deliver)).ok()
}
