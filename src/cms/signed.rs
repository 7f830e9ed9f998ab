//! SignedData (RFC 5652 5): is it one, and what does it sign? Signatures are not verified here.

use super::CmsError;
use super::element::Elements;
use super::enveloped::{algorithm, content_info, oid};
use super::error::malformed;
use super::tags::{INTEGER, OCTET_STRING, SEQUENCE, SET, constructed};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911;

/// A SignedData.
pub(super) struct Signed<'a> {
    /// Of what is signed.
    pub(super) content_type: ObjectIdentifier,
    /// What is signed, if the structure carries it and does not stand beside it.
    pub(super) content: Option<&'a [u8]>,
    /// How many signed it; none if it brings certificates and signs nothing.
    pub(super) signers: usize,
}

/// Reads DER of a ContentInfo that holds a SignedData.
pub(super) fn read_signed(der: &[u8]) -> Result<Signed<'_>, CmsError> {
    match content_info(der)? {
        (rfc5911::ID_SIGNED_DATA, content) => signed_data(content),
        _ => Err(malformed("it is no SignedData")),
    }
}

/// Reads the SignedData itself.
pub(super) fn signed_data(mut content: Elements<'_>) -> Result<Signed<'_>, CmsError> {
    let mut fields = Elements(content.tagged(SEQUENCE, "SignedData")?.content);
    fields.tagged(INTEGER, "version")?;
    fields.tagged(SET, "digestAlgorithms")?;
    let mut info = Elements(fields.tagged(SEQUENCE, "encapContentInfo")?.content);
    let content_type = oid(&mut info, "the type of the signed content")?;
    let content = info.optional(constructed(0))?.map(|explicit| signed_content(Elements(explicit.content)));
    fields.optional(constructed(0))?;
    fields.optional(constructed(1))?;
    let signers = count_signers(Elements(fields.tagged(SET, "signerInfos")?.content))?;
    Ok(Signed { content_type, content, signers })
}

/// PKCS #7 has the content itself where CMS has an OCTET STRING with it (RFC 5652 5.2.1).
fn signed_content(mut explicit: Elements<'_>) -> &[u8] {
    match explicit.optional(OCTET_STRING) {
        Ok(Some(octets)) => octets.content,
        _ => explicit.0,
    }
}

fn count_signers(mut infos: Elements<'_>) -> Result<usize, CmsError> {
    let mut count = 0;
    while !infos.is_empty() {
        signer_info(Elements(infos.tagged(SEQUENCE, "a SignerInfo")?.content))?;
        count += 1;
    }
    Ok(count)
}

fn signer_info(mut fields: Elements<'_>) -> Result<(), CmsError> {
    fields.tagged(INTEGER, "a signer's version")?;
    fields.any()?;
    algorithm(&mut fields, "a signer's digest algorithm")?;
    fields.optional(constructed(0))?;
    algorithm(&mut fields, "a signer's signature algorithm")?;
    fields.tagged(OCTET_STRING, "a signature")?;
    Ok(())
}
