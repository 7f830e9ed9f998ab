//! From sealed bytes to the message that came in.

use super::{inner, outer};
use crate::cms::{CmsError, Enveloped, Input, Protection, Recipient, RecipientId, RecipientKind};
use crate::crypto::agreement::{AgreementAlgorithm, Originator, check_originator};
use crate::crypto::algorithm::{Mode, name_of};
use crate::crypto::content::ContentAlgorithm;
use crate::crypto::transport::TransportAlgorithm;
use crate::crypto::{CryptoError, SecretBytes};
use crate::mail::Eol;
use crate::pki::key::PrivateKey;
use crate::pki::{Certificate, UnlockedKey};
use rsa::pkcs1::EncodeRsaPublicKey;
use sha1::{Digest, Sha1};
use sha2::Sha256;

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
    /// Wrong key, padding or tag: which one is not told.
    #[error("the message could not be opened with this key")]
    NotOpened,
}

impl From<CryptoError> for OpenError {
    fn from(error: CryptoError) -> OpenError {
        match error {
            CryptoError::Unsupported(algorithm) => OpenError::Unsupported(algorithm),
            CryptoError::Parameters(_) => OpenError::Cms(CmsError::Malformed(error.to_string())),
            CryptoError::Refused(reason) => OpenError::Refused(reason),
            CryptoError::NotOpened | CryptoError::Failed(_) => OpenError::NotOpened,
        }
    }
}

/// Opens a sealed message, or the CMS structure of one in DER, BER or PEM, with the first key that a recipient names.
/// Keys are found by what the recipients say, never by trying them. Content that does not begin like mail is
/// [`OpenError::NotOpened`]: see [`open_raw`](super::open_raw).
pub fn open(sealed: &[u8], keys: &[OpeningKey<'_>]) -> Result<Opened, OpenError> {
    let input = Input::of(sealed);
    let content = open_content(find_enveloped(&input)?, keys)?;
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
pub(super) fn open_content(enveloped: Enveloped, keys: &[OpeningKey<'_>]) -> Result<SecretBytes, OpenError> {
    let algorithm = checked_content(&enveloped)?;
    let content_key = recover_content_key(&enveloped.recipients, algorithm.cipher.key_len, keys)?;
    decrypt_content(enveloped, &algorithm, &content_key)
}

/// The content key, as the first recipient that names one of the keys gives it. Where that recipient's key or padding is
/// wrong it is a key that opens nothing: only decrypting the content shows it.
pub(super) fn recover_content_key(
    recipients: &[Recipient],
    key_len: usize,
    keys: &[OpeningKey<'_>],
) -> Result<SecretBytes, OpenError> {
    let (recipient, key) = find_recipient(recipients, keys)?;
    match key {
        RecipientKey::Rsa(key) => unwrap_transported(recipient, key, key_len),
        RecipientKey::EcP256(key) => unwrap_agreed(recipient, key, key_len),
    }
}

/// The clear content, its padding or tag checked.
pub(super) fn decrypt_content(
    enveloped: Enveloped,
    algorithm: &ContentAlgorithm,
    content_key: &SecretBytes,
) -> Result<SecretBytes, OpenError> {
    let aad = enveloped.auth_attributes.unwrap_or_default();
    let tag = enveloped.tag.unwrap_or_default();
    let content = SecretBytes::new(enveloped.encrypted_content);
    Ok(algorithm.decrypt(content_key, &aad, &tag, content)?)
}

/// A private key that fits the kind of its recipient.
enum RecipientKey<'k> {
    Rsa(&'k rsa::PrivateKey),
    EcP256(&'k p256::SecretKey),
}

fn unwrap_transported(
    recipient: &Recipient,
    key: &rsa::PrivateKey,
    key_len: usize,
) -> Result<SecretBytes, OpenError> {
    let transport = TransportAlgorithm::read(&recipient.algorithm)?;
    Ok(transport.unwrap(key, &recipient.encrypted_key, key_len))
}

fn unwrap_agreed(
    recipient: &Recipient,
    key: &p256::SecretKey,
    key_len: usize,
) -> Result<SecretBytes, OpenError> {
    let agreement = AgreementAlgorithm::read(&recipient.algorithm)?;
    let originator = originator(recipient)?;
    Ok(agreement.unwrap(key, originator, &recipient.encrypted_key, key_len)?)
}

/// The originator's half of a key agreement. RFC 5753 3.1.1 wants an ephemeral key there, never a name.
pub(super) fn originator(recipient: &Recipient) -> Result<Originator<'_>, OpenError> {
    let named = || OpenError::Unsupported("key agreement with an originator who is named".to_owned());
    let agreement = recipient.agreement.as_ref().ok_or_else(named)?;
    let key = agreement.originator_key.as_ref().ok_or_else(named)?;
    check_originator(&key.algorithm)?;
    Ok(Originator { public_key: &key.public_key, ukm: agreement.ukm.as_deref() })
}

/// The content's algorithm, if it and the structure around it belong together and it may hold mail.
pub(super) fn checked_content(enveloped: &Enveloped) -> Result<ContentAlgorithm, OpenError> {
    let algorithm = checked_algorithm(enveloped)?;
    if enveloped.content_type != const_oid::db::rfc5911::ID_DATA {
        return Err(OpenError::ContentType(name_of(&enveloped.content_type)));
    }
    Ok(algorithm)
}

/// The content's algorithm, if it and the structure around it belong together (RFC 5083, RFC 5084).
pub(super) fn checked_algorithm(enveloped: &Enveloped) -> Result<ContentAlgorithm, OpenError> {
    let algorithm = ContentAlgorithm::read(&enveloped.algorithm)?;
    match (algorithm.cipher.mode, enveloped.authenticated) {
        (Mode::Cbc, true) => {
            return Err(OpenError::Refused(
                "it is AuthEnvelopedData with a cipher that authenticates nothing",
            ));
        }
        (Mode::Gcm, false) => {
            return Err(OpenError::Refused("it is EnvelopedData with an authenticated cipher"));
        }
        (Mode::Cbc, false) | (Mode::Gcm, true) => {}
    }
    algorithm.check_tag(enveloped.tag.as_deref())?;
    Ok(algorithm)
}

/// The first recipient that names one of the keys, in a way that we can open.
fn find_recipient<'r, 'k>(
    recipients: &'r [Recipient],
    keys: &[OpeningKey<'k>],
) -> Result<(&'r Recipient, RecipientKey<'k>), OpenError> {
    let named_keys: Vec<(Vec<RecipientId>, &'k UnlockedKey)> = keys.iter().map(names).collect();
    let mut refusal = None;
    for recipient in recipients {
        let Some(id) = &recipient.id else { continue };
        let Some((_, key)) = named_keys.iter().find(|(ids, _)| ids.contains(id)) else { continue };
        match (recipient.kind, &key.0) {
            (RecipientKind::KeyTransport, PrivateKey::Rsa(key)) => {
                return Ok((recipient, RecipientKey::Rsa(key)));
            }
            (RecipientKind::KeyAgreement, PrivateKey::EcP256(key)) => {
                return Ok((recipient, RecipientKey::EcP256(key)));
            }
            _ => refusal = refusal.or(Some(misfit(recipient))),
        }
    }
    Err(match refusal {
        Some(refusal) => refusal,
        None if needs_certificate(recipients, keys) => OpenError::CertificateNeeded,
        None => OpenError::NotARecipient,
    })
}

/// Why a recipient is of no use although it names the key: its kind is unknown to us, or the key is not the certificate's.
fn misfit(recipient: &Recipient) -> OpenError {
    match recipient.kind {
        RecipientKind::KeyTransport | RecipientKind::KeyAgreement => OpenError::NotOpened,
        _ => OpenError::Unsupported(name_of(&recipient.algorithm.oid)),
    }
}

/// How messages name the key.
fn names<'k>(key: &OpeningKey<'k>) -> (Vec<RecipientId>, &'k UnlockedKey) {
    let ids = match (key.certificate, &key.key.0) {
        (Some(certificate), _) => certificate.recipient_ids(),
        (None, PrivateKey::Rsa(rsa)) => rsa
            .to_public_key()
            .to_pkcs1_der()
            .map_or_else(|_| Vec::new(), |public| key_identifiers(public.as_bytes())),
        (None, PrivateKey::EcP256(ec)) => key_identifiers(&ec.public_key().to_sec1_bytes()),
    };
    (ids, key.key)
}

/// The identifiers that authorities give a key, over its subjectPublicKey bits: SHA-1 (RFC 5280 4.2.1.2, method 1), and
/// the first 160 bits of SHA-256 (RFC 7093 2, method 1).
fn key_identifiers(subject_public_key: &[u8]) -> Vec<RecipientId> {
    let sha1 = Sha1::digest(subject_public_key).to_vec();
    let sha256 = Sha256::digest(subject_public_key).into_iter().take(20).collect();
    [sha1, sha256].map(RecipientId::SubjectKeyIdentifier).to_vec()
}

/// Could a certificate have helped? Yes, if a key came without one and a recipient is named by issuer and serial number.
fn needs_certificate(recipients: &[Recipient], keys: &[OpeningKey<'_>]) -> bool {
    let by_certificate =
        |recipient: &Recipient| matches!(recipient.id, Some(RecipientId::IssuerAndSerialNumber { .. }));
    keys.iter().any(|key| key.certificate.is_none()) && recipients.iter().any(by_certificate)
}
