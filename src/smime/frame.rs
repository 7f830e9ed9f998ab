//! The DER around the ciphertext, with every length known before the first byte is written (X.690 8.1.3, definite form).

use crate::cms::{BIT_STRING, INTEGER, OCTET_STRING, Parts, SEQUENCE, SET, write_header};
use crate::crypto::algorithm::Mode;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{ID_CT_AUTH_ENVELOPED_DATA, ID_DATA, ID_ENVELOPED_DATA};
use const_oid::db::rfc5912::ID_EC_PUBLIC_KEY;
use der::Encode;
use spki::AlgorithmIdentifierOwned;

/// `[0] IMPLICIT OCTET STRING`, primitive: encryptedContent.
const CONTEXT_0: u8 = 0x80;
/// `[0] EXPLICIT`: the content of a ContentInfo, and the originator of a KeyAgreeRecipientInfo.
const EXPLICIT_0: u8 = 0xa0;
/// `[1] IMPLICIT SEQUENCE`: a KeyAgreeRecipientInfo, and the OriginatorPublicKey in it.
const IMPLICIT_1: u8 = 0xa1;
/// CMSVersion 0: of AuthEnvelopedData (RFC 5083 2.1), of a KeyTransRecipientInfo that names its recipient by issuer and
/// serial number, and of an EnvelopedData that holds no others (RFC 5652 6.1).
const VERSION_0: [u8; 3] = [INTEGER, 1, 0];
/// CMSVersion 2: of an EnvelopedData with other recipients, or with attributes (RFC 5652 6.1).
const VERSION_2: [u8; 3] = [INTEGER, 1, 2];
/// CMSVersion 3: of a KeyAgreeRecipientInfo (RFC 5652 6.2.2).
const VERSION_3: [u8; 3] = [INTEGER, 1, 3];

/// What stands before and after the ciphertext in a ContentInfo.
pub(super) struct Frame {
    /// All that comes before the ciphertext.
    pub(super) head: Vec<u8>,
    content_len: usize,
    tail_len: usize,
}

impl Frame {
    /// An EnvelopedData (CBC), or an AuthEnvelopedData (GCM) with a tag of `tag_len` bytes.
    pub(super) fn new(
        recipient_infos: Vec<Vec<u8>>,
        algorithm: &AlgorithmIdentifierOwned,
        mode: Mode,
        content_len: usize,
        tag_len: usize,
    ) -> der::Result<Frame> {
        let info = [ID_DATA.to_der()?, algorithm.to_der()?].concat();
        let tail_len = tail_head(tag_len).len() + tag_len;
        Frame::around(content_type(mode), recipient_infos, &info, content_len, tail_len)
    }

    /// The same content for other recipients. What follows the ciphertext is [`Parts::after`].
    pub(super) fn for_parts(recipient_infos: Vec<Vec<u8>>, parts: &Parts<'_>) -> der::Result<Frame> {
        let (content_len, tail_len) = (parts.encrypted_content.len(), parts.after.len());
        Frame::around(parts.content_type, recipient_infos, parts.algorithm, content_len, tail_len)
    }

    /// `info` is what stands before the ciphertext inside the encryptedContentInfo.
    fn around(
        content_type: ObjectIdentifier,
        recipient_infos: Vec<Vec<u8>>,
        info: &[u8],
        content_len: usize,
        tail_len: usize,
    ) -> der::Result<Frame> {
        let content_head = header(CONTEXT_0, content_len);
        let info_head = header(SEQUENCE, info.len() + content_head.len() + content_len);
        let version = version(content_type, &recipient_infos, tail_len);
        let recipients = set_of(recipient_infos);
        let data = [version.as_slice(), &recipients, &info_head, info, &content_head].concat();
        let data_len = data.len() + content_len + tail_len;
        let data_head = header(SEQUENCE, data_len);
        let explicit_len = data_head.len() + data_len;
        let explicit = [content_type.to_der()?, header(EXPLICIT_0, explicit_len)].concat();
        let outermost = header(SEQUENCE, explicit.len() + explicit_len);
        let head = [outermost, explicit, data_head, data].concat();
        Ok(Frame { head, content_len, tail_len })
    }

    /// Bytes of the whole ContentInfo.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.content_len + self.tail_len
    }
}

/// What comes after the ciphertext: the tag's OCTET STRING, or nothing.
pub(super) fn tail(tag: &[u8]) -> Vec<u8> {
    [tail_head(tag.len()).as_slice(), tag].concat()
}

/// A KeyTransRecipientInfo (RFC 5652 6.2.1) that names its recipient by issuer (DER) and serial number (content octets).
pub(super) fn key_transport_info(
    issuer: &[u8],
    serial: &[u8],
    algorithm: &AlgorithmIdentifierOwned,
    encrypted_key: &[u8],
) -> der::Result<Vec<u8>> {
    let rid = tlv(SEQUENCE, &[issuer, &tlv(INTEGER, &[serial])]);
    Ok(tlv(SEQUENCE, &[&VERSION_0, &rid, &algorithm.to_der()?, &tlv(OCTET_STRING, &[encrypted_key])]))
}

/// A KeyAgreeRecipientInfo (RFC 5652 6.2.2, RFC 5753 3.1.1) for one recipient, with an ephemeral EC key whose parameters
/// are absent: they are those of the recipient's certificate.
pub(super) fn key_agreement_info(
    issuer: &[u8],
    serial: &[u8],
    algorithm: &AlgorithmIdentifierOwned,
    ephemeral_key: &[u8],
    encrypted_key: &[u8],
) -> der::Result<Vec<u8>> {
    let kind = tlv(SEQUENCE, &[&ID_EC_PUBLIC_KEY.to_der()?]);
    let originator_key = tlv(IMPLICIT_1, &[&kind, &tlv(BIT_STRING, &[&[0], ephemeral_key])]);
    let originator = tlv(EXPLICIT_0, &[&originator_key]);
    let rid = tlv(SEQUENCE, &[issuer, &tlv(INTEGER, &[serial])]);
    let keys = tlv(SEQUENCE, &[&tlv(SEQUENCE, &[&rid, &tlv(OCTET_STRING, &[encrypted_key])])]);
    Ok(tlv(IMPLICIT_1, &[&VERSION_3, &originator, &algorithm.to_der()?, &keys]))
}

/// What follows the ciphertext in an EnvelopedData are attributes.
fn version(content_type: ObjectIdentifier, recipient_infos: &[Vec<u8>], tail_len: usize) -> [u8; 3] {
    let others = recipient_infos.iter().any(|info| info.first() != Some(&SEQUENCE));
    let enveloped = content_type == ID_ENVELOPED_DATA;
    if enveloped && (others || tail_len > 0) { VERSION_2 } else { VERSION_0 }
}

fn content_type(mode: Mode) -> ObjectIdentifier {
    match mode {
        Mode::Cbc => ID_ENVELOPED_DATA,
        Mode::Gcm => ID_CT_AUTH_ENVELOPED_DATA,
    }
}

fn tail_head(tag_len: usize) -> Vec<u8> {
    if tag_len == 0 { Vec::new() } else { header(OCTET_STRING, tag_len) }
}

/// DER puts the members of a SET OF in the order of their encodings (X.690 11.6).
fn set_of(mut members: Vec<Vec<u8>>) -> Vec<u8> {
    members.sort_unstable();
    let members: Vec<&[u8]> = members.iter().map(Vec::as_slice).collect();
    tlv(SET, &members)
}

pub(super) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut whole = header(tag, length);
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    whole
}

/// Tag and length octets.
fn header(tag: u8, length: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    write_header(&[tag], length, &mut octets);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_definite_and_short() {
        assert_eq!(header(0x30, 0), [0x30, 0]);
        assert_eq!(header(0x30, 127), [0x30, 127]);
        assert_eq!(header(0x30, 128), [0x30, 0x81, 128]);
        assert_eq!(header(0x30, 256), [0x30, 0x82, 1, 0]);
        assert_eq!(header(0x30, 0x0100_0000), [0x30, 0x84, 1, 0, 0, 0]);
    }

    #[test]
    fn members_of_a_set_are_in_order() {
        assert_eq!(set_of(vec![vec![2, 1, 7], vec![2, 1, 3]]), [0x31, 6, 2, 1, 3, 2, 1, 7]);
    }

    #[test]
    fn the_frame_knows_its_length() {
        let algorithm = AlgorithmIdentifierOwned { oid: ID_DATA, parameters: None };
        for (mode, tag_len) in [(Mode::Cbc, 0), (Mode::Gcm, 16)] {
            for content_len in [0, 16, 100, 127, 128, 200, 255, 256, 65_000, 70_000] {
                let frame = Frame::new(vec![vec![0x30, 0]], &algorithm, mode, content_len, tag_len).unwrap();
                let whole = [frame.head.clone(), vec![0; content_len], tail(&vec![0; tag_len])].concat();
                assert_eq!(whole.len(), frame.len());
                der::asn1::AnyRef::try_from(whole.as_slice()).unwrap();
            }
        }
    }
}
