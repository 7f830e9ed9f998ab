//! Signatures on messages, certificates, requests and revocation lists: which schemes are believed, and whether one holds.
//! SHA-1 and MD5 are not among the hashes. How strong a key must be is for those who ask to say.

use super::algorithm::name_of;
use super::{CryptoError, CurvePublicKey, Ed25519PublicKey};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ECDSA_WITH_SHA_512, ID_EC_PUBLIC_KEY, ID_MGF_1, ID_RSASSA_PSS,
    ID_SHA_256, ID_SHA_384, ID_SHA_512, RSA_ENCRYPTION, SHA_256_WITH_RSA_ENCRYPTION,
    SHA_384_WITH_RSA_ENCRYPTION, SHA_512_WITH_RSA_ENCRYPTION,
};
use const_oid::db::rfc8410::ID_ED_25519;
use der::{Decode, Encode};
use rsa::pkcs1::RsaPssParamsOwned;
use rsa::pss;
use rsa::signature::Verifier;
use sha2::{Digest, Sha256, Sha384, Sha512};
use spki::AlgorithmIdentifierOwned;

/// A hash that signatures are made with (RFC 8551 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The hash of a digestAlgorithm.
    pub(crate) fn by_oid(oid: ObjectIdentifier) -> Result<Hash, CryptoError> {
        match oid {
            ID_SHA_256 => Ok(Hash::Sha256),
            ID_SHA_384 => Ok(Hash::Sha384),
            ID_SHA_512 => Ok(Hash::Sha512),
            other => Err(CryptoError::Unsupported(format!("the hash {}", name_of(&other)))),
        }
    }

    /// Octets of its digests.
    pub(crate) fn octets(self) -> usize {
        match self {
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
            Hash::Sha512 => 64,
        }
    }

    /// Of these octets.
    pub(crate) fn digest(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha256 => Sha256::digest(octets).to_vec(),
            Hash::Sha384 => Sha384::digest(octets).to_vec(),
            Hash::Sha512 => Sha512::digest(octets).to_vec(),
        }
    }
}

/// A key that signatures are checked with.
#[derive(Clone, Copy)]
pub(crate) enum VerifyingKey<'k> {
    Rsa(&'k rsa::PublicKey),
    Curve(&'k CurvePublicKey),
    Ed25519(&'k Ed25519PublicKey),
}

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureScheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 8.2).
    Pkcs1(Hash),
    /// RSASSA-PSS (RFC 8017 8.1), MGF1 with the same hash.
    Pss { hash: Hash, salt_octets: usize },
    /// ECDSA (FIPS 186-5 6).
    Ecdsa(Hash),
    /// Ed25519 (RFC 8032).
    Ed25519,
}

impl SignatureScheme {
    /// Of the signatureAlgorithm of a certificate, a request or a list, which names its hash.
    pub(crate) fn named_by(algorithm: &AlgorithmIdentifierOwned) -> Result<SignatureScheme, CryptoError> {
        match algorithm.oid {
            SHA_256_WITH_RSA_ENCRYPTION => Ok(SignatureScheme::Pkcs1(Hash::Sha256)),
            SHA_384_WITH_RSA_ENCRYPTION => Ok(SignatureScheme::Pkcs1(Hash::Sha384)),
            SHA_512_WITH_RSA_ENCRYPTION => Ok(SignatureScheme::Pkcs1(Hash::Sha512)),
            ID_RSASSA_PSS => pss_parameters(algorithm),
            ECDSA_WITH_SHA_256 => Ok(SignatureScheme::Ecdsa(Hash::Sha256)),
            ECDSA_WITH_SHA_384 => Ok(SignatureScheme::Ecdsa(Hash::Sha384)),
            ECDSA_WITH_SHA_512 => Ok(SignatureScheme::Ecdsa(Hash::Sha512)),
            // RFC 8410 3: absent, not even NULL.
            ID_ED_25519 if algorithm.parameters.is_some() => Err(CryptoError::Parameters("Ed25519")),
            ID_ED_25519 => Ok(SignatureScheme::Ed25519),
            other => Err(CryptoError::Unsupported(format!("the signature algorithm {}", name_of(&other)))),
        }
    }

    /// Of the signatureAlgorithm of a message; the hash of the digestAlgorithm beside it is meant where it names none (RFC 8017,
    /// RFC 5753).
    pub(crate) fn of(
        algorithm: &AlgorithmIdentifierOwned,
        digest: Hash,
    ) -> Result<SignatureScheme, CryptoError> {
        match algorithm.oid {
            RSA_ENCRYPTION => Ok(SignatureScheme::Pkcs1(digest)),
            ID_EC_PUBLIC_KEY => Ok(SignatureScheme::Ecdsa(digest)),
            _ => SignatureScheme::named_by(algorithm),
        }
    }

    /// Does the signature of the message hold by this key? Nothing: it does not, or the key is of another kind.
    pub(crate) fn verify(self, key: VerifyingKey<'_>, message: &[u8], signature: &[u8]) -> Option<()> {
        match (self, key) {
            (SignatureScheme::Pkcs1(hash), VerifyingKey::Rsa(key)) => pkcs1(key, hash, message, signature),
            (SignatureScheme::Pss { hash, salt_octets }, VerifyingKey::Rsa(key)) => {
                verify_pss(key.clone(), hash, salt_octets, message, signature)
            }
            (SignatureScheme::Ecdsa(hash), VerifyingKey::Curve(key)) => {
                key.verify_hash(&hash.digest(message), signature)
            }
            (SignatureScheme::Ed25519, VerifyingKey::Ed25519(key)) => key.verify(message, signature),
            _ => None,
        }
    }
}

/// RSASSA-PSS-params (RFC 4055 3.1). Their defaults are SHA-1 and so are refused.
fn pss_parameters(algorithm: &AlgorithmIdentifierOwned) -> Result<SignatureScheme, CryptoError> {
    let broken = || CryptoError::Parameters("RSASSA-PSS");
    let encoded = algorithm.parameters.as_ref().ok_or_else(broken)?.to_der().map_err(|_| broken())?;
    let parameters = RsaPssParamsOwned::from_der(&encoded).map_err(|_| broken())?;
    let hash = Hash::by_oid(parameters.hash.oid)?;
    let mask = parameters.mask_gen.parameters.as_ref().map(|mask| mask.oid);
    if parameters.mask_gen.oid != ID_MGF_1 || mask != Some(parameters.hash.oid) {
        return Err(broken());
    }
    Ok(SignatureScheme::Pss { hash, salt_octets: usize::from(parameters.salt_len) })
}

fn pkcs1(key: &rsa::PublicKey, hash: Hash, message: &[u8], signature: &[u8]) -> Option<()> {
    let verified = match hash {
        Hash::Sha256 => key.pkcs1v15_verify::<Sha256>(message, signature),
        Hash::Sha384 => key.pkcs1v15_verify::<Sha384>(message, signature),
        Hash::Sha512 => key.pkcs1v15_verify::<Sha512>(message, signature),
    };
    verified.ok()
}

fn verify_pss(key: rsa::PublicKey, hash: Hash, salt: usize, message: &[u8], signature: &[u8]) -> Option<()> {
    let signature = pss::Signature::try_from(signature).ok()?;
    let verified = match hash {
        Hash::Sha256 => pss::VerifyingKey::<Sha256>::new_with_salt_len(key, salt).verify(message, &signature),
        Hash::Sha384 => pss::VerifyingKey::<Sha384>::new_with_salt_len(key, salt).verify(message, &signature),
        Hash::Sha512 => pss::VerifyingKey::<Sha512>::new_with_salt_len(key, salt).verify(message, &signature),
    };
    verified.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::Any;

    /// RFC 8032 7.1, test 2.
    #[test]
    fn ed25519_has_its_known_answer() {
        let octets = |text: &str| {
            let pairs = text.as_bytes().chunks(2);
            pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
        };
        let key: Vec<u8> = octets("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let signature: Vec<u8> = octets(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        let key = Ed25519PublicKey::new(&key).unwrap();
        let key = VerifyingKey::Ed25519(&key);
        let algorithm = AlgorithmIdentifierOwned { oid: ID_ED_25519, parameters: None };
        let scheme = SignatureScheme::of(&algorithm, Hash::Sha512).unwrap();
        assert_eq!(scheme.verify(key, &[0x72], &signature), Some(()));
        assert_eq!(scheme.verify(key, &[0x73], &signature), None);
        assert_eq!(SignatureScheme::Ecdsa(Hash::Sha256).verify(key, &[0x72], &signature), None);
        assert_eq!(SignatureScheme::Pkcs1(Hash::Sha256).verify(key, &[0x72], &signature), None);
    }

    #[test]
    fn what_is_broken_or_old_is_no_scheme() {
        let told = |oid: &str, parameters: Option<Any>| {
            let algorithm = AlgorithmIdentifierOwned { oid: oid.parse().unwrap(), parameters };
            SignatureScheme::of(&algorithm, Hash::Sha256).unwrap_err().to_string()
        };
        assert_eq!(
            told("1.2.840.113549.1.1.5", None),
            "the signature algorithm sha1WithRSAEncryption (1.2.840.113549.1.1.5) is not supported"
        );
        assert_eq!(told("1.2.840.113549.1.1.10", None), "the parameters of RSASSA-PSS are broken");
        let defaults = Any::from_der(&[0x30, 0]).unwrap();
        assert_eq!(
            told("1.2.840.113549.1.1.10", Some(defaults)),
            "the hash id-sha1 (1.3.14.3.2.26) is not supported"
        );
        assert_eq!(told("1.3.101.112", Some(Any::null())), "the parameters of Ed25519 are broken");
        let sha1 = Hash::by_oid("1.3.14.3.2.26".parse().unwrap()).unwrap_err().to_string();
        assert_eq!(sha1, "the hash id-sha1 (1.3.14.3.2.26) is not supported");
    }
}
