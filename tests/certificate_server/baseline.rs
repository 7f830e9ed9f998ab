//! The CA/Browser Forum's Baseline Requirements for S/MIME certificates, as far as they speak of a subscriber's certificate
//! (version 1.0, sections 6 and 7; the strict generation of the mailbox-validated profile), and RFC 5280: a row a rule.
//!
//! What they say of an authority's business, of public logs and of validation is no matter of a certificate's octets. Keys of
//! the kinds X25519 and ML-KEM are not among those that they allow.

use super::{Office, pem};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::ID_KP_EMAIL_PROTECTION;
use der::{Decode, Encode};
use sealpost::pki::{Certificate, PublicKey};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, CertificatePolicies, CrlDistributionPoints, ExtendedKeyUsage, KeyUsage,
    KeyUsages, SubjectAltName, SubjectKeyIdentifier,
};

const POLICY: &str = "2.23.140.1.5.1.2";
const SMIME_CAPABILITIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.15");

/// A certificate and its issuer.
struct Case {
    made: Certificate,
    issuer: Certificate,
}

impl Case {
    fn tbs(&self) -> &x509_cert::TbsCertificate {
        self.made.parsed().tbs_certificate()
    }

    fn extensions(&self) -> &[Extension] {
        self.tbs().extensions().unwrap()
    }

    /// The extension of that kind if it stands once, and whether it is critical.
    fn one<'a, E: Decode<'a> + const_oid::AssociatedOid>(&'a self) -> Option<(bool, E)> {
        let mut found = self.extensions().iter().filter(|one| one.extn_id == E::OID);
        let one = found.next()?;
        let value = E::from_der(one.extn_value.as_bytes()).ok()?;
        found.next().is_none().then_some((one.critical, value))
    }

    fn names(&self) -> Vec<GeneralName> {
        self.one::<SubjectAltName>().unwrap().1.0
    }
}

/// What is asked, where, and whether it holds.
type Rule = (&'static str, &'static str, fn(&Case) -> bool);

const RULES: &[Rule] = &[
    ("7.1.1", "the version is 3", |case| case.tbs().version() == x509_cert::Version::V3),
    ("7.1", "the serial number is positive, has 64 random bits at least and 20 octets at most", |case| {
        let serial = case.tbs().serial_number().as_bytes();
        (9..=20).contains(&serial.len()) && serial[0] < 0x80
    }),
    ("7.1.3.2", "both signature algorithms are the same, and SHA-256 or better", |case| {
        let (inner, outer) = (case.tbs().signature(), case.made.parsed().signature_algorithm());
        let name = const_oid::db::DB.by_oid(&outer.oid).unwrap();
        inner == outer
            && ["ecdsa-with-SHA256", "ecdsa-with-SHA384", "sha256WithRSAEncryption"].contains(&name)
    }),
    ("7.1.4.1", "the issuer is the subject of its certificate, octet by octet", |case| {
        let subject = case.issuer.parsed().tbs_certificate().subject();
        case.tbs().issuer().to_der().unwrap() == subject.to_der().unwrap()
    }),
    ("6.3.2", "it is valid for 825 days at most", |case| {
        case.made.not_after() - case.made.not_before() <= time::Duration::days(825)
    }),
    ("7.1.2.3", "it begins within 48 hours of its signature", |case| {
        (time::OffsetDateTime::now_utc() - case.made.not_before()).abs() < time::Duration::hours(48)
    }),
    ("RFC 5280 6.1", "its validity lies inside the issuer's", |case| {
        case.made.not_before() >= case.issuer.not_before() && case.made.not_after() <= case.issuer.not_after()
    }),
    ("6.1.5", "the key is RSA of 2048 bits at least, divisible by 8, or on P-256, P-384 or P-521", |case| {
        match case.made.public_key().unwrap() {
            PublicKey::Rsa(_) => {
                let bits = case.made.public_key().unwrap().modulus_bits().unwrap();
                bits >= 2048 && bits % 8 == 0
            }
            key => ["EC P-256", "EC P-384", "EC P-521"].contains(&key.to_string().as_str()),
        }
    }),
    ("7.1.4.2.2", "the subject is one common name, and it is a mailbox of the subjectAltName", |case| {
        let name = case.made.common_name().unwrap();
        case.made.subject() == format!("CN={name}") && case.made.addresses().contains(&name)
    }),
    ("7.1.2.3 a", "certificatePolicies is there, not critical, and names the policy", |case| {
        let (critical, policies) = case.one::<CertificatePolicies>().unwrap();
        !critical && policies.0.iter().any(|policy| policy.policy_identifier.to_string() == POLICY)
    }),
    ("7.1.2.3 b", "cRLDistributionPoints is there, not critical, and leads to http", |case| {
        let (critical, points) = case.one::<CrlDistributionPoints>().unwrap();
        let names = points.0.iter().filter_map(|point| match &point.distribution_point {
            Some(DistributionPointName::FullName(names)) => Some(names),
            _ => None,
        });
        let is_http = |name: &GeneralName| matches!(name, GeneralName::UniformResourceIdentifier(url) if url.as_str().starts_with("http://"));
        !critical && points.0.len() == 1 && names.flatten().all(is_http)
    }),
    ("7.1.2.3 d", "basicConstraints makes it no authority", |case| {
        case.made.basic_constraints().unwrap().is_none()
    }),
    (
        "7.1.2.3 e",
        "keyUsage is there, critical, and allows what the kind of key does and nothing more",
        |case| {
            let (critical, KeyUsage(usage)) = case.one::<KeyUsage>().unwrap();
            let wanted = match case.made.public_key().unwrap() {
                PublicKey::Rsa(_) => KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment,
                _ => KeyUsages::DigitalSignature | KeyUsages::KeyAgreement,
            };
            critical && usage == wanted
        },
    ),
    ("7.1.2.3 f", "extKeyUsage is there, not critical, and is emailProtection alone", |case| {
        let (critical, ExtendedKeyUsage(usages)) = case.one::<ExtendedKeyUsage>().unwrap();
        !critical && usages == [ID_KP_EMAIL_PROTECTION]
    }),
    (
        "7.1.2.3 g",
        "authorityKeyIdentifier is there, not critical: the issuer's key, no name and no serial number",
        |case| {
            let (critical, id) = case.one::<AuthorityKeyIdentifier>().unwrap();
            let key = id.key_identifier.map(|id| id.as_bytes().to_vec());
            !critical
                && key == case.issuer.subject_key_id()
                && id.authority_cert_issuer.is_none()
                && id.authority_cert_serial_number.is_none()
        },
    ),
    ("7.1.2.3 h", "subjectAltName is there, not critical, and holds mailboxes only", |case| {
        let (critical, _) = case.one::<SubjectAltName>().unwrap();
        let names = case.names();
        !critical && !names.is_empty() && names.iter().all(|name| matches!(name, GeneralName::Rfc822Name(_)))
    }),
    ("7.1.4.2.1", "every mailbox of the account is in it", |case| {
        case.made.addresses()
            == ["bob@north.example", "bob@alias.example", "robert@north.example", "robert@alias.example"]
    }),
    ("7.1.2.3 l", "smimeCapabilities is there and not critical", |case| {
        case.extensions().iter().filter(|one| one.extn_id == SMIME_CAPABILITIES).all(|one| !one.critical)
    }),
    ("7.1.2.3 n", "subjectKeyIdentifier is there and not critical", |case| {
        case.one::<SubjectKeyIdentifier>()
            .is_some_and(|(critical, id)| !critical && id.0.as_bytes().len() == 20)
    }),
    ("7.1.2.4", "there is no extension besides", |case| case.extensions().len() == 8),
    ("RFC 5280 4.2", "no extension stands twice", |case| {
        let mut found: Vec<_> = case.extensions().iter().map(|one| one.extn_id).collect();
        found.sort();
        found.windows(2).all(|pair| pair[0] != pair[1])
    }),
    ("RFC 5280 4.1.2.5", "times are UTCTime until 2049", |case| {
        let validity = case.tbs().validity();
        let utc = |time| matches!(time, x509_cert::time::Time::UtcTime(_));
        utc(validity.not_before) && utc(validity.not_after)
    }),
    ("RFC 5280 4.1.1.3", "the issuer's key signed it", |case| case.made.is_signed_by(&case.issuer)),
];

fn case(office: &Office, kind: &str) -> Case {
    let generate = format!("key generate --account bob@north.example --type {kind} --password-file");
    office.site.program(&generate).args([crate::support::path(&office.password)]).run().ok();
    let issued = office.site.json("cert issue --account bob@north.example --name Bob");
    let shown = office.site.json("cert show --domain north.example");
    let read = |value| Certificate::from_pem(pem(value).as_bytes()).unwrap();
    Case { made: read(&issued), issuer: read(&shown["certificates"][0]) }
}

#[test]
fn what_is_issued_keeps_every_rule_of_public_authorities() {
    let office = Office::new();
    office.configure(&format!(
        "issue-days = 825\nissue-subject = \"address\"\nissue-policy = [\"{POLICY}\"]\n\
         crl-url = \"http://crl.north.example/{{authority}}.crl\"\n"
    ));
    for kind in ["rsa-2048", "ec-p256", "ec-p384", "ec-p521"] {
        let case = case(&office, kind);
        let broken: Vec<_> =
            RULES.iter().filter(|(_, _, holds)| !holds(&case)).map(|(at, what, _)| (at, what)).collect();
        assert!(broken.is_empty(), "{kind}: {broken:?}");
    }
}

/// Without a setting neither a policy nor a list is claimed, and the person's name stands in the subject.
#[test]
fn nothing_is_claimed_that_nobody_configured() {
    let office = Office::new();
    let case = case(&office, "ec-p256");
    assert_eq!(case.extensions().len(), 6);
    assert_eq!(case.made.subject(), "CN=Bob");
    let days = case.made.not_after() - case.made.not_before();
    assert_eq!(days, time::Duration::days(730));
}

/// Keys that only agree or decapsulate have their own usage (RFC 8410 5, RFC 9935 5).
#[test]
fn every_kind_of_key_is_issued_to() {
    let office = Office::new();
    let post_quantum = "profile = \"post-quantum\"\nalso-classical = \"yes\"\n";
    for (kind, usage, settings) in [
        ("x25519", KeyUsages::KeyAgreement, "profile = \"modern\"\n"),
        ("ml-kem-768", KeyUsages::KeyEncipherment, post_quantum),
        ("ml-kem-1024", KeyUsages::KeyEncipherment, post_quantum),
    ] {
        office.configure(settings);
        let case = case(&office, kind);
        assert_eq!(case.one::<KeyUsage>().unwrap().1, KeyUsage(usage.into()), "{kind}");
    }
}
