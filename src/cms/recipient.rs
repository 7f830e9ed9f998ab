//! Who can open it: RecipientInfos (RFC 5652 6.2, RFC 9629 3).

use super::CmsError;
use super::element::{Element, Elements};
use super::enveloped::{algorithm, nothing_more, oid};
use super::error::malformed;
use super::tags::{BIT_STRING, INTEGER, OCTET_STRING, SEQUENCE, constructed, context};
use const_oid::ObjectIdentifier;
use der::Decode;
use spki::AlgorithmIdentifierOwned;
use std::sync::Arc;

/// More recipients are refused (spec: "Limits").
pub(crate) const MAX_RECIPIENTS: usize = 10_000;

/// id-ori-kem: an OtherRecipientInfo that is a KEMRecipientInfo (RFC 9629 3).
pub(crate) const ID_ORI_KEM: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.13.3");

/// How a RecipientInfo names its recipient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// KEMRecipientInfo (RFC 9629), an OtherRecipientInfo.
    KeyEncapsulation,
    /// Other OtherRecipientInfos, and kinds that nobody has defined yet.
    Other,
}

/// What a KeyAgreeRecipientInfo says beside its algorithm, for all of its recipients (RFC 5652 6.2.2).
#[derive(Debug)]
pub struct Agreement {
    /// Whose other half of the agreement it is.
    pub originator: Originator,
    /// User keying material.
    pub ukm: Option<Vec<u8>>,
}

/// OriginatorIdentifierOrKey.
#[derive(Debug)]
pub enum Originator {
    /// A public key, made for this message.
    Key(OriginatorKey),
    /// That of a certificate.
    Certificate(RecipientId),
}

/// An OriginatorPublicKey.
#[derive(Debug)]
pub struct OriginatorKey {
    /// What kind of key.
    pub algorithm: AlgorithmIdentifierOwned,
    /// The octets of the BIT STRING.
    pub public_key: Vec<u8>,
}

/// What a KEMRecipientInfo says beside its mechanism (RFC 9629 3).
#[derive(Debug, PartialEq, Eq)]
pub struct Encapsulation {
    /// What carries the secret.
    pub ciphertext: Vec<u8>,
    /// What derives the key-encryption key from the secret.
    pub derivation: AlgorithmIdentifierOwned,
    /// Octets of the key-encryption key.
    pub key_len: u16,
    /// User keying material.
    pub ukm: Option<Vec<u8>>,
    /// What wraps the content key.
    pub wrap: AlgorithmIdentifierOwned,
}

/// One recipient (a KeyAgreeRecipientInfo with several keys gives several).
#[derive(Debug, Clone)]
pub struct Recipient {
    /// Its kind.
    pub kind: RecipientKind,
    /// Who it is; absent for kinds that name nobody.
    pub id: Option<RecipientId>,
    /// keyEncryptionAlgorithm, or the mechanism of a KEMRecipientInfo. For [`RecipientKind::Other`]: the oriType, or 0.0
    /// where there is none.
    /// Shared, like `agreement`: one long KeyAgreeRecipientInfo with many keys is held once.
    pub algorithm: Arc<AlgorithmIdentifierOwned>,
    /// The other half of a key agreement; of that kind only.
    pub agreement: Option<Arc<Agreement>>,
    /// The rest of a key encapsulation; of that kind only.
    pub encapsulation: Option<Arc<Encapsulation>>,
    /// The encrypted content key; empty for [`RecipientKind::Other`].
    pub encrypted_key: Vec<u8>,
}

pub(super) fn recipient_infos(set: Element<'_>) -> Result<Vec<Recipient>, CmsError> {
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
        _ => recipients.push(encapsulation(info).unwrap_or_else(|| other(info))),
    }
    Ok(())
}

fn key_transport(mut fields: Elements<'_>) -> Result<Recipient, CmsError> {
    fields.tagged(INTEGER, "a recipient's version")?;
    let id = recipient_id(&mut fields)?;
    finish(RecipientKind::KeyTransport, Some(id), fields)
}

pub(super) fn recipient_id(fields: &mut Elements<'_>) -> Result<RecipientId, CmsError> {
    match fields.optional(context(0))? {
        Some(key) => Ok(RecipientId::SubjectKeyIdentifier(key.content.to_vec())),
        None => issuer_and_serial(fields),
    }
}

fn issuer_and_serial(fields: &mut Elements<'_>) -> Result<RecipientId, CmsError> {
    issuer_and_serial_of(Elements(fields.tagged(SEQUENCE, "a recipient's identifier")?.content))
}

/// What an IssuerAndSerialNumber holds, whatever its tag.
pub(super) fn issuer_and_serial_of(mut name: Elements<'_>) -> Result<RecipientId, CmsError> {
    let issuer = name.tagged(SEQUENCE, "a recipient's issuer")?.whole.to_vec();
    let serial = name.tagged(INTEGER, "a recipient's serial number")?.content.to_vec();
    Ok(RecipientId::IssuerAndSerialNumber { issuer, serial })
}

/// RFC 5652 6.2.2.
fn key_agreement(mut fields: Elements<'_>, recipients: &mut Vec<Recipient>) -> Result<(), CmsError> {
    fields.tagged(INTEGER, "a recipient's version")?;
    let originator = originator(fields.tagged(constructed(0), "a recipient's originator")?)?;
    let ukm = keying_material(&mut fields, 1)?;
    let agreement = Arc::new(Agreement { originator, ukm });
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
            encapsulation: None,
            encrypted_key,
        });
    }
    Ok(())
}

/// OriginatorIdentifierOrKey (RFC 5652 6.2.2).
fn originator(originator: Element<'_>) -> Result<Originator, CmsError> {
    let mut choice = Elements(originator.content);
    let Some(key) = choice.optional(constructed(1))? else {
        return recipient_id(&mut choice).map(Originator::Certificate);
    };
    let mut fields = Elements(key.content);
    let algorithm = algorithm(&mut fields, "the kind of an originator's key")?;
    let bits = fields.tagged(BIT_STRING, "an originator's key")?.content;
    nothing_more(fields, "an originator's key")?;
    let public_key =
        bits.strip_prefix(&[0]).ok_or_else(|| malformed("an originator's key is cut off"))?.to_vec();
    Ok(Originator::Key(OriginatorKey { algorithm, public_key }))
}

fn keying_material(fields: &mut Elements<'_>, tag: u8) -> Result<Option<Vec<u8>>, CmsError> {
    let Some(explicit) = fields.optional(constructed(tag))? else { return Ok(None) };
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
    Ok(Recipient { kind, id, algorithm, agreement: None, encapsulation: None, encrypted_key })
}

/// A KEMRecipientInfo, if the element is one that is well-formed. One that is not is as good as unknown: those whom the
/// message names otherwise can read it all the same.
fn encapsulation(info: Element<'_>) -> Option<Recipient> {
    let mut fields = Elements(info.content);
    let is_kem = info.tag == constructed(4) && oid(&mut fields, "oriType").ok()? == ID_ORI_KEM;
    if !is_kem {
        return None;
    }
    let kem = fields.tagged(SEQUENCE, "KEMRecipientInfo").ok()?;
    nothing_more(fields, "OtherRecipientInfo").ok()?;
    kem_recipient_info(Elements(kem.content)).ok()
}

/// RFC 9629 3.
fn kem_recipient_info(mut fields: Elements<'_>) -> Result<Recipient, CmsError> {
    fields.tagged(INTEGER, "a recipient's version")?;
    let id = recipient_id(&mut fields)?;
    let kem = algorithm(&mut fields, "a recipient's mechanism")?;
    let ciphertext = fields.tagged(OCTET_STRING, "a recipient's ciphertext")?.content.to_vec();
    let derivation = algorithm(&mut fields, "a recipient's key derivation")?;
    let key_len = key_length(fields.tagged(INTEGER, "a recipient's key length")?)?;
    let ukm = keying_material(&mut fields, 0)?;
    let wrap = algorithm(&mut fields, "a recipient's key wrap")?;
    let encrypted_key = fields.tagged(OCTET_STRING, "a recipient's key")?.content.to_vec();
    nothing_more(fields, "a recipient")?;
    Ok(Recipient {
        kind: RecipientKind::KeyEncapsulation,
        id: Some(id),
        algorithm: Arc::new(kem),
        agreement: None,
        encapsulation: Some(Arc::new(Encapsulation { ciphertext, derivation, key_len, ukm, wrap })),
        encrypted_key,
    })
}

/// INTEGER (1..65535).
fn key_length(integer: Element<'_>) -> Result<u16, CmsError> {
    u16::from_der(integer.whole).map_err(|_| malformed("a recipient's key length is out of range"))
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
        encapsulation: None,
        encrypted_key: Vec::new(),
    }
}
