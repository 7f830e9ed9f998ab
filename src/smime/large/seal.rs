//! Sealing as a stream: every length is known before the first octet is written.

use super::message::LargeMessage;
use super::{LargeError, Sink, changed};
use crate::crypto::Seed;
use crate::crypto::algorithm::Mode;
use crate::crypto::cbc::{BLOCK, padding_len};
use crate::crypto::rsa_public::encrypt_all;
use crate::crypto::stream::Encryptor;
use crate::mail::{Canonical, LineCount, PIECE, crlf_len};
use crate::pki::ValidatedCertificate;
use crate::smime::frame;
use crate::smime::inner::Inner;
use crate::smime::lines::{Base64Lines, body_len};
use crate::smime::recipient::{Recipient, recipients};
use crate::smime::seal::{Drawn, Envelope, LARGEST, protect};
use crate::smime::{Form, Mark, SealError, SealFacts};
use encodify::base64::LineEnding;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// A large message that only its recipients will be able to open, written piece by piece: sealed meanwhile, or as it came
/// if its sender sealed it. Made by [`seal_large`] and [`recognise_large`](super::recognise_large) alone.
pub struct LargeSealed<'m> {
    pub(super) message: &'m LargeMessage<'m>,
    /// Absent: it is sealed already.
    pub(super) fresh: Option<Box<Fresh<'m>>>,
    pub(super) facts: SealFacts,
}

/// All that sealing takes but the content.
pub(super) struct Fresh<'m> {
    /// The header outside with its empty line.
    header: Vec<u8>,
    line_ending: LineEnding,
    /// What lies inside of the front.
    inner: Inner<'m>,
    envelope: Envelope,
    /// Key and nonce are used up.
    used: AtomicBool,
}

/// Settles all that sealing takes but the content. The same seed gives the same octets, here and when the message is sealed
/// as a whole.
pub fn seal_large<'m>(
    message: &'m LargeMessage<'m>,
    to: &[ValidatedCertificate],
    form: Form,
    mark: &Mark<'_>,
    seed: Seed,
) -> Result<LargeSealed<'m>, SealError> {
    let (suite, recipients) = recipients(to, form)?;
    let front = message.front();
    let (policy, undecided) = message.header_policy(form.headers);
    let (outer, added, headers_kept) = protect(&front, message.protection(), message.eol(), (policy, mark));
    let headers_kept = undecided.or(headers_kept);
    let inner = Inner::new(&front, added, LineCount::of(front.bytes()));
    let length = usize::try_from(inner.len() as u64 + message.rest_len()).ok();
    let length = length.filter(|&length| length <= LARGEST);
    let length =
        length.ok_or_else(|| SealError::TooLarge(usize::try_from(message.len()).unwrap_or(usize::MAX)))?;
    let sealed_to = recipients.iter().map(Recipient::sealed_to).collect();
    let mut drawn = Drawn::new(suite.content, recipients, &mut seed.into_rng())?;
    let padded = drawn.take_padded();
    let envelope = drawn.frame(&encrypt_all(padded), length)?;
    let line_ending = outer.line_ending();
    let header = outer.finish(envelope.algorithm.cipher.mode);
    let facts = SealFacts { cipher: Some(envelope.algorithm.cipher), recipients: sealed_to, headers_kept };
    let fresh = Some(Box::new(Fresh { header, line_ending, inner, envelope, used: AtomicBool::new(false) }));
    Ok(LargeSealed { message, fresh, facts })
}

impl LargeSealed<'_> {
    /// To whom and how.
    pub fn facts(&self) -> &SealFacts {
        &self.facts
    }

    /// How many octets it will have.
    pub fn len(&self) -> u64 {
        self.fresh.as_ref().map_or_else(|| self.message.len(), |fresh| fresh.len_with(fresh.line_ending))
    }

    /// Never: it has a header.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// How many octets it would have with canonical lines.
    pub fn crlf_len(&self) -> u64 {
        let as_it_came = || self.message.line_tally().crlf_len();
        self.fresh.as_ref().map_or_else(as_it_came, |fresh| fresh.len_with(LineEnding::CrLf))
    }

    /// The second pass. Fails if the message is not what it was in the first: then what was written is not to be used. What is
    /// sealed is written once, whatever became of it: another time the same key and nonce might meet another text.
    pub fn write(&self, sink: Sink<'_>) -> Result<(), LargeError> {
        let Some(fresh) = &self.fresh else { return self.message.write(sink) };
        if fresh.used.swap(true, Ordering::Relaxed) {
            return Err(LargeError::Used);
        }
        let mut pump = Pump::new(fresh, sink)?;
        fresh.inner.parts().try_for_each(|part| pump.push(part))?;
        self.message.rest().for_each(|piece| pump.push(piece).map(ControlFlow::Continue))?;
        self.message.rest().check()?;
        pump.finish()
    }
}

impl Fresh<'_> {
    fn len_with(&self, line_ending: LineEnding) -> u64 {
        let header = match line_ending {
            LineEnding::Lf => self.header.len(),
            LineEnding::CrLf => crlf_len(&self.header),
        };
        (header + body_len(self.envelope.frame.len(), line_ending)) as u64
    }
}

/// Canonical lines, encryption in place, base64.
struct Pump<'a, 's> {
    sealed: &'a Fresh<'a>,
    canonical: Canonical,
    encryptor: Encryptor,
    /// Clear, and less than a block between two pieces.
    clear: Zeroizing<Vec<u8>>,
    lines: Base64Lines,
    /// Octets of content that must still come.
    left: usize,
    sink: Sink<'s>,
}

impl<'a, 's> Pump<'a, 's> {
    fn new(sealed: &'a Fresh<'a>, sink: Sink<'s>) -> Result<Pump<'a, 's>, LargeError> {
        let envelope = &sealed.envelope;
        let encryptor = envelope.algorithm.encryptor(&envelope.content_key).map_err(SealError::from)?;
        let clear = Zeroizing::new(Vec::with_capacity(2 * PIECE + 2 * BLOCK));
        let mut pump = Pump {
            sealed,
            canonical: Canonical::default(),
            encryptor,
            clear,
            lines: Base64Lines::new(b"", 2 * PIECE + 4 * BLOCK, sealed.line_ending),
            left: envelope.length,
            sink,
        };
        (pump.sink)(&sealed.header).map_err(LargeError::Sink)?;
        pump.lines.write(&envelope.frame.head);
        pump.pass_on()?;
        Ok(pump)
    }

    fn push(&mut self, octets: &[u8]) -> Result<(), LargeError> {
        octets.chunks(PIECE).try_for_each(|piece| {
            let before = self.clear.len();
            self.canonical.append(piece, &mut self.clear);
            self.left = self.left.checked_sub(self.clear.len() - before).ok_or_else(changed)?;
            let whole = self.clear.len() - self.clear.len() % BLOCK;
            self.encrypt(whole)
        })
    }

    /// So many octets; what is left moves to the front.
    fn encrypt(&mut self, octets: usize) -> Result<(), LargeError> {
        let blocks = self.clear.get_mut(..octets).unwrap_or_default();
        self.encryptor.encrypt(blocks).map_err(SealError::from)?;
        self.lines.write(blocks);
        self.clear.copy_within(octets.., 0);
        let rest = self.clear.len() - octets;
        self.clear.truncate(rest);
        self.pass_on()
    }

    fn pass_on(&mut self) -> Result<(), LargeError> {
        self.lines.pour(&mut *self.sink).map_err(LargeError::Sink)
    }

    /// Padding or tag, and the last line.
    fn finish(mut self) -> Result<(), LargeError> {
        if self.left > 0 {
            return Err(changed());
        }
        if self.sealed.envelope.algorithm.cipher.mode == Mode::Cbc {
            let padding = padding_len(self.clear.len());
            let padded = self.clear.len() + padding;
            // 1 to 16.
            self.clear.resize(padded, padding as u8);
        }
        self.encrypt(self.clear.len())?;
        let Pump { encryptor, mut lines, sink, .. } = self;
        lines.write(&frame::tail(&encryptor.finish()));
        sink(&lines.finish()).map_err(LargeError::Sink)
    }
}
