//! Private and public keys.

use super::{Fingerprint, PkiError};
use crate::crypto::algorithm::name_of;
use crate::crypto::{SecretBytes, Seed};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_256_R_1, SHA_256_WITH_RSA_ENCRYPTION,
    SHA_384_WITH_RSA_ENCRYPTION, SHA_512_WITH_RSA_ENCRYPTION,
};
use der::asn1::AnyRef;
use der::{Decode, Encode};
use p256::ecdsa::signature::{Signer, Verifier};
use pkcs8::{EncodePrivateKey, EncodePublicKey, PrivateKeyInfoRef};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rsa::Generate;
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256, Sha384, Sha512};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use std::fmt;
use zeroize::Zeroizing;

/// Smaller RSA keys are neither made nor imported (RFC 8551 4.1: below 2048 bits they are insecure by now).
pub const MINIMUM_RSA_BITS: usize = 2048;

/// What the known plaintext of the key test is.
const TEST_TEXT: &[u8] = b"Sealpost key test";

/// Kinds of keys that can be made. The row's name is the `--type` word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
    /// NIST P-256.
    EcP256,
}

/// The words that `--type` takes, and those that it refuses by name.
struct KeyTypeRow {
    name: &'static str,
    doc: &'static str,
    kind: Result<KeyType, &'static str>,
}

static KEY_TYPES: [KeyTypeRow; 6] = [
    KeyTypeRow { name: "rsa-2048", doc: "RSA, 2048 bits: every S/MIME client", kind: Ok(KeyType::Rsa2048) },
    KeyTypeRow { name: "rsa-3072", doc: "RSA, 3072 bits", kind: Ok(KeyType::Rsa3072) },
    KeyTypeRow { name: "rsa-4096", doc: "RSA, 4096 bits: slow to make", kind: Ok(KeyType::Rsa4096) },
    KeyTypeRow { name: "ec-p256", doc: "elliptic curve NIST P-256", kind: Ok(KeyType::EcP256) },
    KeyTypeRow { name: "rsa-512", doc: "", kind: Err("512 bits are factored in hours") },
    KeyTypeRow { name: "rsa-1024", doc: "", kind: Err("1024 bits are in reach of a well-funded attacker") },
];

impl KeyType {
    /// The type of this name; what is too weak is refused with the reason, what is unknown with the nearest name.
    pub fn parse(name: &str) -> Result<KeyType, PkiError> {
        let Some(row) = KEY_TYPES.iter().find(|row| row.name.eq_ignore_ascii_case(name)) else {
            return Err(PkiError::UnknownKeyType { name: name.to_owned(), nearest: nearest_type(name) });
        };
        row.kind.map_err(|reason| PkiError::WeakKeyType { name: row.name, reason })
    }

    /// Every type that can be made, with its name and a line for the help.
    pub fn all() -> impl Iterator<Item = (KeyType, &'static str, &'static str)> {
        KEY_TYPES.iter().filter_map(|row| row.kind.ok().map(|kind| (kind, row.name, row.doc)))
    }

    /// The `--type` word.
    pub fn name(self) -> &'static str {
        KeyType::all().find(|(kind, _, _)| *kind == self).map_or("", |(_, name, _)| name)
    }
}

fn nearest_type(name: &str) -> &'static str {
    KeyType::all().map(|(_, known, _)| known).min_by_key(|known| edits(known, name)).unwrap_or("")
}

/// How many letters must be changed, added or dropped to make one word of the other.
fn edits(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, a) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        let cells = row.iter_mut();
        for (cell, b) in cells.zip(std::iter::once(None).chain(right.chars().map(Some))) {
            let above = *cell;
            *cell = match b {
                None => line + 1,
                Some(b) => (diagonal + usize::from(a != b)).min(above + 1).min(before + 1),
            };
            diagonal = above;
            before = *cell;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// A public key that we can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA.
    Rsa(rsa::PublicKey),
    /// NIST P-256.
    EcP256(p256::PublicKey),
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo: rsaEncryption, or id-ecPublicKey on P-256. RSASSA-PSS and RSAES-OAEP keys are
    /// refused, because their parameters forbid one of the uses that we make of a key.
    pub fn from_spki(spki: &SubjectPublicKeyInfoOwned) -> Result<PublicKey, PkiError> {
        let der = spki.to_der().map_err(|error| PkiError::malformed("the public key", error))?;
        let spki = SubjectPublicKeyInfoRef::from_der(&der)
            .map_err(|error| PkiError::malformed("the public key", error))?;
        match spki.algorithm.oid {
            RSA_ENCRYPTION => read_rsa(spki),
            ID_EC_PUBLIC_KEY => {
                require_p256(spki.algorithm.parameters)?;
                p256::PublicKey::try_from(spki)
                    .map(PublicKey::EcP256)
                    .map_err(|error| PkiError::malformed("the public key", error))
            }
            other => Err(unsupported_key(other)),
        }
    }

    /// The SubjectPublicKeyInfo in DER.
    pub fn to_spki(&self) -> Result<Vec<u8>, PkiError> {
        match self {
            PublicKey::Rsa(key) => key.to_public_key_der(),
            PublicKey::EcP256(key) => key.to_public_key_der(),
        }
        .map(der::Document::into_vec)
        .map_err(|error| PkiError::malformed("the public key", error))
    }

    /// SHA-256 over the SubjectPublicKeyInfo.
    pub fn fingerprint(&self) -> Result<Fingerprint, PkiError> {
        Ok(Fingerprint(Sha256::digest(self.to_spki()?).into()))
    }

    /// Bits of the modulus, or of the curve.
    pub fn bits(&self) -> usize {
        match self {
            PublicKey::Rsa(key) => key.n().bit_width_vartime() as usize,
            PublicKey::EcP256(_) => 256,
        }
    }

    /// Checks a signature made with sha256WithRSAEncryption or ecdsa-with-SHA256, whichever the key does.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), PkiError> {
        let good = match self {
            PublicKey::Rsa(key) => key.pkcs1v15_verify::<Sha256>(message, signature).is_ok(),
            PublicKey::EcP256(key) => p256::ecdsa::DerSignature::from_bytes(signature)
                .and_then(|signature| p256::ecdsa::VerifyingKey::from(key).verify(message, &signature))
                .is_ok(),
        };
        if good { Ok(()) } else { Err(PkiError::BadSignature) }
    }

    /// Checks a signature of a named algorithm: SHA-256, SHA-384 or SHA-512 with RSA, SHA-256 with ECDSA. SHA-1 and
    /// MD5 are not among them.
    pub(crate) fn verify_with(
        &self,
        algorithm: ObjectIdentifier,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), PkiError> {
        let PublicKey::Rsa(key) = self else {
            return match algorithm {
                ECDSA_WITH_SHA_256 => self.verify(message, signature),
                other => Err(unsupported_signature(other)),
            };
        };
        match algorithm {
            SHA_256_WITH_RSA_ENCRYPTION => key.pkcs1v15_verify::<Sha256>(message, signature),
            SHA_384_WITH_RSA_ENCRYPTION => key.pkcs1v15_verify::<Sha384>(message, signature),
            SHA_512_WITH_RSA_ENCRYPTION => key.pkcs1v15_verify::<Sha512>(message, signature),
            other => return Err(unsupported_signature(other)),
        }
        .map_err(|_| PkiError::BadSignature)
    }

    /// The signature algorithm that goes with the key.
    pub(crate) fn signature_algorithm(&self) -> AlgorithmIdentifierOwned {
        match self {
            PublicKey::Rsa(_) => AlgorithmIdentifierOwned {
                oid: SHA_256_WITH_RSA_ENCRYPTION,
                parameters: Some(der::asn1::Any::null()),
            },
            PublicKey::EcP256(_) => AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA_256, parameters: None },
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublicKey::Rsa(_) => write!(out, "RSA {}", self.bits()),
            PublicKey::EcP256(_) => write!(out, "EC P-256"),
        }
    }
}

fn read_rsa(spki: SubjectPublicKeyInfoRef<'_>) -> Result<PublicKey, PkiError> {
    let bits = spki.subject_public_key.raw_bytes().len().saturating_mul(8);
    rsa::PublicKey::try_from(spki).map(PublicKey::Rsa).map_err(|error| {
        if bits > rsa::PublicKey::MAX_SIZE {
            PkiError::Unsupported(format!("RSA keys of more than {} bits", rsa::PublicKey::MAX_SIZE))
        } else {
            PkiError::malformed("the RSA public key", error)
        }
    })
}

fn require_p256(parameters: Option<AnyRef<'_>>) -> Result<(), PkiError> {
    let curve = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    match curve {
        Some(SECP_256_R_1) => Ok(()),
        Some(other) => Err(PkiError::Unsupported(format!("the elliptic curve {}", name_of(&other)))),
        None => Err(PkiError::Unsupported("an elliptic curve given by its parameters".to_owned())),
    }
}

fn unsupported_key(oid: ObjectIdentifier) -> PkiError {
    PkiError::Unsupported(format!("keys of the kind {}", name_of(&oid)))
}

fn unsupported_signature(oid: ObjectIdentifier) -> PkiError {
    PkiError::Unsupported(format!("signatures of the kind {}", name_of(&oid)))
}

/// A private key in the clear: made by `vault` or read from a key file, wiped on drop. No `Debug`, no `Clone`.
pub struct UnlockedKey(pub(crate) PrivateKey);

/// What an [`UnlockedKey`] holds.
#[expect(
    clippy::large_enum_variant,
    reason = "few exist at a time, and a box would be one more place to wipe"
)]
pub(crate) enum PrivateKey {
    /// RSA.
    Rsa(rsa::PrivateKey),
    /// NIST P-256.
    EcP256(p256::SecretKey),
}

impl UnlockedKey {
    /// A fresh key.
    pub fn generate(kind: KeyType, seed: Seed) -> Result<UnlockedKey, PkiError> {
        let mut rng = seed.into_rng();
        let rsa = |rng: &mut StdRng, bits| {
            rsa::PrivateKey::new(rng, bits)
                .map(|key| UnlockedKey(PrivateKey::Rsa(key)))
                .map_err(|error| PkiError::Generate(error.to_string()))
        };
        match kind {
            KeyType::Rsa2048 => rsa(&mut rng, 2048),
            KeyType::Rsa3072 => rsa(&mut rng, 3072),
            KeyType::Rsa4096 => rsa(&mut rng, 4096),
            KeyType::EcP256 => {
                Ok(UnlockedKey(PrivateKey::EcP256(p256::SecretKey::generate_from_rng(&mut rng))))
            }
        }
    }

    /// Reads PKCS#8 (RFC 5958) in DER: rsaEncryption of at least [`MINIMUM_RSA_BITS`], or P-256.
    pub fn from_pkcs8(der: &[u8]) -> Result<UnlockedKey, PkiError> {
        let info = PrivateKeyInfoRef::from_der(der)
            .map_err(|error| PkiError::malformed("the private key", error))?;
        match info.algorithm.oid {
            RSA_ENCRYPTION => {
                let key = rsa::PrivateKey::try_from(info)
                    .map_err(|error| PkiError::malformed("the RSA private key", error))?;
                UnlockedKey::from_rsa(key)
            }
            ID_EC_PUBLIC_KEY => {
                require_p256(info.algorithm.parameters)?;
                let key = p256::SecretKey::try_from(info)
                    .map_err(|error| PkiError::malformed("the EC private key", error))?;
                Ok(UnlockedKey(PrivateKey::EcP256(key)))
            }
            other => Err(unsupported_key(other)),
        }
    }

    /// Takes an RSA key that is long enough.
    pub(crate) fn from_rsa(key: rsa::PrivateKey) -> Result<UnlockedKey, PkiError> {
        let bits = key.n().bit_width_vartime() as usize;
        if bits < MINIMUM_RSA_BITS {
            return Err(PkiError::WeakKey { bits, minimum: MINIMUM_RSA_BITS });
        }
        Ok(UnlockedKey(PrivateKey::Rsa(key)))
    }

    /// PKCS#8 in DER, for storing. The key is tested first ([`UnlockedKey::test`]): one that fails cannot be stored.
    pub fn to_pkcs8(&self) -> Result<SecretBytes, PkiError> {
        self.test()?;
        let document = match &self.0 {
            PrivateKey::Rsa(key) => key.to_pkcs8_der(),
            PrivateKey::EcP256(key) => key.to_pkcs8_der(),
        }
        .map_err(|error| PkiError::malformed("the private key", error))?;
        Ok(SecretBytes::new(document.as_bytes().to_vec()))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        match &self.0 {
            PrivateKey::Rsa(key) => PublicKey::Rsa(key.to_public_key()),
            PrivateKey::EcP256(key) => PublicKey::EcP256(key.public_key()),
        }
    }

    /// SHA-256 over the SubjectPublicKeyInfo.
    pub fn fingerprint(&self) -> Result<Fingerprint, PkiError> {
        self.public().fingerprint()
    }

    /// Does the key do what it must? RSA: sign and verify, encrypt and decrypt. EC: sign and verify, and both sides
    /// of a key agreement come to the same secret.
    pub fn test(&self) -> Result<(), PkiError> {
        let mut rng = self.test_rng()?;
        let signature = self.sign(TEST_TEXT, &mut rng)?;
        self.public().verify(TEST_TEXT, &signature).map_err(|_| PkiError::KeyTest("sign and verify"))?;
        match &self.0 {
            PrivateKey::Rsa(key) => test_transport(key, &mut rng),
            PrivateKey::EcP256(key) => test_agreement(key, &mut rng),
        }
    }

    /// Signs with sha256WithRSAEncryption or ecdsa-with-SHA256 (RFC 6979). `rng` blinds the RSA operation.
    pub(crate) fn sign(&self, message: &[u8], rng: &mut StdRng) -> Result<Vec<u8>, PkiError> {
        match &self.0 {
            PrivateKey::Rsa(key) => {
                key.pkcs1v15_sign_with_rng::<Sha256, _>(rng, message).map_err(|_| PkiError::KeyTest("sign"))
            }
            PrivateKey::EcP256(key) => {
                let signature: p256::ecdsa::DerSignature = p256::ecdsa::SigningKey::from(key)
                    .try_sign(message)
                    .map_err(|_| PkiError::KeyTest("sign"))?;
                Ok(signature.as_bytes().to_vec())
            }
        }
    }

    /// What the test needs of randomness comes out of the key itself: nobody else can foresee it, and no entropy
    /// has to be passed for a mere check.
    fn test_rng(&self) -> Result<StdRng, PkiError> {
        let secret = match &self.0 {
            PrivateKey::Rsa(key) => {
                let der =
                    key.to_pkcs8_der().map_err(|error| PkiError::malformed("the private key", error))?;
                Zeroizing::new(der.as_bytes().to_vec())
            }
            PrivateKey::EcP256(key) => Zeroizing::new(key.to_bytes().to_vec()),
        };
        let digest = Sha256::new().chain_update(TEST_TEXT).chain_update(secret.as_slice()).finalize();
        Ok(StdRng::from_seed(digest.into()))
    }
}

fn test_transport(key: &rsa::PrivateKey, rng: &mut StdRng) -> Result<(), PkiError> {
    let failed = || PkiError::KeyTest("encrypt and decrypt");
    let sealed =
        key.as_public_key().oaep_encrypt_with_rng::<Sha256, _>(rng, TEST_TEXT).map_err(|_| failed())?;
    let opened = Zeroizing::new(key.oaep_decrypt_with_rng::<Sha256, _>(rng, &sealed).map_err(|_| failed())?);
    if opened.as_slice() == TEST_TEXT { Ok(()) } else { Err(failed()) }
}

fn test_agreement(key: &p256::SecretKey, rng: &mut StdRng) -> Result<(), PkiError> {
    let other = p256::SecretKey::generate_from_rng(rng);
    let ours = other.public_key().to_projective() * *key.to_nonzero_scalar();
    let theirs = key.public_key().to_projective() * *other.to_nonzero_scalar();
    if ours == theirs { Ok(()) } else { Err(PkiError::KeyTest("agree on a secret")) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::OnceLock;

    pub(crate) fn seed(byte: u8) -> Seed {
        Seed::from_bytes(&mut [byte; 32])
    }

    /// Making an RSA key takes a second: one for the whole test process.
    pub(crate) fn rsa_key() -> &'static UnlockedKey {
        static KEY: OnceLock<UnlockedKey> = OnceLock::new();
        KEY.get_or_init(|| UnlockedKey::generate(KeyType::Rsa2048, seed(1)).unwrap())
    }

    pub(crate) fn ec_key() -> UnlockedKey {
        UnlockedKey::generate(KeyType::EcP256, seed(2)).unwrap()
    }

    #[test]
    fn names_are_read_and_weak_ones_refused_with_the_reason() {
        for (kind, name, _) in KeyType::all() {
            assert_eq!(KeyType::parse(name).unwrap(), kind);
            assert_eq!(kind.name(), name);
        }
        assert_eq!(
            KeyType::parse("rsa-1024").unwrap_err().to_string(),
            "rsa-1024 is refused: 1024 bits are in reach of a well-funded attacker; take rsa-2048 or larger"
        );
        assert_eq!(
            KeyType::parse("rsa-512").unwrap_err().to_string(),
            "rsa-512 is refused: 512 bits are factored in hours; take rsa-2048 or larger"
        );
        assert_eq!(
            KeyType::parse("ec256").unwrap_err().to_string(),
            "there is no key type \"ec256\"; did you mean ec-p256?"
        );
        assert_eq!(
            KeyType::parse("rsa4096").unwrap_err().to_string(),
            "there is no key type \"rsa4096\"; did you mean rsa-4096?"
        );
    }

    #[test]
    fn keys_pass_their_test_and_come_back_from_pkcs8() {
        for key in [rsa_key(), &ec_key()] {
            key.test().unwrap();
            let der = key.to_pkcs8().unwrap();
            let again = UnlockedKey::from_pkcs8(der.expose()).unwrap();
            assert_eq!(again.public(), key.public());
            assert_eq!(again.fingerprint().unwrap(), key.fingerprint().unwrap());
        }
        assert_eq!(rsa_key().public().to_string(), "RSA 2048");
        assert_eq!(ec_key().public().to_string(), "EC P-256");
    }

    #[test]
    fn a_signature_holds_for_its_message_and_key_only() {
        let key = ec_key();
        let signature = key.sign(b"one", &mut seed(3).into_rng()).unwrap();
        key.public().verify(b"one", &signature).unwrap();
        assert!(key.public().verify(b"two", &signature).is_err());
        assert!(rsa_key().public().verify(b"one", &signature).is_err());
    }

    #[test]
    fn the_same_seed_gives_the_same_key() {
        let again = ec_key();
        assert_eq!(again.public(), ec_key().public());
        let other = UnlockedKey::generate(KeyType::EcP256, seed(9)).unwrap();
        assert_ne!(other.public(), again.public());
    }

    #[test]
    fn edit_distance_counts_changes() {
        assert_eq!(edits("ec-p256", "ec-p256"), 0);
        assert_eq!(edits("ec-p256", "ecp256"), 1);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("rsa-2048", "rsa-3072"), 3);
    }
}
