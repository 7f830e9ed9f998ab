//! From sealed bytes to the message that came in.

use super::unwrap::{names, recover_content_key};
use super::{inner, outer};
use crate::cms::{CmsError, Enveloped, Input, Protection, RecipientId};
use crate::crypto::algorithm::{Mode, name_of};
use crate::crypto::content::ContentAlgorithm;
use crate::crypto::{CryptoError, Policy, SecretBytes};
use crate::mail::Eol;
use crate::pki::{Certificate, UnlockedKey};

/// A key to try, and the certificate that says how messages name it. Without one only subjectKeyIdentifier can match.
pub struct OpeningKey<'a> {
    /// The private key.
    pub key: &'a UnlockedKey,
    /// Its certificate.
    pub certificate: Option<&'a Certificate>,
}

impl OpeningKey<'_> {
    /// How messages name it.
    pub fn recipient_ids(&self) -> Vec<RecipientId> {
        names(self).0
    }
}

/// An opened message.
pub struct Opened {
    /// `crlf(m)`: the message that came in, lines canonical.
    pub message: SecretBytes,
    /// The line ends that it had, if the `Sealpost-Sealed` field says so. Nobody vouches for it.
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
    Cms(#[from] CmsError),
    /// None of the keys is named by a recipient.
    #[error("the message is not sealed to this key")]
    NotARecipient,
    /// A bare key and only issuer-and-serial recipients.
    #[error("the recipients are named by their certificates; add --cert")]
    CertificateNeeded,
    /// What is encrypted is of another type than data (RFC 5652 4): no mail.
    #[error("the message uses the content type {0}, which is not supported")]
    ContentType(String),
    /// An algorithm that we do not read.
    #[error("the message uses {0}, which is not supported")]
    Unsupported(String),
    /// Refused on principle (short tag, wrong mode for the structure).
    #[error("the message is refused: {0}")]
    Refused(&'static str),
    /// The policy does not list it.
    #[error("the message uses {0}, which is not allowed here")]
    Policy(&'static str),
    /// Key agreement with the key of a certificate that is not at hand.
    #[error("the message was sealed with the key of a certificate that it does not bring along")]
    OriginatorUnknown,
    /// Wrong key, padding or tag: which one is not told.
    #[error("the message could not be opened with this key")]
    NotOpened,
}

impl From<CryptoError> for OpenError {
    fn from(error: CryptoError) -> OpenError {
        match error {
            CryptoError::Unsupported(algorithm) => OpenError::Unsupported(algorithm),
            CryptoError::Parameters(_) => OpenError::Cms(CmsError::Malformed(error.to_string())),
            CryptoError::Policy(name) => OpenError::Policy(name),
            CryptoError::Refused(reason) => OpenError::Refused(reason),
            CryptoError::NotOpened | CryptoError::Failed(_) => OpenError::NotOpened,
        }
    }
}

/// Opens a sealed message, or the CMS structure of one in DER, BER or PEM, with the first key that a recipient names.
/// Keys are found by what the recipients say, never by trying them. Content that does not begin like mail is
/// [`OpenError::NotOpened`]: see [`open_raw`](super::open_raw).
pub fn open(sealed: &[u8], keys: &[OpeningKey<'_>]) -> Result<Opened, OpenError> {
    open_by_policy(sealed, keys, &Policy::READING)
}

/// The same with algorithms of that policy only.
pub fn open_by_policy(sealed: &[u8], keys: &[OpeningKey<'_>], policy: &Policy) -> Result<Opened, OpenError> {
    let input = Input::of(sealed);
    open_enveloped(&input, find_enveloped(&input)?, keys, policy)
}

/// The same where the structure of the input is at hand already.
pub fn open_examined(
    input: &Input<'_>,
    enveloped: Enveloped,
    keys: &[OpeningKey<'_>],
) -> Result<Opened, OpenError> {
    open_enveloped(input, enveloped, keys, &Policy::READING)
}

fn open_enveloped(
    input: &Input<'_>,
    enveloped: Enveloped,
    keys: &[OpeningKey<'_>],
    policy: &Policy,
) -> Result<Opened, OpenError> {
    let content = open_content(enveloped, keys, policy)?;
    if !inner::begins_like_mail(content.expose()) {
        return Err(OpenError::NotOpened);
    }
    Ok(Opened { message: inner::take_out(content), eol: input.message().and_then(outer::arrived_eol) })
}

/// The structure that is to be opened.
pub(super) fn find_enveloped(input: &Input<'_>) -> Result<Enveloped, OpenError> {
    match input.examine()? {
        Protection::Encrypted(enveloped) => Ok(*enveloped),
        _ => Err(OpenError::NotEncrypted),
    }
}

/// Everything that can be refused is refused before a private key is used.
pub(super) fn open_content(
    enveloped: Enveloped,
    keys: &[OpeningKey<'_>],
    policy: &Policy,
) -> Result<SecretBytes, OpenError> {
    let algorithm = checked_content(&enveloped, policy)?;
    let content_key = recover_content_key(&enveloped, algorithm.cipher.key_len, keys, policy)?;
    decrypt_content(enveloped, &algorithm, &content_key)
}

/// The clear content, its padding or tag checked.
pub(super) fn decrypt_content(
    enveloped: Enveloped,
    algorithm: &ContentAlgorithm,
    content_key: &SecretBytes,
) -> Result<SecretBytes, OpenError> {
    let aad = enveloped.auth_attributes.unwrap_or_default();
    let tag = enveloped.tag.unwrap_or_default();
    let content = SecretBytes::new(enveloped.encrypted_content.into_bytes());
    Ok(algorithm.decrypt(content_key, &aad, &tag, content)?)
}

/// The content's algorithm, if it and the structure around it belong together and it may hold mail.
pub(super) fn checked_content(enveloped: &Enveloped, policy: &Policy) -> Result<ContentAlgorithm, OpenError> {
    let algorithm = checked_algorithm(enveloped, policy)?;
    if enveloped.content_type != const_oid::db::rfc5911::ID_DATA {
        return Err(OpenError::ContentType(name_of(&enveloped.content_type)));
    }
    Ok(algorithm)
}

/// The content's algorithm, if it and the structure around it belong together (RFC 5083, RFC 5084).
pub(super) fn checked_algorithm(
    enveloped: &Enveloped,
    policy: &Policy,
) -> Result<ContentAlgorithm, OpenError> {
    let algorithm = ContentAlgorithm::read(&enveloped.algorithm, policy)?;
    match (algorithm.cipher.mode, enveloped.authenticated) {
        (Mode::Cbc, true) => {
            return Err(OpenError::Refused(
                "it is AuthEnvelopedData with a cipher that authenticates nothing",
            ));
        }
        (Mode::Aead, false) => {
            return Err(OpenError::Refused("it is EnvelopedData with an authenticated cipher"));
        }
        (Mode::Cbc, false) | (Mode::Aead, true) => {}
    }
    algorithm.check_tag(enveloped.tag.as_deref())?;
    Ok(algorithm)
}
