//! Signatures on certificates and revocation lists, by policy: RSASSA-PKCS1-v1_5 and RSASSA-PSS with SHA-2, ECDSA with the
//! hash of its curve, Ed25519. Neither SHA-1 nor MD5.

use super::certificate::signed_part;
use super::{Certificate, PkiError, PublicKey};
use crate::crypto::ed25519;
use const_oid::db::rfc5912::{ID_MGF_1, ID_RSASSA_PSS, ID_SHA_256, ID_SHA_384, ID_SHA_512};
use der::Sequence;
use der::asn1::BitString;
use sha2::{Sha256, Sha384, Sha512};
use spki::AlgorithmIdentifierOwned;

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignatureFault {
    /// Its kind or its key is not allowed, or not known.
    Refused(String),
    /// Another key made it, or it was made over something else.
    Wrong,
}

/// A structure in the form of a certificate: what is signed, the algorithm, the signature.
pub(crate) struct Signed<'a> {
    /// The whole of it.
    pub(crate) der: &'a [u8],
    pub(crate) algorithm: &'a AlgorithmIdentifierOwned,
    pub(crate) signature: &'a BitString,
}

/// Did the holder of the signer's key sign it, in a way that is allowed? RSA keys with fewer bits are not.
pub(crate) fn verify(
    signed: &Signed<'_>,
    signer: &Certificate,
    minimum_rsa_bits: usize,
) -> Result<(), SignatureFault> {
    let octets = signed.signature.as_bytes().ok_or(SignatureFault::Wrong)?;
    let part = signed_part(signed.der).ok_or(SignatureFault::Wrong)?;
    let spki = signer.parsed().tbs_certificate().subject_public_key_info();
    let key = PublicKey::from_spki(spki).map_err(refused)?;
    if let Some(bits) = key.modulus_bits().filter(|bits| *bits < minimum_rsa_bits) {
        return Err(refused(PkiError::WeakKey { bits, minimum: minimum_rsa_bits }));
    }
    match (&key, signed.algorithm.oid) {
        (PublicKey::Rsa(key), ID_RSASSA_PSS) => verify_pss(key, signed.algorithm, part, octets),
        (_, ed25519::OID) if signed.algorithm.parameters.is_some() => Err(SignatureFault::Wrong),
        (_, oid) => key.verify_with(oid, part, octets).map_err(|error| match error {
            PkiError::BadSignature => SignatureFault::Wrong,
            other => refused(other),
        }),
    }
}

fn refused(error: PkiError) -> SignatureFault {
    SignatureFault::Refused(error.to_string())
}

/// RSASSA-PSS-params (RFC 4055 3.1). The defaults are those of SHA-1, so that everything must be there.
#[derive(Sequence)]
struct PssParameters {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    hash: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    mask: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    salt: Option<u8>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    trailer: Option<u8>,
}

/// One hash for the message and the mask, and a salt as long as the hash: the only form that authorities use.
fn verify_pss(
    key: &rsa::PublicKey,
    algorithm: &AlgorithmIdentifierOwned,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureFault> {
    let unknown =
        || SignatureFault::Refused("RSASSA-PSS with parameters that are not used in mail".to_owned());
    let parameters = algorithm.parameters.as_ref().ok_or_else(unknown)?;
    let parameters: PssParameters = parameters.decode_as().map_err(|_| unknown())?;
    let hash = parameters.hash.ok_or_else(unknown)?.oid;
    let mask = parameters.mask.filter(|mask| mask.oid == ID_MGF_1).ok_or_else(unknown)?;
    let mask_hash = mask.parameters.and_then(|hash| hash.decode_as::<AlgorithmIdentifierOwned>().ok());
    let same = mask_hash.is_some_and(|mask| mask.oid == hash);
    let salt = parameters.salt.filter(|_| same && parameters.trailer.is_none_or(|trailer| trailer == 1));
    let valid = match (hash, salt) {
        (ID_SHA_256, Some(32)) => key.pss_verify::<Sha256>(message, signature),
        (ID_SHA_384, Some(48)) => key.pss_verify::<Sha384>(message, signature),
        (ID_SHA_512, Some(64)) => key.pss_verify::<Sha512>(message, signature),
        _ => return Err(unknown()),
    };
    valid.map_err(|_| SignatureFault::Wrong)
}
