//! EnvelopedData and AuthEnvelopedData as owned, checked values.
//!
//! Read by walking over the DER rather than through the `cms` crate's types: those sort every SET by insertion (the
//! square of its size), lose the recipients' order, and refuse a whole message for one kind of recipient that they do not know.

use super::ber::{der_from_ber, write_header};
use super::ciphertext::Ciphertext;
use super::element::{Element, Elements};
use super::error::{CmsError, malformed};
use super::names::oid_name;
use super::protection::Octets;
use super::recipient::{Recipient, recipient_infos};
use super::tags::{INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, constructed, context};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911;
use der::{Decode, Encode};
use sha2::{Digest, Sha256};
use spki::AlgorithmIdentifierOwned;
use std::borrow::Cow;
use std::ops::Range;

/// More authenticated attributes are refused. Honest messages have a handful; to put millions of empty ones in order would
/// take many times the room of the message.
const MAX_ATTRIBUTES: usize = 10_000;

/// An EnvelopedData (`tag` absent) or AuthEnvelopedData.
#[derive(Debug, Clone)]
pub struct Enveloped {
    /// AuthEnvelopedData rather than EnvelopedData.
    pub authenticated: bool,
    /// In their order.
    pub recipients: Vec<Recipient>,
    /// DER of the certificates that the originator sent along (OriginatorInfo).
    pub originator_certificates: Vec<Vec<u8>>,
    /// Of the encrypted content.
    pub content_type: ObjectIdentifier,
    /// contentEncryptionAlgorithm.
    pub algorithm: AlgorithmIdentifierOwned,
    /// The ciphertext, joined if it was constructed.
    pub encrypted_content: Ciphertext,
    /// DER of authAttrs as a SET OF (what is authenticated besides), if present.
    pub auth_attributes: Option<Vec<u8>>,
    /// The authentication tag.
    pub tag: Option<Vec<u8>>,
    /// unprotectedAttrs or unauthAttrs in DER, if present: nothing vouches for them.
    pub other_attributes: Option<Vec<u8>>,
}

impl Enveloped {
    /// SHA-256 over all that does not depend on who the recipients are: type and algorithm of the content with its
    /// parameters, the ciphertext, attributes and tag. OriginatorInfo is for the recipients (RFC 5652 6.1).
    pub fn content_digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update([u8::from(self.authenticated)]);
        // What is in memory has a DER form.
        let algorithm = self.algorithm.to_der().unwrap_or_default();
        let pieces = [Some(self.content_type.as_bytes()), Some(&algorithm), Some(&self.encrypted_content)];
        let rest = [&self.auth_attributes, &self.tag, &self.other_attributes].map(Option::as_deref);
        for piece in pieces.into_iter().chain(rest) {
            // A piece that is not there has a length that no piece has.
            hash.update(piece.map_or(u64::MAX, |piece| piece.len() as u64).to_be_bytes());
            hash.update(piece.unwrap_or_default());
        }
        hash.finalize().into()
    }
}

/// Reads a ContentInfo in BER or DER (RFC 5652 3). Trailing octets are refused. Versions are not looked at: writers
/// get them wrong, and the structure says it all.
pub fn read(bytes: &[u8]) -> Result<Enveloped, CmsError> {
    let (der, rest) = der_from_ber(bytes)?;
    if !rest.is_empty() {
        return Err(malformed("octets follow it"));
    }
    Ok(locate(&Octets(der), bytes)?.taking(Cow::Borrowed(bytes)))
}

/// An envelope, and where its ciphertext lies.
pub(super) struct Located {
    enveloped: Enveloped,
    place: Place,
}

enum Place {
    /// In the octets that were read; do they hold nothing but the structure?
    Here(Range<usize>, bool),
    /// It had to be put together.
    Elsewhere(Vec<u8>),
}

impl Located {
    /// The envelope with its ciphertext, for which the octets are taken over: those that it was found in.
    pub(super) fn taking(self, octets: Cow<'_, [u8]>) -> Enveloped {
        let encrypted_content = match self.place {
            Place::Here(place, is_whole) => Ciphertext::within(octets.into_owned(), place, is_whole),
            Place::Elsewhere(content) => content.into(),
        };
        Enveloped { encrypted_content, ..self.enveloped }
    }
}

/// Reads DER that lies in `octets`, or was made of them.
pub(super) fn locate(der: &Octets<'_>, octets: &[u8]) -> Result<Located, CmsError> {
    let Parsed { enveloped, ciphertext } = parse(der.bytes())?;
    let place = match (&der.0, ciphertext) {
        (Cow::Borrowed(der), Cow::Borrowed(content)) => {
            Place::Here(place_of(content, octets), der.len() == octets.len())
        }
        (_, content) => Place::Elsewhere(content.into_owned()),
    };
    Ok(Located { enveloped, place })
}

/// Where a piece of a whole begins and ends.
fn place_of(piece: &[u8], whole: &[u8]) -> Range<usize> {
    let start = piece.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
    start..start.wrapping_add(piece.len())
}

/// An envelope whose ciphertext was not looked at yet.
pub(super) struct Parsed<'a> {
    /// With an empty ciphertext.
    enveloped: Enveloped,
    ciphertext: Cow<'a, [u8]>,
}

impl Parsed<'_> {
    /// With a copy of the ciphertext.
    pub(super) fn into_owned(self) -> Enveloped {
        Enveloped { encrypted_content: self.ciphertext.into_owned().into(), ..self.enveloped }
    }
}

fn parse(der: &[u8]) -> Result<Parsed<'_>, CmsError> {
    let (content_type, content) = content_info(der)?;
    match content_type {
        rfc5911::ID_ENVELOPED_DATA => enveloped_data(content, false),
        rfc5911::ID_CT_AUTH_ENVELOPED_DATA => enveloped_data(content, true),
        other => Err(CmsError::NotEnveloped(oid_name(&other))),
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
pub(super) fn nothing_more(fields: Elements<'_>, name: &str) -> Result<(), CmsError> {
    if fields.is_empty() {
        Ok(())
    } else {
        Err(malformed(format!("{name} has elements that do not belong to it")))
    }
}

/// RFC 5652 6.1, RFC 5083 2.1.
pub(super) fn enveloped_data(mut content: Elements<'_>, authenticated: bool) -> Result<Parsed<'_>, CmsError> {
    let mut fields = Elements(content.tagged(SEQUENCE, "EnvelopedData")?.content);
    nothing_more(content, "ContentInfo")?;
    fields.tagged(INTEGER, "version")?;
    let originator_certificates = originator_certificates(fields.optional(constructed(0))?)?;
    let recipients = recipient_infos(fields.tagged(SET, "recipientInfos")?)?;
    let mut inner = Elements(fields.tagged(SEQUENCE, "encryptedContentInfo")?.content);
    let content_type = oid(&mut inner, "the type of the encrypted content")?;
    let algorithm = algorithm(&mut inner, "contentEncryptionAlgorithm")?;
    let ciphertext = encrypted_content(inner)?;
    let (auth_attributes, tag) = match authenticated {
        true => (fields.optional(constructed(1))?.map(der_set).transpose()?, Some(mac(&mut fields)?)),
        false => (None, None),
    };
    // unprotectedAttrs or unauthAttrs.
    let other_attributes = fields.optional(constructed(if authenticated { 2 } else { 1 }))?;
    let other_attributes = other_attributes.map(|attributes| attributes.whole.to_vec());
    nothing_more(fields, "EnvelopedData")?;
    let enveloped = Enveloped {
        authenticated,
        recipients,
        originator_certificates,
        content_type,
        algorithm,
        encrypted_content: Vec::new().into(),
        auth_attributes,
        tag,
        other_attributes,
    };
    Ok(Parsed { enveloped, ciphertext })
}

/// The certificates of an OriginatorInfo (RFC 5652 6.1); its other choices and its CRLs are passed over, and so is what
/// no honest originator has so many of.
fn originator_certificates(info: Option<Element<'_>>) -> Result<Vec<Vec<u8>>, CmsError> {
    const MOST: usize = 16;
    let Some(info) = info else { return Ok(Vec::new()) };
    let Some(set) = Elements(info.content).optional(constructed(0))? else { return Ok(Vec::new()) };
    let mut elements = Elements(set.content);
    let mut certificates = Vec::new();
    while !elements.is_empty() && certificates.len() < MOST {
        let choice = elements.any()?;
        if choice.tag == SEQUENCE {
            certificates.push(choice.whole.to_vec());
        }
    }
    Ok(certificates)
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
pub(super) fn der_set(implicit: Element<'_>) -> Result<Vec<u8>, CmsError> {
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
