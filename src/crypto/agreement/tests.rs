//! Known answers for every row, made with Python's cryptography, and the vectors of Wycheproof where they are at hand.

use super::*;
use crate::crypto::Seed;
use crate::crypto::algorithm::*;
use crate::crypto::known_answers::{counting, field, unhex, wycheproof};
use der::{Decode, Encode};
use p256::elliptic_curve::sec1::ToSec1Point;

/// The point of the ephemeral private key 41 42 ... 60.
const EPHEMERAL: &str = "04261efbd3550cf068ef013ed7366ba32f5d6fe557b4b2abce8ade58cba168a55e1788a0b29a56a6abec4084c0c96bd3dcbca6b507f35dbea9e985708479d8bdc9";

/// The user keying material of the answers that have one.
const UKM: Option<&[u8]> = Some(b"ukm");

struct Answer {
    agreement: &'static KeyAgreement,
    wrap: &'static KeyWrap,
    parameters: Option<Any>,
    ukm: Option<&'static [u8]>,
    wrapped: &'static str,
}

const fn answer(agreement: &'static KeyAgreement, wrapped: &'static str) -> Answer {
    Answer { agreement, wrap: &AES_256_WRAP, parameters: None, ukm: None, wrapped }
}

/// The content key 00 01 02 ... 1f for the private key 01 02 ... 20.
fn answers() -> [Answer; 10] {
    let null = || Some(Any::null());
    [
        answer(
            &ECDH_SHA1,
            "651e2e9260713e4126f1873af434bb6486b3e837854935bb0d8c30865fe1e696f9e43dbcc0bbb7fe",
        ),
        answer(
            &ECDH_SHA224,
            "e2eaded8848b6614dfcb304680ff641e2016b953ac85419430453ef69e5d7c8a15f2826bbe75bcf1",
        ),
        answer(
            &ECDH_SHA256,
            "b7ca83650713a28b0462c8e6a5a6c6ca048473cb85761c0e6c642d37a7d769cfbd6cb467111744f8",
        ),
        answer(
            &ECDH_SHA384,
            "75a960311885026fdfc97cbed2c4ca84412db67febf9477442258b95164af07ef011ba01b497fd4f",
        ),
        answer(
            &ECDH_SHA512,
            "b6a772d32a328735a957a6a82f463ccfd6e49946833bf6030e9e109496c5e1f73e9fbabd8029d6b8",
        ),
        Answer {
            agreement: &ECDH_COFACTOR_SHA1,
            wrap: &AES_128_WRAP,
            parameters: null(),
            ukm: UKM,
            wrapped: "a87c8e41a78612d7d1b8da1bbdd5b7926aa4194c3b6fd8b477c330a0d1d6b40217bf301838599fc4",
        },
        Answer {
            agreement: &ECDH_COFACTOR_SHA224,
            wrap: &AES_192_WRAP,
            parameters: null(),
            ukm: UKM,
            wrapped: "7a15d2ea7376b13a06807fe0166f1e63ea456f03d347387d42ef3f4c274d97df8cb9b82e0a5acc75",
        },
        Answer {
            agreement: &ECDH_COFACTOR_SHA256,
            wrap: &AES_256_WRAP,
            parameters: null(),
            ukm: UKM,
            wrapped: "eb1fb4503b133b72ed3538b45e776effddf514bb50d6a454b0194d306da7ccfe55d88bae123b8cb7",
        },
        Answer {
            agreement: &ECDH_COFACTOR_SHA384,
            wrap: &AES_128_WRAP,
            parameters: None,
            ukm: UKM,
            wrapped: "f3b55e3a4b7bab3942b8360067e94d700007cfa561ac36b7b1b859cdbbdc236c4293e09939333e72",
        },
        Answer {
            agreement: &ECDH_COFACTOR_SHA512,
            wrap: &AES_192_WRAP,
            parameters: None,
            ukm: UKM,
            wrapped: "62e9e5e3ed9360f90d1edb70e637cb4ce96d025cc291060a31f0efa0fa927b808fa99099ba7007d5",
        },
    ]
}

fn private(first: u8) -> p256::SecretKey {
    p256::SecretKey::from_slice(&counting(32, first)).unwrap()
}

fn identifier(scheme: &KeyAgreement, wrap: &KeyWrap, parameters: Option<Any>) -> AlgorithmIdentifierOwned {
    let wrap = AlgorithmIdentifierOwned { oid: wrap.oid, parameters };
    AlgorithmIdentifierOwned { oid: scheme.oid, parameters: Some(Any::encode_from(&wrap).unwrap()) }
}

fn unwrap(answer: &Answer, originator: Originator<'_>, wrapped: &[u8]) -> Vec<u8> {
    let identifier = identifier(answer.agreement, answer.wrap, answer.parameters.clone());
    let read = AgreementAlgorithm::read(&identifier).unwrap();
    read.unwrap(&private(1), originator, wrapped, 32).unwrap().expose().to_vec()
}

#[test]
fn every_key_agreement_has_a_known_answer() {
    let point = unhex(EPHEMERAL);
    for (row, answer) in KEY_AGREEMENTS.into_iter().zip(answers()) {
        assert_eq!(row.name, answer.agreement.name);
        let originator = Originator { public_key: &point, ukm: answer.ukm };
        assert_eq!(unwrap(&answer, originator, &unhex(answer.wrapped)), counting(32, 0), "{}", row.name);
    }
}

/// 64 65 66 ... under the key 00 01 02 ...
#[test]
fn every_key_wrap_has_a_known_answer() {
    let answers = [
        "8376b021c4006411b9c12c40302db34f34f4e1963a8adaab59cac595f70246f439d8595f820099bf",
        "96f013d3613a5acd8559979bb75915af119e261aeb690fcb02070656669cabfb7cc0d5a76b22bdcc",
        "026115d00cb6ace96d9e2c074ef78f464aa18a532bc68cecfb5117109910dedd924b6e9142333c0f",
    ];
    for (row, answer) in KEY_WRAPS.into_iter().zip(answers) {
        let (mut wrapped, mut key) = (vec![0; 40], vec![0; 32]);
        (row.wrap)(&counting(row.key_len, 0), &counting(32, 100), &mut wrapped).unwrap();
        assert_eq!(wrapped, unhex(answer), "{}", row.name);
        (row.unwrap)(&counting(row.key_len, 0), &wrapped, &mut key).unwrap();
        assert_eq!(key, counting(32, 100), "{}", row.name);
        assert!((row.unwrap)(&counting(row.key_len, 1), &wrapped, &mut key).is_none());
    }
}

#[test]
fn an_empty_keying_material_is_not_none() {
    let with_empty = "938452b42934d88dccdec1f99793ca0008d1e05b9daddf0e8714c863fa54b80ec3dd80532ade1745";
    let point = unhex(EPHEMERAL);
    let answer = answer(&ECDH_SHA256, with_empty);
    let opened = |ukm| unwrap(&answer, Originator { public_key: &point, ukm }, &unhex(with_empty));
    assert_eq!(opened(Some(&[])), counting(32, 0));
    assert_ne!(opened(None), counting(32, 0));
}

#[test]
fn a_compressed_point_is_read() {
    let point = p256::PublicKey::from_sec1_bytes(&unhex(EPHEMERAL)).unwrap();
    let [_, _, answer, ..] = answers();
    let compressed = point.to_sec1_point(true);
    let originator = Originator { public_key: compressed.as_bytes(), ukm: None };
    assert_eq!(unwrap(&answer, originator, &unhex(answer.wrapped)), counting(32, 0));
}

#[test]
fn what_is_wrapped_opens_and_every_row_goes_both_ways() {
    let secret = SecretBytes::new(counting(32, 7));
    let key = private(1);
    for agreement in KEY_AGREEMENTS {
        for wrap in KEY_WRAPS {
            let algorithm = AgreementAlgorithm::new(agreement, wrap);
            let mut rng = Seed::from_bytes(&mut [3; 32]).into_rng();
            let wrapped = algorithm.wrap(&key.public_key(), &secret, &mut rng).unwrap();
            assert_eq!((wrapped.ephemeral_key.len(), wrapped.encrypted_key.len()), (65, 40));
            let read = AgreementAlgorithm::read(&algorithm.identifier().unwrap()).unwrap();
            let originator = Originator { public_key: &wrapped.ephemeral_key, ukm: None };
            let opened = read.unwrap(&key, originator, &wrapped.encrypted_key, 32).unwrap();
            assert_eq!(opened.expose(), secret.expose(), "{} {}", agreement.name, wrap.name);
        }
    }
}

#[test]
fn every_wrap_has_an_ephemeral_key_of_its_own() {
    let secret = SecretBytes::new(counting(32, 7));
    let algorithm = AgreementAlgorithm::new(&ECDH_SHA256, &AES_256_WRAP);
    let mut rng = Seed::from_bytes(&mut [3; 32]).into_rng();
    let mut point = || algorithm.wrap(&private(1).public_key(), &secret, &mut rng).unwrap().ephemeral_key;
    assert_ne!(point(), point());
}

#[test]
fn what_does_not_unwrap_gives_a_steady_key_of_the_right_length() {
    let [_, _, answer, ..] = answers();
    let (point, good) = (unhex(EPHEMERAL), unhex(answer.wrapped));
    let mut off_curve = point.clone();
    off_curve[64] ^= 1;
    let mut flipped = good.clone();
    flipped[0] ^= 1;
    let identity = [0];
    let cases: [(&[u8], &[u8]); 9] = [
        (&point, &flipped),
        (&point, &good[..39]),
        (&point, &good[..32]),
        (&point, &[]),
        (&point, &[0; 48]),
        (&off_curve, &good),
        (&identity, &good),
        (&[], &good),
        (&[4; 65], &good),
    ];
    for (public_key, wrapped) in cases {
        let originator = Originator { public_key, ukm: None };
        let opened = unwrap(&answer, originator, wrapped);
        assert_eq!(opened, unwrap(&answer, originator, wrapped));
        assert_eq!(opened.len(), 32);
        assert!(opened != counting(32, 0) && opened != [0; 32]);
    }
    // A key that opens and has the wrong length is no key.
    let read = AgreementAlgorithm::new(&ECDH_SHA256, &AES_256_WRAP);
    let short = read.unwrap(&private(1), Originator { public_key: &point, ukm: None }, &good, 16).unwrap();
    assert_ne!(short.expose(), counting(16, 0));
}

#[test]
fn only_the_profile_s_rows_are_written() {
    let written = |agreement, wrap| AgreementAlgorithm::new(agreement, wrap).is_written();
    assert!(written(&ECDH_SHA256, &AES_256_WRAP));
    assert!(!written(&ECDH_SHA1, &AES_256_WRAP));
    assert!(!written(&ECDH_SHA256, &AES_128_WRAP));
}

#[test]
fn the_key_wrap_s_parameters_are_absent_where_we_write() {
    let der = AgreementAlgorithm::new(&ECDH_SHA256, &AES_256_WRAP).identifier().unwrap().to_der().unwrap();
    assert_eq!(der, unhex("301506062b8104010b01300b060960864801650304012d"));
}

#[test]
fn unknown_and_broken_algorithms_are_named() {
    let read = |identifier: &AlgorithmIdentifierOwned| AgreementAlgorithm::read(identifier).err();
    let mqv = const_oid::db::rfc5753::MQV_SINGLE_PASS_SHA_256_KDF_SCHEME;
    let unknown = AlgorithmIdentifierOwned { oid: mqv, parameters: None };
    assert!(
        matches!(read(&unknown), Some(CryptoError::Unsupported(name)) if name.contains("1.3.132.1.15.1"))
    );
    let without = AlgorithmIdentifierOwned { oid: ECDH_SHA256.oid, parameters: None };
    assert_eq!(read(&without), Some(CryptoError::Parameters("ecdh-sha256kdf")));
    let null = AlgorithmIdentifierOwned { oid: ECDH_SHA256.oid, parameters: Some(Any::null()) };
    assert_eq!(read(&null), Some(CryptoError::Parameters("ecdh-sha256kdf")));
    let parameters = Any::from_der(&[2, 1, 0]).ok();
    let odd = identifier(&ECDH_SHA256, &AES_256_WRAP, parameters);
    assert_eq!(read(&odd), Some(CryptoError::Parameters("aes-256-wrap")));
    let mut other = identifier(&ECDH_SHA256, &AES_256_WRAP, None);
    let des = AlgorithmIdentifierOwned { oid: DES_EDE3_CBC.oid, parameters: None };
    other.parameters = Some(Any::encode_from(&des).unwrap());
    assert!(matches!(read(&other), Some(CryptoError::Unsupported(_))));
}

#[test]
fn the_originator_s_key_must_be_on_our_curve() {
    let check = |oid, parameters| check_originator(&AlgorithmIdentifierOwned { oid, parameters });
    let curve = |oid: ObjectIdentifier| Some(Any::encode_from(&oid).unwrap());
    assert_eq!(check(ID_EC_PUBLIC_KEY, None), Ok(()));
    assert_eq!(check(ID_EC_PUBLIC_KEY, Some(Any::null())), Ok(()));
    assert_eq!(check(ID_EC_PUBLIC_KEY, curve(SECP_256_R_1)), Ok(()));
    let p384 = check(ID_EC_PUBLIC_KEY, curve(const_oid::db::rfc5912::SECP_384_R_1));
    assert_eq!(p384, Err(CryptoError::Unsupported("secp384r1 (1.3.132.0.34)".into())));
    assert_eq!(check(ID_EC_PUBLIC_KEY, Any::from_der(&[0x30, 0]).ok()), Ok(()), "spelled out");
    let odd = check(ID_EC_PUBLIC_KEY, Any::from_der(&[2, 1, 0]).ok());
    assert_eq!(odd, Err(CryptoError::Parameters("the originator's key")));
    assert!(matches!(check(RSAES_PKCS1_V1_5.oid, None), Err(CryptoError::Unsupported(_))));
}

/// A content key that is wrapped under what the given secret leads to opens, unless the point is none.
#[test]
fn wycheproof_ecdh_p256() {
    let algorithm = AgreementAlgorithm::new(&ECDH_SHA256, &AES_256_WRAP);
    let shared_info = algorithm.shared_info(None).unwrap();
    for group in wycheproof("ecdh_secp256r1_ecpoint_test") {
        for test in group["tests"].as_array().unwrap() {
            let key_encryption_key = algorithm.derive(&field(test, "shared"), &shared_info);
            let mut wrapped = vec![0; 40];
            (AES_256_WRAP.wrap)(&key_encryption_key, &counting(32, 0), &mut wrapped).unwrap();
            let (private, public_key) = (scalar(&field(test, "private")), field(test, "public"));
            let originator = Originator { public_key: &public_key, ukm: None };
            let opened = algorithm.unwrap(&private, originator, &wrapped, 32).unwrap();
            let expected = test["result"] != "invalid";
            assert_eq!(opened.expose() == counting(32, 0), expected, "{} {}", test["tcId"], test["comment"]);
        }
    }
}

/// Its private keys are integers: too short, or with a zero in front.
fn scalar(integer: &[u8]) -> p256::SecretKey {
    let digits: Vec<u8> = integer.iter().skip_while(|&&octet| octet == 0).copied().collect();
    p256::SecretKey::from_slice(&[vec![0; 32 - digits.len()], digits].concat()).unwrap()
}

#[test]
fn wycheproof_key_wrap() {
    for group in wycheproof("aes_wrap_test") {
        let row = KEY_WRAPS.into_iter().find(|row| row.key_len * 8 == group["keySize"]).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let [key, msg, ct] = ["key", "msg", "ct"].map(|name| field(test, name));
            // Shorter ones are no keys (RFC 3394 2: two blocks at least), and no content key of ours has their length.
            if msg.len() < 16 || test["result"] == "acceptable" {
                continue;
            }
            let mut out = vec![0; msg.len()];
            let opened = (row.unwrap)(&key, &ct, &mut out).map(|()| out);
            let expected = (test["result"] == "valid").then_some(msg);
            assert_eq!(opened, expected, "{} {}", test["tcId"], test["comment"]);
        }
    }
}
