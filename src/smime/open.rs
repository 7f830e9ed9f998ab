//! From sealed bytes to the message that came in.

use crate::crypto::SecretBytes;
use crate::mail::Eol;
use crate::pki::{Certificate, UnlockedKey};

/// A key to try, and the certificate that says how messages name it. Without one only subjectKeyIdentifier can match.
pub struct OpeningKey<'a> {
    /// The private key.
    pub key: &'a UnlockedKey,
    /// Its certificate.
    pub certificate: Option<&'a Certificate>,
}

/// An opened message.
pub struct Opened {
    /// `crlf(m)`: the message that came in, lines canonical.
    pub message: SecretBytes,
    /// The line ends that it had, if the marker field says so.
    pub eol: Option<Eol>,
}

/// Why a message was not opened. Every failure of key, padding or tag is the one value `NotOpened`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is not sealed.
    #[error("the message is not encrypted with S/MIME")]
    NotEncrypted,
    /// Broken structure.
    #[error(transparent)]
    Cms(#[from] crate::cms::CmsError),
    /// None of the keys is named by a recipient.
    #[error("the message is not sealed to this key")]
    NotARecipient,
    /// A bare key and only issuer-and-serial recipients.
    #[error("the recipients are named by their certificates; add --cert")]
    CertificateNeeded,
    /// An algorithm that we do not read.
    #[error("the message uses {0}, which is not supported")]
    Unsupported(String),
    /// Refused on principle (short tag, wrong mode for the structure).
    #[error("the message is refused: {0}")]
    Refused(&'static str),
    /// Wrong key, padding or tag: which one is not told.
    #[error("the message could not be opened with this key")]
    NotOpened,
}

/// Opens a sealed message with the first key that a recipient names.
pub fn open(sealed: &[u8], keys: &[OpeningKey<'_>]) -> Result<Opened, OpenError> {
    todo!("{} {}", sealed.len(), keys.len())
}
