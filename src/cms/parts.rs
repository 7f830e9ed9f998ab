//! What stays of an EnvelopedData or AuthEnvelopedData when its recipients are replaced, octet for octet.

use super::CmsError;
use super::element::{Element, Elements};
use super::enveloped::{algorithm, content_info, encrypted_content, oid};
use super::tags::{INTEGER, SEQUENCE, SET, constructed};
use const_oid::ObjectIdentifier;
use std::borrow::Cow;

/// The pieces that do not depend on who the recipients are. OriginatorInfo is not among them: it is there for the key
/// management of the old recipients (RFC 5652 6.1).
pub struct Parts<'a> {
    /// What the ContentInfo holds.
    pub content_type: ObjectIdentifier,
    /// contentType and contentEncryptionAlgorithm of the encryptedContentInfo, in DER.
    pub algorithm: &'a [u8],
    /// The ciphertext, joined if it was constructed.
    pub encrypted_content: Cow<'a, [u8]>,
    /// What follows the encryptedContentInfo, in DER: attributes and tag.
    pub after: &'a [u8],
}

/// Takes a ContentInfo apart. It must be in DER, as [`der_from_ber`](super::der_from_ber) gives it.
pub fn parts(der: &[u8]) -> Result<Parts<'_>, CmsError> {
    let (content_type, mut content) = content_info(der)?;
    let mut fields = Elements(content.tagged(SEQUENCE, "EnvelopedData")?.content);
    fields.tagged(INTEGER, "version")?;
    fields.optional(constructed(0))?;
    fields.tagged(SET, "recipientInfos")?;
    let info = fields.tagged(SEQUENCE, "encryptedContentInfo")?;
    let (algorithm, rest) = split_info(info)?;
    Ok(Parts { content_type, algorithm, encrypted_content: encrypted_content(rest)?, after: fields.0 })
}

/// The two fields before the ciphertext as they stand, and what follows them.
fn split_info(info: Element<'_>) -> Result<(&[u8], Elements<'_>), CmsError> {
    let mut fields = Elements(info.content);
    oid(&mut fields, "the type of the encrypted content")?;
    algorithm(&mut fields, "contentEncryptionAlgorithm")?;
    let before = info.content.len() - fields.0.len();
    Ok((info.content.get(..before).unwrap_or_default(), fields))
}

#[cfg(test)]
mod tests {
    use super::super::{der_from_ber, read, samples};
    use super::*;
    use const_oid::db::rfc5911;
    use proptest::prelude::*;

    #[test]
    fn the_parts_are_what_the_reader_sees() {
        for (sample, content_type, after) in [
            (samples::CBC, rfc5911::ID_ENVELOPED_DATA, 0),
            (samples::STREAMED, rfc5911::ID_ENVELOPED_DATA, 0),
            (samples::GCM, rfc5911::ID_CT_AUTH_ENVELOPED_DATA, 18),
        ] {
            let ber = samples::der(sample);
            let (der, _) = der_from_ber(&ber).unwrap();
            let (parts, whole) = (parts(&der).unwrap(), read(&der).unwrap());
            assert_eq!(parts.content_type, content_type);
            assert_eq!(*parts.encrypted_content, *whole.encrypted_content);
            assert_eq!(parts.after.len(), after);
            assert_eq!(whole.tag.is_some(), after > 0);
            assert!(whole.tag.is_none_or(|tag| parts.after.ends_with(&tag)));
        }
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        for sample in [samples::SIGNED, samples::CERTIFICATES] {
            assert!(parts(&samples::der(sample)).is_err());
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>) {
            let _ = parts(&bytes);
        }
    }
}
