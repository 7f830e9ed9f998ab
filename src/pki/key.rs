//! Private keys.

use super::public_key::{curve_of, require_no_parameters};
use super::{Fingerprint, KeyType, PkiError, PublicKey};
use crate::crypto::algorithm::{Curve, Kem, ML_KEM_768, ML_KEM_1024, P_256, P_384, P_521, X25519};
use crate::crypto::curve::CurvePrivateKey;
use crate::crypto::ed25519::{self, Ed25519PrivateKey};
use crate::crypto::kem::KemPrivateKey;
use crate::crypto::rsa_private::RsaPrivateKey;
use crate::crypto::{SecretBytes, Seed};
use const_oid::db::rfc5912::RSA_ENCRYPTION;
use der::asn1::{Any, AnyRef, OctetStringRef};
use der::{Decode, Encode, Reader, SliceReader, Tag, TagNumber, Tagged};
use pkcs8::{EncodePrivateKey, PrivateKeyInfoRef};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Smaller RSA keys are neither made nor imported (RFC 8551 4.1: below 2048 bits they are insecure by now).
pub const MINIMUM_RSA_BITS: usize = 2048;

/// What the known plaintext of the key test is.
const TEST_TEXT: &[u8] = b"Sealpost key test";

/// A private key in the clear: made by `vault` or read from a key file, wiped on drop. No `Debug`, no `Clone`.
pub struct UnlockedKey(pub(crate) PrivateKey);

/// What an [`UnlockedKey`] holds.
pub(crate) enum PrivateKey {
    /// RSA.
    Rsa(RsaPrivateKey),
    /// On an elliptic curve.
    Curve(CurvePrivateKey),
    /// Ed25519.
    Ed25519(Ed25519PrivateKey),
    /// ML-KEM.
    Kem(KemPrivateKey),
}

impl UnlockedKey {
    /// A fresh key.
    pub fn generate(kind: KeyType, seed: Seed) -> Result<UnlockedKey, PkiError> {
        let mut rng = seed.into_rng();
        match kind {
            KeyType::Rsa2048 => generate_rsa(2048, &mut rng),
            KeyType::Rsa3072 => generate_rsa(3072, &mut rng),
            KeyType::Rsa4096 => generate_rsa(4096, &mut rng),
            KeyType::EcP256 => generate_on(&P_256, &mut rng),
            KeyType::EcP384 => generate_on(&P_384, &mut rng),
            KeyType::EcP521 => generate_on(&P_521, &mut rng),
            KeyType::X25519 => generate_on(&X25519, &mut rng),
            KeyType::Ed25519 => generate_ed25519(&mut rng),
            KeyType::MlKem768 => generate_kem(&ML_KEM_768, &mut rng),
            KeyType::MlKem1024 => generate_kem(&ML_KEM_1024, &mut rng),
        }
    }

    /// Reads PKCS#8 (RFC 5958) in DER: rsaEncryption of at least [`MINIMUM_RSA_BITS`], a key on a curve, Ed25519, or ML-KEM in any
    /// of its three forms (RFC 9935 6).
    pub fn from_pkcs8(der: &[u8]) -> Result<UnlockedKey, PkiError> {
        let info =
            PrivateKeyInfoRef::from_der(der).map_err(|_| PkiError::malformed("the private key", DAMAGED))?;
        let oid = info.algorithm.oid;
        if oid == RSA_ENCRYPTION {
            let key = rsa::PrivateKey::try_from(info)
                .map_err(|_| PkiError::malformed("the RSA private key", DAMAGED))?;
            return UnlockedKey::from_rsa(key);
        }
        let parameters = info.algorithm.parameters.map(Any::from);
        if let Some(kem) = Kem::by_oid(oid) {
            require_no_parameters(parameters.as_ref())?;
            return read_kem(kem, info.private_key.as_bytes());
        }
        if oid == ed25519::OID {
            require_no_parameters(parameters.as_ref())?;
            let key = Ed25519PrivateKey::from_pkcs8(&info).map(|key| UnlockedKey(PrivateKey::Ed25519(key)));
            let reason = "its octets are no key, or belong to another public key";
            return key.ok_or_else(|| PkiError::malformed("the Ed25519 private key", reason));
        }
        let curve = curve_of(oid, parameters.as_ref())?;
        let key = CurvePrivateKey::from_pkcs8(curve, info);
        key.map(|key| UnlockedKey(PrivateKey::Curve(key)))
            .ok_or_else(|| PkiError::malformed("the private key", "its octets are no key of its curve"))
    }

    /// Reads an ECPrivateKey (RFC 5915) in DER that names its curve.
    pub(crate) fn from_sec1(der: &[u8]) -> Result<UnlockedKey, PkiError> {
        let key = CurvePrivateKey::from_sec1(der).map(|key| UnlockedKey(PrivateKey::Curve(key)));
        let reason = "it is damaged, or on another curve than P-256, P-384 and P-521";
        key.ok_or_else(|| PkiError::malformed("the EC private key", reason))
    }

    /// Takes an RSA key that is long enough.
    pub(crate) fn from_rsa(key: rsa::PrivateKey) -> Result<UnlockedKey, PkiError> {
        let bits = key.n().bit_width_vartime() as usize;
        if bits < MINIMUM_RSA_BITS {
            return Err(PkiError::WeakKey { bits, minimum: MINIMUM_RSA_BITS });
        }
        Ok(UnlockedKey(PrivateKey::Rsa(key.into())))
    }

    /// PKCS#8 in DER, for storing. The key is tested first ([`UnlockedKey::test`]): one that fails cannot be stored.
    pub fn to_pkcs8(&self) -> Result<SecretBytes, PkiError> {
        self.test()?;
        let unwritten = || PkiError::malformed("the private key", "it cannot be written");
        let octets = match &self.0 {
            PrivateKey::Rsa(key) => {
                let document = key.to_pkcs8_der().map_err(|_| unwritten())?;
                document.as_bytes().to_vec()
            }
            PrivateKey::Curve(key) => key.to_pkcs8().ok_or_else(unwritten)?.to_vec(),
            PrivateKey::Ed25519(key) => key.to_pkcs8().ok_or_else(unwritten)?.to_vec(),
            PrivateKey::Kem(key) => write_kem(key).map_err(|_| unwritten())?,
        };
        Ok(SecretBytes::new(octets))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        match &self.0 {
            PrivateKey::Rsa(key) => PublicKey::Rsa(key.to_public_key()),
            PrivateKey::Curve(key) => PublicKey::Curve(key.public().clone()),
            PrivateKey::Ed25519(key) => PublicKey::Ed25519(key.public().clone()),
            PrivateKey::Kem(key) => PublicKey::Kem(key.public().clone()),
        }
    }

    /// SHA-256 over the SubjectPublicKeyInfo.
    pub fn fingerprint(&self) -> Result<Fingerprint, PkiError> {
        self.public().fingerprint()
    }

    /// Does the key do what it must? RSA: sign and verify, encrypt and decrypt. On a curve: sign and verify if it can, and
    /// both sides of a key agreement come to the same secret. Ed25519: sign and verify. ML-KEM: the secret that is encapsulated comes out.
    pub fn test(&self) -> Result<(), PkiError> {
        let mut rng = self.test_rng()?;
        if self.public().signature_algorithm().is_ok() {
            let signature = self.sign(TEST_TEXT, &mut rng)?;
            self.public().verify(TEST_TEXT, &signature).map_err(|_| PkiError::KeyTest("sign and verify"))?;
        }
        match &self.0 {
            PrivateKey::Rsa(key) => test_transport(key, &mut rng),
            PrivateKey::Curve(key) => test_agreement(key, &mut rng),
            PrivateKey::Ed25519(_) => Ok(()),
            PrivateKey::Kem(key) => {
                key.test(&mut rng).ok_or(PkiError::KeyTest("encapsulate and decapsulate"))
            }
        }
    }

    /// Signs with the algorithm that goes with the key, ECDSA by RFC 6979. `rng` blinds the RSA operation.
    pub(crate) fn sign(&self, message: &[u8], rng: &mut StdRng) -> Result<Vec<u8>, PkiError> {
        self.public().signature_algorithm()?;
        let signature = match &self.0 {
            PrivateKey::Rsa(key) => key.pkcs1v15_sign_with_rng::<Sha256, _>(rng, message).ok(),
            PrivateKey::Curve(key) => key.sign(message),
            PrivateKey::Ed25519(key) => key.sign(message),
            PrivateKey::Kem(_) => None,
        };
        signature.ok_or(PkiError::KeyTest("sign"))
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
            PrivateKey::Curve(key) => Zeroizing::new(key.octets().to_vec()),
            PrivateKey::Ed25519(key) => Zeroizing::new(key.octets().to_vec()),
            PrivateKey::Kem(key) => Zeroizing::new(key.octets().to_vec()),
        };
        let digest = Sha256::new().chain_update(TEST_TEXT).chain_update(secret.as_slice()).finalize();
        Ok(StdRng::from_seed(digest.into()))
    }
}

fn generate_rsa(bits: usize, rng: &mut StdRng) -> Result<UnlockedKey, PkiError> {
    let key = rsa::PrivateKey::new(rng, bits).map_err(|error| PkiError::Generate(error.to_string()))?;
    Ok(UnlockedKey(PrivateKey::Rsa(key.into())))
}

fn generate_on(curve: &'static Curve, rng: &mut StdRng) -> Result<UnlockedKey, PkiError> {
    let key =
        CurvePrivateKey::generate(curve, rng).ok_or_else(|| PkiError::Generate(curve.name.to_owned()))?;
    Ok(UnlockedKey(PrivateKey::Curve(key)))
}

fn generate_ed25519(rng: &mut StdRng) -> Result<UnlockedKey, PkiError> {
    let key = Ed25519PrivateKey::generate(rng).ok_or_else(|| PkiError::Generate(ed25519::NAME.to_owned()))?;
    Ok(UnlockedKey(PrivateKey::Ed25519(key)))
}

fn generate_kem(kem: &'static Kem, rng: &mut StdRng) -> Result<UnlockedKey, PkiError> {
    let key = KemPrivateKey::generate(kem, rng).ok_or_else(|| PkiError::Generate(kem.name.to_owned()))?;
    Ok(UnlockedKey(PrivateKey::Kem(key)))
}

/// A reader's own words can quote the octet that it stumbled over, and that one is of the key.
const DAMAGED: &str = "its DER is damaged";
const NO_CHOICE: &str = "it is no seed, expanded key or both in the form of RFC 9935";

/// The seed alone, as ML-KEM-PrivateKey spells it: `[0] IMPLICIT OCTET STRING`.
const SEED: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber(0) };

/// The CHOICE of RFC 9935 6, told by its tag: seed, expanded key, or both, which must belong together.
fn read_kem(kem: &'static Kem, octets: &[u8]) -> Result<UnlockedKey, PkiError> {
    let broken = |reason: &'static str| PkiError::malformed("the ML-KEM private key", reason);
    let choice = AnyRef::from_der(octets).map_err(|_| broken(NO_CHOICE))?;
    let key = match choice.tag() {
        SEED => KemPrivateKey::from_seed(kem, choice.value()),
        Tag::OctetString => KemPrivateKey::from_expanded(kem, choice.value()),
        Tag::Sequence => {
            let (seed, expanded) = seed_and_expanded(choice.value()).map_err(|_| broken(NO_CHOICE))?;
            let key = KemPrivateKey::from_seed(kem, seed);
            if key.as_ref().is_some_and(|key| !key.grows_into(expanded)) {
                return Err(broken("its expanded key does not come from its seed"));
            }
            key
        }
        _ => None,
    };
    let key = UnlockedKey(PrivateKey::Kem(key.ok_or_else(|| broken("its octets are no key of its kind"))?));
    // An expanded key can hold halves that do not belong together, and nothing in it shows that.
    key.test()?;
    Ok(key)
}

fn seed_and_expanded(both: &[u8]) -> der::Result<(&[u8], &[u8])> {
    let mut fields = SliceReader::new(both)?;
    let seed = <&OctetStringRef>::decode(&mut fields)?;
    let expanded = <&OctetStringRef>::decode(&mut fields)?;
    fields.finish()?;
    Ok((seed.as_bytes(), expanded.as_bytes()))
}

/// The seed if there is one, as RFC 9935 6 recommends.
fn write_kem(key: &KemPrivateKey) -> der::Result<Vec<u8>> {
    let tag = if key.seed().is_some() { SEED } else { Tag::OctetString };
    let choice = Zeroizing::new(AnyRef::new(tag, key.octets())?.to_der()?);
    let algorithm = spki::AlgorithmIdentifierRef { oid: key.public().kem().oid, parameters: None };
    PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(&choice)?).to_der()
}

fn test_transport(key: &rsa::PrivateKey, rng: &mut StdRng) -> Result<(), PkiError> {
    let failed = || PkiError::KeyTest("encrypt and decrypt");
    let sealed =
        key.as_public_key().oaep_encrypt_with_rng::<Sha256, _>(rng, TEST_TEXT).map_err(|_| failed())?;
    let opened = Zeroizing::new(key.oaep_decrypt_with_rng::<Sha256, _>(rng, &sealed).map_err(|_| failed())?);
    if opened.as_slice() == TEST_TEXT { Ok(()) } else { Err(failed()) }
}

fn test_agreement(key: &CurvePrivateKey, rng: &mut StdRng) -> Result<(), PkiError> {
    let mut agree = || {
        let other = CurvePrivateKey::generate(key.public().curve(), rng)?;
        Some(*other.agree(key.public())? == *key.agree(other.public())?)
    };
    if agree() == Some(true) { Ok(()) } else { Err(PkiError::KeyTest("agree on a secret")) }
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

    /// A key of each kind but RSA, whose making takes its time.
    pub(crate) fn small_keys() -> Vec<UnlockedKey> {
        let small = |(kind, name, _): (KeyType, &str, &str)| (!name.starts_with("rsa")).then_some(kind);
        KeyType::all().filter_map(small).map(|kind| UnlockedKey::generate(kind, seed(4)).unwrap()).collect()
    }

    #[test]
    fn keys_pass_their_test_and_come_back_from_pkcs8() {
        for key in small_keys().iter().chain([rsa_key()]) {
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
    fn what_cannot_sign_says_so() {
        for kind in [KeyType::X25519, KeyType::MlKem768] {
            let key = UnlockedKey::generate(kind, seed(5)).unwrap();
            let error = key.sign(b"one", &mut seed(6).into_rng()).unwrap_err().to_string();
            assert_eq!(error, format!("a key of the kind {} cannot sign", key.public()));
            assert!(key.public().verify(b"one", &[0; 64]).is_err());
        }
    }

    #[test]
    fn public_keys_come_back_from_their_spki() {
        for key in small_keys() {
            let spki = key.public().to_spki().unwrap();
            let read = spki::SubjectPublicKeyInfoOwned::from_der(&spki).unwrap();
            assert_eq!(PublicKey::from_spki(&read).unwrap(), key.public());
            let mut cut = read.clone();
            let octets = read.subject_public_key.as_bytes().unwrap();
            cut.subject_public_key = der::asn1::BitString::from_bytes(&octets[1..]).unwrap();
            assert!(PublicKey::from_spki(&cut).is_err(), "{}", key.public());
        }
    }

    /// The first octet of a bare key stands where a tag should: an error that names the tag gives that octet away.
    #[test]
    fn errors_quote_no_octet_of_a_key() {
        for octets in [&[0x27; 64][..], &[0x30, 3, 4, 9, 0x27], &[0x27], &[]] {
            let error = read_kem(&ML_KEM_768, octets).map(|_| ()).unwrap_err().to_string();
            assert!(error.ends_with(NO_CHOICE) && !error.contains("27"), "{error}");
        }
        let spki = rsa_info(&[0x27; 64]);
        let error = UnlockedKey::from_pkcs8(&spki).map(|_| ()).unwrap_err().to_string();
        assert!(error.ends_with(DAMAGED), "{error}");
    }

    fn rsa_info(octets: &[u8]) -> Vec<u8> {
        let algorithm = pkcs8::AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters: Some(AnyRef::NULL) };
        let key = OctetStringRef::new(octets).unwrap();
        PrivateKeyInfoRef::new(algorithm, key).to_der().unwrap()
    }

    /// An authority signs with it, and mail cannot be encrypted to it.
    #[test]
    fn an_ed25519_key_signs_and_does_nothing_else() {
        let key = UnlockedKey::generate(KeyType::Ed25519, seed(5)).unwrap();
        assert_eq!(key.public().to_string(), "Ed25519");
        let signature = key.sign(b"one", &mut seed(6).into_rng()).unwrap();
        key.public().verify(b"one", &signature).unwrap();
        assert!(key.public().verify(b"two", &signature).is_err());
        assert!(ec_key().public().verify(b"one", &signature).is_err());
        assert!(!KeyType::Ed25519.encrypts());
    }

    #[test]
    fn every_key_that_is_made_knows_its_type() {
        let small = KeyType::all().map(|(kind, ..)| kind).filter(|kind| !kind.name().starts_with("rsa"));
        for kind in small.chain([KeyType::Rsa2048]) {
            let key = if kind == KeyType::Rsa2048 {
                rsa_key().public()
            } else {
                UnlockedKey::generate(kind, seed(4)).unwrap().public()
            };
            assert_eq!(KeyType::of(&key), Some(kind));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_key() {
        let again = ec_key();
        assert_eq!(again.public(), ec_key().public());
        let other = UnlockedKey::generate(KeyType::EcP256, seed(9)).unwrap();
        assert_ne!(other.public(), again.public());
    }
}
