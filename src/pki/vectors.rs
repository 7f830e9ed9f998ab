//! Foreign keys, certificates and containers: the public vectors, and what NSS writes.

use super::issue::require_key;
use super::issue::tests::{address, noon};
use super::key::tests::rsa_key;
use super::*;
use crate::cms::RecipientId;
use crate::mail::vectors::{Verdicts, files};
use std::collections::BTreeMap;
use std::process::Command;

/// The files of a folder by name; none where the vectors are absent.
fn by_name(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let named = |path: std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    files(folder).into_iter().map(|(path, bytes)| (named(path), bytes)).collect()
}

fn rfc9216() -> BTreeMap<String, Vec<u8>> {
    by_name("rfc9216")
}

fn check<'a>(addresses: &'a [crate::mail::Address], anchors: &'a [Certificate]) -> SealingCheck<'a> {
    SealingCheck {
        addresses,
        at: noon(),
        minimum_rsa_bits: 2048,
        anchors: Some(anchors),
        intermediates: &[],
        allow_expired: false,
        allow_not_yet_valid: false,
        revocation: None,
    }
}

fn reasons(certificate: &Certificate, check: &SealingCheck<'_>) -> Vec<String> {
    let unfit = ValidatedCertificate::for_sealing(certificate, check).err().unwrap_or_default();
    unfit.iter().map(ToString::to_string).collect()
}

#[test]
fn rfc9216_people_are_sealed_to_by_their_encryption_certificates() {
    let files = rfc9216();
    let Some(root) = files.get("ca.rsa.crt") else { return };
    let anchors = [Certificate::from_pem(root).unwrap()];
    for name in ["alice", "bob"] {
        let wanted = [address(&format!("{}@SMIME.example", name.to_uppercase()))];
        let certificate = Certificate::from_pem(&files[&format!("{name}.encrypt.crt")]).unwrap();
        assert_eq!(reasons(&certificate, &check(&wanted, &anchors)), [""; 0], "{name}");
        let key = read_private_key(&files[&format!("{name}.encrypt.key")], None).unwrap();
        require_key(&certificate, &key.public()).unwrap();
        key.test().unwrap();
        let signing = Certificate::from_pem(&files[&format!("{name}.sign.crt")]).unwrap();
        let expected = ["it may not be used to encrypt mail: its keyUsage lacks keyEncipherment"];
        assert_eq!(reasons(&signing, &check(&wanted, &anchors)), expected, "{name}");
    }
}

#[test]
fn a_chain_through_an_intermediate_needs_that_intermediate() {
    let files = rfc9216();
    let Some(root) = files.get("ca.rsa.cross.crt") else { return };
    // The cross certificate itself as anchor: trusted because it is in the set, whoever signed it.
    let anchors = [Certificate::from_pem(root).unwrap()];
    let alice = Certificate::from_pem(&files["alice.encrypt.crt"]).unwrap();
    assert_eq!(reasons(&alice, &check(&[], &anchors)), [""; 0]);
    let stranger = [Certificate::from_pem(&files["ca.25519.crt"]).unwrap()];
    let expected = [format!(
        "it does not chain to a trusted authority: no trusted authority issued it; its issuer is {}",
        alice.issuer()
    )];
    assert_eq!(reasons(&alice, &check(&[], &stranger)), expected);
}

#[test]
fn keys_that_we_cannot_use_are_named() {
    let files = by_name("openssl/smime-certs");
    let Some(dsa) = files.get("smdsa1.pem") else { return };
    let certificate = Certificate::from_pem(dsa).unwrap();
    assert!(certificate.public_key().unwrap_err().to_string().starts_with("not supported: keys of the kind"));
    let error = read_private_key(dsa, None).err().unwrap();
    assert!(error.to_string().starts_with("not supported: keys of the kind"), "{error}");
}

/// A key that only signs stands beside the one that decrypts.
#[test]
fn rfc9216_x25519_keys_are_read_with_their_certificates() {
    let files = rfc9216();
    for name in ["carlos", "dana"] {
        let Some(file) = files.get(&format!("{name}.p12")) else { return };
        let certificate = Certificate::from_pem(&files[&format!("{name}.encrypt.crt")]).unwrap();
        let key = read_private_key(&files[&format!("{name}.encrypt.key")], None).unwrap();
        assert_eq!(certificate.public_key().unwrap(), key.public());
        assert_eq!(certificate.key_description(), "X25519");
        key.test().unwrap();
        let read = read_key_file(file, Some(name.as_bytes())).unwrap();
        let decrypts: Vec<_> = read.keys.iter().filter(|key| key.public().encrypts()).collect();
        assert_eq!((read.keys.len(), decrypts.len()), (2, 1));
        assert_eq!(decrypts[0].public(), key.public());
    }
}

/// RFC 9935 appendix C: each key in three forms, its certificate, and keys that do not hold together.
#[test]
fn ml_kem_keys_are_read_in_each_form() {
    let all = by_name("mlkem-certs-draft/example");
    if all.is_empty() {
        return;
    }
    for set in ["ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"] {
        let certificate = Certificate::from_pem(&all[&format!("{set}.crt")]).unwrap();
        assert_eq!(certificate.key_description(), set);
        for form in ["seed", "expanded", "both"] {
            let key = read_private_key(&all[&format!("{set}-{form}.priv")], None).unwrap();
            assert_eq!(key.public(), certificate.public_key().unwrap(), "{set} {form}");
            let again = UnlockedKey::from_pkcs8(key.to_pkcs8().unwrap().expose()).unwrap();
            assert_eq!(again.public(), key.public());
        }
    }
    let apart = "the ML-KEM private key is broken: its expanded key does not come from its seed";
    let reasons = [
        apart,
        "the key failed its test: it cannot encapsulate and decapsulate",
        "the ML-KEM private key is broken: its octets are no key of its kind",
        apart,
    ];
    for (number, reason) in (1..).zip(reasons) {
        let error = read_private_key(&all[&format!("bad-ML-KEM-512-{number}.priv")], None).err().unwrap();
        assert_eq!(error.to_string(), reason, "{number}");
    }
}

/// The key of a file, if it is the one with that public key.
fn is_half_of(public: &[u8], private: &[u8]) -> Result<(), String> {
    let key = read_private_key(private, None).map_err(|error| error.to_string())?;
    let found = key.public().to_spki().map_err(|error| error.to_string())?;
    if found == public { Ok(()) } else { Err("it is another key".to_owned()) }
}

/// Each private key beside its public one.
#[test]
fn the_forms_in_which_openssl_writes_ml_kem_keys_are_read() {
    let folder = "openssl/recipes/15-test_ml_kem_codecs_data";
    let files = by_name(folder);
    let mut verdicts = Verdicts::on(folder);
    for (name, private) in files.iter().filter(|(name, _)| name.starts_with("prv") && name.ends_with(".pem"))
    {
        let (set, form) = name.trim_start_matches("prv-").split_once('-').unwrap();
        let public = &encodify::pem::STANDARD.blocks(&files[&format!("pub-{set}.pem")]).flatten().next();
        verdicts.add(&[form], is_half_of(&public.as_ref().unwrap().contents, private));
    }
    let count = verdicts.close();
    assert!(files.is_empty() || count == 18, "{count}");
}

#[test]
fn rfc9216_pkcs12_files_give_both_keys_and_the_chain() {
    let files = rfc9216();
    for name in ["alice", "bob"] {
        let Some(file) = files.get(&format!("{name}.p12")) else { return };
        let read = read_key_file(file, Some(name.as_bytes())).unwrap();
        assert_eq!((read.keys.len(), read.certificates.len()), (2, 3));
        let wanted = read_private_key(&files[&format!("{name}.encrypt.key")], None).unwrap().public();
        assert!(read.keys.iter().any(|key| key.public() == wanted));
        let error = read_private_key(file, Some(name.as_bytes())).err().unwrap().to_string();
        assert_eq!(error, "the file holds 2 private keys; exactly one is expected: split the file");
        let error = read_key_file(file, Some(b"wrong")).err().unwrap().to_string();
        assert_eq!(error, "wrong password, or the PKCS#12 file is damaged");
    }
}

/// The containers that give a key, each with its password; the others are damaged on purpose, or hold none.
const CONTAINERS: [(&str, &str); 15] = [
    ("Fran.p12", "nss"),
    ("Fran-ec.p12", "nss"),
    ("PKCS5WithImplicitKDF.p12", "password"),
    ("TestOldCA.p12", "nss"),
    ("TestOldAES128CA.p12", "nss"),
    ("TestRSAPSS.p12", ""),
    ("TestUser-rsa-pss-interop.p12", "nss"),
    ("pbmac1-valid-sha256-sha512.p12", "1234"),
    ("pbmac1-valid-sha256.p12", "1234"),
    ("pbmac1-valid-sha512.p12", "1234"),
    ("pbmac1_256_256.good-shorter-key-len.p12", "1234"),
    ("pbmac1_256_256.good.p12", "1234"),
    ("pbmac1_512_256.good.p12", "1234"),
    ("pbmac1_512_512.good.p12", "1234"),
    ("pbmac1_sha1_hmac_and_prf.p12", "1234"),
];

/// A container that opens gives its key; one that does not says why, under every password.
fn open_container(name: &str, bytes: &[u8]) -> Result<(), String> {
    let read = |password: &str| read_key_file(bytes, Some(password.as_bytes()));
    if let Some((_, password)) = CONTAINERS.iter().find(|(file, _)| *file == name) {
        return read(password).map(|_| ()).map_err(|error| error.to_string());
    }
    let tries = ["nss", "", "password", "1234"].map(read);
    assert!(tries.iter().filter_map(|one| one.as_ref().err()).all(|error| !error.to_string().is_empty()));
    if tries.iter().any(Result::is_ok) { Err("it is read".to_owned()) } else { Ok(()) }
}

#[test]
fn foreign_pkcs12_files_are_read_or_refused_in_words() {
    for folder in ["nss/tools-pkcs12", "nss/interop-openssl", "openssl/recipes/80-test_pkcs12_data"] {
        let mut verdicts = Verdicts::on(&format!("{folder}/*.p12"));
        for (path, bytes) in files(folder) {
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.ends_with(".p12") {
                verdicts.add(&[name], open_container(name, &bytes));
            }
        }
        verdicts.close();
    }
}

/// Each damage of a MAC by PBMAC1 (RFC 9579) is refused for what it is.
#[test]
fn damaged_macs_are_named() {
    let wrong = "wrong password, or the PKCS#12 file is damaged";
    let no_length = "the PKCS#12 file is broken: its MAC does not say how long its key is";
    let parameters = "the PKCS#12 file is broken: the parameters of its MAC are broken";
    let short = "the PKCS#12 file is broken: its MAC asks for a key of 19 octets";
    let long = "the PKCS#12 file is broken: its MAC asks for a key of 256 octets";
    let negative = "the PKCS#12 file is broken: its MAC asks for a key of 255 octets";
    let zero = "the PKCS#12 file is broken: its MAC asks for a key of 0 octets";
    for (file, text) in [
        ("openssl/recipes/80-test_pkcs12_data/pbmac1_256_256.bad-salt.p12", wrong),
        ("openssl/recipes/80-test_pkcs12_data/pbmac1_256_256.bad-iter.p12", wrong),
        ("openssl/recipes/80-test_pkcs12_data/pbmac1_256_256.bad-key-len.p12", short),
        ("openssl/recipes/80-test_pkcs12_data/pbmac1_256_256.bad-len.p12", long),
        ("openssl/recipes/80-test_pkcs12_data/pbmac1_256_256.no-len.p12", no_length),
        ("openssl/recipes/80-test_pkcs12_data/pbmac1_256_256.no-salt.p12", parameters),
        ("openssl/recipes/80-test_pkcs12_data/pbmac1_256_256.bad-salt-type.p12", parameters),
        ("openssl/recipes/80-test_pkcs12_data/pbmac1_256_256.negative-len.p12", negative),
        ("openssl/recipes/80-test_pkcs12_data/pbmac1_256_256.very-big-len.p12", parameters),
        ("openssl/recipes/80-test_pkcs12_data/pbmac1_256_256.zero-len.p12", zero),
        ("nss/tools-pkcs12/pbmac1-invalid-bad-salt.p12", wrong),
        ("nss/tools-pkcs12/pbmac1-invalid-bad-iter.p12", wrong),
        ("nss/tools-pkcs12/pbmac1-invalid-no-length.p12", no_length),
    ] {
        let (folder, name) = file.rsplit_once('/').unwrap();
        let Some(folder) = crate::mail::vectors::folder(folder) else { return };
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let error = read_key_file(&bytes, Some(b"1234")).err().unwrap().to_string();
        assert_eq!(error, text, "{name}");
    }
}

#[test]
fn recipient_ids_are_the_octets_of_the_certificate() {
    let files = rfc9216();
    let Some(alice) = files.get("alice.encrypt.crt") else { return };
    let certificate = Certificate::from_pem(alice).unwrap();
    let ids = certificate.recipient_ids();
    assert_eq!(ids.len(), 2);
    let RecipientId::IssuerAndSerialNumber { issuer, serial } = &ids[0] else { panic!("{ids:?}") };
    let holds = |part: &[u8]| certificate.der().windows(part.len()).any(|window| window == part);
    assert!(holds(issuer) && issuer.starts_with(&[0x30]));
    let integer = [&[2, u8::try_from(serial.len()).unwrap()], serial.as_slice()].concat();
    assert!(holds(&integer));
    assert_eq!(certificate.key_description(), "RSA 2048");
    assert_eq!(certificate.addresses(), ["alice@smime.example"]);
}

#[test]
fn every_certificate_of_the_vectors_is_read_or_refused() {
    for folder in ["openssl/smime-certs", "boringssl-pki", "nss/libpkix-certs"] {
        for (_, bytes) in files(folder) {
            let Ok(certificates) = read_certificates(&bytes) else { continue };
            for certificate in certificates {
                let _ = reasons(&certificate, &check(&[], &[]));
                let _ = (certificate.subject(), certificate.serial(), certificate.recipient_ids());
            }
        }
    }
}

#[test]
fn pkcs12_of_nss_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let store = format!("sql:{}", folder.path().display());
    let root = issue::tests::authority(rsa_key());
    let user = issue::tests::issue(&root, rsa_key(), &rsa_key().public());
    let key = rsa_key().to_pkcs8().unwrap();
    let text = format!("{}{}", pem::write("PRIVATE KEY", key.expose()).unwrap(), user.to_pem().unwrap());
    std::fs::write(path("in.pem"), text).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok()?;
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        Some(())
    };
    let make = || {
        run("certutil", &["-N", "-d", &store, "--empty-password"])?;
        let export = ["pkcs12", "-export", "-in", &path("in.pem"), "-name", "bob", "-passout", "pass:in"];
        run("openssl", &[&export[..], &["-out", &path("in.p12")]].concat())?;
        run("pk12util", &["-i", &path("in.p12"), "-d", &store, "-W", "in"])
    };
    if make().is_none() {
        crate::mail::vectors::skip("peers", "the NSS tools are not installed");
        return;
    }
    let old = [
        "-c",
        "PKCS #12 V2 PBE With SHA-1 And 3KEY Triple DES-CBC",
        "-C",
        "PKCS #12 V2 PBE With SHA-1 And 40 Bit RC2 CBC",
    ];
    for (options, password) in [(&[][..], "pässwörd"), (&old[..], "secret")] {
        let out = path("out.p12");
        let export = ["-o", &out, "-n", "bob", "-d", &store, "-W", password];
        run("pk12util", &[&export[..], options].concat()).unwrap();
        let file = std::fs::read(&out).unwrap();
        let read = read_key_file(&file, Some(password.as_bytes()));
        let read = read.unwrap_or_else(|error| panic!("{options:?} {password}: {error}"));
        assert_eq!(read.keys[0].public(), rsa_key().public());
        assert!(read.certificates.contains(&user));
        assert!(matches!(read_key_file(&file, Some(b"wrong")), Err(PkiError::WrongPassword(_))));
    }
}
