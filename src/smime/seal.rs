//! From message bytes to sealed bytes.

use crate::cms::RecipientId;
use crate::crypto::{ContentCipher, Profile, Seed};
use crate::pki::{Fingerprint, ValidatedCertificate};
use time::OffsetDateTime;

/// One message to seal.
pub struct SealJob<'a> {
    /// The message as it arrived, any line ends, without the MTA's mbox line.
    pub message: &'a [u8],
    /// Everybody who will be able to open it.
    pub recipients: &'a [ValidatedCertificate],
    /// Which algorithms.
    pub profile: Profile,
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
}

/// Who can open a sealed message, for reports.
#[derive(Debug, Clone)]
pub struct SealedTo {
    /// The certificate, if we know it.
    pub certificate: Option<Fingerprint>,
    /// As the RecipientInfo names it.
    pub id: Option<RecipientId>,
}

/// A message that only its recipients can open. Made only in this room: by [`seal_many`] and `recognise`.
pub struct Sealed {
    bytes: Vec<u8>,
    cipher: &'static ContentCipher,
    recipients: Vec<SealedTo>,
}

impl Sealed {
    /// The whole message to store: header, empty line, base64. CRLF or LF as the message had (mixed: CRLF).
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// What it is encrypted with.
    pub fn cipher(&self) -> &'static ContentCipher {
        self.cipher
    }
    /// Who can open it.
    pub fn recipients(&self) -> &[SealedTo] {
        &self.recipients
    }
}

/// Why a message could not be sealed. Nothing of the message is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Nobody to seal to.
    #[error("there is nobody to seal the message to")]
    NoRecipient,
    /// A recipient's key has no place in the profile.
    #[error("the profile {profile} cannot serve the {key} key of certificate {certificate}")]
    ProfileCannotServe {
        /// The profile's name.
        profile: &'static str,
        /// The kind of key.
        key: String,
        /// Which certificate.
        certificate: Fingerprint,
    },
    /// A primitive refused.
    #[error("the {0} operation failed")]
    Primitive(&'static str),
    /// Above what one DER value can hold.
    #[error("the message is too large to seal in memory: {0} bytes")]
    TooLarge(usize),
}

/// Seals many messages side by side (rayon); the outcomes are in the order of the jobs, and one failure is one outcome.
pub fn seal_many(jobs: Vec<SealJob<'_>>) -> Vec<Result<Sealed, SealError>> {
    todo!("{}", jobs.len())
}
