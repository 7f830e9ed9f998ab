//! SignedData (RFC 5652 5): is it one? Signatures are not verified here.

use super::CmsError;
use super::element::Elements;
use super::enveloped::{
    INTEGER, OCTET_STRING, SEQUENCE, SET, algorithm, constructed, content_info, malformed, oid,
};
use const_oid::db::rfc5911;

/// Does the structure carry what it signs, or stand beside it?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Opaque,
    Detached,
}

/// Reads DER of a ContentInfo. A SignedData without signers (certificates only) signs nothing and is refused.
pub(super) fn read_signed(der: &[u8]) -> Result<Form, CmsError> {
    let (content_type, mut content) = content_info(der)?;
    if content_type != rfc5911::ID_SIGNED_DATA {
        return Err(malformed("it is no SignedData"));
    }
    let mut fields = Elements(content.tagged(SEQUENCE, "SignedData")?.content);
    fields.tagged(INTEGER, "version")?;
    fields.tagged(SET, "digestAlgorithms")?;
    let form = encapsulated(Elements(fields.tagged(SEQUENCE, "encapContentInfo")?.content))?;
    fields.optional(constructed(0))?;
    fields.optional(constructed(1))?;
    signer_infos(Elements(fields.tagged(SET, "signerInfos")?.content))?;
    Ok(form)
}

fn encapsulated(mut fields: Elements<'_>) -> Result<Form, CmsError> {
    oid(&mut fields, "the type of the signed content")?;
    Ok(if fields.optional(constructed(0))?.is_some() { Form::Opaque } else { Form::Detached })
}

fn signer_infos(mut infos: Elements<'_>) -> Result<(), CmsError> {
    if infos.is_empty() {
        return Err(malformed("it has no signers"));
    }
    while !infos.is_empty() {
        signer_info(Elements(infos.tagged(SEQUENCE, "a SignerInfo")?.content))?;
    }
    Ok(())
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
