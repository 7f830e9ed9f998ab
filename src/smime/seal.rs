//! From message bytes to sealed bytes, in one pass over the message.
//!
//! Three steps, which streams of messages that are not in memory take too: `settle` decides who, what stays readable and
//! how long everything is, and draws whatever is random (`Drawn`); `Drawn::frame` makes the DER around the ciphertext
//! (`Envelope`); the content is then encrypted as a whole (`whole`) or block after block (`chain`). `crew` does it with
//! many messages side by side.

mod chain;
mod crew;
mod queue;
mod settle;
mod whole;

use super::Sealed;
use super::recipient::Form;
use crate::crypto::{CryptoError, Seed};
use crate::pki::{Fingerprint, ValidatedCertificate};
use time::OffsetDateTime;

#[cfg(test)]
pub(super) use settle::protect_header;
pub(super) use settle::{Drawn, Envelope, LARGEST, protect};

/// One message to seal.
pub struct SealJob<'a> {
    /// The message as it arrived, any line ends, without the MTA's mbox line.
    pub message: &'a [u8],
    /// Everybody who will be able to open it.
    pub recipients: &'a [ValidatedCertificate],
    /// Which algorithms, how recipients are named, and what of the header stays readable, where the message allows it:
    /// see [`headers_kept`](super::SealFacts::headers_kept).
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
    /// Above what our own reader takes.
    #[error("the message is too large to seal: {0} bytes")]
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

/// Seals many messages side by side: on all threads of rayon, and many on each of them at once. The outcomes are in the
/// order of the jobs, and one failure is one outcome. The same seeds give the same bytes, whatever the number of threads and
/// whatever is sealed beside. A single job stays on the caller's thread.
pub fn seal_many(jobs: Vec<SealJob<'_>>) -> Vec<Result<Sealed, SealError>> {
    crew::seal_all(jobs)
}
