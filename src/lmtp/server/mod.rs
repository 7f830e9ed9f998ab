//! The daemon: sockets and threads around [`Session`].
//!
//! A session is a thread. Small messages it puts into the service's queue and waits; others it delivers itself. All octets of
//! messages in hand come out of one budget: who begins a message waits for room while it holds none, and who outgrows his room and
//! finds no more lets the message wait on the disk, encrypted, so that nobody who has room waits for room.

mod budget;
mod client;
mod incoming;
mod listen;
mod stop;
mod stream;

use super::{Farewell, Session, Terms};
use crate::engine::{DirectoryError, Outcome, Queue, Request, Service};
use budget::Budget;
use client::Client;
use incoming::Shelf;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, Scope};
use std::time::Duration;
use stream::Stream;
use time::OffsetDateTime;

pub use listen::{ListenError, Listeners};
pub use stop::Stop;

/// RFC 5321 4.5.3.2: for a command, and between octets of a message.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// Octets of a message that earn its client as much time once more: who drips is not waited for.
const SLOWEST: u64 = 1 << 20;
/// When there are too many files.
const PAUSE: Duration = Duration::from_millis(100);

/// What sessions may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// At a time.
    pub sessions: usize,
    /// Octets of all messages in hand.
    pub memory: u64,
    /// Octets of a message that is held.
    pub memory_limit: u64,
    /// Where messages wait that are not held.
    pub spool: PathBuf,
    /// For the delivery of a message to all its recipients: after that nothing of it becomes visible.
    pub deadline: Duration,
    /// A silent client is left after this; so is one that sends a message too slowly.
    pub patience: Duration,
}

impl Limits {
    /// With the patience that RFC 5321 asks for.
    pub const PATIENCE: Duration = PATIENCE;
}

/// What else is done about deliveries.
pub trait Host: Sync {
    /// A message was delivered, or not, to the recipients of the request: before they are told.
    fn told(&self, request: &Request<'_>, outcome: &Outcome);
    /// Its client was told, and waits for its next answer: nothing that takes time.
    fn afterwards(&self);
    /// All domains by name.
    fn domains(&self) -> Result<Vec<String>, DirectoryError>;
}

/// Who serves clients.
pub struct Server<'s> {
    terms: Terms,
    limits: Limits,
    service: &'s Service<'s>,
    queue: &'s Queue,
    host: &'s dyn Host,
    stop: &'s Stop,
    shelf: Shelf,
    /// To make copies by who delivers himself.
    work: Arc<Budget>,
    sessions: AtomicUsize,
}

impl<'s> Server<'s> {
    /// With a service that serves the queue.
    pub fn new(
        terms: Terms,
        limits: Limits,
        (service, queue): (&'s Service<'s>, &'s Queue),
        host: &'s dyn Host,
        stop: &'s Stop,
    ) -> Server<'s> {
        let shelf = Shelf {
            memory: Budget::of(limits.memory),
            memory_limit: limits.memory_limit,
            folder: limits.spool.clone(),
        };
        let work = Budget::of(limits.memory);
        let sessions = AtomicUsize::new(0);
        Server { terms, limits, service, queue, host, stop, shelf, work, sessions }
    }

    /// Of one that begins now. Nothing: so late that no clock shows it.
    fn end_of_a_delivery(&self) -> Option<OffsetDateTime> {
        let within = self.limits.deadline.try_into().unwrap_or(time::Duration::MAX);
        self.service.engine.clock.now().checked_add(within)
    }

    /// Serves whoever comes until it is stopped; then nobody comes any more, and those who are there come to their end. If it cannot
    /// go on, it stops by itself.
    pub fn run(&self, listeners: Listeners) -> io::Result<()> {
        std::thread::scope(|threads| {
            let served = self.welcome_all(threads, &listeners);
            self.stop.call();
            self.close(listeners);
            served
        })
    }

    fn welcome_all<'t>(&'t self, threads: &'t Scope<'t, '_>, listeners: &Listeners) -> io::Result<()> {
        while !self.stop.is_called() {
            self.await_clients(listeners)?;
            while let Some(stream) = self.accept(listeners) {
                self.welcome(threads, stream);
            }
        }
        Ok(())
    }

    /// Those who knocked and were not let in are told; whoever comes later finds nobody.
    fn close(&self, listeners: Listeners) {
        while let Ok(Some(stream)) = listeners.accept() {
            turn_away(stream, Farewell::Stopping);
        }
        drop(listeners);
        tracing::info!(sessions = self.sessions.load(Ordering::SeqCst), "ending");
    }

    fn await_clients(&self, listeners: &Listeners) -> io::Result<()> {
        let places = listeners.descriptors().map(|place| PollFd::new(place, PollFlags::POLLIN));
        let stop = PollFd::new(self.stop.as_fd(), PollFlags::POLLIN);
        let mut awaited: Vec<PollFd<'_>> = places.chain([stop]).collect();
        match poll(&mut awaited, PollTimeout::NONE) {
            Err(Errno::EINTR) => Ok(()),
            polled => polled.map(drop).map_err(io::Error::from),
        }
    }

    /// A client that is there; nothing if there is none, or the machine has no room for one.
    fn accept(&self, listeners: &Listeners) -> Option<Stream> {
        if self.stop.is_called() {
            return None;
        }
        match listeners.accept() {
            Ok(stream) => stream,
            // Gone before we came.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => None,
            Err(error) => {
                tracing::error!("cannot take a client: {error}");
                std::thread::sleep(PAUSE);
                None
            }
        }
    }

    fn welcome<'t>(&'t self, threads: &'t Scope<'t, '_>, stream: Stream) {
        let seat = Seat::take(&self.sessions);
        if seat.number > self.limits.sessions {
            tracing::warn!(
                sessions = self.limits.sessions,
                "a client was turned away: lmtp-sessions are there"
            );
            return turn_away(stream, Farewell::Crowded);
        }
        // Where the system has no more threads, the connection is closed, and the client comes again.
        let session = Builder::new().name("session".into()).spawn_scoped(threads, move || {
            self.serve(stream);
            drop(seat);
        });
        if let Err(error) = session {
            tracing::error!("no thread for a session: {error}");
        }
    }

    /// A panic ends the session: what it did not answer its client sends again.
    fn serve(&self, stream: Stream) {
        let mut client = Client::new(self, stream);
        if catch_unwind(AssertUnwindSafe(|| client.serve())).is_err() {
            client.give_up();
        }
    }
}

/// A few octets find room in any socket that is new: nobody waits.
fn turn_away(mut stream: Stream, why: Farewell) {
    let _ = stream.prepare(PAUSE).and_then(|()| stream.send(&Session::turned_away(why)));
}

/// A place among the sessions.
struct Seat<'s> {
    sessions: &'s AtomicUsize,
    number: usize,
}

impl Seat<'_> {
    fn take(sessions: &AtomicUsize) -> Seat<'_> {
        Seat { sessions, number: sessions.fetch_add(1, Ordering::SeqCst) + 1 }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.sessions.fetch_sub(1, Ordering::SeqCst);
    }
}
