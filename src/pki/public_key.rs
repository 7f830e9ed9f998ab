//! Public keys.

use super::{Fingerprint, PkiError};
use crate::crypto::algorithm::{Curve, Kem, name_of};
use crate::crypto::signature::{SignatureScheme, VerifyingKey};
use crate::crypto::{CurvePublicKey, Ed25519PublicKey, KemPublicKey, ed25519};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SHA_256_WITH_RSA_ENCRYPTION};
use der::asn1::{Any, BitString};
use der::{Decode, Encode};
use pkcs8::EncodePublicKey;
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use std::fmt;

/// A public key that we can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA.
    Rsa(rsa::PublicKey),
    /// On an elliptic curve: NIST P-256, P-384, P-521 (RFC 5480), X25519 (RFC 8410).
    Curve(CurvePublicKey),
    /// Ed25519 (RFC 8410), which signs and does nothing else.
    Ed25519(Ed25519PublicKey),
    /// ML-KEM (RFC 9935).
    Kem(KemPublicKey),
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo: rsaEncryption, id-ecPublicKey on a NIST curve, id-X25519, id-Ed25519, or ML-KEM. RSASSA-PSS and
    /// RSAES-OAEP keys are refused, because their parameters forbid one of the uses that we make of a key.
    pub fn from_spki(spki: &SubjectPublicKeyInfoOwned) -> Result<PublicKey, PkiError> {
        if spki.algorithm.oid == RSA_ENCRYPTION {
            return read_rsa(spki);
        }
        let octets = spki.subject_public_key.as_bytes().ok_or_else(broken_point)?;
        if let Some(kem) = Kem::by_oid(spki.algorithm.oid) {
            require_no_parameters(spki.algorithm.parameters.as_ref())?;
            return KemPublicKey::new(kem, octets).map(PublicKey::Kem).ok_or_else(broken_point);
        }
        if spki.algorithm.oid == ed25519::OID {
            require_no_parameters(spki.algorithm.parameters.as_ref())?;
            return Ed25519PublicKey::new(octets).map(PublicKey::Ed25519).ok_or_else(broken_point);
        }
        let curve = curve_of(spki.algorithm.oid, spki.algorithm.parameters.as_ref())?;
        CurvePublicKey::new(curve, octets).map(PublicKey::Curve).ok_or_else(broken_point)
    }

    /// The SubjectPublicKeyInfo in DER.
    pub fn to_spki(&self) -> Result<Vec<u8>, PkiError> {
        let unwritten = |error: der::Error| PkiError::malformed("the public key", error);
        let (algorithm, octets) = match self {
            PublicKey::Rsa(key) => {
                let document = key.to_public_key_der();
                let document = document.map_err(|error| PkiError::malformed("the public key", error))?;
                return Ok(document.into_vec());
            }
            PublicKey::Curve(key) => (curve_algorithm(key.curve()), key.octets()),
            PublicKey::Ed25519(key) => (bare(ed25519::OID), key.octets()),
            PublicKey::Kem(key) => (bare(key.kem().oid), key.octets()),
        };
        let subject_public_key = BitString::from_bytes(octets).map_err(unwritten)?;
        SubjectPublicKeyInfoOwned { algorithm, subject_public_key }.to_der().map_err(unwritten)
    }

    /// SHA-256 over the SubjectPublicKeyInfo.
    pub fn fingerprint(&self) -> Result<Fingerprint, PkiError> {
        Ok(Fingerprint(Sha256::digest(self.to_spki()?).into()))
    }

    /// Bits of an RSA modulus; nothing for keys of other kinds, whose strength their name says.
    pub fn modulus_bits(&self) -> Option<usize> {
        match self {
            PublicKey::Rsa(key) => Some(key.n().bit_width_vartime() as usize),
            PublicKey::Curve(_) | PublicKey::Ed25519(_) | PublicKey::Kem(_) => None,
        }
    }

    /// Can a signature be made with its private half?
    pub fn signs(&self) -> bool {
        self.signature_algorithm().is_ok()
    }

    /// Can something be encrypted to it?
    pub fn encrypts(&self) -> bool {
        !matches!(self, PublicKey::Ed25519(_))
    }

    /// Checks a signature made with the algorithm that goes with the key (RSA: PKCS#1 v1.5 with SHA-256; a curve: ECDSA with the hash of its strength; Ed25519).
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), PkiError> {
        let algorithm = self.signature_algorithm().map_err(|_| PkiError::BadSignature)?;
        let scheme = SignatureScheme::named_by(&algorithm).map_err(|_| PkiError::BadSignature)?;
        self.verify_by(scheme, message, signature).ok_or(PkiError::BadSignature)
    }

    /// Does a signature of that scheme hold? Nothing: it does not, or keys of this kind make none of them.
    pub(crate) fn verify_by(&self, scheme: SignatureScheme, message: &[u8], signature: &[u8]) -> Option<()> {
        let key = match self {
            PublicKey::Rsa(key) => VerifyingKey::Rsa(key),
            PublicKey::Curve(key) => VerifyingKey::Curve(key),
            PublicKey::Ed25519(key) => VerifyingKey::Ed25519(key),
            PublicKey::Kem(_) => return None,
        };
        scheme.verify(key, message, signature)
    }

    /// Refuses an RSA key of fewer bits: anybody might have broken it, to sign in somebody's name.
    pub(crate) fn require_bits(&self, minimum: usize) -> Result<(), PkiError> {
        match self.modulus_bits() {
            Some(bits) if bits < minimum => Err(PkiError::WeakKey { bits, minimum }),
            _ => Ok(()),
        }
    }

    /// The signature algorithm that goes with the key: sha256WithRSAEncryption, ECDSA with the hash of the curve's
    /// size, or Ed25519. X25519 and ML-KEM have none.
    pub(crate) fn signature_algorithm(&self) -> Result<AlgorithmIdentifierOwned, PkiError> {
        let other = match self {
            PublicKey::Rsa(_) => {
                let parameters = Some(Any::null());
                return Ok(AlgorithmIdentifierOwned { oid: SHA_256_WITH_RSA_ENCRYPTION, parameters });
            }
            PublicKey::Curve(key) => key.signature_algorithm(),
            PublicKey::Ed25519(_) => Some(ed25519::OID),
            PublicKey::Kem(_) => None,
        };
        other.map(bare).ok_or_else(|| PkiError::CannotSign { key: self.to_string() })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublicKey::Rsa(key) => write!(out, "RSA {}", key.n().bit_width_vartime()),
            PublicKey::Curve(key) => out.write_str(key.curve().name),
            PublicKey::Ed25519(_) => out.write_str(ed25519::NAME),
            PublicKey::Kem(key) => out.write_str(key.kem().name),
        }
    }
}

fn read_rsa(spki: &SubjectPublicKeyInfoOwned) -> Result<PublicKey, PkiError> {
    let der = spki.to_der().map_err(|error| PkiError::malformed("the public key", error))?;
    let spki = SubjectPublicKeyInfoRef::from_der(&der)
        .map_err(|error| PkiError::malformed("the public key", error))?;
    let bits = spki.subject_public_key.raw_bytes().len().saturating_mul(8);
    rsa::PublicKey::try_from(spki).map(PublicKey::Rsa).map_err(|error| {
        if bits > rsa::PublicKey::MAX_SIZE {
            PkiError::Unsupported(format!("RSA keys of more than {} bits", rsa::PublicKey::MAX_SIZE))
        } else {
            PkiError::malformed("the RSA public key", error)
        }
    })
}

/// The curve that an AlgorithmIdentifier names.
pub(super) fn curve_of(
    algorithm: ObjectIdentifier,
    parameters: Option<&Any>,
) -> Result<&'static Curve, PkiError> {
    if algorithm != ID_EC_PUBLIC_KEY {
        let curve = Curve::by_oid(algorithm).filter(|curve| curve.key_algorithm() == algorithm);
        let curve = curve.ok_or_else(|| unsupported_key(algorithm))?;
        return require_no_parameters(parameters).map(|()| curve);
    }
    let named = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    let Some(named) = named else {
        return Err(PkiError::Unsupported("an elliptic curve given by its parameters".to_owned()));
    };
    let curve = Curve::by_oid(named).filter(|curve| curve.key_algorithm() == algorithm);
    curve.ok_or_else(|| PkiError::Unsupported(format!("the elliptic curve {}", name_of(&named))))
}

/// RFC 8410 3, RFC 9935 3: absent, not even NULL.
pub(super) fn require_no_parameters(parameters: Option<&Any>) -> Result<(), PkiError> {
    match parameters {
        None => Ok(()),
        Some(_) => Err(PkiError::malformed("the key", "its algorithm has parameters, where none belong")),
    }
}

fn curve_algorithm(curve: &Curve) -> AlgorithmIdentifierOwned {
    let algorithm = curve.key_algorithm();
    let parameters = (algorithm != curve.oid).then(|| Any::from(&curve.oid));
    AlgorithmIdentifierOwned { oid: algorithm, parameters }
}

fn bare(oid: ObjectIdentifier) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid, parameters: None }
}

fn broken_point() -> PkiError {
    PkiError::malformed("the public key", "its octets are no key of its kind")
}

fn unsupported_key(oid: ObjectIdentifier) -> PkiError {
    PkiError::Unsupported(format!("keys of the kind {}", name_of(&oid)))
}
