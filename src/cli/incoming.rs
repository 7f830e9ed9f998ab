//! The message of one delivery, as the engine takes it: held, or its begin and the place of the rest.

use super::arrived::{self, Arrived};
use super::failure::Failure;
use crate::config::Config;
use crate::crypto::SecretBytes;
use crate::engine::{Engine, Outcome, Request};
use crate::mail::{Span, enough};
use crate::smime::{LargeError, LargeMessage};
use std::path::Path;
use std::sync::OnceLock;

/// A message on standard input.
pub(super) struct Incoming {
    arrived: Arrived,
    /// A large one, if it must be held after all.
    held: OnceLock<SecretBytes>,
    /// More octets are not allowed.
    most: u64,
}

impl Incoming {
    /// What is above `memory-limit` waits in the root, if it cannot be read again where it is.
    pub(super) fn take(config: &Config, root: &Path) -> Result<Incoming, Failure> {
        let most = config.settings.max_message;
        let arrived = arrived::first_of_standard_input(config.memory_limit, enough(most), root)?;
        Ok(Incoming { arrived, held: OnceLock::new(), most })
    }

    /// The message, if it is large and need not be held for its header.
    pub(super) fn survey(&self) -> Result<Option<LargeMessage<'_>>, Failure> {
        let Arrived::Large(source) = &self.arrived else { return Ok(None) };
        let message = Span::of(&**source).arrived(self.most);
        match message.map_err(LargeError::from).and_then(LargeMessage::survey) {
            Err(LargeError::Whole) => Ok(None),
            surveyed => surveyed.map(Some).map_err(arrived::failed),
        }
    }

    fn held(&self) -> Result<&[u8], Failure> {
        match &self.arrived {
            Arrived::Held(message) => Ok(message.expose()),
            Arrived::Large(source) => {
                let held = arrived::unchanged(Span::of(&**source).first(enough(self.most)))?;
                Ok(self.held.get_or_init(|| held).expose())
            }
        }
    }

    /// Delivers it with what it takes of memory: `large` is what [`Incoming::survey`] found, and `envelope` a request without
    /// a message.
    pub(super) fn deliver<'m>(
        &'m self,
        engine: &Engine<'_>,
        large: Option<&'m LargeMessage<'m>>,
        envelope: Request<'m>,
    ) -> Result<(Request<'m>, Outcome), Failure> {
        if let Some(large) = large {
            let request = envelope.of_large(large);
            if let Some(outcome) = engine.deliver_large(&request) {
                return Ok((request, outcome));
            }
        }
        let request = Request { message: self.held()?, ..envelope };
        let outcome = engine.deliver(&request);
        Ok((request, outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::RereadFile;
    use std::fs::File;

    #[test]
    fn what_must_be_held_after_all_is_what_was_seen_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("message");
        std::fs::write(&path, "Subject: a\n\nwhole\n").unwrap();
        let incoming = |most| {
            let file = RereadFile::of(File::open(&path).unwrap()).unwrap().ok().unwrap();
            Incoming { arrived: Arrived::Large(Box::new(file)), held: OnceLock::new(), most }
        };
        assert_eq!(incoming(100).held().ok().unwrap(), b"Subject: a\n\nwhole\n");
        assert_eq!(incoming(9).held().ok().unwrap().len(), 10, "one more shows that it is too large");
        let seen = incoming(100);
        std::fs::write(&path, "Subject: a\n\nmixed, and more\n").unwrap();
        assert!(seen.held().is_err_and(|failure| failure.text.contains("changed while it was read")));
    }
}
