//! Known answers for every row, made with Python's cryptography, and the vectors of Wycheproof where they are at hand.

use super::*;
use crate::crypto::Seed;
use crate::crypto::algorithm::*;
use crate::crypto::known_answers::{counting, field, unhex};
use crate::crypto::wycheproof;
use const_oid::db::rfc5912::{SECP_256_R_1, SECP_384_R_1};
use der::{Decode, Encode};
use pkcs8::PrivateKeyInfoRef;

/// The point of the ephemeral private key 41 42 ... 60.
const EPHEMERAL: &str = "04261efbd3550cf068ef013ed7366ba32f5d6fe557b4b2abce8ade58cba168a55e1788a0b29a56a6abec4084c0c96bd3dcbca6b507f35dbea9e985708479d8bdc9";

/// The user keying material of the answers that have one.
const UKM: Option<&[u8]> = Some(b"ukm");

struct Answer {
    curve: &'static Curve,
    agreement: &'static KeyAgreement,
    wrap: &'static KeyWrap,
    parameters: Option<Any>,
    ukm: Option<&'static [u8]>,
    wrapped: &'static str,
}

const fn answer(agreement: &'static KeyAgreement, wrapped: &'static str) -> Answer {
    Answer { curve: &P_256, agreement, wrap: &AES_256_WRAP, parameters: None, ukm: None, wrapped }
}

/// The ephemeral private keys 41 42 ... on the other curves, as points, and answers for the private keys 01 02 ...; on P-521
/// both have a zero in front.
const EPHEMERAL_P384: &str = "04dcd1d3e36f25e675bda55b28b3cfbe3d284287e1f9d16ac575b76c3c7036df30fe2a8f9be472194323e98b7441fd8eab4f8c2842a047ff97feeb592f6c00f252d07c5089eff7b3dd47498178e64989c5fa1257dc00dbc644bbc864ba5616aae4";
const EPHEMERAL_P521: &str = "04018e3f96714959e6a280d86780dec2ad6631e1c29ed28087e5134fb257cf0a43ae857e2449cd054772d85bcab9bf18ce2ff1ea3ecce540322ee48ddf8ed1822002bb01c2444a98dc9779c13d17e21fca8284386cef822ab4e357687f1c64627594edcd15571a73b2de6686de6e46a68f7956888846a8e693078f428881189e56f04a2e01";
const EPHEMERAL_X25519: &str = "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d48466";

fn on_other_curves() -> Vec<Answer> {
    let on = |curve, agreement, ukm, wrapped| Answer { curve, ukm, ..answer(agreement, wrapped) };
    vec![
        on(
            &P_384,
            &ECDH_SHA1,
            None,
            "60fc807c547b83758fe67a74845583ca7d461907b3f54d9987c777ce949cc5b38830536ca52380f1",
        ),
        on(
            &P_384,
            &ECDH_SHA256,
            None,
            "eeea1a3827b889465557bdcdc251a6d7f74509f4acb4a9fcaf9545d9159120142323d782e7875290",
        ),
        on(
            &P_384,
            &ECDH_SHA384,
            None,
            "9ce00df13d8bc1d4a542ea6d63ba27698e0a244d64abf2da4f0a5a4b9955e639196b78117e94ecc8",
        ),
        on(
            &P_384,
            &ECDH_SHA512,
            None,
            "b436d0c714c2c5477b2540b130a0aa30010829b8ad7241bf56ca611d3ec9f9ed0f29d9385ca01a85",
        ),
        on(
            &P_521,
            &ECDH_SHA1,
            None,
            "9a86691ab8f5cc7bf386ca047bc436aa9951a391260da39469f7cf3033d38e84718ee6f759832a3a",
        ),
        on(
            &P_521,
            &ECDH_SHA256,
            None,
            "2ed68d0bef8cd8d5ac2d849a863624902ae643e3d886af32477f18c15390acfbe5a3b33a75e1a20f",
        ),
        on(
            &P_521,
            &ECDH_SHA384,
            None,
            "f7601800bfa9519a9c0f6f6c729994d3fe0c207fe11f44be526328ada7f6e1d7938121330209bec2",
        ),
        on(
            &P_521,
            &ECDH_SHA512,
            None,
            "2d00722e9a1a6cca196d381079747735dafaff9f2cebd6cc27500e1f1e83755321926f7c5aee94bb",
        ),
        on(
            &X25519,
            &ECDH_SHA256,
            None,
            "a12770cde4d33a86b92478026de0fae44c20203ce44345a41b1263381ea81981e2ca4ce2d4669dd5",
        ),
        on(
            &X25519,
            &ECDH_HKDF_SHA256,
            None,
            "91a41187e7dc705eb613a54eb045ff6f7f198919093a53daa036524a133499296d3250d4e8e5c033",
        ),
        on(
            &X25519,
            &ECDH_HKDF_SHA256,
            UKM,
            "09d66ea071b6c688cf70944a1186f568f57e7b9544b482d635fb211e5b9a270914a7d5d0f9f44ae5",
        ),
        on(
            &X25519,
            &ECDH_HKDF_SHA384,
            None,
            "508b369930d4b8e15ea2947d0253fdd210a6b9f33aeb3b06f8cef387e3987e95c0edf673058d1995",
        ),
        on(
            &X25519,
            &ECDH_HKDF_SHA384,
            UKM,
            "06923cd439c34409be1eba3b7d71ae62c3ac383922cb5a9856ebbfeae53c5af75f65be1ed0337bad",
        ),
        on(
            &X25519,
            &ECDH_HKDF_SHA512,
            None,
            "2cabd939e3a2f68623cad7786f9a7800f9435c06d150d56c63c0811142da2ff1d44a76dedc4f01b2",
        ),
        on(
            &X25519,
            &ECDH_HKDF_SHA512,
            UKM,
            "dc6fd4f2becc73506b80d4ccac98444a44e82925af823c3f91472a0b472ca99fe1352b5ca92514b7",
        ),
    ]
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
            curve: &P_256,
            agreement: &ECDH_COFACTOR_SHA1,
            wrap: &AES_128_WRAP,
            parameters: null(),
            ukm: UKM,
            wrapped: "a87c8e41a78612d7d1b8da1bbdd5b7926aa4194c3b6fd8b477c330a0d1d6b40217bf301838599fc4",
        },
        Answer {
            curve: &P_256,
            agreement: &ECDH_COFACTOR_SHA224,
            wrap: &AES_192_WRAP,
            parameters: null(),
            ukm: UKM,
            wrapped: "7a15d2ea7376b13a06807fe0166f1e63ea456f03d347387d42ef3f4c274d97df8cb9b82e0a5acc75",
        },
        Answer {
            curve: &P_256,
            agreement: &ECDH_COFACTOR_SHA256,
            wrap: &AES_256_WRAP,
            parameters: null(),
            ukm: UKM,
            wrapped: "eb1fb4503b133b72ed3538b45e776effddf514bb50d6a454b0194d306da7ccfe55d88bae123b8cb7",
        },
        Answer {
            curve: &P_256,
            agreement: &ECDH_COFACTOR_SHA384,
            wrap: &AES_128_WRAP,
            parameters: None,
            ukm: UKM,
            wrapped: "f3b55e3a4b7bab3942b8360067e94d700007cfa561ac36b7b1b859cdbbdc236c4293e09939333e72",
        },
        Answer {
            curve: &P_256,
            agreement: &ECDH_COFACTOR_SHA512,
            wrap: &AES_192_WRAP,
            parameters: None,
            ukm: UKM,
            wrapped: "62e9e5e3ed9360f90d1edb70e637cb4ce96d025cc291060a31f0efa0fa927b808fa99099ba7007d5",
        },
    ]
}

/// The private key with these octets.
fn key(curve: &'static Curve, octets: &[u8]) -> CurvePrivateKey {
    let der = match curve.key_algorithm() == curve.oid {
        true => {
            let octets = [&[4, 32], octets].concat();
            let algorithm = spki::AlgorithmIdentifierRef { oid: curve.oid, parameters: None };
            let octets = der::asn1::OctetStringRef::new(&octets).unwrap();
            PrivateKeyInfoRef::new(algorithm, octets).to_der().unwrap()
        }
        false => {
            let length = u8::try_from(octets.len()).unwrap();
            let sec1 = [&[0x30, length + 5, 2, 1, 1, 4, length], octets].concat();
            let parameters = Any::from(&curve.oid);
            let algorithm = spki::AlgorithmIdentifierRef {
                oid: ID_EC_PUBLIC_KEY,
                parameters: Some((&parameters).into()),
            };
            let octets = der::asn1::OctetStringRef::new(&sec1).unwrap();
            PrivateKeyInfoRef::new(algorithm, octets).to_der().unwrap()
        }
    };
    CurvePrivateKey::from_pkcs8(curve, PrivateKeyInfoRef::from_der(&der).unwrap()).unwrap()
}

fn private(first: u8) -> CurvePrivateKey {
    key(&P_256, &counting(32, first))
}

/// 01 02 ..., on P-521 with a zero in front.
fn private_on(curve: &'static Curve) -> CurvePrivateKey {
    let octets = curve.bits.div_ceil(8);
    key(curve, &counting(octets, if curve.bits == 521 { 0 } else { 1 }))
}

fn ephemeral_on(curve: &Curve) -> Vec<u8> {
    unhex(match curve.name {
        "EC P-384" => EPHEMERAL_P384,
        "EC P-521" => EPHEMERAL_P521,
        "X25519" => EPHEMERAL_X25519,
        _ => EPHEMERAL,
    })
}

fn identifier(scheme: &KeyAgreement, wrap: &KeyWrap, parameters: Option<Any>) -> AlgorithmIdentifierOwned {
    let wrap = AlgorithmIdentifierOwned { oid: wrap.oid, parameters };
    AlgorithmIdentifierOwned { oid: scheme.oid, parameters: Some(Any::encode_from(&wrap).unwrap()) }
}

fn unwrap(answer: &Answer, originator: Originator<'_>, wrapped: &[u8]) -> Vec<u8> {
    let identifier = identifier(answer.agreement, answer.wrap, answer.parameters.clone());
    let read = AgreementAlgorithm::read(&identifier, &Policy::READING).unwrap();
    read.unwrap(&private_on(answer.curve), originator, wrapped, 32).unwrap().expose().to_vec()
}

#[test]
fn every_key_agreement_has_a_known_answer() {
    let all: Vec<Answer> = answers().into_iter().chain(on_other_curves()).collect();
    for row in KEY_AGREEMENTS {
        let of_row: Vec<&Answer> = all.iter().filter(|answer| answer.agreement.name == row.name).collect();
        assert!(!of_row.is_empty(), "{} has none", row.name);
        for answer in of_row {
            let point = ephemeral_on(answer.curve);
            let originator = Originator { public_key: &point, ukm: answer.ukm };
            let opened = unwrap(answer, originator, &unhex(answer.wrapped));
            assert_eq!(opened, counting(32, 0), "{} on {:?}", row.name, answer.curve);
        }
    }
    let with_answers = |curve: &Curve| all.iter().any(|answer| answer.curve == curve);
    assert!(CURVES.into_iter().all(with_answers));
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
        (row.wrap.unwrap())(&counting(row.key_len, 0), &counting(32, 100), &mut wrapped).unwrap();
        assert_eq!(wrapped, unhex(answer), "{}", row.name);
        (row.unwrap)(&counting(row.key_len, 0), &wrapped, &mut key).unwrap();
        assert_eq!(key, counting(32, 100), "{}", row.name);
        assert!((row.unwrap)(&counting(row.key_len, 1), &wrapped, &mut key).is_none());
    }
}

/// RFC 3217 3.4, whose checksum says that it is this key.
#[test]
fn triple_des_wrap_has_its_known_answer_and_is_not_written() {
    let key_encryption_key = unhex("255e0d1c07b646dfb3134cc843ba8aa71f025b7c0838251f");
    let mut wrapped =
        unhex("690107618ef092b3b48ca1796b234ae9fa33ebb4159604037db5d6a84eb3aac2768c632775a467d4");
    let mut key = vec![0; 24];
    (DES_EDE3_WRAP.unwrap)(&key_encryption_key, &wrapped, &mut key).unwrap();
    assert_eq!(key, unhex("2923bf85e06dd6ae529149f1f1bae9eab3a7da3d860d3e98"));
    wrapped[20] ^= 1;
    assert!((DES_EDE3_WRAP.unwrap)(&key_encryption_key, &wrapped, &mut key).is_none());
    assert!((DES_EDE3_WRAP.unwrap)(&key_encryption_key, &wrapped[1..], &mut key).is_none());
    assert!(DES_EDE3_WRAP.wrap.is_none());
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
    let point = unhex(EPHEMERAL);
    let [_, _, answer, ..] = answers();
    let compressed = [&[2 + (point[64] & 1)], &point[1..33]].concat();
    let originator = Originator { public_key: &compressed, ukm: None };
    assert_eq!(unwrap(&answer, originator, &unhex(answer.wrapped)), counting(32, 0));
}

#[test]
fn what_is_wrapped_opens_and_every_row_goes_both_ways() {
    let secret = SecretBytes::new(counting(32, 7));
    for agreement in KEY_AGREEMENTS {
        for (curve, wrap) in agreement.curves().flat_map(|curve| KEY_WRAPS.map(|wrap| (curve, wrap))) {
            let (key, algorithm) = (private_on(curve), AgreementAlgorithm::new(agreement, wrap));
            let mut rng = Seed::from_bytes(&mut [3; 32]).into_rng();
            let Ok(wrapped) = algorithm.wrap(key.public(), &secret, &mut rng) else {
                assert_eq!(wrap.status, Status::ReadOnly);
                continue;
            };
            assert_eq!(wrapped.encrypted_key.len(), 40);
            let read = AgreementAlgorithm::read(&algorithm.identifier().unwrap(), &Policy::READING).unwrap();
            let originator = Originator { public_key: &wrapped.ephemeral_key, ukm: None };
            let opened = read.unwrap(&key, originator, &wrapped.encrypted_key, 32).unwrap();
            assert_eq!(opened.expose(), secret.expose(), "{} {} {curve:?}", agreement.name, wrap.name);
        }
    }
}

#[test]
fn a_scheme_is_used_on_its_curves_only() {
    let point = unhex(EPHEMERAL);
    let read = AgreementAlgorithm::new(&ECDH_HKDF_SHA256, &AES_256_WRAP);
    let originator = Originator { public_key: &point, ukm: None };
    let error = read.unwrap(&private(1), originator, &[0; 40], 32).err().unwrap();
    assert_eq!(error.to_string(), "ecdh-hkdf-sha256 with EC P-256 is not supported");
    let read = AgreementAlgorithm::new(&ECDH_COFACTOR_SHA256, &AES_256_WRAP);
    assert!(read.unwrap(&private_on(&X25519), originator, &[0; 40], 32).is_err());
}

#[test]
fn every_wrap_has_an_ephemeral_key_of_its_own() {
    let secret = SecretBytes::new(counting(32, 7));
    let algorithm = AgreementAlgorithm::new(&ECDH_SHA256, &AES_256_WRAP);
    let mut rng = Seed::from_bytes(&mut [3; 32]).into_rng();
    let mut point = || algorithm.wrap(private(1).public(), &secret, &mut rng).unwrap().ephemeral_key;
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
fn a_policy_refuses_what_it_does_not_list() {
    let read = |agreement, wrap, policy: &Policy| {
        AgreementAlgorithm::read(&identifier(agreement, wrap, None), policy).map(|_| ())
    };
    assert_eq!(read(&ECDH_SHA256, &AES_256_WRAP, &Policy::WRITING), Ok(()));
    assert_eq!(read(&ECDH_SHA1, &AES_256_WRAP, &Policy::WRITING), Err(CryptoError::Policy("ecdh-sha1kdf")));
    let des = read(&ECDH_SHA256, &DES_EDE3_WRAP, &Policy::WRITING);
    assert_eq!(des, Err(CryptoError::Policy("des-ede3-wrap")));
    assert_eq!(read(&ECDH_SHA1, &DES_EDE3_WRAP, &Policy::READING), Ok(()));
    let only = Policy::of(&["ecdh-sha256kdf"]).unwrap();
    assert_eq!(read(&ECDH_SHA256, &AES_256_WRAP, &only), Err(CryptoError::Policy("aes-256-wrap")));
}

#[test]
fn the_key_wrap_s_parameters_are_absent_where_we_write() {
    let der = AgreementAlgorithm::new(&ECDH_SHA256, &AES_256_WRAP).identifier().unwrap().to_der().unwrap();
    assert_eq!(der, unhex("301506062b8104010b01300b060960864801650304012d"));
}

#[test]
fn unknown_and_broken_algorithms_are_named() {
    let read =
        |identifier: &AlgorithmIdentifierOwned| AgreementAlgorithm::read(identifier, &Policy::READING).err();
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
    let check = |oid, parameters| check_originator(&AlgorithmIdentifierOwned { oid, parameters }, &P_256);
    let curve = |oid: ObjectIdentifier| Some(Any::encode_from(&oid).unwrap());
    assert_eq!(check(ID_EC_PUBLIC_KEY, None), Ok(()));
    assert_eq!(check(ID_EC_PUBLIC_KEY, Some(Any::null())), Ok(()));
    assert_eq!(check(ID_EC_PUBLIC_KEY, curve(SECP_256_R_1)), Ok(()));
    let p384 = check(ID_EC_PUBLIC_KEY, curve(SECP_384_R_1));
    assert_eq!(p384, Err(CryptoError::Unsupported("secp384r1 (1.3.132.0.34)".into())));
    assert_eq!(check(ID_EC_PUBLIC_KEY, Any::from_der(&[0x30, 0]).ok()), Ok(()), "spelled out");
    let odd = check(ID_EC_PUBLIC_KEY, Any::from_der(&[2, 1, 0]).ok());
    assert_eq!(odd, Err(CryptoError::Parameters("the originator's key")));
    assert!(matches!(check(RSAES_PKCS1_V1_5.oid, None), Err(CryptoError::Unsupported(_))));
    let x25519 = AlgorithmIdentifierOwned { oid: X25519.oid, parameters: None };
    assert_eq!(check_originator(&x25519, &X25519), Ok(()));
    assert!(check_originator(&x25519, &P_256).is_err());
}

/// A content key that is wrapped under what the given secret leads to opens, unless the point is none.
fn agree(curve: &'static Curve, test: &serde_json::Value) -> Option<Vec<u8>> {
    let agreement = if curve == &X25519 { &ECDH_HKDF_SHA256 } else { &ECDH_SHA256 };
    let algorithm = AgreementAlgorithm::new(agreement, &AES_256_WRAP);
    let shared_info = algorithm.shared_info(None).unwrap();
    let key_encryption_key = algorithm.derive(&field(test, "shared"), None, &shared_info);
    let content_key = SecretBytes::new(counting(32, 0));
    let wrapped = wrap_key(&AES_256_WRAP, &key_encryption_key, &content_key).unwrap();
    let private = key(curve, &scalar(&field(test, "private"), curve));
    let originator = Originator { public_key: &field(test, "public"), ukm: None };
    let opened = algorithm.unwrap(&private, originator, &wrapped, 32).unwrap();
    (opened.expose() == content_key.expose()).then(|| field(test, "shared"))
}

#[test]
fn wycheproof_ecdh_p256() {
    wycheproof::judge("ecdh_secp256r1_ecpoint_test", "shared", |_, test| agree(&P_256, test));
}

#[test]
fn wycheproof_ecdh_p384() {
    wycheproof::judge("ecdh_secp384r1_ecpoint_test", "shared", |_, test| agree(&P_384, test));
}

#[test]
fn wycheproof_ecdh_p521() {
    wycheproof::judge("ecdh_secp521r1_ecpoint_test", "shared", |_, test| agree(&P_521, test));
}

#[test]
fn wycheproof_x25519() {
    wycheproof::judge("x25519_test", "shared", |_, test| agree(&X25519, test));
}

/// Private keys there are integers: too short, or with a zero in front; but for X25519, whose keys are octets.
fn scalar(integer: &[u8], curve: &Curve) -> Vec<u8> {
    let digits: Vec<u8> = match curve == &X25519 {
        true => integer.to_vec(),
        false => integer.iter().skip_while(|&&octet| octet == 0).copied().collect(),
    };
    [vec![0; curve.bits.div_ceil(8) - digits.len()], digits].concat()
}
