//! Known answers for every row of the algorithm tables, made with OpenSSL 3 and Python's cryptography.

use super::algorithm::*;
use super::content::ContentAlgorithm;
use super::lanes::{Lane, encrypt};
use super::policy::Policy;
use super::rsa_private::RsaPrivateKey;
use super::rsa_public::{TransportKey, encrypt_all};
use super::transport::TransportAlgorithm;
use super::{CryptoError, SecretBytes, Seed};
use der::asn1::{Any, Null, OctetString};
use der::{Decode, Encode, Tag};
use rsa::pkcs1::{RsaOaepParamsOwned, RsaOaepParamsRef};
use rsa::pkcs8::DecodePrivateKey;
use spki::AlgorithmIdentifierOwned;

const CLEAR: &[u8] = b"Subject: known\r\n\r\nanswer\r\n";
const BESIDE: &[u8] = b"beside";

/// Ciphertext of `CLEAR` under the key 00 01 02 ... and the IV 64 65 66 ...; GCM: with `BESIDE`, and the tag at the end.
const CONTENT: [(&ContentCipher, &str); 11] = [
    (&AES_128_CBC, "b7420c19a69f8467225a047602af4f64999f6f18b0f8b513b2866801e2260615"),
    (&AES_192_CBC, "b4bbddf29ebc98770135ca85e72cccc256a04b6ece448bcb0a64b35bf063ef25"),
    (&AES_256_CBC, "2bb104a8fcee8a7e432963701bb30afa43a82605d462ae737780bd306a9cbcb8"),
    (&AES_128_GCM, "49172ccfbe61ccc0bb55397ff1a426e63d821991e1deb828f9658b0dd145d7e2655716f4a6a869e9a650"),
    (&AES_192_GCM, "ba1dd91637cc7a02f3ba8c6e8d9c96b4d0533fa489fe149d8c4970d7f5877f1e556b6ca88b7de5c6c015"),
    (&AES_256_GCM, "1b6ebc0c1c8a22a41e093187ad0b67f74fc86764f81b9600aadb8eab0dfcca63034c7fa63d8c094356a2"),
    (
        &CHACHA20_POLY1305,
        "6764d9a0fdc60268dbb57b1085e7d5997dccf35aec278edfcb3537b9c476dd8d9a160357082dfae1cff0",
    ),
    (&DES_EDE3_CBC, "0ef8e92984c823ae793ab09136c8f54b52554a93edb93297ccef3a3cc813d047"),
    (&RC2_40_CBC, "ab986ac49fc93e96b5ea1353bb192471198f01ab60f108347bece471d4eb5838"),
    (&RC2_64_CBC, "5239f12e9ec483f3bbc4e3e2dd613d8df1c2c9a0f1f9e69118d6c1b9c3260511"),
    (&RC2_128_CBC, "e41b21bff5eb64f9fcb2a3db8578f16f3b9d885c00a2f53d84957c3e2ab6c5a5"),
];

/// The key 00 01 02 ... 1f for the RSA key below.
const WRAPPED: [(&KeyTransport, &str); 5] = [
    (
        &RSAES_PKCS1_V1_5,
        "569fbb26cb2d268a65b75cca011e1bb2c507ef65ebd3987a45d34e7679d7c1627f2476d543893547ba68cc8d64fbee738b4a\
     d9934d1190de2441ecadcfd86abc548ee4d8ca8ab8290806bf81e3012e9a65df8f3f6f8f1a05fbd2cc6f0a66dd793f5370fb\
     ba9ca70bc30cf73d7b6543800f774e0183e7a2e3034a114c876917e433f467ef0076b43d5ccf7159198b1b500e7f30335253\
     08d55a152b5009d855d7b6cc4d7dd218c3e54a7b298ebedfc56e152facde4da1a0edb3841e877f72fcaf02a778c5bda0ecdd\
     550a733c7bfabe5ec0f6a98f3faea2ed7ad2c5fa2ce2173ab7210dc7074247a813ebaa189527f4b31c9239e219c1abbed2d6\
     e9b08d7a7661",
    ),
    (
        &RSAES_OAEP_SHA1,
        "4ecf644d23fb8813b6876d72477a1c532928d5678baf3ca384605fdc17ec74f0a62375bf89244710f049fc9c1b1786de2540\
     29d39b3c3230c76b685f9ea36ca8e06242015da5bfd265b31bf49c6901848fbbaeb363aba7d08840cac7361570e6c267bb87\
     9cc883926483e551feed3a865241342bcc805fa8033ab8309b634cbfb30930ffc9cee17654c10cd3177c03ac7c050cde1476\
     6469b87c5e7dae9c9c2f038c4f5bcc79e62e40fa60d13e30c96a884f2349f4900a51d87971a6ff6af76e287b6fc5f751a88c\
     7e55cc1e86ce2d6064a7bb80d71ce92c3afcb4b79a504042aa6dfc7938f33a8508e859168a030525a4eb5fbead75363cc7da\
     76f6a1a1eae5",
    ),
    (
        &RSAES_OAEP_SHA256,
        "bd48f038b38203689fcae18353d87bcd2060ead4f36d95b24d996a1ce911ab494880b4c2a20a4c40f1a0a80d42cfba0d6f08\
     7306a93f46b0b72e63e75cb72b2ff7e6e671675ae35219e5fe7823d58b7cc49139e2a4071d5354b8bc975704ab98e754e152\
     4cb5e935f745bc0167a0712159987d651cd6ba876ddefe85e3d7e95119860d7da93fb31150403eaed86c46bf0992c05c4b5b\
     16df74f0f46e8e0a7fba1f8dce66ba29194bce1397504549d0a3290cf78298d33a4fbcf33c83ed86f0faba257e5c150bf340\
     3ed72ffef5ace89570ca4ce2fb11a90eba6d1e67c162c3a15d719d7081e09032bc3f9d26bef5a9d93fa1a6188b8eae5bc1fc\
     ffcdbf1f9c4d",
    ),
    (
        &RSAES_OAEP_SHA384,
        "aebc273bb41c5c8af2157b5090b6235138880968fb8ffb94a3234168cc6abedad30d6c89f677a3be6296f6d9b32c5e1ed9bd\
     1fee3fd845d1e5dd54f23efe7cdb0939105fcdcc0ffc680b166804322d3c60f840807bcf84f4a77696489cb635d514e1efa7\
     26812e1dd5310511b4b9f90ad38db37c67385287d4e3d396721adc5c14fc8afb3b79203ec111eca9ac481a7f2322dfd7138a\
     78a4765c903ce02387efde71fd835c4d6d5f42d2238784e3b74ffc2911119b4575aad7bfeda0c0f35ade45948a441130906c\
     e8244dabebfe882c6c6796eb89ab48ab5d893776984a577828b440b765244fbde71b87763ae48d46753e5eecd58e656e9c45\
     647d611afdac",
    ),
    (
        &RSAES_OAEP_SHA512,
        "b8cb2c96fe0549751f98a88a00557faecee170610955bd6981cba1530ee1bb3cf7744af3ec428baf017ed38365910382aa84\
     102915d10e379f53305aca25e379b941aa7bb87a85d5849341b0e0b8d20bb392e2e55ce1b428cf80104e436346d43ea053ef\
     cca02f3b2b769c06d166f17b801010de79aaa4cd8c9b393c57b507d3a017c915191c86e352585699ebc319e622e2a8823b43\
     3c9f79ac153d6b6baa014a765c10b166ce90ddf7b3ec5ea593753dd6486bb42f5f586719e4abd6d4a0d38f314242ea33227a\
     36a85688055a3b3caa145dd3fd6a2a69922baabd753a0659e4de4ddd2309a76e6ba013d54b9432f90c04d248e8db40c45c7c\
     e488ff2b51eb",
    ),
];

/// The same with RSAES-OAEP, SHA-512, MGF1 with SHA-1 and the label "label".
const WRAPPED_WITH_LABEL: &str = "ba528c94735af56a442286b3346050c679b7af3503f635dde9cf900a873e992cf742d4c3c77ee5b7f1e053178b8e06136783\
     f471d741e04e624da1f57e281636223fdb05b1cae660653cc743dd66b2a84b18ff158d286176e321e3db73998a01c0d6a29c\
     f4df8d5ae23ba70ece4da96a50912f9d9dbd19d53954393df38ea28d0fe2bee7366b4cc87db38e04de9bde9dcbd8c586387f\
     b0524e1a5de432d599c46d9af0180a594ac61ce5c824d23cc5d469d3184f7e31fdf47f1059d875ce4fb168510e562e4de96f\
     9fe67371d60c5d51471c43a008c2a0122816c244611fa44d95f564698f001cb14238ac7c9bb33af96b3d00c4a89d7ef2823b\
     1d5b73389510";

/// Made for these tests; it protects nothing.
const RSA_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDI6dPWFGk3lx22
1aQJgs/t8y3im7YVGM2nVjMw6D7zo0+GYWPlzM6b+XhOH2LoO9t8kjjfGVZj/w9G
Uk5K7qRiufT8ZG2HJ9r6afEodbS8y6XnyR88BkSxn9QZ4k/DYJ1YB80oG/nUb9ts
2w+v97Bj6xbp8lqIfU9RPwjP0KtQ0nvB98RHr5WBeUnWYfsO2WY8vTJg4PBK+8Rf
irJo36IEYJnXxnT/3ZWIRuzkIQP52qegkFlge1tfOsha9TOaTNK4JgTZd9MVnCk/
BybSe309fXSTo7oca2BjirCycGt23EA8KRB2zvBRxM70yZ1U/rSEoHRS8iYWGsD2
MJk1zJrlAgMBAAECggEABJ5PZsvoUUVRgwrtLuTJZ9RfuSZQLLL5wz95hMXJ8KrP
4KxrcfRfyXkWGWGiUelSVc48rXA1Kq5JyRmKQDG1KKnSplyeoe06HOiDiSUPhwl9
YlMeuy//sz+TzhaEM98MLuJbBnGCMC50ElAEz8w3S0yzpaQTDbEnuhvjVXecAIsT
nxDTD0bdb0TT6pqODXUrb0+qxvomqeaKG1LZSg/fQikeu+A68t76Tb2I9dnQq8hj
jrZ9dPovZRuu/3lJytqOFIMQ2wScEYLkAJ9IPPzirq/mh7zG0FSDxXjBgVEp+6sI
jJsh6tF2lYShfKQhST5ylTQOTl5rUjVZpA+3IeIBzwKBgQD7K+jgWff0wX+3ZYgo
9ido232Z1MEMXvoCl6Ln1cpLwKyxv9K22m7c4cQ4drf2ubzwGTT7FRxRcooErpss
q/HnwLsML83K5s/oqz0KM1COaPnwGM4husVAdDAoaevvmwX37/HglFpG9OsXZUp5
0p38CRdJ/J1W/C2U35MxpsqoNwKBgQDMxpUdLYn3OMAwZxWxzrziMbxPSGtmgSvQ
P4s+vLBYCw05EOf2YD2qrdhQyFx5I7o/9ym4Ry8OH3x+JR+cXFNzv72qOcVgRWfS
NJSFw0HCd0r6jtWAZzNnkBpjOd/wtt/YtvxjIIAmAn75MUAbX8HdgHCxnVLoUHHp
1J8SJubPwwKBgQDzbBPO0wLfP2TivdDfOejp08b/flT2A1ozhvhHzUe4cOwtfGXf
9wR4p4k+27fgsxPscdGKAWSnfuVKMlqLSb0xSPU+k1nT6ivXJ5YJu7+3tP999NxZ
jiQ7Gh/OGxGg7tIy/2WgrMZtfFIXI4CxXjDkoX7joqJuOgqG/MMv3KENswKBgHAp
wZlmzTAd5J9eh3KKM8mNxoCCwVk3HYGGnMWzYsAG5apBSV0ZIA3yBQ9Sf9xWpnjM
8Awg6XRJ6M3LlcH2jDtVZhTsaeEugwyPgl62MbnLz8ToIaegX3a1Zs68752Q/ZFd
wWamcargKR5jTKLx02V5KcEP1E6taYfTz4GIz1ozAoGBAJjYlUQjyhRvjauB3IZZ
J4pLmmonL3J7bb4MtB/08oUSiyoDOTIQQZyKZg0o1KqmBxAuX+LSyK6Nmnaga9/R
cs9wknC9sr1qGVFWLQNONGr/F/KRStdJRDXiZxfrZNBMF1lNtUAVQIF04l81Op2f
NqMvREwE5LA+BZo37kAFj75B
-----END PRIVATE KEY-----
";

pub(super) fn unhex(text: &str) -> Vec<u8> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(pair).collect()
}

pub(super) fn counting(length: usize, start: u8) -> Vec<u8> {
    (start..).take(length).collect()
}

pub(super) fn rsa_key() -> rsa::PrivateKey {
    rsa::PrivateKey::from_pkcs8_pem(RSA_KEY).unwrap()
}

/// By aws-lc-rs, and by `rsa`.
fn rsa_keys() -> [RsaPrivateKey; 2] {
    [rsa_key().into(), RsaPrivateKey::by_reference(rsa_key())]
}

fn content_algorithm(cipher: &ContentCipher, iv: &[u8], tag_len: usize) -> ContentAlgorithm {
    read_cipher(cipher, iv, tag_len).unwrap()
}

/// As a message would spell it.
pub(super) fn read_cipher(
    cipher: &ContentCipher,
    iv: &[u8],
    tag_len: usize,
) -> Result<ContentAlgorithm, CryptoError> {
    let octets = OctetString::new(iv).unwrap().to_der().unwrap();
    let sequence = |members: Vec<u8>| Any::new(Tag::Sequence, members).unwrap();
    let parameters = match cipher.parameters {
        Parameters::Iv => Any::from_der(&octets).unwrap(),
        Parameters::Gcm => sequence([octets.as_slice(), &[2, 1, u8::try_from(tag_len).unwrap()]].concat()),
        Parameters::Rc2 { version } => sequence([version.to_der().unwrap(), octets].concat()),
    };
    read_content(cipher, Some(parameters))
}

fn read_content(cipher: &ContentCipher, parameters: Option<Any>) -> Result<ContentAlgorithm, CryptoError> {
    ContentAlgorithm::read(&AlgorithmIdentifierOwned { oid: cipher.oid, parameters }, &Policy::READING)
}

fn decrypt(
    cipher: &'static ContentCipher,
    key: &[u8],
    iv: &[u8],
    aad: &[u8],
    tag: &[u8],
    content: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let key = SecretBytes::new(key.to_vec());
    let content = SecretBytes::new(content.to_vec());
    let clear = content_algorithm(cipher, iv, tag.len()).decrypt(&key, aad, tag, content)?;
    Ok(clear.expose().to_vec())
}

#[test]
fn every_content_cipher_has_a_known_answer() {
    assert_eq!(CONTENT.len(), CONTENT_CIPHERS.len());
    for (row, (cipher, sealed)) in CONTENT_CIPHERS.into_iter().zip(CONTENT) {
        assert_eq!(row.name, cipher.name);
        let sealed = unhex(sealed);
        let tag_len = if row.mode == Mode::Aead { 16 } else { 0 };
        let (content, tag) = sealed.split_at(sealed.len() - tag_len);
        let (key, iv) = (counting(row.key_len, 0), counting(row.iv_len, 100));
        let opened = decrypt(row, &key, &iv, BESIDE, tag, content).unwrap();
        assert_eq!(opened, CLEAR, "{}", row.name);
        let wrong = counting(row.key_len, 1);
        assert_eq!(decrypt(row, &wrong, &iv, BESIDE, tag, content), Err(CryptoError::NotOpened));
    }
}

/// Strong enough to be written, and in no profile.
const NEVER_WRITTEN: [&str; 2] = ["aes-128-cbc", "aes-192-cbc"];

/// What is written in pieces or as a whole is what the known answers are, but for what is authenticated besides.
#[test]
fn every_row_that_is_written_encrypts_what_it_decrypts() {
    let written = |row: &&ContentCipher| row.status == Status::Write && !NEVER_WRITTEN.contains(&row.name);
    for row in CONTENT_CIPHERS.into_iter().filter(written) {
        let (key, iv) = (SecretBytes::new(counting(row.key_len, 0)), counting(row.iv_len, 100));
        let algorithm = content_algorithm(row, &iv, 16);
        let (content, tag) = match row.mode {
            Mode::Aead => {
                let mut content = CLEAR.to_vec();
                let tag = algorithm.encrypt(&key, &mut content).unwrap().to_vec();
                (content, tag)
            }
            Mode::Cbc => {
                let padding = crate::crypto::cbc::padding_len(CLEAR.len());
                let mut content = [CLEAR, &vec![u8::try_from(padding).unwrap(); padding]].concat();
                let mut stream = algorithm.cbc_stream(&key).unwrap();
                content.chunks_mut(16).for_each(|blocks| encrypt(&mut [Lane::in_place(&mut stream, blocks)]));
                (content, Vec::new())
            }
        };
        assert_ne!(content, CLEAR);
        let opened = algorithm.decrypt(&key, &[], &tag, SecretBytes::new(content)).unwrap();
        assert_eq!(opened.expose(), CLEAR, "{}", row.name);
    }
    for row in CONTENT_CIPHERS.into_iter().filter(|row| !written(row)) {
        let key = SecretBytes::new(counting(row.key_len, 0));
        let algorithm = content_algorithm(row, &counting(row.iv_len, 0), 0);
        assert!(algorithm.cbc_stream(&key).is_err() && algorithm.encrypt(&key, &mut []).is_err());
    }
}

#[test]
fn rc2_is_known_by_the_version_in_its_parameters() {
    for row in [&RC2_40_CBC, &RC2_64_CBC, &RC2_128_CBC] {
        assert!(std::ptr::eq(content_algorithm(row, &[0; 8], 0).cipher, row));
    }
    let unknown = Any::from_der(&[0x30, 13, 2, 1, 7, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    assert!(read_content(&RC2_40_CBC, Some(unknown)).is_err());
}

#[test]
fn a_policy_refuses_what_it_does_not_list() {
    let only = Policy::of(&["aes-256-gcm"]).unwrap();
    for row in CONTENT_CIPHERS {
        let identifier = content_algorithm(row, &counting(row.iv_len, 0), 16).identifier().unwrap();
        let read = ContentAlgorithm::read(&identifier, &only).map(|_| ());
        let expected = if row.name == "aes-256-gcm" { Ok(()) } else { Err(CryptoError::Policy(row.name)) };
        assert_eq!(read, expected);
    }
    for row in KEY_TRANSPORTS {
        let read = TransportAlgorithm::read(&row.identifier().unwrap(), &only).map(|_| ());
        assert_eq!(read, Err(CryptoError::Policy(row.name)));
    }
    let labelled = oaep_with(|parameters| {
        let label = OctetString::new(b"label".as_slice()).unwrap();
        parameters.p_source.parameters = Some(Any::encode_from(&label).unwrap());
    });
    assert!(TransportAlgorithm::read(&labelled, &Policy::READING).is_ok());
    assert!(TransportAlgorithm::read(&labelled, &Policy::WRITING).is_err(), "we write no labels");
}

#[test]
fn tags_from_12_bytes_on_are_read() {
    let sealed = unhex(CONTENT[5].1);
    let (content, tag) = sealed.split_at(sealed.len() - 16);
    let (key, iv) = (counting(32, 0), counting(12, 100));
    for length in 12..=16 {
        let opened = decrypt(&AES_256_GCM, &key, &iv, BESIDE, &tag[..length], content).unwrap();
        assert_eq!(opened, CLEAR);
    }
    for length in [0u8, 4, 11, 17] {
        let parameters = [&[0x30, 17, 4, 12], iv.as_slice(), &[2, 1, length]].concat();
        let parameters = Some(Any::from_der(&parameters).unwrap());
        let read = read_content(&AES_256_GCM, parameters);
        assert!(matches!(read, Err(CryptoError::Refused(_))), "{length}");
    }
}

#[test]
fn a_tag_must_be_as_long_as_its_parameters_say() {
    let algorithm = content_algorithm(&AES_256_GCM, &[0; 12], 12);
    assert!(algorithm.check_tag(Some(&[0; 12])).is_ok());
    assert!(algorithm.check_tag(Some(&[0; 16])).is_err());
    assert!(algorithm.check_tag(None).is_err());
    assert!(content_algorithm(&AES_256_CBC, &[0; 16], 0).check_tag(Some(&[0; 16])).is_err());
}

#[test]
fn broken_parameters_are_named() {
    let read = |cipher: &ContentCipher, parameters: Option<Any>| read_content(cipher, parameters).map(|_| ());
    let octets = |length: usize| Any::encode_from(&OctetString::new(vec![0; length]).unwrap()).ok();
    for cipher in CONTENT_CIPHERS {
        // Rows that share an object identifier are one until their parameters are read.
        let broken = Err(CryptoError::Parameters(ContentCipher::by_oid(cipher.oid).unwrap().name));
        assert_eq!(read(cipher, None), broken);
        assert_eq!(read(cipher, octets(1000)), broken);
        assert_eq!(read(cipher, Some(Any::null())), broken);
    }
    assert_eq!(read(&AES_256_CBC, octets(16)), Ok(()));
    assert_eq!(read(&AES_256_CBC, octets(12)), Err(CryptoError::Parameters("aes-256-cbc")));
}

#[test]
fn every_key_transport_has_a_known_answer() {
    assert_eq!(WRAPPED.len(), KEY_TRANSPORTS.len());
    for (row, (transport, wrapped)) in KEY_TRANSPORTS.into_iter().zip(WRAPPED) {
        assert_eq!(row.name, transport.name);
        let algorithm = TransportAlgorithm::read(&row.identifier().unwrap(), &Policy::READING).unwrap();
        assert!(std::ptr::eq(algorithm.transport, row));
        for key in rsa_keys() {
            assert_eq!(algorithm.unwrap(&key, &unhex(wrapped), 32).expose(), counting(32, 0), "{}", row.name);
        }
    }
}

#[test]
fn every_key_transport_opens_what_it_wraps() {
    let key = rsa_key();
    let secret = SecretBytes::new(counting(32, 7));
    for row in KEY_TRANSPORTS {
        let mut rng = Seed::from_bytes(&mut [1; 32]).into_rng();
        let public = TransportKey::new(key.to_public_key());
        let wrapped = encrypt_all(vec![row.pad(&public, &secret, &mut rng).unwrap()]).concat();
        let algorithm = TransportAlgorithm::read(&row.identifier().unwrap(), &Policy::READING).unwrap();
        for key in rsa_keys() {
            assert_eq!(algorithm.unwrap(&key, &wrapped, 32).expose(), secret.expose());
        }
    }
}

pub(super) fn oaep_with(edit: impl FnOnce(&mut RsaOaepParamsOwned)) -> AlgorithmIdentifierOwned {
    let default = RsaOaepParamsRef::new::<sha2::Sha512>().to_der().unwrap();
    let mut parameters = RsaOaepParamsOwned::from_der(&default).unwrap();
    edit(&mut parameters);
    let parameters = Some(Any::encode_from(&parameters).unwrap());
    AlgorithmIdentifierOwned { oid: RSAES_OAEP_SHA512.oid, parameters }
}

#[test]
fn mask_hash_and_label_are_read() {
    let sha1 = AlgorithmIdentifierOwned {
        oid: const_oid::db::rfc5912::ID_SHA_1,
        parameters: Some(Any::encode_from(&Null).unwrap()),
    };
    let identifier = oaep_with(|parameters| {
        parameters.mask_gen.parameters = Some(sha1);
        parameters.p_source.parameters =
            Some(Any::encode_from(&OctetString::new(b"label".as_slice()).unwrap()).unwrap());
    });
    let algorithm = TransportAlgorithm::read(&identifier, &Policy::READING).unwrap();
    for key in rsa_keys() {
        assert_eq!(algorithm.unwrap(&key, &unhex(WRAPPED_WITH_LABEL), 32).expose(), counting(32, 0));
    }
}

#[test]
fn absent_parameters_mean_sha1() {
    let absent = AlgorithmIdentifierOwned { oid: RSAES_OAEP_SHA1.oid, parameters: None };
    let algorithm = TransportAlgorithm::read(&absent, &Policy::READING).unwrap();
    assert_eq!(algorithm.transport.name, "rsaes-oaep-sha1");
    assert_eq!(algorithm.unwrap(&rsa_key().into(), &unhex(WRAPPED[1].1), 32).expose(), counting(32, 0));
}

#[test]
fn unknown_parts_of_oaep_are_refused() {
    let unknown = const_oid::ObjectIdentifier::new_unwrap("1.2.3.4");
    let edits: [fn(&mut RsaOaepParamsOwned, const_oid::ObjectIdentifier); 3] = [
        |parameters, oid| parameters.hash.oid = oid,
        |parameters, oid| parameters.mask_gen.oid = oid,
        |parameters, oid| parameters.p_source.oid = oid,
    ];
    for edit in edits {
        let read =
            TransportAlgorithm::read(&oaep_with(|parameters| edit(parameters, unknown)), &Policy::READING);
        assert_eq!(read.err(), Some(CryptoError::Unsupported("1.2.3.4".into())));
    }
}

#[test]
fn what_does_not_unwrap_gives_a_steady_key_of_the_right_length() {
    for key in rsa_keys() {
        for row in KEY_TRANSPORTS {
            let algorithm = algorithm_for(row);
            for wrapped in [&[0x17; 256][..], &[0xff; 256], &[], &[1; 255], &[1; 300]] {
                let first = algorithm.unwrap(&key, wrapped, 32);
                assert_eq!(first.expose().len(), 32);
                assert_eq!(first.expose(), algorithm.unwrap(&key, wrapped, 32).expose());
                assert_ne!(first.expose(), [0; 32]);
            }
        }
        // A key that opens and has the wrong length is no key.
        let short = algorithm_for(&RSAES_PKCS1_V1_5).unwrap(&key, &unhex(WRAPPED[0].1), 16);
        assert_ne!(short.expose(), &counting(32, 0)[..16]);
    }
}

pub(super) fn algorithm_for(row: &KeyTransport) -> TransportAlgorithm {
    TransportAlgorithm::read(&row.identifier().unwrap(), &Policy::READING).unwrap()
}

pub(super) fn field(test: &serde_json::Value, name: &str) -> Vec<u8> {
    unhex(test[name].as_str().unwrap())
}
