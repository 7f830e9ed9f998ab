//! From message bytes to sealed bytes, in one pass over the message.

use super::Sealed;
use super::added::Added;
use super::frame::{self, Frame};
use super::headers::{Headers, HeadersKept};
use super::inner::{CrlfReader, Inner};
use super::lines::Base64Lines;
use super::outer::Outer;
use super::recipient::{Form, Recipient, recipients};
use crate::cms::{self, Protection};
use crate::crypto::aead;
use crate::crypto::algorithm::{ContentCipher, Mode};
use crate::crypto::cbc::{BLOCK, padding_len};
use crate::crypto::content::ContentAlgorithm;
use crate::crypto::{CryptoError, SecretBytes, Seed};
use crate::mail::{Eol, HeaderPolicy, Message, eol};
use crate::pki::{Fingerprint, ValidatedCertificate};
use rand::Rng;
use rand::rngs::StdRng;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Clear bytes that are worked on at a time: whole AES blocks, whole base64 lines, and small enough for the nearest caches.
const CHUNK: usize = 16 * 57 * 16;

/// The largest message that is sealed: one DER value ends at 4 GiB in the reader of every `der` user, ours too; a
/// mebibyte is left for what stands around the ciphertext.
pub(super) const LARGEST: usize = u32::MAX as usize - 1024 * 1024;

/// One message to seal.
pub struct SealJob<'a> {
    /// The message as it arrived, any line ends, without the MTA's mbox line.
    pub message: &'a [u8],
    /// Everybody who will be able to open it.
    pub recipients: &'a [ValidatedCertificate],
    /// Which algorithms, how recipients are named, and what of the header stays readable, where the message allows it:
    /// see [`Sealed::headers_kept`].
    pub form: Form,
    /// What the `Sealpost-Sealed` field says.
    pub mark: Mark<'a>,
    /// Fresh for this message.
    pub seed: Seed,
}

/// What the `Sealpost-Sealed` field says of the sealing; the rest (state, eol) is found in the message.
#[derive(Debug, Clone)]
pub struct Mark<'a> {
    /// When.
    pub at: OffsetDateTime,
    /// The rule that asked for it; absent for the INBOX default and the filter.
    pub rule: Option<&'a str>,
    /// Who can open it beside the accounts that it is for, or in their place.
    pub marked: Vec<Marked<'a>>,
    /// The names of the header fields that rules added or changed before it was sealed.
    pub edited: Vec<&'a str>,
}

/// A recipient that is no account. Domains are in A-labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked<'a> {
    /// The key of this domain, in the place of an account's.
    DomainKey(&'a str),
    /// The recovery certificate of this domain.
    Recovery(&'a str),
}

/// Why a message could not be sealed. Nothing of the message is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Nobody to seal to.
    #[error("there is nobody to seal the message to")]
    NoRecipient,
    /// More than any reader is asked to look through, ours too.
    #[error("the message has {count} recipients; a sealed message has at most {limit}")]
    TooManyRecipients {
        /// Different certificates.
        count: usize,
        /// The most.
        limit: usize,
    },
    /// A recipient's key has no place in the profile.
    #[error("the profile {profile} cannot serve the {key} key of certificate {certificate}: {hint}")]
    ProfileCannotServe {
        /// The profile's name.
        profile: &'static str,
        /// What to do about it.
        hint: &'static str,
        /// The kind of key.
        key: String,
        /// Which certificate.
        certificate: Fingerprint,
    },
    /// A recipient's key is of a kind that nobody here can use.
    #[error("the key of certificate {certificate} cannot be used: {reason}")]
    KeyUnusable {
        /// Why.
        reason: String,
        /// Which certificate.
        certificate: Fingerprint,
    },
    /// Classical keys alone under the profile post-quantum.
    #[error(
        "the profile post-quantum has no ML-KEM key to seal to beside that of certificate {certificate}: \
         add one (sealpost key generate --type ml-kem-768), or choose another profile"
    )]
    NothingPostQuantum {
        /// The first of them.
        certificate: Fingerprint,
    },
    /// A primitive refused.
    #[error("the {0} operation failed")]
    Primitive(&'static str),
    /// Above what one DER value can hold.
    #[error("the message is too large to seal in memory: {0} bytes")]
    TooLarge(usize),
}

impl From<CryptoError> for SealError {
    fn from(error: CryptoError) -> SealError {
        match error {
            CryptoError::Failed(primitive) => SealError::Primitive(primitive),
            _ => SealError::Primitive("encryption"),
        }
    }
}

/// Seals many messages side by side (rayon); the outcomes are in the order of the jobs, and one failure is one outcome.
/// The same seeds give the same bytes, whatever the number of threads. A single job stays on the caller's thread.
pub fn seal_many(jobs: Vec<SealJob<'_>>) -> Vec<Result<Sealed, SealError>> {
    if jobs.len() < 2 {
        return jobs.into_iter().map(seal).collect();
    }
    jobs.into_par_iter().map(seal).collect()
}

fn seal(job: SealJob<'_>) -> Result<Sealed, SealError> {
    let (suite, recipients) = recipients(job.recipients, job.form)?;
    let message = Message::new(job.message);
    let (outer, added, headers_kept) = protect_header(&message, &job);
    let inner = Inner::new(&message, &added);
    let length = inner.len();
    if length > LARGEST {
        return Err(SealError::TooLarge(job.message.len()));
    }
    let mut rng = job.seed.into_rng();
    let envelope = Envelope::new(suite.content, &recipients, length, &mut rng)?;
    let bytes = envelope.write(outer, &inner)?;
    let recipients = recipients.iter().map(Recipient::sealed_to).collect();
    Ok(Sealed { bytes, cipher: Some(envelope.algorithm.cipher), recipients, headers_kept })
}

/// What stays readable, what the message says of it inside, and why nothing is hidden where something should be.
pub(super) fn protect_header(
    message: &Message<'_>,
    job: &SealJob<'_>,
) -> (Outer, Added, Option<HeadersKept>) {
    protect(message, &cms::find(message), eol(message.bytes()), (job.form.headers, &job.mark))
}

/// The same where it is known already what protects the message and how its lines end: of the message only the front is
/// looked at.
pub(super) fn protect(
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

/// All that is settled before the first byte of the message is encrypted.
pub(super) struct Envelope {
    pub(super) algorithm: ContentAlgorithm,
    pub(super) content_key: SecretBytes,
    pub(super) frame: Frame,
    pub(super) length: usize,
}

impl Envelope {
    /// Draws key and IV, wraps the key for everybody, and computes every length.
    pub(super) fn new(
        cipher: &'static ContentCipher,
        recipients: &[Recipient],
        length: usize,
        rng: &mut StdRng,
    ) -> Result<Envelope, SealError> {
        let content_key = random_key(cipher.key_len, rng);
        let algorithm = ContentAlgorithm::generate(cipher, rng);
        let infos: Result<Vec<_>, _> = recipients.iter().map(|to| to.info(&content_key, rng)).collect();
        let (content_len, tag_len) = match cipher.mode {
            Mode::Cbc => (length + padding_len(length), 0),
            Mode::Aead => (length, aead::TAG),
        };
        let identifier = algorithm.identifier().map_err(|_| SealError::Primitive(cipher.name))?;
        let frame = Frame::new(infos?, &identifier, cipher.mode, content_len, tag_len)
            .map_err(|_| SealError::Primitive("encoding"))?;
        Ok(Envelope { algorithm, content_key, frame, length })
    }

    fn write(&self, outer: Outer, inner: &Inner<'_>) -> Result<Vec<u8>, SealError> {
        let (line_ending, mode) = (outer.line_ending(), self.algorithm.cipher.mode);
        let mut lines = Base64Lines::new(&outer.finish(mode), self.frame.len(), line_ending);
        lines.write(&self.frame.head);
        let tag = match mode {
            Mode::Cbc => self.write_cbc(inner.reader(), &mut lines)?,
            Mode::Aead => self.write_whole(inner.reader(), &mut lines)?,
        };
        lines.write(&frame::tail(&tag));
        Ok(lines.finish())
    }

    /// Chunk by chunk: canonical lines, encryption in place, base64. The last chunk takes the padding.
    fn write_cbc<'m, P: Iterator<Item = &'m [u8]>>(
        &self,
        mut reader: CrlfReader<'m, P>,
        lines: &mut Base64Lines,
    ) -> Result<Vec<u8>, SealError> {
        let mut encryptor = self.algorithm.block_encryptor(&self.content_key)?;
        let mut chunk = Zeroizing::new(Vec::with_capacity(CHUNK + BLOCK));
        loop {
            chunk.clear();
            reader.fill(&mut chunk, CHUNK);
            let last = chunk.len() < CHUNK;
            if last {
                let padding = padding_len(chunk.len());
                let padded = chunk.len() + padding;
                // 1 to 16.
                chunk.resize(padded, padding as u8);
            }
            encryptor.encrypt(&mut chunk);
            lines.write(&chunk);
            if last {
                return Ok(Vec::new());
            }
        }
    }

    /// In one buffer of the message's size, which holds ciphertext when it is done.
    fn write_whole<'m, P: Iterator<Item = &'m [u8]>>(
        &self,
        mut reader: CrlfReader<'m, P>,
        lines: &mut Base64Lines,
    ) -> Result<Vec<u8>, SealError> {
        let mut content = Zeroizing::new(Vec::with_capacity(self.length));
        reader.fill(&mut content, self.length);
        let tag = self.algorithm.encrypt(&self.content_key, &mut content)?;
        lines.write(&content);
        Ok(tag.to_vec())
    }
}

fn random_key(length: usize, rng: &mut StdRng) -> SecretBytes {
    let mut key = vec![0; length];
    rng.fill_bytes(&mut key);
    SecretBytes::new(key)
}
