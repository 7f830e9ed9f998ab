//! A message of a batch with its envelope.

use crate::crypto::SecretBytes;
use crate::engine::{Engine, EngineError, Outcome, Recipient, Request};
use crate::mail::{self, Span};
use crate::rules::Source;
use crate::smime::{LargeError, LargeMessage};
use std::io;
use time::OffsetDateTime;

/// The octets of a message.
pub enum Load {
    /// In memory.
    Held(SecretBytes),
    /// Too many for that: the message goes alone, in its turn, and piece by piece where its rules allow that.
    Large(Box<dyn mail::Source>),
}

/// A message and its envelope, which owns its bytes. No `Debug`: what a message says belongs into no log.
pub struct Parcel {
    /// See [`Request`].
    pub message: Load,
    /// Return path; empty for the null sender; absent if it is not known.
    pub sender: Option<String>,
    /// At least one.
    pub recipients: Vec<Recipient>,
    /// How it came in.
    pub source: Source,
    /// The client that handed it to the MTA.
    pub client: Option<String>,
    /// The MTA's queue id: a message of which a server's rule stores copies goes alone if it has one.
    pub queue_id: Option<String>,
    /// See [`Request`]: such a message goes alone as well.
    pub known_by_content: bool,
    /// See [`Request`].
    pub until: Option<OffsetDateTime>,
}

impl Parcel {
    /// As [`Engine::deliver`] takes it. Of one that is not held there is the envelope alone.
    pub fn request(&self) -> Request<'_> {
        self.request_to(self.recipients.clone())
    }

    /// The same for some of the recipients.
    pub(in crate::engine) fn request_to(&self, recipients: Vec<Recipient>) -> Request<'_> {
        Request {
            message: self.held().unwrap_or_default(),
            large: None,
            sender: self.sender.clone(),
            recipients,
            source: self.source,
            client: self.client.clone(),
            queue_id: self.queue_id.clone(),
            known_by_content: self.known_by_content,
            until: self.until,
        }
    }

    pub(in crate::engine) fn held(&self) -> Option<&[u8]> {
        match &self.message {
            Load::Held(message) => Some(message.expose()),
            Load::Large(_) => None,
        }
    }

    /// Octets of memory.
    pub(super) fn size(&self) -> u64 {
        self.held().map_or(0, |message| message.len() as u64)
    }

    /// Delivers it by itself, and tells of it. One that is not held is in memory as a whole only if its rules want that.
    pub fn deliver<T>(&self, engine: &Engine<'_>, tell: impl FnOnce(&Request<'_>, Outcome) -> T) -> T {
        match &self.message {
            Load::Held(_) => deliver_held(engine, &self.request(), tell),
            Load::Large(source) => self.deliver_large(engine, Span::of(&**source), tell),
        }
    }

    fn deliver_large<T>(
        &self,
        engine: &Engine<'_>,
        message: Span<'_>,
        tell: impl FnOnce(&Request<'_>, Outcome) -> T,
    ) -> T {
        let (envelope, most) = (self.request(), engine.settings.max_message);
        let streamed = in_pieces(&envelope, message, most, |request| engine.deliver_large(request), tell);
        streamed.unwrap_or_else(|tell| match whole(message, most) {
            Ok(held) => deliver_held(engine, &Request { message: held.expose(), ..envelope.clone() }, tell),
            Err(error) => tell(&envelope, unread(error)),
        })
    }
}

/// Delivers a message piece by piece and tells of it. Whoever is to tell comes back, having told nothing, if it must be held as a
/// whole.
pub(in crate::engine) fn in_pieces<T, F: FnOnce(&Request<'_>, Outcome) -> T>(
    envelope: &Request<'_>,
    message: Span<'_>,
    most: u64,
    deliver: impl FnOnce(&Request<'_>) -> Option<Outcome>,
    tell: F,
) -> Result<T, F> {
    match message.arrived(most).map_err(LargeError::from).and_then(LargeMessage::survey) {
        Ok(large) => {
            let request = envelope.of_large(&large);
            match deliver(&request) {
                Some(outcome) => Ok(tell(&request, outcome)),
                None => Err(tell),
            }
        }
        Err(LargeError::Whole) => Err(tell),
        Err(error) => Ok(tell(envelope, unread(error))),
    }
}

fn deliver_held<T>(
    engine: &Engine<'_>,
    request: &Request<'_>,
    tell: impl FnOnce(&Request<'_>, Outcome) -> T,
) -> T {
    let outcome = engine.deliver(request);
    tell(request, outcome)
}

/// As many octets as the engine needs to see, which is one more than is allowed.
pub(in crate::engine) fn whole(message: Span<'_>, most: u64) -> Result<SecretBytes, LargeError> {
    let message = message.first(mail::enough(most));
    let octets = message.all()?;
    message.check()?;
    Ok(octets.into())
}

pub(in crate::engine) fn unread(error: LargeError) -> Outcome {
    let error = match error {
        LargeError::Source(error) => error,
        other => io::Error::other(other),
    };
    Outcome::failed(&EngineError::Source(error), Vec::new())
}
