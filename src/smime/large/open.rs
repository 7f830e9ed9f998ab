//! Opening in passes: the ciphertext is read once to see what it is, key, padding or tag and the begin of the content are
//! checked, and only then the first clear octet leaves.

use super::front::{Front, Settled};
use super::seen::{Again, Seen};
use super::{LargeError, Sink, changed};
use crate::cms::{self, Carrier, Enveloped, LargeInput};
use crate::crypto::algorithm::Mode;
use crate::crypto::content::ContentAlgorithm;
use crate::crypto::{Policy, SecretBytes};
use crate::mail::{Eol, Span};
use crate::smime::open::{checked_algorithm, checked_content};
use crate::smime::unwrap::recover_content_key;
use crate::smime::{OpenError, OpeningKey, added, inner, outer};
use std::ops::ControlFlow;

/// What was put into a message has names with this in them.
const NAMES: &[&str] = &["sealpost-arrived-"];

/// A large message that was opened and is decrypted while it is written.
pub struct LargeOpened<'s> {
    content: Content<'s>,
    /// What is written first.
    front: SecretBytes,
    /// So many octets of the content stand behind that.
    front_len: u64,
    /// Octets of the content without its padding.
    length: u64,
    eol: Option<Eol>,
}

/// A ciphertext that was read once, with all that it takes to decrypt it.
struct Content<'s> {
    span: Span<'s>,
    carrier: Carrier<'s>,
    seen: Seen,
    algorithm: ContentAlgorithm,
    key: SecretBytes,
    beside: Vec<u8>,
    tag: Vec<u8>,
}

/// Opens what [`open`](crate::smime::open()) opens, with the same errors. [`LargeError::Whole`] if that takes the whole
/// message.
pub fn open_large<'s>(sealed: Span<'s>, keys: &[OpeningKey<'_>]) -> Result<LargeOpened<'s>, LargeError> {
    let input = LargeInput::of(sealed)?;
    let eol = input.header().as_ref().and_then(outer::arrived_eol);
    let content = Content::read(sealed, &input, keys, checked_content)?;
    let mut front = Front::new(NAMES);
    let length = content.first_pass(&mut |clear| {
        front.add(clear);
        front.is_settled()
    })?;
    let (front, front_len) = taken_out(front.settle())?;
    Ok(LargeOpened { content, front, front_len, length, eol })
}

/// Opens what [`open_raw`](crate::smime::open_raw) opens.
pub fn open_large_raw<'s>(sealed: Span<'s>, keys: &[OpeningKey<'_>]) -> Result<LargeOpened<'s>, LargeError> {
    let content = Content::read(sealed, &LargeInput::of(sealed)?, keys, checked_algorithm)?;
    let length = content.first_pass(&mut |_| true)?;
    Ok(LargeOpened { content, front: SecretBytes::new(Vec::new()), front_len: 0, length, eol: None })
}

/// What comes first of the message that was put inside, and how many octets of the content that stands for.
fn taken_out(front: Settled) -> Result<(SecretBytes, u64), LargeError> {
    let (front, all) = match front {
        Settled::Whole(front) => (front, true),
        Settled::Begin(front) => (front, false),
        Settled::Unsure => return Err(LargeError::Whole),
    };
    let octets = front.expose();
    if !all && (memchr::memchr(b'\n', octets).is_none() || added::counts_fields(octets)) {
        return Err(LargeError::Whole);
    }
    if !inner::begins_like_mail(octets) {
        return Err(OpenError::NotOpened.into());
    }
    let length = octets.len() as u64;
    Ok((inner::take_out(front), length))
}

type Check = fn(&Enveloped, &Policy) -> Result<ContentAlgorithm, OpenError>;

/// Takes clear octets as they come, and may have enough of them.
type Give<'g> = &'g mut dyn FnMut(&[u8]) -> Result<ControlFlow<()>, LargeError>;

impl<'s> Content<'s> {
    /// The first reading: everything that can be refused is refused before a private key is used.
    fn read(
        span: Span<'s>,
        input: &LargeInput<'s>,
        keys: &[OpeningKey<'_>],
        check: Check,
    ) -> Result<Content<'s>, LargeError> {
        let mut seen = Seen::default();
        let found = input.encrypted(&mut |octets| {
            seen.add(octets);
            ControlFlow::Continue(())
        })?;
        seen.end();
        let (enveloped, carrier) = found.ok_or(OpenError::NotEncrypted)?;
        let algorithm = check(&enveloped, &Policy::READING)?;
        if !algorithm.is_streamed() {
            return Err(LargeError::Whole);
        }
        let key = recover_content_key(&enveloped, algorithm.cipher.key_len, keys, &Policy::READING)?;
        let (beside, tag) =
            (enveloped.auth_attributes.unwrap_or_default(), enveloped.tag.unwrap_or_default());
        Ok(Content { span, carrier, seen, algorithm, key, beside, tag })
    }

    /// Checks padding or tag, and shows the begin of the content until that is enough. Gives the length of the content.
    /// Whatever is wrong, as much is decrypted.
    fn first_pass(&self, enough: &mut dyn FnMut(&[u8]) -> bool) -> Result<u64, LargeError> {
        let is_chained = self.algorithm.cipher.mode == Mode::Cbc;
        let padding = match is_chained {
            true => self.algorithm.padding(&self.key, self.seen.len(), self.seen.last()),
            false => Ok(0),
        };
        let length = self.seen.len() - padding.as_ref().map_or(0, |&padding| padding as u64);
        let (mut left, mut satisfied) = (length, false);
        let whole = self.decrypt(&mut |clear| {
            let shown = clear.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(clear);
            left -= shown.len() as u64;
            satisfied = satisfied || enough(shown);
            // A tag is over all of it.
            Ok(if satisfied && is_chained { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        });
        padding.map_err(OpenError::from)?;
        whole.map(|()| length)
    }

    /// Reads the ciphertext again and gives the content with its padding, chunk by chunk; a tag is checked at the end.
    fn decrypt(&self, give: Give<'_>) -> Result<(), LargeError> {
        let mut decryptor = self.algorithm.decryptor(&self.key, &self.beside).map_err(OpenError::from)?;
        let mut again = Again::new(&self.seen);
        let mut work = |chunk: &mut [u8]| {
            decryptor.decrypt(chunk).map_err(OpenError::from)?;
            give(chunk)
        };
        let mut flow = Ok(ControlFlow::Continue(()));
        let read = self.carrier.envelope(&mut |octets| {
            flow = again.add(octets, &mut work);
            if matches!(flow, Ok(ControlFlow::Continue(()))) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        if flow?.is_break() {
            return Ok(());
        }
        read.map_err(unlike_before)?;
        match again.end(&mut work)? {
            ControlFlow::Break(()) => Ok(()),
            ControlFlow::Continue(()) => Ok(decryptor.check_tag(&self.tag).map_err(OpenError::from)?),
        }
    }
}

/// Nothing was wrong with the structure when it was read first.
fn unlike_before(error: cms::LargeError) -> LargeError {
    match error {
        cms::LargeError::Source(error) => LargeError::Source(error),
        _ => changed(),
    }
}

impl LargeOpened<'_> {
    /// The line ends that the message had, if its `Sealpost-Sealed` field says so. Nobody vouches for it.
    pub fn eol(&self) -> Option<Eol> {
        self.eol
    }

    /// How many octets will be written.
    pub fn len(&self) -> u64 {
        self.front.expose().len() as u64 + (self.length - self.front_len)
    }

    /// None?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the message. No octet leaves whose ciphertext is not the one that was checked; where it is another one that is
    /// the error, and what was written before is the begin of the message.
    pub fn write(&self, sink: Sink<'_>) -> Result<(), LargeError> {
        if !self.front.expose().is_empty() {
            sink(self.front.expose()).map_err(LargeError::Sink)?;
        }
        let (mut skipped, mut left) = (self.front_len, self.length);
        self.content.decrypt(&mut |clear| {
            let clear = clear.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(clear);
            left -= clear.len() as u64;
            let skip = usize::try_from(skipped).unwrap_or(usize::MAX).min(clear.len());
            skipped -= skip as u64;
            let wanted = clear.get(skip..).unwrap_or_default();
            if !wanted.is_empty() {
                sink(wanted).map_err(LargeError::Sink)?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(self.content.span.check()?)
    }
}
