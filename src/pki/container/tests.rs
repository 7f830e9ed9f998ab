use super::super::KeyType;
use super::super::issue::tests::{authority, issue, openssl};
use super::super::key::tests::{ec_key, rsa_key, seed};
use super::*;
use std::path::{Path, PathBuf};
use std::process::Command;

fn pem(key: &UnlockedKey) -> String {
    pem::write("PRIVATE KEY", key.to_pkcs8().unwrap().expose()).unwrap()
}

fn error(bytes: &[u8], password: Option<&[u8]>) -> String {
    read_key_file(bytes, password).err().unwrap().to_string()
}

/// What `openssl` writes for a key on its standard input.
fn converted(arguments: &str, key: &UnlockedKey) -> Option<String> {
    openssl(&arguments.split(' ').collect::<Vec<_>>(), pem(key).as_bytes())
}

#[test]
fn every_dialect_of_pem_is_read() {
    let ed25519 = UnlockedKey::generate(KeyType::Ed25519, seed(3)).unwrap();
    for (key, dialects) in [
        (rsa_key(), ["pkey", "pkey -traditional", "pkcs8 -topk8 -nocrypt"]),
        (&ec_key(), ["pkey", "ec", "pkcs8 -topk8 -nocrypt"]),
        (&ed25519, ["pkey", "pkey -outform PEM", "pkcs8 -topk8 -nocrypt"]),
    ] {
        for dialect in dialects {
            let Some(text) = converted(dialect, key) else { return };
            let windows = format!("Bag Attributes: none\r\n{}\r\n", text.replace('\n', "\r\n"));
            let read = read_private_key(windows.as_bytes(), None).unwrap();
            assert_eq!(read.public(), key.public(), "{dialect}");
            let der = &pem::read(text.as_bytes()).unwrap().pop().unwrap().der;
            assert_eq!(read_private_key(der, None).unwrap().public(), key.public(), "{dialect} in DER");
        }
    }
}

#[test]
fn encrypted_keys_need_their_password() {
    for scheme in ["-v2 aes-256-cbc", "-scrypt", "-v2 des3", "-v1 PBE-SHA1-3DES"] {
        let arguments = format!("pkcs8 -topk8 {scheme} -passout pass:secret");
        let Some(text) = converted(&arguments, &ec_key()) else { return };
        let read = read_private_key(text.as_bytes(), Some(b"secret"));
        assert_eq!(read.unwrap_or_else(|error| panic!("{scheme}: {error}")).public(), ec_key().public());
        let wrong = "wrong password, or the encrypted private key is damaged";
        assert_eq!(error(text.as_bytes(), Some(b"other")), wrong, "{scheme}");
        let refused = "the private key is encrypted (ENCRYPTED PRIVATE KEY); convert it first: \
                           openssl pkey -in KEY.pem -out NEW.pem";
        assert_eq!(error(text.as_bytes(), None), refused);
    }
}

#[test]
fn the_old_encryption_of_openssl_is_named() {
    let Some(text) = converted("pkey -traditional -aes128 -passout pass:secret", rsa_key()) else {
        return;
    };
    let refused = "the private key is encrypted (Proc-Type: 4,ENCRYPTED); convert it first: \
                       openssl pkey -in KEY.pem -out NEW.pem";
    assert_eq!(error(text.as_bytes(), None), refused);
    assert_eq!(error(text.as_bytes(), Some(b"secret")), refused);
}

#[test]
fn what_is_no_single_key_is_named() {
    let certificate = authority(&ec_key());
    let key = pem(&ec_key());
    let two = read_private_key(format!("{key}{key}").as_bytes(), None).err().unwrap();
    assert_eq!(two.to_string(), "the file holds 2 private keys; exactly one is expected: split the file");
    let wanted = "no private key found: the file holds";
    assert_eq!(error(certificate.to_pem().unwrap().as_bytes(), None), format!("{wanted} a certificate"));
    assert_eq!(error(certificate.der(), None), format!("{wanted} a certificate"));
    let public = pem::write("PUBLIC KEY", &ec_key().public().to_spki().unwrap()).unwrap();
    assert_eq!(error(public.as_bytes(), None), format!("{wanted} a public key"));
    assert_eq!(error(&ec_key().public().to_spki().unwrap(), None), format!("{wanted} a public key"));
    assert_eq!(error(b"", None), format!("{wanted} nothing: it is empty"));
    assert_eq!(error(b"hello", None), format!("{wanted} neither PEM nor DER"));
    let openssh = key.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY");
    assert_eq!(
        error(openssh.as_bytes(), None),
        "not supported: private keys in OpenSSH's own format; convert it: ssh-keygen -p -m PKCS8 -f KEY"
    );
    let truncated = key.split_at(key.len() / 2).0;
    assert_eq!(
        error(truncated.as_bytes(), None),
        "the PEM block is broken: BEGIN PRIVATE KEY has no END: the file is truncated"
    );
    assert_eq!(
        read_certificates(key.as_bytes()).unwrap_err().to_string(),
        "no certificate found: the file holds a private key"
    );
    let both = read_key_file(format!("{}{key}", certificate.to_pem().unwrap()).as_bytes(), None).unwrap();
    assert_eq!((both.keys.len(), both.certificates.len()), (1, 1));
}

/// A file from somebody else is named to a terminal.
#[test]
fn labels_are_printable_or_none() {
    for label in ["PRI\u{1b}[2JVATE KEY", "PRIVATE KEY\u{7}", &"X".repeat(65)] {
        let text = format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        assert_eq!(error(text.as_bytes(), None), "no private key found: the file holds neither PEM nor DER");
    }
}

#[test]
fn weak_and_foreign_keys_are_refused() {
    let make = |arguments: &str| openssl(&arguments.split(' ').collect::<Vec<_>>(), b"");
    let Some(weak) = make("genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024") else { return };
    assert_eq!(error(weak.as_bytes(), None), "the RSA key has 1024 bits; at least 2048 are required");
    let pss = make("genpkey -quiet -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048").unwrap();
    assert!(error(pss.as_bytes(), None).contains("not supported: keys of the kind"));
    let curve = make("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1").unwrap();
    assert!(error(curve.as_bytes(), None).contains("not supported: the elliptic curve"));
}

#[test]
fn a_truncated_or_damaged_key_never_panics() {
    let der = ec_key().to_pkcs8().unwrap();
    let text = pem(&ec_key());
    for length in 0..der.expose().len() {
        assert!(read_private_key(&der.expose()[..length], None).is_err(), "{length}");
    }
    for length in 0..text.len() - 1 {
        assert!(read_private_key(&text.as_bytes()[..length], None).is_err(), "{length}");
    }
    for position in 0..der.expose().len() {
        let mut damaged = der.expose().to_vec();
        damaged[position] ^= 0x81;
        let _ = read_private_key(&damaged, None);
    }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A key with its certificate and issuer as PKCS#12, made by OpenSSL.
fn openssl_pkcs12(options: &str, password: &str) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let root = authority(&ec_key());
    let user = issue(&root, &ec_key(), &rsa_key().public());
    let key = write(folder.path(), "key.pem", &pem(rsa_key()));
    let leaf = write(folder.path(), "user.pem", &user.to_pem().unwrap());
    let chain = write(folder.path(), "ca.pem", &root.to_pem().unwrap());
    let out = folder.path().join("out.p12");
    let mut command = Command::new("openssl");
    command.args(["pkcs12", "-export", "-inkey"]).arg(key).arg("-in").arg(leaf).arg("-certfile").arg(chain);
    command.args(["-passout", &format!("pass:{password}"), "-out"]).arg(&out);
    command.args(options.split_whitespace());
    let Ok(output) = command.output() else {
        crate::mail::vectors::skip("peers", "openssl is not installed");
        return None;
    };
    assert!(output.status.success(), "{options}: {}", String::from_utf8_lossy(&output.stderr));
    Some(std::fs::read(out).unwrap())
}

#[test]
fn pkcs12_of_openssl_is_read() {
    for options in ["", "-legacy", "-macalg sha1", "-macalg sha512", "-keypbe NONE -certpbe NONE", "-nomac"] {
        for password in ["secret", "", "pässwörd"] {
            let Some(file) = openssl_pkcs12(options, password) else { return };
            let read = read_key_file(&file, Some(password.as_bytes()));
            let read = read.unwrap_or_else(|error| panic!("{options} {password}: {error}"));
            assert_eq!(read.keys[0].public(), rsa_key().public());
            assert_eq!(read.certificates.len(), 2);
            if options != "-keypbe NONE -certpbe NONE" {
                let wrong = "wrong password, or the PKCS#12 file is damaged";
                assert_eq!(error(&file, Some(b"other")), wrong, "{options} {password}");
            }
        }
    }
}

#[test]
fn a_damaged_pkcs12_never_panics() {
    let Some(file) = openssl_pkcs12("-keypbe NONE -certpbe NONE -nomac", "x") else { return };
    for length in 0..file.len() {
        assert!(read_key_file(&file[..length], None).is_err(), "{length}");
    }
    for position in (0..file.len()).step_by(7) {
        let mut damaged = file.clone();
        damaged[position] ^= 0xff;
        let _ = read_key_file(&damaged, None);
    }
}
