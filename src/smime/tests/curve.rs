//! Recipients with a key on an elliptic curve.

mod samples;

use super::damage::{enveloped, join, replace, split};
use super::*;
use crate::cms::{self, Agreement, Enveloped, Originator, OriginatorKey, RecipientKind};
use crate::crypto::CurvePublicKey;
use crate::crypto::algorithm::P_256;
use crate::pki::key::PrivateKey;
use crate::pki::read_private_key;
use aes_kw::{KeyInit, KwAes256};
use encodify::base64;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::sync::Arc;

const MESSAGE: &[u8] = b"Subject: quarterly numbers\r\nFrom: a@b\r\n\r\nThe numbers are good.\r\n";
const NOT_OPENED: &str = "the message could not be opened with this key";

fn seal_for_dana(profile: Profile) -> Sealed {
    seal_for(MESSAGE, &[dana().validated()], profile)
}

fn agreed(enveloped: &Enveloped) -> &cms::Recipient {
    enveloped.recipients.iter().find(|to| to.kind == RecipientKind::KeyAgreement).unwrap()
}

/// The ephemeral key.
fn originator(to: &cms::Recipient) -> &OriginatorKey {
    match &to.agreement.as_ref().unwrap().originator {
        Originator::Key(key) => key,
        Originator::Certificate(_) => panic!("a certificate"),
    }
}

/// The X9.63 derivation as we write it, spelled out: SHA-256 over secret, counter and ECC-CMS-SharedInfo.
fn key_encryption_key(secret: &[u8]) -> [u8; 32] {
    let shared_info = [
        &[0x30, 0x15, 0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2d][..],
        &[0xa2, 6, 4, 4, 0, 0, 1, 0],
    ]
    .concat();
    Sha256::digest([secret, &[0, 0, 0, 1], &shared_info].concat()).into()
}

fn unwraps(key_encryption_key: [u8; 32], wrapped: &[u8]) -> bool {
    let mut content_key = [0; 32];
    KwAes256::new(&key_encryption_key.into()).unwrap_key(wrapped, &mut content_key).is_ok()
}

/// There was a builder of CMS that wrapped every content key under zeros.
#[test]
fn no_key_that_anybody_knows_unwraps() {
    let PrivateKey::Curve(private) = &dana().key.0 else { panic!("an EC key") };
    for (profile, number) in CLASSICAL.into_iter().zip(0..) {
        let recipients = [alice().validated(), dana().validated()];
        let sealed = seal_many(vec![job(MESSAGE, &recipients, profile, number)]).remove(0).unwrap();
        let sealed = enveloped(sealed.bytes());
        let to = agreed(&sealed);
        let originator = originator(to);
        for known in [
            [0; 32],
            [0xff; 32],
            key_encryption_key(&[]),
            key_encryption_key(&[0; 32]),
            key_encryption_key(&originator.public_key),
            key_encryption_key(&originator.public_key[1..33]),
        ] {
            assert!(!unwraps(known, &to.encrypted_key));
        }
        let point = CurvePublicKey::new(&P_256, &originator.public_key).unwrap();
        let secret = private.agree(&point).unwrap();
        assert!(unwraps(key_encryption_key(&secret), &to.encrypted_key), "the one that must");
    }
}

proptest! {
    #[test]
    fn opening_gives_the_message_back_to_both_kinds_of_keys(message: Vec<u8>, modern: bool) {
        let profile = if modern { Profile::Modern } else { Profile::Compatible };
        let alone = seal_for(&message, &[dana().validated()], profile);
        prop_assert_eq!(open_as(dana(), alone.bytes()).unwrap(), &*crlf(&message));
        let both = seal_for(&message, &[dana().validated(), alice().validated()], profile);
        prop_assert_eq!(open_as(dana(), both.bytes()).unwrap(), &*crlf(&message));
        prop_assert_eq!(open_as(alice(), both.bytes()).unwrap(), &*crlf(&message));
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_another_ephemeral_key() {
    let recipients = [dana().validated(), alice().validated()];
    let sealed = |profile, number| {
        let job = job(MESSAGE, &recipients, profile, number);
        seal_many(vec![job]).remove(0).unwrap().bytes().to_vec()
    };
    let point = |bytes: &[u8]| {
        let sealed = enveloped(bytes);
        originator(agreed(&sealed)).public_key.clone()
    };
    for profile in CLASSICAL {
        assert_eq!(sealed(profile, 1), sealed(profile, 1));
        assert_ne!(point(&sealed(profile, 1)), point(&sealed(profile, 2)));
    }
}

#[test]
fn a_flipped_bit_never_gives_another_message() {
    for profile in CLASSICAL {
        let (header, der) = split(seal_for_dana(profile).bytes());
        let sealed = enveloped(&join(&header, &der));
        // CBC has no integrity: a bit in the IV or the ciphertext may change the text.
        let iv = sealed.algorithm.parameters.as_ref().unwrap().value();
        let iv_at = der.windows(iv.len()).position(|window| window == iv).unwrap();
        let ciphertext_at = der.len() - sealed.encrypted_content.len();
        let malleable = |at| (iv_at..iv_at + iv.len()).contains(&at) || at >= ciphertext_at;
        for at in (0..der.len()).filter(|&at| profile != Profile::Compatible || !malleable(at)) {
            for bit in [at % 8, (at + 3) % 8] {
                let mut broken = der.clone();
                broken[at] ^= 1 << bit;
                if let Ok(opened) = open_as(dana(), &join(&header, &broken)) {
                    assert_eq!(opened, MESSAGE, "byte {at}");
                }
            }
        }
    }
}

#[test]
fn a_message_cut_off_anywhere_is_not_opened() {
    for profile in CLASSICAL {
        let (header, der) = split(seal_for_dana(profile).bytes());
        assert!((0..der.len()).all(|length| open_as(dana(), &join(&header, &der[..length])).is_err()));
    }
}

#[test]
fn every_wrong_key_point_or_wrapped_key_is_the_same_error() {
    let eve = UnlockedKey::generate(KeyType::EcP256, seed(66)).unwrap();
    for profile in CLASSICAL {
        let (header, der) = split(seal_for_dana(profile).bytes());
        let sealed = enveloped(&join(&header, &der));
        let wrapped = &agreed(&sealed).encrypted_key;
        let point = &originator(agreed(&sealed)).public_key;
        let other_point = eve.public().to_spki().unwrap().split_off(26);
        let mut off_curve = point.clone();
        off_curve[64] ^= 1;
        for (from, to) in [
            (wrapped, vec![0; 40]),
            (wrapped, vec![0xff; 40]),
            (point, other_point),
            (point, off_curve),
            (point, vec![0; 65]),
        ] {
            let error = open_as(dana(), &join(&header, &replace(&der, from, &to))).unwrap_err();
            assert_eq!(error.to_string(), NOT_OPENED);
        }
        for key in [&eve, &alice().key] {
            let wrong = OpeningKey { key, certificate: Some(&dana().certificate) };
            assert_eq!(open(&join(&header, &der), &[wrong]).err().unwrap().to_string(), NOT_OPENED);
        }
    }
}

fn refusal(change: impl FnOnce(&mut cms::Recipient)) -> String {
    let mut sealed = enveloped(seal_for_dana(Profile::Modern).bytes());
    change(&mut sealed.recipients[0]);
    open::open_content(sealed, &[dana().opening()], &Policy::READING).err().unwrap().to_string()
}

#[test]
fn what_anybody_can_see_is_refused_by_name() {
    let id = alice().certificate.recipient_ids().remove(0);
    let named = Some(Arc::new(Agreement { originator: Originator::Certificate(id), ukm: None }));
    assert_eq!(
        refusal(|to| to.agreement = named),
        "the message was sealed with the key of a certificate that it does not bring along"
    );
    let algorithm = spki::AlgorithmIdentifierOwned {
        oid: const_oid::db::rfc5753::MQV_SINGLE_PASS_SHA_256_KDF_SCHEME,
        parameters: None,
    };
    assert_eq!(
        refusal(|to| to.algorithm = Arc::new(algorithm)),
        "the message uses mqvSinglePass-sha256kdf-scheme (1.3.132.1.15.1), which is not supported"
    );
}

#[test]
fn keying_material_takes_part() {
    let mut sealed = enveloped(seal_for_dana(Profile::Modern).bytes());
    let ephemeral = originator(agreed(&sealed));
    let originator = Originator::Key(OriginatorKey {
        algorithm: ephemeral.algorithm.clone(),
        public_key: ephemeral.public_key.clone(),
    });
    sealed.recipients[0].agreement = Some(Arc::new(Agreement { originator, ukm: Some(vec![1]) }));
    let error = open::open_content(sealed, &[dana().opening()], &Policy::READING).err().unwrap();
    assert_eq!(error.to_string(), NOT_OPENED);
}

#[test]
fn messages_of_openssl_are_opened() {
    let key = read_private_key(samples::KEY.as_bytes(), None).unwrap();
    let certificate = Certificate::from_der(&base64::MIME.decode(samples::CERTIFICATE).unwrap()).unwrap();
    let opened = |sample, certificate| {
        let sealed = cms::read(&base64::MIME.decode(sample).unwrap()).unwrap();
        open::open_content(sealed, &[OpeningKey { key: &key, certificate }], &Policy::READING)
            .map(|clear| clear.expose().to_vec())
    };
    let every = [samples::LIKE_OURS, samples::DEFAULT, samples::COFACTOR, samples::AUTHENTICATED];
    for sample in every {
        assert_eq!(opened(sample, Some(&certificate)).unwrap(), b"Subject: hi\r\n\r\nx\r\n");
    }
    for sample in [samples::STREAMED, samples::STREAMED_AUTHENTICATED] {
        assert_eq!(opened(sample, Some(&certificate)).unwrap(), b"Subject: hi\r\n\r\nx\r\n");
    }
    // Only who is named by the key itself is found without the certificate.
    for sample in &every[1..] {
        assert_eq!(opened(sample, None).unwrap(), b"Subject: hi\r\n\r\nx\r\n");
    }
    assert!(matches!(opened(samples::LIKE_OURS, None), Err(OpenError::CertificateNeeded)));
}
