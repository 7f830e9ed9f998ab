//! A message that is to be sealed and is too large to be held: what the first pass finds.

use super::front::{Front, Settled};
use super::{LargeError, Sink};
use crate::cms::{self, Protection, find_large};
use crate::crypto::SecretBytes;
use crate::mail::{Eol, HeaderEdits, HeaderPolicy, LineTally, Message, Span};
use crate::smime::HeadersKept;
use std::ops::ControlFlow;
use std::sync::Arc;

/// What is put into a message depends on these fields, wherever a reader may see them.
const NAMES: &[&str] = &["hp-outer:", "content-type:"];

/// Why a message is sealed like any other, although its sender may have signed or encrypted it.
const UNDECIDED: &str = "whether the sender signed or encrypted the message was not looked at: it is large, and that would take all of it";

/// The front of a message in memory, the rest where it lies, and all that sealing has to know of it.
pub struct LargeMessage<'s> {
    /// Up to the first empty line, or as much as matters.
    front: SecretBytes,
    rest: Span<'s>,
    whole: Span<'s>,
    rest_ends: LineTally,
    protection: Arc<Protection>,
    undecided: bool,
}

impl<'s> LargeMessage<'s> {
    /// The first pass. [`LargeError::Whole`] if its header is larger than a MiB, or has no end and fields that matter.
    pub fn survey(message: Span<'s>) -> Result<LargeMessage<'s>, LargeError> {
        let mut front = Front::new(NAMES);
        message.for_each(|piece| {
            front.add(piece);
            Ok::<_, LargeError>(if front.is_settled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })?;
        let front = match front.settle() {
            Settled::Whole(front) => front,
            Settled::Begin(front) if Message::new(front.expose()).has_whole_header() => front,
            Settled::Begin(_) | Settled::Unsure => return Err(LargeError::Whole),
        };
        let rest = message.behind(front.expose().len() as u64);
        let mut rest_ends = LineTally::behind(front.expose().last());
        rest.for_each(|piece| {
            rest_ends.add(piece);
            Ok::<_, LargeError>(ControlFlow::Continue(()))
        })?;
        let (protection, undecided) = match find_large(message) {
            Ok(found) => (found, false),
            Err(cms::LargeError::Source(error)) => return Err(error.into()),
            Err(_) => (Protection::None, true),
        };
        let protection = Arc::new(protection);
        Ok(LargeMessage { front, rest, whole: message, rest_ends, protection, undecided })
    }

    /// The begin of the message: its header, and what stands before its first empty line.
    pub fn front(&self) -> Message<'_> {
        Message::new(self.front.expose())
    }

    /// The octets of that.
    pub fn begin(&self) -> &[u8] {
        self.front.expose()
    }

    /// What protects it; what is encrypted comes without its ciphertext.
    pub fn protection(&self) -> &Protection {
        &self.protection
    }

    /// A warning where only the whole message would tell what protects it: then it is sealed as if nothing did, and its
    /// header is kept as if something did.
    pub fn undecided(&self) -> Option<&'static str> {
        self.undecided.then_some(UNDECIDED)
    }

    /// How its header is treated where a form wants that, and why otherwise than it wants.
    pub(super) fn header_policy(&self, wanted: HeaderPolicy) -> (HeaderPolicy, Option<HeadersKept>) {
        let hides = wanted != HeaderPolicy::Keep && !self.front().fields().is_empty();
        if self.undecided && hides {
            return (HeaderPolicy::Keep, Some(HeadersKept::Protected));
        }
        (wanted, None)
    }

    /// What stands behind the front.
    pub fn rest(&self) -> Span<'s> {
        self.rest
    }

    /// The message as it arrived.
    pub fn whole(&self) -> Span<'s> {
        self.whole
    }

    /// The message with another header. Nothing behind the header changes, so that the rest stays where it lies.
    pub fn edited(&self, edits: &HeaderEdits) -> LargeMessage<'s> {
        let front = SecretBytes::new(edits.apply(&self.front()).to_vec());
        LargeMessage { front, protection: Arc::clone(&self.protection), ..*self }
    }

    /// Hands it over as it is, piece by piece. Fails if it is not what it was in the first pass.
    pub fn write(&self, sink: Sink<'_>) -> Result<(), LargeError> {
        sink(self.front.expose()).map_err(LargeError::Sink)?;
        self.rest.for_each(|piece| {
            sink(piece).map_err(LargeError::Sink)?;
            Ok::<_, LargeError>(ControlFlow::Continue(()))
        })?;
        Ok(self.rest.check()?)
    }

    /// How many octets.
    pub fn len(&self) -> u64 {
        self.front.expose().len() as u64 + self.rest.len()
    }

    /// None?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How its lines end.
    pub fn line_tally(&self) -> LineTally {
        let mut front = LineTally::default();
        front.add(self.front.expose());
        front.and(self.rest_ends)
    }

    pub(super) fn eol(&self) -> Eol {
        self.line_tally().eol()
    }

    /// Octets of the rest with canonical lines.
    pub(super) fn rest_len(&self) -> u64 {
        self.rest_ends.crlf_len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Source;
    use crate::smime::tests::{alice, job};
    use crate::smime::{SealError, seal_large};
    use std::io;

    /// So many octets, none of which is there.
    struct Claimed(u64);

    impl Source for Claimed {
        fn len(&self) -> u64 {
            self.0
        }
        fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<()> {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
        fn check(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What the first pass would find in a body of so many GiB without a line end.
    fn seal_claimed(gibibytes: usize) -> Result<u64, SealError> {
        let held = [b"A: b\r\n\r\n".to_vec(), vec![b'x'; gibibytes]].concat();
        let held = held.as_slice();
        let mut large = LargeMessage::survey(Span::of(&held)).unwrap();
        large.rest_ends = LineTally::default();
        large.rest_ends.add(&vec![b'x'; gibibytes]);
        for _ in 0..30 {
            large.rest_ends = large.rest_ends.and(large.rest_ends);
        }
        let source = Claimed(large.rest_len());
        let large = LargeMessage { rest: Span::of(&source), whole: Span::of(&source), ..large };
        let to = [alice().validated()];
        let job = job(held, &to, crate::crypto::Profile::Compatible, 7);
        seal_large(&large, &to, job.form, &job.mark, job.seed).map(|sealed| sealed.len())
    }

    /// Only lengths are looked at: nothing of it can be read.
    #[test]
    fn what_no_reader_of_ours_takes_is_not_sealed() {
        assert!(seal_claimed(1).unwrap() > 1 << 30);
        for gibibytes in [2, 3] {
            let refused = seal_claimed(gibibytes).err();
            assert!(
                matches!(refused, Some(SealError::TooLarge(length)) if length > gibibytes << 30),
                "{refused:?}"
            );
        }
    }
}
