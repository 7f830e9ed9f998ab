//! Verifies the signature of a message (RFC 5652 5.4, RFC 8551). What the signer's certificate is worth is asked elsewhere.

use crate::cms::{CmsError, RecipientId, SET, SignedAttributes, SignedData, SignedMessage, Signer};
use crate::crypto::signature::{Hash, SignatureScheme};
use crate::pki::{Certificate, MINIMUM_RSA_BITS};
use const_oid::db::rfc5911::ID_DATA;

/// Who signed a message, and what the message says of it. The signature holds.
#[derive(Debug, Clone)]
pub struct VerifiedSignature {
    /// The signer's certificate.
    pub signer: Certificate,
    /// The certificate that the signer wants to be encrypted to, if the signature says so and brings it.
    pub preferred: Option<Certificate>,
    /// Every certificate of the message that can be read, the signer's too.
    pub certificates: Vec<Certificate>,
}

/// Why a signature is not believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The structure.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// Certificates and no signature, or several signatures.
    #[error("it has {0} signers; exactly one is expected")]
    Signers(usize),
    /// Who signed is not told.
    #[error("the signer's certificate is not in the message")]
    NoCertificate,
    /// The structure has no content, and nothing stands beside it.
    #[error("it holds no content that was signed")]
    NoContent,
    /// A hash or a scheme that is not believed.
    #[error("{0}")]
    Refused(String),
    /// Signed attributes that are missing or do not fit.
    #[error("the signed attributes are wrong: {0}")]
    Attributes(&'static str),
    /// The digest is another one.
    #[error("the content is not what was signed")]
    OtherContent,
    /// Not made by this key, or the key is too short.
    #[error("the signature does not hold")]
    BadSignature,
    /// The certificate to encrypt to was named and is not there.
    #[error("the certificate that the signer wants to be encrypted to is not in the message")]
    NoPreferred,
}

/// Verifies the one signature of a message, over the octets as they arrived (their line ends made CRLF where the
/// signature stands beside them).
pub fn verify(message: &SignedMessage<'_>) -> Result<VerifiedSignature, VerifyError> {
    let data = message.data();
    let [signer] = data.signers.as_slice() else { return Err(VerifyError::Signers(data.signers.len())) };
    let content = message.content().ok_or(VerifyError::NoContent)?;
    let certificates = certificates(data);
    let certificate = named(&certificates, &signer.id).ok_or(VerifyError::NoCertificate)?.clone();
    check(data, signer, content, &certificate)?;
    let preferred = match signer.attributes.as_ref().map(SignedAttributes::preferred).transpose()?.flatten() {
        Some(id) => Some(named(&certificates, &id).ok_or(VerifyError::NoPreferred)?.clone()),
        None => None,
    };
    Ok(VerifiedSignature { signer: certificate, preferred, certificates })
}

/// One that cannot be read is nobody's.
fn certificates(data: &SignedData) -> Vec<Certificate> {
    data.certificates.iter().filter_map(|der| Certificate::from_der(der).ok()).collect()
}

fn named<'c>(certificates: &'c [Certificate], id: &RecipientId) -> Option<&'c Certificate> {
    certificates.iter().find(|one| one.recipient_ids().contains(id))
}

fn check(
    data: &SignedData,
    signer: &Signer,
    content: &[u8],
    certificate: &Certificate,
) -> Result<(), VerifyError> {
    let hash = Hash::by_oid(signer.digest_algorithm.oid).map_err(refused)?;
    let scheme = SignatureScheme::of(&signer.signature_algorithm, hash).map_err(refused)?;
    let signed = match &signer.attributes {
        Some(attributes) => {
            check_attributes(data, attributes, &hash.digest(content))?;
            attributes.der.as_slice()
        }
        None => bare(data, content)?,
    };
    let key = certificate.public_key().map_err(refused)?;
    key.require_bits(MINIMUM_RSA_BITS).map_err(|_| VerifyError::BadSignature)?;
    key.verify_by(scheme, signed, &signer.signature).ok_or(VerifyError::BadSignature)
}

fn refused(error: impl ToString) -> VerifyError {
    VerifyError::Refused(error.to_string())
}

/// Without attributes the signature is over the content itself, which must then be plain data, and must not be the
/// attributes of a signature that was made over something else.
fn bare<'c>(data: &SignedData, content: &'c [u8]) -> Result<&'c [u8], VerifyError> {
    if data.content_type != ID_DATA {
        return Err(VerifyError::Attributes("there are none, and the content is no plain data"));
    }
    if content.first() == Some(&SET) {
        return Err(VerifyError::Attributes("there are none, and the content looks like some"));
    }
    Ok(content)
}

/// RFC 5652 11.1 and 11.2: both are there once, and say what is signed.
fn check_attributes(
    data: &SignedData,
    attributes: &SignedAttributes,
    digest: &[u8],
) -> Result<(), VerifyError> {
    let kind = attributes.content_type()?.ok_or(VerifyError::Attributes("no contentType"))?;
    if kind != data.content_type {
        return Err(VerifyError::Attributes("contentType is not that of the content"));
    }
    let told = attributes.message_digest()?.ok_or(VerifyError::Attributes("no messageDigest"))?;
    if told == digest { Ok(()) } else { Err(VerifyError::OtherContent) }
}
