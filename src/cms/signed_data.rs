//! What a SignedData says of its signers (RFC 5652 5): the structure, as owned values. Signatures are checked in `smime`,
//! which has keys.

use super::element::{Element, Elements};
use super::enveloped::{algorithm, content_info, der_set, nothing_more, oid};
use super::error::malformed;
use super::protection::sole_element;
use super::recipient::{issuer_and_serial_of, recipient_id};
use super::tags::{INTEGER, OCTET_STRING, SEQUENCE, SET, constructed, context};
use super::{CmsError, RecipientId};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911;
use spki::AlgorithmIdentifierOwned;

/// Honest messages bring a chain or two.
const MOST_CERTIFICATES: usize = 64;
/// Who signs a message with two keys is rare, with more than this is none.
const MOST_SIGNERS: usize = 8;

/// smimeEncryptionKeyPreference (RFC 8551 2.5.3).
const ENCRYPTION_KEY_PREFERENCE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.11");
/// The same of Outlook: an IssuerAndSerialNumber by itself.
const MICROSOFT_KEY_PREFERENCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.16.4");

/// A SignedData.
#[derive(Debug, Clone)]
pub struct SignedData {
    /// Of what is signed.
    pub content_type: ObjectIdentifier,
    /// What is signed, if the structure carries it; else it stands beside it.
    pub content: Option<Vec<u8>>,
    /// DER of the X.509 certificates, in their order; other kinds are left out.
    pub certificates: Vec<Vec<u8>>,
    /// In their order; none if it only brings certificates.
    pub signers: Vec<Signer>,
}

/// A SignerInfo (RFC 5652 5.3).
#[derive(Debug, Clone)]
pub struct Signer {
    /// Names the signer's certificate.
    pub id: RecipientId,
    /// digestAlgorithm.
    pub digest_algorithm: AlgorithmIdentifierOwned,
    /// signedAttrs, if there are any.
    pub attributes: Option<SignedAttributes>,
    /// signatureAlgorithm.
    pub signature_algorithm: AlgorithmIdentifierOwned,
    /// The signature.
    pub signature: Vec<u8>,
}

/// signedAttrs.
#[derive(Debug, Clone)]
pub struct SignedAttributes {
    /// DER as a SET OF: what the signature is made over (RFC 5652 5.4).
    pub der: Vec<u8>,
    list: Vec<Attribute>,
}

#[derive(Debug, Clone)]
struct Attribute {
    kind: ObjectIdentifier,
    /// DER of each value.
    values: Vec<Vec<u8>>,
}

impl SignedAttributes {
    /// contentType (RFC 5652 11.1).
    pub fn content_type(&self) -> Result<Option<ObjectIdentifier>, CmsError> {
        let read = |value| oid(&mut Elements(value), "contentType");
        self.value(rfc5911::ID_CONTENT_TYPE)?.map(read).transpose()
    }

    /// messageDigest (RFC 5652 11.2).
    pub fn message_digest(&self) -> Result<Option<&[u8]>, CmsError> {
        let read = |value| Ok(Elements(value).tagged(OCTET_STRING, "messageDigest")?.content);
        self.value(rfc5911::ID_MESSAGE_DIGEST)?.map(read).transpose()
    }

    /// The certificate that the signer wants to be encrypted to: smimeEncryptionKeyPreference, or Outlook's attribute.
    pub fn preferred(&self) -> Result<Option<RecipientId>, CmsError> {
        if let Some(value) = self.value(ENCRYPTION_KEY_PREFERENCE)? {
            return preferred(Elements(value).any()?).map(Some);
        }
        self.value(MICROSOFT_KEY_PREFERENCE)?.map(|value| recipient_id(&mut Elements(value))).transpose()
    }

    /// DER of the one value of an attribute; nothing if it is not there. One that stands there twice or has not exactly
    /// one value is an error (RFC 5652 11.1, RFC 8551 2.5).
    fn value(&self, kind: ObjectIdentifier) -> Result<Option<&[u8]>, CmsError> {
        let mut of_kind = self.list.iter().filter(|attribute| attribute.kind == kind);
        match (of_kind.next(), of_kind.next()) {
            (None, _) => Ok(None),
            (Some(Attribute { values, .. }), None) if values.len() == 1 => {
                Ok(values.first().map(Vec::as_slice))
            }
            _ => Err(malformed("a signed attribute does not have exactly one value")),
        }
    }
}

/// Reads a ContentInfo in BER or DER that holds a SignedData. White space may stand behind it.
pub fn read_signed_data(octets: &[u8]) -> Result<SignedData, CmsError> {
    let der = sole_element(octets.trim_ascii_start())?;
    match content_info(der.bytes())? {
        (rfc5911::ID_SIGNED_DATA, content) => read(content),
        _ => Err(malformed("it is no SignedData")),
    }
}

fn read(mut content: Elements<'_>) -> Result<SignedData, CmsError> {
    let mut fields = Elements(content.tagged(SEQUENCE, "SignedData")?.content);
    nothing_more(content, "ContentInfo")?;
    fields.tagged(INTEGER, "version")?;
    fields.tagged(SET, "digestAlgorithms")?;
    let mut info = Elements(fields.tagged(SEQUENCE, "encapContentInfo")?.content);
    let content_type = oid(&mut info, "the type of the signed content")?;
    let content = info.optional(constructed(0))?.map(encapsulated).transpose()?;
    nothing_more(info, "encapContentInfo")?;
    let certificates = fields.optional(constructed(0))?.map_or(Ok(Vec::new()), certificates)?;
    fields.optional(constructed(1))?;
    let signers = signers(Elements(fields.tagged(SET, "signerInfos")?.content))?;
    nothing_more(fields, "SignedData")?;
    Ok(SignedData { content_type, content, certificates, signers })
}

/// eContent: an OCTET STRING. Other forms (PKCS #7) are signed in another way, and nobody sends them as mail.
fn encapsulated(explicit: Element<'_>) -> Result<Vec<u8>, CmsError> {
    let mut inner = Elements(explicit.content);
    let octets = inner.tagged(OCTET_STRING, "the signed content")?.content.to_vec();
    nothing_more(inner, "eContent")?;
    Ok(octets)
}

fn certificates(set: Element<'_>) -> Result<Vec<Vec<u8>>, CmsError> {
    let mut elements = Elements(set.content);
    let mut found = Vec::new();
    while !elements.is_empty() {
        let choice = elements.any()?;
        if found.len() == MOST_CERTIFICATES {
            return Err(CmsError::TooMany { what: "certificates", limit: MOST_CERTIFICATES });
        }
        if choice.tag == SEQUENCE {
            found.push(choice.whole.to_vec());
        }
    }
    Ok(found)
}

fn signers(mut infos: Elements<'_>) -> Result<Vec<Signer>, CmsError> {
    let mut found = Vec::new();
    while !infos.is_empty() {
        if found.len() == MOST_SIGNERS {
            return Err(CmsError::TooMany { what: "signers", limit: MOST_SIGNERS });
        }
        found.push(signer(Elements(infos.tagged(SEQUENCE, "a SignerInfo")?.content))?);
    }
    Ok(found)
}

fn signer(mut fields: Elements<'_>) -> Result<Signer, CmsError> {
    fields.tagged(INTEGER, "a signer's version")?;
    let id = recipient_id(&mut fields)?;
    let digest_algorithm = algorithm(&mut fields, "a signer's digest algorithm")?;
    let attributes = fields.optional(constructed(0))?.map(attributes).transpose()?;
    let signature_algorithm = algorithm(&mut fields, "a signer's signature algorithm")?;
    let signature = fields.tagged(OCTET_STRING, "a signature")?.content.to_vec();
    fields.optional(constructed(1))?;
    nothing_more(fields, "SignerInfo")?;
    Ok(Signer { id, digest_algorithm, attributes, signature_algorithm, signature })
}

fn attributes(implicit: Element<'_>) -> Result<SignedAttributes, CmsError> {
    let der = der_set(implicit)?;
    let mut elements = Elements(implicit.content);
    let mut list = Vec::new();
    while !elements.is_empty() {
        let mut fields = Elements(elements.tagged(SEQUENCE, "a signed attribute")?.content);
        let kind = oid(&mut fields, "the type of a signed attribute")?;
        let values = values(Elements(fields.tagged(SET, "the values of a signed attribute")?.content))?;
        list.push(Attribute { kind, values });
    }
    Ok(SignedAttributes { der, list })
}

/// SMIMEEncryptionKeyPreference: issuerAndSerialNumber [0], recipientKeyId [1], subjectAltKeyIdentifier [2], each IMPLICIT.
fn preferred(choice: Element<'_>) -> Result<RecipientId, CmsError> {
    const NAME: &str = "a key identifier";
    let mut fields = Elements(choice.content);
    if choice.tag == constructed(0) {
        return issuer_and_serial_of(fields);
    }
    if choice.tag == constructed(1) {
        let key = fields.tagged(OCTET_STRING, NAME)?.content;
        return Ok(RecipientId::SubjectKeyIdentifier(key.to_vec()));
    }
    if choice.tag == context(2) {
        return Ok(RecipientId::SubjectKeyIdentifier(choice.content.to_vec()));
    }
    Err(malformed("encrypKeyPref is of no known kind"))
}

fn values(mut elements: Elements<'_>) -> Result<Vec<Vec<u8>>, CmsError> {
    let mut found = Vec::new();
    while !elements.is_empty() {
        found.push(elements.any()?.whole.to_vec());
    }
    Ok(found)
}
