//! What is settled before the first byte of a message is encrypted.

use super::{Mark, SealError, SealJob};
use crate::cms::{self, MAX_OCTETS, Protection};
use crate::crypto::SecretBytes;
use crate::crypto::aead;
use crate::crypto::algorithm::{ContentCipher, Mode};
use crate::crypto::cbc::padding_len;
use crate::crypto::content::ContentAlgorithm;
use crate::crypto::rsa_public::Padded;
use crate::mail::{Eol, HeaderPolicy, LineCount, Message};
use crate::smime::added::Added;
use crate::smime::frame::Frame;
use crate::smime::headers::{Headers, HeadersKept};
use crate::smime::inner::{Inner, count_lines};
use crate::smime::outer::Outer;
use crate::smime::recipient::{Handed, Recipient, recipients};
use crate::smime::recipient_info::RecipientInfo;
use crate::smime::{SealFacts, Sealed};
use rand::Rng;
use rand::rngs::StdRng;
use std::mem;

/// The largest message that is sealed: our own reader must open it, and takes no more than [`MAX_OCTETS`]; a mebibyte is
/// left for what stands around the ciphertext. Very many recipients need more than that: see [`Drawn::frame`].
pub(in crate::smime) const LARGEST: usize = MAX_OCTETS - 1024 * 1024;

/// A message of which only the RSA operations and the content are still to be done.
pub(super) struct Settled<'a> {
    header: Outer,
    inner: Inner<'a>,
    drawn: Drawn<'a>,
    headers_kept: Option<HeadersKept>,
}

/// The same with everything that stands before its content.
pub(super) struct Framed<'a> {
    pub(super) envelope: Envelope,
    pub(super) header: Outer,
    pub(super) inner: Inner<'a>,
    pub(super) report: Report,
}

/// What is said of a message that was settled here: nothing else becomes [`Sealed`] by this road.
pub(super) struct Report(SealFacts);

impl Report {
    pub(super) fn sealed(self, bytes: Vec<u8>) -> Sealed {
        Sealed { bytes, facts: self.0 }
    }
}

/// Looks at the message, and draws all that is random in it.
pub(super) fn settle(job: SealJob<'_>) -> Result<Settled<'_>, SealError> {
    let (suite, recipients) = recipients(job.recipients, job.form)?;
    let message = Message::new(job.message);
    let count = count_lines(job.message);
    let (header, added, headers_kept) = protect_header(&message, &job, count);
    let inner = Inner::new(&message, added, count);
    if inner.len() > LARGEST {
        return Err(SealError::TooLarge(job.message.len()));
    }
    let drawn = Drawn::new(suite.content, recipients, &mut job.seed.into_rng())?;
    Ok(Settled { header, inner, drawn, headers_kept })
}

/// What stays readable, what the message says of it inside, and why nothing is hidden where something should be. `count` is
/// that of the whole message.
pub(in crate::smime) fn protect_header(
    message: &Message<'_>,
    job: &SealJob<'_>,
    count: LineCount,
) -> (Outer, Added, Option<HeadersKept>) {
    protect(message, &cms::find(message), count.eol(), (job.form.headers, &job.mark))
}

/// The same where it is known already what protects the message and how its lines end: of the message only the front is
/// looked at.
pub(in crate::smime) fn protect(
    message: &Message<'_>,
    protection: &Protection,
    arrived: Eol,
    (wanted, mark): (HeaderPolicy, &Mark<'_>),
) -> (Outer, Added, Option<HeadersKept>) {
    let settled = Headers::settle(wanted, message, protection);
    let headers = settled.unwrap_or(Headers::AsReceived);
    let outer = Outer::new(message, protection, mark, headers.policy(), arrived);
    let added = Added::new(message, &outer, headers);
    (outer, added, settled.err())
}

impl<'a> Settled<'a> {
    /// The content keys that the RSA operation is to be done with: of many messages at once.
    pub(super) fn take_padded(&mut self) -> Vec<Padded<'a>> {
        self.drawn.take_padded()
    }

    /// `encrypted_keys` are what became of them, in their order.
    pub(super) fn frame(self, encrypted_keys: &[Vec<u8>]) -> Result<Framed<'a>, SealError> {
        let Settled { header, inner, drawn, headers_kept } = self;
        let recipients = drawn.recipients.iter().map(Recipient::sealed_to).collect();
        let envelope = drawn.frame(encrypted_keys, inner.len())?;
        let cipher = Some(envelope.algorithm.cipher);
        let report = Report(SealFacts { cipher, recipients, headers_kept });
        Ok(Framed { envelope, header, inner, report })
    }
}

/// What was drawn for one message: content key, IV, and what hands the key to everybody.
pub(in crate::smime) struct Drawn<'a> {
    algorithm: ContentAlgorithm,
    content_key: SecretBytes,
    recipients: Vec<Recipient<'a>>,
    infos: Vec<RecipientInfo>,
    padded: Vec<Padded<'a>>,
    /// Whose they are.
    transported: Vec<usize>,
}

impl<'a> Drawn<'a> {
    /// Out of the message's own generator: key, IV, and what each recipient needs, in their order.
    pub(in crate::smime) fn new(
        cipher: &'static ContentCipher,
        recipients: Vec<Recipient<'a>>,
        rng: &mut StdRng,
    ) -> Result<Drawn<'a>, SealError> {
        let content_key = random_key(cipher.key_len, rng);
        let algorithm = ContentAlgorithm::generate(cipher, rng);
        let (infos, padded, transported) = (Vec::new(), Vec::new(), Vec::new());
        let mut drawn = Drawn { algorithm, content_key, recipients, infos, padded, transported };
        drawn.hand_out(rng)?;
        Ok(drawn)
    }

    fn hand_out(&mut self, rng: &mut StdRng) -> Result<(), SealError> {
        for (place, recipient) in self.recipients.iter().enumerate() {
            match recipient.hand(&self.content_key, rng)? {
                Handed::Ready(info) => self.infos.push(info),
                Handed::Padded(padded) => {
                    self.padded.push(padded);
                    self.transported.push(place);
                }
            }
        }
        Ok(())
    }

    /// For [`encrypt_all`](crate::crypto::rsa_public::encrypt_all).
    pub(in crate::smime) fn take_padded(&mut self) -> Vec<Padded<'a>> {
        mem::take(&mut self.padded)
    }

    /// Every length, and the DER around a content of that length. `encrypted_keys` are what became of
    /// [`Drawn::take_padded`]: fails unless there is one for each.
    pub(in crate::smime) fn frame(
        self,
        encrypted_keys: &[Vec<u8>],
        length: usize,
    ) -> Result<Envelope, SealError> {
        let Drawn { algorithm, content_key, recipients, mut infos, transported, .. } = self;
        if transported.len() != encrypted_keys.len() {
            return Err(SealError::Primitive("RSA"));
        }
        for (place, key) in transported.into_iter().zip(encrypted_keys) {
            let to = recipients.get(place).ok_or(SealError::Primitive("RSA"))?;
            infos.push(to.transported(key)?);
        }
        let cipher = algorithm.cipher;
        let (content_len, tag_len) = match cipher.mode {
            Mode::Cbc => (length + padding_len(length), 0),
            Mode::Aead => (length, aead::TAG),
        };
        let identifier = algorithm.identifier().map_err(|_| SealError::Primitive(cipher.name))?;
        let frame = Frame::new(infos, &identifier, cipher.mode, content_len, tag_len)
            .map_err(|_| SealError::Primitive("encoding"))?;
        if frame.len() > MAX_OCTETS {
            return Err(SealError::TooLarge(length));
        }
        Ok(Envelope { algorithm, content_key, frame, length })
    }
}

/// All that is settled before the first byte of the message is encrypted.
pub(in crate::smime) struct Envelope {
    pub(in crate::smime) algorithm: ContentAlgorithm,
    pub(in crate::smime) content_key: SecretBytes,
    pub(in crate::smime) frame: Frame,
    /// Of the content in clear.
    pub(in crate::smime) length: usize,
}

fn random_key(length: usize, rng: &mut StdRng) -> SecretBytes {
    let mut key = vec![0; length];
    rng.fill_bytes(&mut key);
    SecretBytes::new(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Profile;
    use crate::crypto::rsa_public::encrypt_all;
    use crate::pki::key::tests::seed;
    use crate::smime::tests::{alice, bob, dana};

    /// Nobody may be left out because the RSA operation gave too little.
    #[test]
    fn a_message_with_too_few_or_broken_encrypted_keys_is_not_made() {
        let to = [alice().validated(), dana().validated(), bob().validated()];
        let frame = |change: fn(&mut Vec<Vec<u8>>)| {
            let (suite, recipients) = recipients(&to, Profile::Compatible.into()).unwrap();
            let mut drawn = Drawn::new(suite.content, recipients, &mut seed(7).into_rng()).unwrap();
            let mut keys = encrypt_all(drawn.take_padded());
            change(&mut keys);
            drawn.frame(&keys, 100).map(|_| ())
        };
        assert!(frame(|_| {}).is_ok());
        let broken: [fn(&mut Vec<Vec<u8>>); 6] = [
            |keys| keys.clear(),
            |keys| drop(keys.pop()),
            |keys| keys.push(vec![1; 256]),
            |keys| keys[0].clear(),
            |keys| {
                keys[1].pop();
            },
            |keys| keys[1].push(0),
        ];
        for change in broken {
            assert!(matches!(frame(change), Err(SealError::Primitive("RSA"))));
        }
    }

    #[test]
    fn what_is_sealed_is_read_again() {
        const { assert!(LARGEST < MAX_OCTETS) };
    }
}
