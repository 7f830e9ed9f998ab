//! One session: a connection, a conversation, and the messages that come over it.

use super::Server;
use super::incoming::{Incoming, Whole, not_kept};
use super::stream::{Heard, Stream};
use crate::engine::{Disposition, EngineError, House, Parcel, Recipient};
use crate::lmtp::{Envelope, Farewell, Session, Want};
use crate::mail::Address;
use crate::rules::Source;
use std::any::Any;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::{Zeroize, Zeroizing};

/// Octets that are read at a time.
const READ: usize = 64 * 1024;

/// A client that is served.
pub(super) struct Client<'s> {
    server: &'s Server<'s>,
    stream: Stream,
    session: Session,
    incoming: Option<Incoming>,
    /// Octets of the client are in it.
    has_octets: bool,
    /// When the client must have said its command, or its message.
    until: Instant,
}

/// Goes on, or ends.
type Going = io::Result<bool>;

impl<'s> Client<'s> {
    pub(super) fn new(server: &'s Server<'s>, stream: Stream) -> Client<'s> {
        let session = Session::new(server.terms.clone());
        let until = Instant::now() + server.limits.patience;
        Client { server, stream, session, incoming: None, has_octets: false, until }
    }

    /// Serves it to its end. An error is one of the connection: nobody is there who could be told.
    pub(super) fn serve(&mut self) -> io::Result<()> {
        self.stream.prepare(self.server.limits.patience)?;
        let mut buffer = Zeroizing::new(vec![0; READ]);
        let mut filled = 0;
        loop {
            let octets = buffer.get(..filled).unwrap_or_default();
            let is_going = self.read_all(octets)?;
            buffer.get_mut(..filled).unwrap_or_default().zeroize();
            if !is_going {
                return Ok(());
            }
            match self.hear(&mut buffer)? {
                Some(count) => filled = count,
                None => return Ok(()),
            }
        }
    }

    /// After a panic: the client is told what can be told.
    pub(super) fn give_up(&mut self) {
        self.session.replies();
        let _ = self.leave(Farewell::Trouble);
    }

    /// The next octets; nothing at the end.
    fn hear(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        // Who sends a message is heard to its end.
        let stop = (!self.session.has_message()).then_some(self.server.stop);
        let patience = Instant::now() + self.server.limits.patience;
        match self.stream.hear(buffer, self.until.min(patience), stop)? {
            Heard::Octets(0) => Ok(None),
            Heard::Octets(count) => {
                if self.session.has_message() {
                    self.until += self.server.limits.for_octets(count);
                }
                Ok(Some(count))
            }
            Heard::Stop => self.leave(Farewell::Stopping).map(|()| None),
            Heard::Late => self.leave(Farewell::Idle).map(|()| None),
        }
    }

    fn leave(&mut self, why: Farewell) -> io::Result<()> {
        self.session.leave(why);
        self.send()
    }

    /// Uses all of the octets.
    fn read_all(&mut self, octets: &[u8]) -> Going {
        let mut used = 0;
        loop {
            let taken = self.session.take(octets.get(used..).unwrap_or_default());
            used += taken.used;
            match taken.want {
                Want::More => {
                    self.send()?;
                    return Ok(true);
                }
                Want::Send => self.send()?,
                Want::Judge(address) => match self.known(address) {
                    Ok(address) => self.session.judged_as(address),
                    Err(error) => self.session.judged(&told(&error)),
                },
                Want::Begin { declared, return_path } => self.begin(declared, &return_path),
                Want::Content(piece) => self.keep(piece),
                Want::Deliver(envelope) => {
                    // What was answered before is not to wait for that.
                    self.send()?;
                    self.deliver(envelope)?;
                }
                Want::Forget => self.incoming = None,
                Want::Close => {
                    self.send()?;
                    return Ok(false);
                }
            }
        }
    }

    /// Whom a message to this address is for: an account of the directory. The postmaster of this machine is the one of the first
    /// domain that has one, if the machine is no domain by itself (RFC 5321 4.5.1).
    fn known(&self, address: Address) -> Result<Address, EngineError> {
        let Server { service, host, terms, .. } = self.server;
        let is_postmaster = address.local().eq_ignore_ascii_case("postmaster")
            && address.domain().eq_ignore_ascii_case(&terms.host);
        match service.judge(&address) {
            Err(EngineError::UnknownDomain(_)) if is_postmaster => {}
            judged => return judged.map(|()| address),
        }
        for domain in host.domains()? {
            let Ok(postmaster) = Address::parse(&format!("postmaster@{domain}")) else { continue };
            match service.judge(&postmaster) {
                Err(EngineError::UnknownUser(_) | EngineError::UnknownDomain(_)) => {}
                judged => return judged.map(|()| postmaster),
            }
        }
        Err(EngineError::UnknownUser(address))
    }

    /// A client that does something has time again, unless it sends a message.
    fn send(&mut self) -> io::Result<()> {
        let replies = self.session.replies();
        if replies.is_empty() {
            return Ok(());
        }
        if !self.session.has_message() {
            self.until = Instant::now() + self.server.limits.patience;
        }
        self.stream.send(&replies)
    }

    /// Waits for room. Meanwhile the client has time.
    fn begin(&mut self, declared: Option<u64>, return_path: &str) {
        let shelf = &self.server.shelf;
        let declared = declared.map(|octets| octets.saturating_add(return_path.len() as u64));
        let begun =
            Incoming::begin(shelf, declared).and_then(|begun| begun.add(shelf, return_path.as_bytes()));
        self.until = Instant::now() + self.server.limits.patience;
        self.has_octets = false;
        self.keep_or_refuse(begun);
    }

    /// What begins with a space has no header: it is not to go on in our line.
    fn keep(&mut self, piece: &[u8]) {
        let is_first = !std::mem::replace(&mut self.has_octets, true);
        let between: &[u8] = if is_first && matches!(piece, [b' ' | b'\t', ..]) { b"\r\n" } else { b"" };
        if let Some(incoming) = self.incoming.take() {
            let shelf = &self.server.shelf;
            let kept = incoming.add(shelf, between).and_then(|incoming| incoming.add(shelf, piece));
            self.keep_or_refuse(kept);
        }
    }

    fn keep_or_refuse(&mut self, kept: io::Result<Incoming>) {
        match kept {
            Ok(incoming) => self.incoming = Some(incoming),
            Err(error) => self.refuse(&error),
        }
    }

    fn refuse(&mut self, error: &io::Error) {
        tracing::error!("a message could not be kept: {error}");
        self.session.refuse(&not_kept(error));
    }

    fn deliver(&mut self, envelope: Envelope) -> io::Result<()> {
        let whole = self.incoming.take().ok_or(io::ErrorKind::NotFound.into()).and_then(Incoming::finish);
        let recipients = envelope.recipients.len();
        let dispositions = match whole {
            Ok(whole) => self.hand_over(envelope, whole),
            Err(error) => {
                tracing::error!("a message could not be kept: {error}");
                vec![not_kept(&error); recipients]
            }
        };
        self.session.delivered(&dispositions);
        let sent = self.send();
        self.server.host.afterwards();
        self.until = Instant::now() + self.server.limits.patience;
        sent
    }

    /// One disposition for each recipient.
    fn hand_over(&self, Envelope { sender, recipients }: Envelope, whole: Whole) -> Vec<Disposition> {
        let (server, Whole { load, room }) = (self.server, whole);
        let mut dispositions = vec![Disposition::doubt("internal error"); recipients.len()];
        let recipients = recipients.into_iter().map(|address| Recipient { address, original: None });
        let parcel = Arc::new(Parcel {
            message: load,
            sender: Some(sender),
            recipients: recipients.collect(),
            source: Source::Lmtp,
            client: self.stream.client(),
            queue_id: None,
            known_by_content: true,
            until: server.end_of_a_delivery(),
        });
        let visit = Visit { server };
        server.service.deliver(server.queue, &parcel, &visit, &mut |places, request, outcome| {
            server.host.told(request, &outcome);
            for place in places {
                if let Some(disposition) = dispositions.get_mut(*place) {
                    *disposition = outcome.disposition.clone();
                }
            }
        });
        drop(parcel);
        drop(room);
        dispositions
    }
}

/// Unknown users are the client's to write down; a doubt is ours.
fn told(error: &EngineError) -> Disposition {
    let disposition = error.disposition();
    if matches!(disposition, Disposition::Retry { .. }) {
        tracing::warn!(answer = disposition.line(), "{error}");
    }
    disposition
}

/// One message of a session, as the service sees it.
struct Visit<'s> {
    server: &'s Server<'s>,
}

impl House for Visit<'_> {
    fn hold(&self, octets: u64) -> Box<dyn Any> {
        Box::new(self.server.shelf.memory.wait(octets))
    }

    fn work(&self, octets: u64) -> Box<dyn Any> {
        Box::new(self.server.work.wait(octets))
    }
}

impl super::Limits {
    /// Time that a client gets for octets of a message.
    fn for_octets(&self, count: usize) -> Duration {
        self.patience.mul_f64(count as f64 / super::SLOWEST as f64)
    }
}
