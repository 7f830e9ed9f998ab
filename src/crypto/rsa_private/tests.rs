//! aws-lc-rs and `rsa` come to the same content key, also where there is none.

use super::super::SecretBytes;
use super::super::algorithm::{KEY_TRANSPORTS, KeyTransport, RSAES_OAEP_SHA512};
use super::super::known_answers::{algorithm_for, counting};
use super::super::transport::TransportAlgorithm;
use super::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;

/// Made for these tests by `openssl genpkey`; they protect nothing. Bits of the modulus, and whether aws-lc takes it.
const KEYS: [(usize, bool, &str); 6] = [
    (1536, false, include_str!("../../../fixtures/rsa-keys/1536.pem")),
    (2048, true, include_str!("../../../fixtures/rsa-keys/2048.pem")),
    (2049, true, include_str!("../../../fixtures/rsa-keys/2049.pem")),
    (2056, true, include_str!("../../../fixtures/rsa-keys/2056.pem")),
    (3072, true, include_str!("../../../fixtures/rsa-keys/3072.pem")),
    (4096, true, include_str!("../../../fixtures/rsa-keys/4096.pem")),
];

/// The key as it is used, and without its fast form.
struct Both([RsaPrivateKey; 2]);

impl Both {
    fn of(pem: &str) -> Both {
        let key = rsa::PrivateKey::from_pkcs8_pem(pem).unwrap();
        Both([key.clone().into(), RsaPrivateKey::by_reference(key)])
    }

    /// What both come to.
    fn unwrap(&self, algorithm: &TransportAlgorithm, wrapped: &[u8], key_len: usize) -> Vec<u8> {
        let [fast, reference] =
            self.0.each_ref().map(|key| algorithm.unwrap(key, wrapped, key_len).expose().to_vec());
        assert!(fast == reference, "{}: {} octets", algorithm.transport.name, wrapped.len());
        fast
    }
}

/// Wrapped by `rsa`, whose padding depends on nothing else.
fn wrap(key: &rsa::PrivateKey, row: &KeyTransport, secret: &[u8]) -> Vec<u8> {
    let (mut rng, public) = (StdRng::from_seed([3; 32]), key.to_public_key());
    match row.padding {
        Padding::Pkcs1V1_5 => public.pkcs1v15_encrypt_with_rng(&mut rng, secret),
        Padding::Oaep(Hash::Sha1) => public.oaep_encrypt_with_rng::<Sha1, _>(&mut rng, secret),
        Padding::Oaep(Hash::Sha256) => public.oaep_encrypt_with_rng::<Sha256, _>(&mut rng, secret),
        Padding::Oaep(Hash::Sha384) => public.oaep_encrypt_with_rng::<Sha384, _>(&mut rng, secret),
        Padding::Oaep(Hash::Sha512) => public.oaep_encrypt_with_rng::<Sha512, _>(&mut rng, secret),
    }
    .unwrap()
}

#[test]
fn aws_lc_takes_every_key_that_we_do() {
    for (bits, is_fast, pem) in KEYS {
        let Both([key, reference]) = Both::of(pem);
        assert_eq!((key.n().bit_width_vartime() as usize, key.is_fast()), (bits, is_fast));
        assert!(!reference.is_fast());
    }
}

#[test]
fn both_come_to_the_same_with_every_key_and_padding() {
    let secret = counting(32, 7);
    for (bits, _, pem) in KEYS {
        let both = Both::of(pem);
        for row in KEY_TRANSPORTS {
            let (wrapped, algorithm) = (wrap(&both.0[0], row, &secret), algorithm_for(row));
            assert_eq!(both.unwrap(&algorithm, &wrapped, 32), secret, "{bits} {}", row.name);
            assert_ne!(both.unwrap(&algorithm, &wrapped, 24), secret[..24]);
        }
    }
}

/// Where v1.5 finds no padding, `rsa` makes up a content of any length (draft-irtf-cfrg-rsa-guidance-10): once in 200
/// times it has that of a content key, and takes its place with the reference. None of these does.
#[test]
fn both_reject_alike() {
    let secret = counting(32, 7);
    for (_, _, pem) in KEYS.into_iter().filter(|(bits, ..)| *bits < 3000) {
        let both = Both::of(pem);
        for row in KEY_TRANSPORTS {
            let (wrapped, algorithm) = (wrap(&both.0[0], row, &secret), algorithm_for(row));
            let (size, mut rejected) = (wrapped.len(), Vec::new());
            let flipped = [0, 1, 2, size / 2, size - 1].map(|at| {
                let mut broken = wrapped.clone();
                broken[at] ^= 1;
                broken
            });
            let too_large = both.0[0].n().to_be_bytes().to_vec();
            let odd =
                [vec![], vec![0; size], vec![0xff; size], vec![1; size - 1], vec![1; size + 1], too_large];
            let longer = [[&[0], &wrapped[..]].concat(), [&wrapped[..], &[0]].concat()];
            for broken in flipped.into_iter().chain(odd).chain(longer) {
                let key = both.unwrap(&algorithm, &broken, 32);
                assert!(key != secret && key != [0; 32] && key.len() == 32, "{}", row.name);
                rejected.push(key);
            }
            rejected.sort();
            rejected.dedup();
            assert!(rejected.len() > 10, "each has a key of its own");
        }
    }
}

#[test]
fn labels_and_other_hashes_are_opened_too() {
    let secret = counting(32, 7);
    let both = Both::of(KEYS[1].2);
    let public = both.0[0].to_public_key();
    let mut rng = StdRng::from_seed([3; 32]);
    for (mgf, label) in [(Hash::Sha512, &b"label"[..]), (Hash::Sha256, b""), (Hash::Sha256, b"label")] {
        let digest = Sha512::default();
        let boxed = Some(label.into());
        let wrapped = match mgf {
            Hash::Sha512 => public.encrypt(
                &mut rng,
                Oaep { digest, mgf_digest: Sha512::default(), label: boxed },
                &secret,
            ),
            _ => public.encrypt(
                &mut rng,
                Oaep { digest, mgf_digest: Sha256::default(), label: boxed },
                &secret,
            ),
        };
        let scheme = Scheme { padding: RSAES_OAEP_SHA512.padding, mgf, label };
        assert_eq!(Method::of(&scheme).is_some(), mgf == Hash::Sha512, "aws-lc-rs has one hash for both");
        let other = Scheme { label: b"another", ..scheme };
        for key in &both.0 {
            let wrapped = wrapped.as_ref().unwrap();
            assert_eq!(key.decrypt(&scheme, wrapped, &mut rng).unwrap().as_slice(), secret);
            assert!(key.decrypt(&other, wrapped, &mut rng).is_none());
        }
    }
}

/// Blinding and preparation are shared by the threads that open with one key.
#[test]
fn many_threads_open_with_one_key() {
    let secret = SecretBytes::new(counting(32, 7));
    let Both([key, _]) = Both::of(KEYS[1].2);
    let row = KEY_TRANSPORTS[0];
    let (wrapped, algorithm) = (wrap(&key, row, secret.expose()), algorithm_for(row));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(algorithm.unwrap(&key, &wrapped, 32).expose(), secret.expose());
                }
            });
        }
    });
}
