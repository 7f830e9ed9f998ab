//! The DER around the ciphertext, with every length known before the first byte is written (X.690 8.1.3, definite form).

use super::recipient_info::RecipientInfo;
use crate::cms::{
    INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Parts, SEQUENCE, SET, length_octets, write_header,
};
use crate::crypto::algorithm::Mode;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{ID_CT_AUTH_ENVELOPED_DATA, ID_DATA, ID_ENVELOPED_DATA};
use der::Encode;
use spki::AlgorithmIdentifierOwned;

/// `[0] IMPLICIT OCTET STRING`, primitive: encryptedContent.
const CONTEXT_0: u8 = 0x80;
/// `[0] EXPLICIT`: the content of a ContentInfo.
const EXPLICIT_0: u8 = 0xa0;

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
        recipient_infos: Vec<RecipientInfo>,
        algorithm: &AlgorithmIdentifierOwned,
        mode: Mode,
        content_len: usize,
        tag_len: usize,
    ) -> der::Result<Frame> {
        let info = [ID_DATA.to_der()?, algorithm.to_der()?].concat();
        let tail_len = if tag_len == 0 { 0 } else { tlv_len(tag_len) };
        Ok(Frame::around(content_type(mode), recipient_infos, &info, content_len, tail_len))
    }

    /// The same content, of so many octets, for other recipients. What follows the ciphertext is [`Parts::after`].
    pub(super) fn for_parts(
        recipient_infos: Vec<RecipientInfo>,
        parts: &Parts<'_>,
        content_len: usize,
    ) -> Frame {
        Frame::around(parts.content_type, recipient_infos, parts.algorithm, content_len, parts.after.len())
    }

    /// `info` is what stands before the ciphertext inside the encryptedContentInfo. Every length is computed from the
    /// innermost outwards, and then everything is written once.
    fn around(
        content_type: ObjectIdentifier,
        mut recipient_infos: Vec<RecipientInfo>,
        info: &[u8],
        content_len: usize,
        tail_len: usize,
    ) -> Frame {
        let version = integer(version(content_type, &recipient_infos, tail_len));
        // DER puts the members of a SET OF in the order of their encodings (X.690 11.6).
        recipient_infos.sort_unstable_by(|one, other| one.der.cmp(&other.der));
        let set_len: usize = recipient_infos.iter().map(|info| info.der.len()).sum();
        let info_len = info.len() + tlv_len(content_len);
        let data_len = version.len() + tlv_len(set_len) + tlv_len(info_len) + tail_len;
        let kind = content_type.as_bytes();
        let whole_len = tlv_len(kind.len()) + tlv_len(tlv_len(data_len));
        let mut head = Vec::with_capacity(tlv_len(whole_len) - content_len - tail_len);
        header(SEQUENCE, whole_len, &mut head);
        element(OBJECT_IDENTIFIER, kind, &mut head);
        header(EXPLICIT_0, tlv_len(data_len), &mut head);
        header(SEQUENCE, data_len, &mut head);
        head.extend_from_slice(&version);
        header(SET, set_len, &mut head);
        recipient_infos.iter().for_each(|info| head.extend_from_slice(&info.der));
        header(SEQUENCE, info_len, &mut head);
        head.extend_from_slice(info);
        header(CONTEXT_0, content_len, &mut head);
        Frame { head, content_len, tail_len }
    }

    /// Bytes of the whole ContentInfo.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.content_len + self.tail_len
    }
}

/// What comes after the ciphertext: the tag's OCTET STRING, or nothing.
pub(super) fn tail(tag: &[u8]) -> Vec<u8> {
    if tag.is_empty() { Vec::new() } else { tlv(OCTET_STRING, &[tag]) }
}

/// CMSVersion. AuthEnvelopedData has 0 always (RFC 5083 2.1); EnvelopedData has what its recipients ask for, and 2 at
/// least with attributes, which are what follows its ciphertext (RFC 5652 6.1).
fn version(content_type: ObjectIdentifier, recipient_infos: &[RecipientInfo], tail_len: usize) -> u8 {
    let asked = recipient_infos.iter().map(|info| info.asks_for).max().unwrap_or(0);
    match content_type {
        ID_ENVELOPED_DATA if tail_len > 0 => asked.max(2),
        ID_ENVELOPED_DATA => asked,
        _ => 0,
    }
}

fn content_type(mode: Mode) -> ObjectIdentifier {
    match mode {
        Mode::Cbc => ID_ENVELOPED_DATA,
        Mode::Aead => ID_CT_AUTH_ENVELOPED_DATA,
    }
}

/// A small INTEGER.
pub(super) fn integer(value: u8) -> [u8; 3] {
    [INTEGER, 1, value]
}

pub(super) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut whole = Vec::with_capacity(tlv_len(length));
    header(tag, length, &mut whole);
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    whole
}

fn element(tag: u8, content: &[u8], out: &mut Vec<u8>) {
    header(tag, content.len(), out);
    out.extend_from_slice(content);
}

/// Octets of an element with so many octets inside.
pub(super) fn tlv_len(length: usize) -> usize {
    1 + length_octets(length) + length
}

/// Tag and length octets.
fn header(tag: u8, length: usize, out: &mut Vec<u8>) {
    write_header(&[tag], length, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_definite_and_short() {
        let head = |length| {
            let mut head = Vec::new();
            header(0x30, length, &mut head);
            assert_eq!(head.len() + length, tlv_len(length));
            head
        };
        assert_eq!(head(0), [0x30, 0]);
        assert_eq!(head(127), [0x30, 127]);
        assert_eq!(head(128), [0x30, 0x81, 128]);
        assert_eq!(head(256), [0x30, 0x82, 1, 0]);
        assert_eq!(head(0x0100_0000), [0x30, 0x84, 1, 0, 0, 0]);
    }

    #[test]
    fn members_of_a_set_are_in_order() {
        let infos = [7, 3].map(|last| RecipientInfo { der: vec![2, 1, last], asks_for: 0 });
        let frame = Frame::around(ID_ENVELOPED_DATA, infos.into(), &[], 16, 0);
        assert!(frame.head.windows(8).any(|octets| octets == [0x31, 6, 2, 1, 3, 2, 1, 7]));
    }

    fn info() -> RecipientInfo {
        RecipientInfo { der: vec![0x30, 0], asks_for: 0 }
    }

    #[test]
    fn the_version_follows_from_what_is_in_it() {
        let asking = |asks_for| RecipientInfo { asks_for, ..info() };
        assert_eq!(version(ID_ENVELOPED_DATA, &[asking(0), asking(0)], 0), 0);
        assert_eq!(version(ID_ENVELOPED_DATA, &[asking(0)], 5), 2);
        assert_eq!(version(ID_ENVELOPED_DATA, &[asking(2), asking(0)], 0), 2);
        assert_eq!(version(ID_ENVELOPED_DATA, &[asking(3), asking(2)], 5), 3);
        assert_eq!(version(ID_CT_AUTH_ENVELOPED_DATA, &[asking(3)], 18), 0);
    }

    #[test]
    fn the_frame_knows_its_length() {
        let algorithm = AlgorithmIdentifierOwned { oid: ID_DATA, parameters: None };
        for (mode, tag_len) in [(Mode::Cbc, 0), (Mode::Aead, 16)] {
            for content_len in [0, 16, 100, 127, 128, 200, 255, 256, 65_000, 70_000] {
                let frame = Frame::new(vec![info()], &algorithm, mode, content_len, tag_len).unwrap();
                let whole = [frame.head.clone(), vec![0; content_len], tail(&vec![0; tag_len])].concat();
                assert_eq!(whole.len(), frame.len());
                assert_eq!(frame.head.len(), frame.head.capacity());
                der::asn1::AnyRef::try_from(whole.as_slice()).unwrap();
            }
        }
    }
}
