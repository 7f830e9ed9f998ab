//! EnvelopedData and AuthEnvelopedData as owned, checked values.
//!
//! Read by walking over the DER rather than through the `cms` crate's types: those sort every SET by insertion (the
//! square of its size), lose the recipients' order, and refuse a whole message for one kind of recipient that they do not know.

use super::ber::{der_from_ber, write_header};
use super::element::{Element, Elements};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911;
use der::Decode;
use spki::AlgorithmIdentifierOwned;
use std::borrow::Cow;
use std::sync::Arc;

/// More recipients are refused (spec: "Limits").
const MAX_RECIPIENTS: usize = 10_000;
/// More authenticated attributes are refused. Honest messages have a handful; to put millions of empty ones in order would
/// take many times the room of the message.
const MAX_ATTRIBUTES: usize = 10_000;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// A primitive element with a context tag.
const fn context(number: u8) -> u8 {
    0x80 | number
}

/// A constructed element with a context tag.
pub(super) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// How a RecipientInfo names its recipient.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RecipientId {
    /// DER of the issuer's name, and the serial number's content octets.
    IssuerAndSerialNumber {
        /// DER of the Name.
        issuer: Vec<u8>,
        /// INTEGER content octets.
        serial: Vec<u8>,
    },
    /// The subjectKeyIdentifier extension's octets.
    SubjectKeyIdentifier(Vec<u8>),
}

/// The kind of a RecipientInfo (RFC 5652 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecipientKind {
    /// KeyTransRecipientInfo.
    KeyTransport,
    /// KeyAgreeRecipientInfo.
    KeyAgreement,
    /// KEKRecipientInfo.
    Kek,
    /// PasswordRecipientInfo.
    Password,
    /// OtherRecipientInfo, and kinds that nobody has defined yet.
    Other,
}

/// What a KeyAgreeRecipientInfo says beside its algorithm, for all of its recipients (RFC 5652 6.2.2).
#[derive(Debug)]
pub struct Agreement {
    /// The originator's public key; absent if the originator is named by a certificate or key identifier.
    pub originator_key: Option<OriginatorKey>,
    /// User keying material.
    pub ukm: Option<Vec<u8>>,
}

/// An OriginatorPublicKey.
#[derive(Debug)]
pub struct OriginatorKey {
    /// What kind of key.
    pub algorithm: AlgorithmIdentifierOwned,
    /// The octets of the BIT STRING.
    pub public_key: Vec<u8>,
}

/// One recipient (a KeyAgreeRecipientInfo with several keys gives several).
#[derive(Debug, Clone)]
pub struct Recipient {
    /// Its kind.
    pub kind: RecipientKind,
    /// Who it is; absent for kinds that name nobody.
    pub id: Option<RecipientId>,
    /// keyEncryptionAlgorithm. For [`RecipientKind::Other`]: the oriType, or 0.0 where there is none.
    /// Shared, like `agreement`: one long KeyAgreeRecipientInfo with many keys is held once.
    pub algorithm: Arc<AlgorithmIdentifierOwned>,
    /// The other half of a key agreement; of that kind only.
    pub agreement: Option<Arc<Agreement>>,
    /// The encrypted content key; empty for [`RecipientKind::Other`].
    pub encrypted_key: Vec<u8>,
}

/// An EnvelopedData (`tag` absent) or AuthEnvelopedData.
#[derive(Debug, Clone)]
pub struct Enveloped {
    /// AuthEnvelopedData rather than EnvelopedData.
    pub authenticated: bool,
    /// In their order.
    pub recipients: Vec<Recipient>,
    /// Of the encrypted content.
    pub content_type: ObjectIdentifier,
    /// contentEncryptionAlgorithm.
    pub algorithm: AlgorithmIdentifierOwned,
    /// The ciphertext, joined if it was constructed.
    pub encrypted_content: Vec<u8>,
    /// DER of authAttrs as a SET OF (what is authenticated besides), if present.
    pub auth_attributes: Option<Vec<u8>>,
    /// The authentication tag.
    pub tag: Option<Vec<u8>>,
}

/// What is wrong with a CMS structure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CmsError {
    /// No well-formed CMS structure.
    #[error("the CMS structure is broken: {0}")]
    Malformed(String),
    /// Well-formed, and neither EnvelopedData nor AuthEnvelopedData.
    #[error("the CMS structure is {0}, not EnvelopedData or AuthEnvelopedData")]
    NotEnveloped(String),
    /// A limit was passed.
    #[error("the CMS structure has more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

pub(super) fn malformed(what: impl Into<String>) -> CmsError {
    CmsError::Malformed(what.into())
}

/// Reads a ContentInfo in BER or DER (RFC 5652 3). Trailing octets are refused. Versions are not looked at: writers
/// get them wrong, and the structure says it all.
pub fn read(bytes: &[u8]) -> Result<Enveloped, CmsError> {
    let (der, rest) = der_from_ber(bytes)?;
    if !rest.is_empty() {
        return Err(malformed("octets follow it"));
    }
    read_der(&der)
}

pub(super) fn read_der(der: &[u8]) -> Result<Enveloped, CmsError> {
    let (content_type, content) = content_info(der)?;
    match content_type {
        rfc5911::ID_ENVELOPED_DATA => enveloped_data(content, false),
        rfc5911::ID_CT_AUTH_ENVELOPED_DATA => enveloped_data(content, true),
        other => Err(CmsError::NotEnveloped(super::inspect::oid_name(&other))),
    }
}

/// contentType, and what the explicit tag around the content holds.
pub(super) fn content_info(der: &[u8]) -> Result<(ObjectIdentifier, Elements<'_>), CmsError> {
    let info = Elements(der).tagged(SEQUENCE, "ContentInfo")?;
    let mut fields = Elements(info.content);
    let content_type = oid(&mut fields, "contentType")?;
    let content = fields.tagged(constructed(0), "content")?;
    nothing_more(fields, "ContentInfo")?;
    Ok((content_type, Elements(content.content)))
}

/// What stands where the structure has ended is no ciphertext, and nobody would look at it: a message with it is not
/// the encrypted message that it seems to be.
fn nothing_more(fields: Elements<'_>, name: &str) -> Result<(), CmsError> {
    if fields.is_empty() {
        Ok(())
    } else {
        Err(malformed(format!("{name} has elements that do not belong to it")))
    }
}

/// RFC 5652 6.1, RFC 5083 2.1.
fn enveloped_data(mut content: Elements<'_>, authenticated: bool) -> Result<Enveloped, CmsError> {
    let mut fields = Elements(content.tagged(SEQUENCE, "EnvelopedData")?.content);
    nothing_more(content, "ContentInfo")?;
    fields.tagged(INTEGER, "version")?;
    fields.optional(constructed(0))?;
    let recipients = recipient_infos(fields.tagged(SET, "recipientInfos")?)?;
    let mut inner = Elements(fields.tagged(SEQUENCE, "encryptedContentInfo")?.content);
    let content_type = oid(&mut inner, "the type of the encrypted content")?;
    let algorithm = algorithm(&mut inner, "contentEncryptionAlgorithm")?;
    let encrypted_content = encrypted_content(inner)?.into_owned();
    let (auth_attributes, tag) = match authenticated {
        true => (fields.optional(constructed(1))?.map(der_set).transpose()?, Some(mac(&mut fields)?)),
        false => (None, None),
    };
    // unprotectedAttrs or unauthAttrs.
    fields.optional(constructed(if authenticated { 2 } else { 1 }))?;
    nothing_more(fields, "EnvelopedData")?;
    Ok(Enveloped {
        authenticated,
        recipients,
        content_type,
        algorithm,
        encrypted_content,
        auth_attributes,
        tag,
    })
}

/// The ciphertext of an encryptedContentInfo, in one piece or in many.
pub(super) fn encrypted_content(mut fields: Elements<'_>) -> Result<Cow<'_, [u8]>, CmsError> {
    if let Some(whole) = fields.optional(context(0))? {
        nothing_more(fields, "encryptedContentInfo")?;
        return Ok(Cow::Borrowed(whole.content));
    }
    let pieces = fields.optional(constructed(0))?.ok_or_else(|| malformed("it has no encrypted content"))?;
    nothing_more(fields, "encryptedContentInfo")?;
    let mut joined = Vec::with_capacity(pieces.content.len());
    let mut pieces = Elements(pieces.content);
    while !pieces.is_empty() {
        joined.extend_from_slice(pieces.tagged(OCTET_STRING, "a piece of the encrypted content")?.content);
    }
    Ok(Cow::Owned(joined))
}

fn mac(fields: &mut Elements<'_>) -> Result<Vec<u8>, CmsError> {
    Ok(fields.tagged(OCTET_STRING, "mac")?.content.to_vec())
}

/// RFC 5083 2.2: authAttrs are authenticated as a DER SET OF, whatever tag and order they were sent with.
fn der_set(implicit: Element<'_>) -> Result<Vec<u8>, CmsError> {
    let mut elements = Elements(implicit.content);
    let mut members = Vec::new();
    while !elements.is_empty() {
        if members.len() == MAX_ATTRIBUTES {
            return Err(CmsError::TooMany { what: "attributes", limit: MAX_ATTRIBUTES });
        }
        members.push(elements.any()?.whole);
    }
    members.sort_unstable();
    let mut out = Vec::with_capacity(implicit.whole.len());
    write_header(&[SET], implicit.content.len(), &mut out);
    members.into_iter().for_each(|member| out.extend_from_slice(member));
    Ok(out)
}

fn recipient_infos(set: Element<'_>) -> Result<Vec<Recipient>, CmsError> {
    let mut elements = Elements(set.content);
    let mut recipients = Vec::new();
    while !elements.is_empty() {
        recipient_info(elements.any()?, &mut recipients)?;
        if recipients.len() > MAX_RECIPIENTS {
            return Err(CmsError::TooMany { what: "recipients", limit: MAX_RECIPIENTS });
        }
    }
    if recipients.is_empty() { Err(malformed("it has no recipients")) } else { Ok(recipients) }
}

fn recipient_info(info: Element<'_>, recipients: &mut Vec<Recipient>) -> Result<(), CmsError> {
    let fields = Elements(info.content);
    match info.tag {
        SEQUENCE => recipients.push(key_transport(fields)?),
        0xa1 => key_agreement(fields, recipients)?,
        0xa2 => recipients.push(kek(fields)?),
        0xa3 => recipients.push(password(fields)?),
        _ => recipients.push(other(info)),
    }
    Ok(())
}

fn key_transport(mut fields: Elements<'_>) -> Result<Recipient, CmsError> {
    fields.tagged(INTEGER, "a recipient's version")?;
    let id = recipient_id(&mut fields)?;
    finish(RecipientKind::KeyTransport, Some(id), fields)
}

fn recipient_id(fields: &mut Elements<'_>) -> Result<RecipientId, CmsError> {
    match fields.optional(context(0))? {
        Some(key) => Ok(RecipientId::SubjectKeyIdentifier(key.content.to_vec())),
        None => issuer_and_serial(fields),
    }
}

fn issuer_and_serial(fields: &mut Elements<'_>) -> Result<RecipientId, CmsError> {
    let mut name = Elements(fields.tagged(SEQUENCE, "a recipient's identifier")?.content);
    let issuer = name.tagged(SEQUENCE, "a recipient's issuer")?.whole.to_vec();
    let serial = name.tagged(INTEGER, "a recipient's serial number")?.content.to_vec();
    Ok(RecipientId::IssuerAndSerialNumber { issuer, serial })
}

/// RFC 5652 6.2.2.
fn key_agreement(mut fields: Elements<'_>, recipients: &mut Vec<Recipient>) -> Result<(), CmsError> {
    fields.tagged(INTEGER, "a recipient's version")?;
    let originator_key = originator_key(fields.tagged(constructed(0), "a recipient's originator")?)?;
    let ukm = user_keying_material(&mut fields)?;
    let agreement = Arc::new(Agreement { originator_key, ukm });
    let algorithm = Arc::new(algorithm(&mut fields, "a recipient's algorithm")?);
    let mut keys = Elements(fields.tagged(SEQUENCE, "recipientEncryptedKeys")?.content);
    nothing_more(fields, "a recipient")?;
    while !keys.is_empty() && recipients.len() <= MAX_RECIPIENTS {
        let mut key = Elements(keys.tagged(SEQUENCE, "a recipient's key")?.content);
        let id = Some(agreement_id(&mut key)?);
        let encrypted_key = key.tagged(OCTET_STRING, "a recipient's key")?.content.to_vec();
        nothing_more(key, "a recipient's key")?;
        let (algorithm, agreement) = (Arc::clone(&algorithm), Some(Arc::clone(&agreement)));
        recipients.push(Recipient {
            kind: RecipientKind::KeyAgreement,
            id,
            algorithm,
            agreement,
            encrypted_key,
        });
    }
    Ok(())
}

/// OriginatorIdentifierOrKey, if it is a key.
fn originator_key(originator: Element<'_>) -> Result<Option<OriginatorKey>, CmsError> {
    let Some(key) = Elements(originator.content).optional(constructed(1))? else { return Ok(None) };
    let mut fields = Elements(key.content);
    let algorithm = algorithm(&mut fields, "the kind of an originator's key")?;
    let bits = fields.tagged(BIT_STRING, "an originator's key")?.content;
    nothing_more(fields, "an originator's key")?;
    let public_key =
        bits.strip_prefix(&[0]).ok_or_else(|| malformed("an originator's key is cut off"))?.to_vec();
    Ok(Some(OriginatorKey { algorithm, public_key }))
}

fn user_keying_material(fields: &mut Elements<'_>) -> Result<Option<Vec<u8>>, CmsError> {
    let Some(explicit) = fields.optional(constructed(1))? else { return Ok(None) };
    let material = Elements(explicit.content).tagged(OCTET_STRING, "a recipient's keying material")?;
    Ok(Some(material.content.to_vec()))
}

fn agreement_id(fields: &mut Elements<'_>) -> Result<RecipientId, CmsError> {
    let Some(key) = fields.optional(constructed(0))? else { return issuer_and_serial(fields) };
    let identifier = Elements(key.content).tagged(OCTET_STRING, "a recipient's key identifier")?;
    Ok(RecipientId::SubjectKeyIdentifier(identifier.content.to_vec()))
}

fn kek(mut fields: Elements<'_>) -> Result<Recipient, CmsError> {
    fields.tagged(INTEGER, "a recipient's version")?;
    fields.tagged(SEQUENCE, "a recipient's key identifier")?;
    finish(RecipientKind::Kek, None, fields)
}

fn password(mut fields: Elements<'_>) -> Result<Recipient, CmsError> {
    fields.tagged(INTEGER, "a recipient's version")?;
    fields.optional(constructed(0))?;
    finish(RecipientKind::Password, None, fields)
}

/// keyEncryptionAlgorithm and encryptedKey, which stand last in most kinds.
fn finish(
    kind: RecipientKind,
    id: Option<RecipientId>,
    mut fields: Elements<'_>,
) -> Result<Recipient, CmsError> {
    let algorithm = Arc::new(algorithm(&mut fields, "a recipient's algorithm")?);
    let encrypted_key = fields.tagged(OCTET_STRING, "a recipient's key")?.content.to_vec();
    nothing_more(fields, "a recipient")?;
    Ok(Recipient { kind, id, algorithm, agreement: None, encrypted_key })
}

/// Whatever stands here is somebody else's to read: it is kept as a recipient, and nothing in it can be a fault.
fn other(info: Element<'_>) -> Recipient {
    const UNNAMED: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.0");
    let ori_type =
        if info.tag == constructed(4) { oid(&mut Elements(info.content), "oriType").ok() } else { None };
    let algorithm = AlgorithmIdentifierOwned { oid: ori_type.unwrap_or(UNNAMED), parameters: None };
    Recipient {
        kind: RecipientKind::Other,
        id: None,
        algorithm: Arc::new(algorithm),
        agreement: None,
        encrypted_key: Vec::new(),
    }
}

pub(super) fn oid(fields: &mut Elements<'_>, name: &str) -> Result<ObjectIdentifier, CmsError> {
    let element = fields.tagged(OBJECT_IDENTIFIER, name)?;
    ObjectIdentifier::from_bytes(element.content)
        .map_err(|_| malformed(format!("{name} is no object identifier")))
}

pub(super) fn algorithm(fields: &mut Elements<'_>, name: &str) -> Result<AlgorithmIdentifierOwned, CmsError> {
    let element = fields.tagged(SEQUENCE, name)?;
    AlgorithmIdentifierOwned::from_der(element.whole)
        .map_err(|_| malformed(format!("{name} is no algorithm")))
}
