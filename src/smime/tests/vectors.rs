//! Messages that other projects made, opened with the keys that lie beside them; and the people of RFC 9216.

use super::*;
use crate::mail::vectors::{Verdicts, files};
use crate::pki::{KeyFile, Unfit, read_key_file};
use std::path::{Path, PathBuf};

type Files = Vec<(PathBuf, Vec<u8>)>;

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn named<'a>(files: &'a Files, wanted: &str) -> &'a [u8] {
    let found = files.iter().find(|(path, _)| name(path) == wanted);
    &found.unwrap_or_else(|| panic!("{wanted} is not there")).1
}

fn read_keys(bytes: &[u8], password: &str) -> Result<KeyFile, String> {
    read_key_file(bytes, Some(password.as_bytes())).map_err(|error| error.to_string())
}

/// The content, whether it is mail or not.
fn open_content(ring: &KeyFile, sealed: &[u8]) -> Result<Vec<u8>, String> {
    let certificate = ring.certificates.first();
    let keys: Vec<OpeningKey<'_>> = ring.keys.iter().map(|key| OpeningKey { key, certificate }).collect();
    let opened = open_raw(sealed, &keys).map_err(|error| error.to_string())?;
    Ok(opened.expose().to_vec())
}

/// OAEP with every hash, mask and label; key agreement with every derivation and wrap.
#[test]
fn what_openssl_made_for_nss_is_opened() {
    let files = files("nss/interop-openssl");
    let mut verdicts = Verdicts::on("nss/interop-openssl/*.env");
    for (path, message) in files.iter().filter(|(path, _)| name(path).ends_with(".env")) {
        let keys = if name(path).starts_with("fran-ec") { "Fran-ec.p12" } else { "Fran.p12" };
        let opened = read_keys(named(&files, keys), "nss").and_then(|ring| open_content(&ring, message));
        let expected = named(&files, "expected_fran.txt");
        verdicts.add(&[name(path)], opened.and_then(|content| same(&content, expected)));
    }
    let count = verdicts.close();
    assert!(files.is_empty() || count == 17, "{count}");
}

fn same(content: &[u8], expected: &[u8]) -> Result<(), String> {
    if content == expected { Ok(()) } else { Err(format!("opened to {}", content.escape_ascii())) }
}

const NOT_ENCRYPTED: &str = "the message is not encrypted with S/MIME";
const NOT_OURS: &str = "the message is not sealed to this key";

/// What OpenSSL tests its own reading with: none of them opens, and each says why. A name of a file, of the file with
/// key and certificate, and the answer.
const OPENSSL: [(&str, &str, &str); 13] = [
    (
        "rsa-malformed.der",
        "smrsa3.pem",
        "the CMS structure is broken: the parameters of rsaes-oaep are broken",
    ),
    (
        "ecdh-malformed.der",
        "ecdh",
        "the CMS structure is broken: the parameters of ecdh-sha256kdf are broken",
    ),
    ("dh-malformed.der", "ecdh", NOT_OURS),
    (
        "encDataWithTooLongIV.pem",
        "ecdh",
        "the CMS structure is broken: the parameters of aes-128-gcm are broken",
    ),
    ("cms_pwri_kek_oob.der", "ecdh", NOT_OURS),
    ("ciphertext_from_1_1_1.cms", "smec1.pem", NOT_OURS),
    (
        "encryptedData.der",
        "ecdh",
        "the CMS structure is id-encryptedData, not EnvelopedData or AuthEnvelopedData",
    ),
    (
        "pkcs7-md4-encrypted.pem",
        "ecdh",
        "the CMS structure is 1.2.840.113549.1.7.4, not EnvelopedData or AuthEnvelopedData",
    ),
    ("pkcs7-md4.pem", "ecdh", NOT_ENCRYPTED),
    ("bad_signtime_attr.cms", "ecdh", NOT_ENCRYPTED),
    ("ct_multiple_attr.cms", "ecdh", NOT_ENCRYPTED),
    ("no_ct_attr.cms", "ecdh", NOT_ENCRYPTED),
    ("no_md_attr.cms", "ecdh", NOT_ENCRYPTED),
];

/// Key and certificate: both in one file, or in two.
fn ring_of(files: &Files, file: &str) -> KeyFile {
    if file.ends_with(".pem") {
        return read_keys(named(files, file), "").unwrap();
    }
    let parts = ["key", "cert"].map(|part| named(files, &format!("{file}-{part}.pem")));
    read_keys(&parts.concat(), "").unwrap()
}

#[test]
fn what_openssl_tries_its_own_reading_with_is_refused_in_words() {
    let folders = ["openssl/recipes/80-test_cms_data", "openssl/recipes/80-test_cmsapi_data"];
    let messages: Files = folders.into_iter().flat_map(files).collect();
    if messages.is_empty() {
        return;
    }
    let keys: Files = [messages.clone(), files("openssl/smime-certs")].concat();
    for (file, key, expected) in OPENSSL {
        let error = open_content(&ring_of(&keys, key), named(&messages, file)).unwrap_err();
        assert_eq!(error, expected, "{file}");
    }
    let is_key = |path: &Path| name(path).ends_with("-key.pem") || name(path).ends_with("-cert.pem");
    assert_eq!(messages.iter().filter(|(path, _)| !is_key(path)).count(), OPENSSL.len());
}

/// RFC 9936 appendix C, by the key in each of its forms. (The values on the way: `crypto::encapsulation`.)
#[test]
fn the_message_of_rfc_9936_is_opened() {
    let files = files("mlkem-cms-draft/example");
    for form in ["seed", "expanded", "both"].into_iter().filter(|_| !files.is_empty()) {
        let ring = read_keys(named(&files, &format!("ML-KEM-512-{form}.priv")), "").unwrap();
        let opened = open_content(&ring, named(&files, "ML-KEM-512.cms"));
        assert_eq!(opened.as_deref(), Ok(named(&files, "plaintext.txt")), "{form}");
    }
}

/// Each with the authority.
const RFC_9216: [(&str, &str); 4] =
    [("alice", "ca.rsa.crt"), ("bob", "ca.rsa.crt"), ("carlos", "ca.25519.crt"), ("dana", "ca.25519.crt")];

/// The certificate chains; what is sealed to it opens with the key, from a file of its own and out of the PKCS#12.
fn serve_person(files: &Files, person: &str, authority: &str) -> Result<(), String> {
    let file = |end: &str| named(files, &format!("{person}.{end}"));
    let certificate = read_certificate(file("encrypt.crt"))?;
    let anchors = [read_certificate(named(files, authority))?];
    for ring in [read_keys(file("encrypt.key"), "")?, read_keys(file("p12"), person)?] {
        seal_and_open(&ring, &certificate, Some(&anchors))?;
    }
    Ok(())
}

fn read_certificate(bytes: &[u8]) -> Result<Certificate, String> {
    Certificate::from_pem(bytes).map_err(|error| error.to_string())
}

/// Under every profile that serves the key.
fn seal_and_open(
    ring: &KeyFile,
    certificate: &Certificate,
    anchors: Option<&[Certificate]>,
) -> Result<(), String> {
    let recipients = [chained(certificate, anchors)?];
    let message = b"Subject: greetings\r\n\r\nHello.\r\n";
    let serves = |profile: &Profile| refusal((*profile).into(), certificate, &[]).is_none();
    let mut serving = Profile::ALL.into_iter().filter(serves).peekable();
    serving.peek().ok_or("no profile serves it")?;
    serving.try_for_each(|profile| {
        let sealed = seal_for(message, &recipients, profile);
        same(&open_with_any(ring, certificate, sealed.bytes())?, message)
    })
}

/// A container holds the key that signs beside the one that decrypts.
fn open_with_any(ring: &KeyFile, certificate: &Certificate, sealed: &[u8]) -> Result<Vec<u8>, String> {
    let with = |key| open(sealed, &[OpeningKey { key, certificate: Some(certificate) }]).ok();
    let opened = ring.keys.iter().find_map(with).ok_or("no key opens it")?;
    Ok(opened.message.expose().to_vec())
}

fn chained(
    certificate: &Certificate,
    anchors: Option<&[Certificate]>,
) -> Result<ValidatedCertificate, String> {
    let check = SealingCheck {
        addresses: &[],
        at: noon(),
        minimum_rsa_bits: 2048,
        anchors,
        intermediates: &[],
        allow_expired: false,
        allow_not_yet_valid: false,
        revocation: None,
    };
    let texts = |reasons: Vec<Unfit>| reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    ValidatedCertificate::for_sealing(certificate, &check).map_err(texts)
}

#[test]
fn the_people_of_rfc_9216_are_sealed_to_and_open() {
    let files = files("rfc9216");
    let mut verdicts = Verdicts::on("rfc9216");
    for (person, authority) in RFC_9216.into_iter().filter(|_| !files.is_empty()) {
        verdicts.add(&[person], serve_person(&files, person, authority));
    }
    verdicts.close();
}

/// Key and certificate in one file.
fn serve_file(bytes: &[u8]) -> Result<(), String> {
    let ring = read_keys(bytes, "")?;
    seal_and_open(&ring, ring.certificates.first().ok_or("no certificate")?, None)
}

/// A person for each kind of key that OpenSSL has.
#[test]
fn the_people_of_openssl_are_sealed_to_and_open() {
    let folder = "openssl/smime-certs";
    let files = files(folder);
    let mut verdicts = Verdicts::on(folder);
    let halves = ["smrsa3-key.pem", "smrsa3-cert.pem", "smdsap.pem"];
    let is_person = |path: &Path| name(path).starts_with("sm") && !halves.contains(&name(path));
    for (path, bytes) in files.iter().filter(|(path, _)| is_person(path)) {
        verdicts.add(&[name(path)], serve_file(bytes));
    }
    let count = verdicts.close();
    assert!(files.is_empty() || count == 18, "{count}");
}
