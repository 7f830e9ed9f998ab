use super::super::KeyType;
use super::super::key::tests::{ec_key, rsa_key, seed};
use super::*;
use std::io::Write;
use std::process::{Command, Stdio};

pub(crate) fn noon() -> OffsetDateTime {
    time::macros::datetime!(2026-11-01 12:00 UTC)
}

pub(crate) fn authority(key: &UnlockedKey) -> Certificate {
    let profile = AuthorityProfile {
        subject: &Subject::named("north.example"),
        dns_names: &["north.example".to_owned(), "www.north.example".to_owned()],
        validity: Validity::lasting(noon(), AUTHORITY_LIFETIME),
    };
    self_sign(key, &profile, seed(4)).unwrap()
}

/// What `openssl` prints, or nothing (with a line) where there is no such program.
pub(crate) fn openssl(arguments: &[&str], input: &[u8]) -> Option<String> {
    let child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        crate::mail::vectors::skip("peers", "openssl is not installed");
        return None;
    };
    child.stdin.take().unwrap().write_all(input).ok();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {text}{errors}");
    Some(text + &errors)
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(crate) fn issue(authority: &Certificate, key: &UnlockedKey, holder: &PublicKey) -> Certificate {
    let user = UserProfile {
        common_name: "Bob",
        addresses: &[address("Bob@north.example"), address("bob.alias@north.example")],
        validity: Validity::lasting(noon(), USER_LIFETIME),
        reads: Reads::Cbc,
    };
    Authority::new(authority, key).unwrap().issue(holder, &user, seed(5)).unwrap()
}

/// What a holder signs who may not: the checks of [`Authority::new`] left out.
pub(crate) fn forge(issuer: &Certificate, key: &UnlockedKey, holder: &PublicKey) -> Certificate {
    let user = UserProfile {
        common_name: "Mallory",
        addresses: &[address("bob@north.example")],
        validity: Validity::lasting(noon(), USER_LIFETIME),
        reads: Reads::Cbc,
    };
    Authority { certificate: issuer, key, terms: None }.issue(holder, &user, seed(6)).unwrap()
}

fn require(text: &str, wanted: &[&str]) {
    for one in wanted {
        assert!(text.contains(one), "{one} is not in {text}");
    }
}

#[test]
fn openssl_reads_the_authority() {
    let certificate = authority(rsa_key());
    let pem = certificate.to_pem().unwrap();
    let Some(text) = openssl(&["x509", "-text", "-noout"], pem.as_bytes()) else { return };
    let wanted = [
        "CA:TRUE, pathlen:0",
        "Digital Signature, Certificate Sign, CRL Sign",
        "DNS:north.example, DNS:www.north.example",
        "sha256WithRSAEncryption",
        "Not After : Oct 31 12:00:00 2036 GMT",
        "Subject: CN = north.example",
    ];
    require(&text, &wanted);
}

#[test]
fn openssl_reads_and_verifies_user_certificates() {
    let ed25519 = UnlockedKey::generate(KeyType::Ed25519, seed(3)).unwrap();
    for (issuer, holder) in [(rsa_key(), &ec_key()), (&ec_key(), rsa_key()), (&ed25519, rsa_key())] {
        let root = authority(issuer);
        let user = issue(&root, issuer, &holder.public());
        let Some(text) = openssl(&["x509", "-text", "-noout"], user.to_pem().unwrap().as_bytes()) else {
            return;
        };
        let usage = match holder.public() {
            PublicKey::Rsa(_) => "Digital Signature, Key Encipherment",
            PublicKey::Curve(_) => "Digital Signature, Key Agreement",
            PublicKey::Ed25519(_) => "Digital Signature",
            PublicKey::Kem(_) => "Key Encipherment",
        };
        let wanted = [
            usage,
            "E-mail Protection",
            "email:Bob@north.example, email:bob.alias@north.example",
            "Subject: CN = Bob",
            "Authority Key Identifier",
        ];
        require(&text, &wanted);
        assert!(!text.contains("Basic Constraints"));
        let folder = tempfile::tempdir().unwrap();
        let (ca, leaf) = (folder.path().join("ca.pem"), folder.path().join("user.pem"));
        std::fs::write(&ca, root.to_pem().unwrap()).unwrap();
        std::fs::write(&leaf, user.to_pem().unwrap()).unwrap();
        let at = noon().unix_timestamp().to_string();
        let arguments = ["verify", "-x509_strict", "-attime", &at, "-CAfile", ca.to_str().unwrap()];
        let verified = openssl(&[&arguments[..], &[leaf.to_str().unwrap()]].concat(), b"").unwrap();
        assert!(verified.contains(": OK"), "{verified}");
    }
}

#[test]
fn serials_are_positive_random_and_of_128_bits() {
    let first = authority(&ec_key());
    assert_eq!(first.serial_octets().len(), 17);
    assert_eq!(first.serial_octets().first(), Some(&1));
    let user = issue(&first, &ec_key(), &ec_key().public());
    assert_ne!(first.serial(), user.serial());
}

#[test]
fn a_refreshed_authority_keeps_serial_names_and_key() {
    let old = authority(&ec_key());
    let later = Validity::lasting(noon() + Duration::days(365), AUTHORITY_LIFETIME);
    let new = refresh(&old, &ec_key(), later, seed(8)).unwrap();
    assert_eq!(new.serial(), old.serial());
    assert_eq!(new.subject(), old.subject());
    assert_eq!(new.not_after(), later.not_after);
    assert_eq!(new.parsed().tbs_certificate().extensions(), old.parsed().tbs_certificate().extensions());
    let other = UnlockedKey::generate(KeyType::EcP256, seed(77)).unwrap();
    assert!(matches!(refresh(&old, &other, later, seed(8)), Err(PkiError::OtherKey { .. })));
    let user = issue(&old, &ec_key(), &other.public());
    let error = refresh(&user, &other, later, seed(8)).unwrap_err().to_string();
    assert_eq!(error, "CN=Bob was signed by CN=north.example, and only that authority can renew it");
}

#[test]
fn a_user_certificate_ends_with_its_issuer() {
    let root = authority(&ec_key());
    let user = |from, lifetime| {
        let profile = UserProfile {
            common_name: "Bob",
            addresses: &[address("bob@north.example")],
            validity: Validity::lasting(from, lifetime),
            reads: Reads::Cbc,
        };
        Authority::new(&root, &ec_key()).unwrap().issue(&ec_key().public(), &profile, seed(5))
    };
    let long = user(noon() - Duration::days(1), Duration::days(9999)).unwrap();
    assert_eq!((long.not_before(), long.not_after()), (root.not_before(), root.not_after()));
    assert!(matches!(user(root.not_after(), USER_LIFETIME), Err(PkiError::Validity(_))));
}

#[test]
fn only_an_authority_issues_and_only_with_its_key() {
    let root = authority(&ec_key());
    let user = issue(&root, &ec_key(), &rsa_key().public());
    let error = Authority::new(&user, rsa_key()).err().unwrap().to_string();
    let text = "CN=Bob cannot issue certificates: its certificate is not that of an authority \
                    (basicConstraints CA is missing)";
    assert_eq!(error, text);
    assert!(matches!(Authority::new(&root, rsa_key()), Err(PkiError::OtherKey { .. })));
}

#[test]
fn names_that_do_not_fit_are_refused() {
    let build = |subject: &Subject, names: &[String]| {
        let validity = Validity::lasting(noon(), AUTHORITY_LIFETIME);
        self_sign(&ec_key(), &AuthorityProfile { subject, dns_names: names, validity }, seed(4))
    };
    let long = Subject::named("x".repeat(65));
    assert!(matches!(build(&long, &[]), Err(PkiError::Name { field: "common name", .. })));
    let country = Subject { country: Some("Germany".to_owned()), ..Subject::named("north") };
    assert_eq!(
        build(&country, &[]).unwrap_err().to_string(),
        "\"Germany\" cannot be used as country: a country is two letters, such as DE"
    );
    let names = ["münchen.example".to_owned()];
    assert!(matches!(build(&Subject::named("m"), &names), Err(PkiError::Name { field: "DNS name", .. })));
}

#[test]
fn years_after_2049_are_written_as_generalized_time() {
    let at = time::macros::datetime!(2049-12-31 23:59:59 UTC);
    assert!(matches!(asn1_time(at).unwrap(), Time::UtcTime(_)));
    assert!(matches!(asn1_time(at + Duration::SECOND).unwrap(), Time::GeneralTime(_)));
    assert!(asn1_time(OffsetDateTime::UNIX_EPOCH - Duration::SECOND).is_err());
}
