//! RecipientInfos as they are written, each in DER (RFC 5652 6.2, RFC 9629 3).

use super::frame::{integer, tlv, tlv_len};
use crate::cms::{BIT_STRING, ID_ORI_KEM, INTEGER, OCTET_STRING, RecipientId, SEQUENCE, write_header};
use crate::crypto::agreement::WrappedKey;
use crate::crypto::algorithm::Curve;
use crate::crypto::encapsulation::{EncapsulatedKey, KemAlgorithm};
use der::Encode;
use spki::AlgorithmIdentifierOwned;

/// `[0] IMPLICIT OCTET STRING`: a subjectKeyIdentifier.
const KEY_IDENTIFIER: u8 = 0x80;
/// `[0]`, constructed: the originator of a KeyAgreeRecipientInfo, and the RecipientKeyIdentifier in it.
const TAGGED_0: u8 = 0xa0;
/// `[1] IMPLICIT SEQUENCE`: a KeyAgreeRecipientInfo, and the OriginatorPublicKey in it.
const TAGGED_1: u8 = 0xa1;
/// `[4] IMPLICIT SEQUENCE`: an OtherRecipientInfo.
const TAGGED_4: u8 = 0xa4;

/// One RecipientInfo.
pub(super) struct RecipientInfo {
    pub(super) der: Vec<u8>,
    /// The version that an EnvelopedData with it must have at least (RFC 5652 6.1).
    pub(super) asks_for: u8,
}

/// What a KeyTransRecipientInfo (RFC 5652 6.2.1) has before the encrypted key: for one recipient and algorithm always the
/// same.
pub(super) fn key_transport_front(
    id: &RecipientId,
    algorithm: &AlgorithmIdentifierOwned,
) -> der::Result<Vec<u8>> {
    let version = match id {
        RecipientId::IssuerAndSerialNumber { .. } => 0,
        RecipientId::SubjectKeyIdentifier(_) => 2,
    };
    Ok([&integer(version)[..], &recipient_identifier(id), &algorithm.to_der()?].concat())
}

/// A KeyTransRecipientInfo.
pub(super) fn key_transport(front: &[u8], encrypted_key: &[u8]) -> RecipientInfo {
    let length = front.len() + tlv_len(encrypted_key.len());
    let mut der = Vec::with_capacity(tlv_len(length));
    write_header(&[SEQUENCE], length, &mut der);
    der.extend_from_slice(front);
    write_header(&[OCTET_STRING], encrypted_key.len(), &mut der);
    der.extend_from_slice(encrypted_key);
    // The content of the INTEGER at the begin: see `integer`.
    RecipientInfo { der, asks_for: front.get(2).copied().unwrap_or_default() }
}

/// A KeyAgreeRecipientInfo (RFC 5652 6.2.2, RFC 5753 3.1.1, RFC 8418 3) for one recipient, with an ephemeral key whose
/// parameters are absent: they are those of the recipient's certificate.
pub(super) fn key_agreement(
    id: &RecipientId,
    algorithm: &AlgorithmIdentifierOwned,
    curve: &Curve,
    wrapped: &WrappedKey,
) -> der::Result<RecipientInfo> {
    let kind = tlv(SEQUENCE, &[&curve.key_algorithm().to_der()?]);
    let originator_key = tlv(TAGGED_1, &[&kind, &tlv(BIT_STRING, &[&[0], &wrapped.ephemeral_key])]);
    let originator = tlv(TAGGED_0, &[&originator_key]);
    let key = tlv(SEQUENCE, &[&agreement_identifier(id), &tlv(OCTET_STRING, &[&wrapped.encrypted_key])]);
    let keys = tlv(SEQUENCE, &[&key]);
    let der = tlv(TAGGED_1, &[&integer(3), &originator, &algorithm.to_der()?, &keys]);
    Ok(RecipientInfo { der, asks_for: 2 })
}

/// A KEMRecipientInfo in an OtherRecipientInfo (RFC 9629 3).
pub(super) fn key_encapsulation(
    id: &RecipientId,
    algorithm: &KemAlgorithm,
    encapsulated: &EncapsulatedKey,
) -> der::Result<RecipientInfo> {
    let [kem, derivation, wrap] = algorithm.identifiers();
    let kem = [&integer(0)[..], &recipient_identifier(id), &kem.to_der()?].concat();
    let ciphertext = tlv(OCTET_STRING, &[&encapsulated.ciphertext]);
    let derivation = [derivation.to_der()?, algorithm.key_len().to_der()?, wrap.to_der()?].concat();
    let key = tlv(OCTET_STRING, &[&encapsulated.encrypted_key]);
    let info = tlv(SEQUENCE, &[&kem, &ciphertext, &derivation, &key]);
    Ok(RecipientInfo { der: tlv(TAGGED_4, &[&ID_ORI_KEM.to_der()?, &info]), asks_for: 3 })
}

/// RecipientIdentifier.
fn recipient_identifier(id: &RecipientId) -> Vec<u8> {
    match id {
        RecipientId::IssuerAndSerialNumber { issuer, serial } => issuer_and_serial(issuer, serial),
        RecipientId::SubjectKeyIdentifier(key) => tlv(KEY_IDENTIFIER, &[key]),
    }
}

/// KeyAgreeRecipientIdentifier, where a key identifier is a structure.
fn agreement_identifier(id: &RecipientId) -> Vec<u8> {
    match id {
        RecipientId::IssuerAndSerialNumber { issuer, serial } => issuer_and_serial(issuer, serial),
        RecipientId::SubjectKeyIdentifier(key) => tlv(TAGGED_0, &[&tlv(OCTET_STRING, &[key])]),
    }
}

fn issuer_and_serial(issuer: &[u8], serial: &[u8]) -> Vec<u8> {
    tlv(SEQUENCE, &[issuer, &tlv(INTEGER, &[serial])])
}
