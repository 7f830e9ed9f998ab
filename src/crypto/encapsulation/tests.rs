//! Known answers for every row, made with OpenSSL 4, the example of RFC 9936 step by step, and the vectors of Wycheproof
//! where they are at hand.

use super::*;
use crate::crypto::algorithm::*;
use crate::crypto::known_answers::{counting, field, unhex};
use crate::crypto::wycheproof;
use crate::mail::vectors;
use rand::SeedableRng;
use sha2::{Digest, Sha256};

/// For the seed 00 01 02 ... 3f: SHA-256 of the public key, of a ciphertext, and the secret in it; the last is the secret
/// of a ciphertext of zeros, which was made for nobody.
const ANSWERS: [(&Kem, &str, &str, &str, &str); 3] = [
    (
        &ML_KEM_512,
        "3ae268dccc5456ac0d0f9b39257dc48fe081383b97c400512d712b739762daee",
        "e7fc052a78da46fe53ae4589292a43ce2a06cf5735ddcd942648fa43e846b35e",
        "eef1f39d38c10bee3f7cf875393224e81fdd6682a4da62234e7499a2191b87bb",
        "fc3ccf20a37dd91d9f511da5e6cb92039b1414db5b0880741178ccfb143212ff",
    ),
    (
        &ML_KEM_768,
        "0b7934c83125c788995e2ba6bd761e33046b3e40571be53e023309a29f398cc9",
        "bf8a1d6f231222506869db29cfb3b2d427f67b1efaa2560993eeabe03c6ef9e7",
        "959b7aae2db9e651e76783d403255aa48d007573bc09a3e2ca48864d7a34ea61",
        "c8fbeddafdacef2ffeb8b354ea644f11b5c150f3e2c4a74ce38abba8f854ae16",
    ),
    (
        &ML_KEM_1024,
        "c7b8fa0aa471d5ae18922d6ccad5b31e1d84f92ae723abfd13747018740a8530",
        "0b8cfe5c53ef8502e3e2f4a54f9465a0c22dddd7a0baa1ed7ca8c796ac782e3d",
        "dd28146c09f3c2f92f4ec87de241153bc50791eab053adaeaa0848246750f346",
        "294cb5b6b0f37a047745a2a69991f66ac85936e1b077e717eaeb26bb0ba42c68",
    ),
];

fn key(kem: &'static Kem) -> KemPrivateKey {
    KemPrivateKey::from_seed(kem, &counting(64, 0)).unwrap()
}

fn rng() -> StdRng {
    StdRng::from_seed([5; 32])
}

#[test]
fn every_mechanism_has_a_known_answer() {
    assert_eq!(ANSWERS.len(), KEMS.len());
    for (row, (kem, public, ciphertext, secret, rejected)) in KEMS.into_iter().zip(ANSWERS) {
        assert_eq!(row.name, kem.name);
        let key = key(kem);
        assert_eq!(Sha256::digest(key.public().octets()).to_vec(), unhex(public), "{kem:?}");
        let (made, carried) = key.public().encapsulate(&mut rng()).unwrap();
        assert_eq!((Sha256::digest(&made).to_vec(), carried.to_vec()), (unhex(ciphertext), unhex(secret)));
        assert_eq!(*key.decapsulate(&made).unwrap(), unhex(secret));
        assert_eq!(*key.decapsulate(&vec![0; kem.ciphertext_len]).unwrap(), unhex(rejected));
    }
}

fn identifiers(algorithm: &KemAlgorithm) -> [AlgorithmIdentifierOwned; 3] {
    algorithm.identifiers()
}

fn read(
    parts: &[AlgorithmIdentifierOwned; 3],
    key_len: u16,
    policy: &Policy,
) -> Result<KemAlgorithm, CryptoError> {
    let [kem, derivation, wrap] = parts;
    KemAlgorithm::read(KemIdentifiers { kem, derivation, key_len, wrap }, policy)
}

#[test]
fn what_is_wrapped_opens_and_every_row_goes_both_ways() {
    let secret = SecretBytes::new(counting(32, 7));
    for kem in KEMS {
        for (derivation, wrap) in
            KEY_DERIVATIONS.into_iter().zip([&AES_256_WRAP, &AES_192_WRAP, &AES_128_WRAP])
        {
            let (key, algorithm) = (key(kem), KemAlgorithm::new(kem, derivation, wrap));
            let sent = algorithm.wrap(key.public(), &secret, &mut rng()).unwrap();
            assert_eq!((sent.ciphertext.len(), sent.encrypted_key.len()), (kem.ciphertext_len, 40));
            let read = read(&identifiers(&algorithm), algorithm.key_len(), &Policy::READING).unwrap();
            let open = |ukm| read.unwrap(&key, &sent.ciphertext, ukm, &sent.encrypted_key, 32).unwrap();
            assert_eq!(open(None).expose(), secret.expose(), "{kem:?} {}", derivation.name);
            assert_ne!(open(Some(b"ukm")).expose(), secret.expose(), "keying material takes part");
        }
    }
}

#[test]
fn what_does_not_unwrap_gives_a_steady_key_of_the_right_length() {
    let (key, algorithm) = (key(&ML_KEM_768), KemAlgorithm::new(&ML_KEM_768, &HKDF_SHA256, &AES_256_WRAP));
    let secret = SecretBytes::new(counting(32, 7));
    let sent = algorithm.wrap(key.public(), &secret, &mut rng()).unwrap();
    let mut flipped = sent.ciphertext.clone();
    flipped[0] ^= 1;
    let cases: [(&[u8], &[u8]); 6] = [
        (&flipped, &sent.encrypted_key),
        (&[], &sent.encrypted_key),
        (&sent.ciphertext[1..], &sent.encrypted_key),
        (&sent.ciphertext, &sent.encrypted_key[1..]),
        (&sent.ciphertext, &[]),
        (&sent.ciphertext, &[0; 40]),
    ];
    for (ciphertext, wrapped) in cases {
        let open = || algorithm.unwrap(&key, ciphertext, None, wrapped, 32).unwrap();
        let opened = open();
        assert_eq!(opened.expose(), open().expose());
        assert_eq!(opened.expose().len(), 32);
        assert!(opened.expose() != secret.expose() && opened.expose() != [0; 32]);
    }
}

#[test]
fn what_anybody_can_see_is_refused_by_name() {
    let algorithm = KemAlgorithm::new(&ML_KEM_768, &HKDF_SHA256, &AES_256_WRAP);
    let parts = identifiers(&algorithm);
    let refused = |parts: &[AlgorithmIdentifierOwned; 3], key_len| {
        read(parts, key_len, &Policy::READING).err().map(|error| error.to_string())
    };
    assert_eq!(refused(&parts, 32), None);
    let length = "the message is refused: its key-encryption key is not as long as its key wrap wants";
    assert_eq!(refused(&parts, 16).as_deref(), Some(length));
    let unknown = AlgorithmIdentifierOwned { oid: AES_256_CBC.oid, parameters: None };
    for at in 0..3 {
        let mut odd = parts.clone();
        odd[at] = unknown.clone();
        let text = "id-aes256-CBC (2.16.840.1.101.3.4.1.42) is not supported";
        assert_eq!(refused(&odd, 32).as_deref(), Some(text));
    }
    let other = key(&ML_KEM_1024);
    let error = algorithm.unwrap(&other, &[0; 1088], None, &[0; 40], 32).err().unwrap();
    assert_eq!(error.to_string(), "the message is refused: its recipient's key is of another kind");
    let old = KemAlgorithm::new(&ML_KEM_512, &HKDF_SHA256, &AES_128_WRAP);
    assert!(read(&identifiers(&old), 16, &Policy::READING).is_ok());
    let written = read(&identifiers(&old), 16, &Policy::WRITING).err();
    assert_eq!(written, Some(CryptoError::Policy("ML-KEM-512")));
}

/// RFC 9936 appendix C: every value that it shows on the way.
#[test]
fn the_example_of_the_rfc_comes_out_step_by_step() {
    let shown = |name: &str| {
        let folder = vectors::folder("mlkem-cms-draft/example")?;
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        Some(unhex(&text.split_whitespace().collect::<String>()))
    };
    let Some(ciphertext) = shown("ciphertext.txt") else { return };
    let key = key(&ML_KEM_512);
    let secret = key.decapsulate(&ciphertext).unwrap();
    assert_eq!(*secret, shown("shared_secret.txt").unwrap());
    let algorithm = KemAlgorithm::new(&ML_KEM_512, &HKDF_SHA256, &AES_128_WRAP);
    assert_eq!(algorithm.other_info(None).unwrap(), shown("ori_info.txt").unwrap());
    let key_encryption_key = algorithm.derive(&secret, None).unwrap();
    assert_eq!(*key_encryption_key, shown("kek.txt").unwrap());
    let content_key = SecretBytes::new(shown("cek.txt").unwrap());
    let wrapped = wrap_key(&AES_128_WRAP, &key_encryption_key, &content_key).unwrap();
    assert_eq!(wrapped, shown("encrypted_cek.txt").unwrap());
    let opened = algorithm.unwrap(&key, &ciphertext, None, &wrapped, 16).unwrap();
    assert_eq!(opened.expose(), content_key.expose());
}

/// Decapsulation, and what is no key or no ciphertext.
#[test]
fn wycheproof_decapsulates() {
    for (file, kem) in [("mlkem_768_test", &ML_KEM_768), ("mlkem_1024_test", &ML_KEM_1024)] {
        wycheproof::judge(file, "K", |_, test| {
            let key = KemPrivateKey::from_seed(kem, &field(test, "seed"))?;
            key.decapsulate(&field(test, "c")).map(|secret| secret.to_vec())
        });
    }
}
