//! Certificates that a domain signs for itself beside that of an authority: one for TLS only, one to be encrypted to, and one that
//! follows another when the key changes.

use super::issue::{authority_extensions, extension, key_id, self_signed, self_signed_as, usages};
use super::{AuthorityProfile, Certificate, PkiError, PublicKey, UnlockedKey, Validity};
use crate::crypto::Seed;
use const_oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_EMAIL_PROTECTION, ID_KP_SERVER_AUTH};
use const_oid::db::rfc5912::ID_CE_SUBJECT_ALT_NAME;
use time::Duration;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages};

/// How long a self-signed certificate for TLS lives unless told otherwise: as long as programs take one for at most (398 days),
/// less one.
pub const TLS_LIFETIME: Duration = Duration::days(397);

/// A self-signed certificate for TLS, on both sides of a connection. It signs no others.
pub fn self_sign_for_tls(
    key: &UnlockedKey,
    profile: &AuthorityProfile<'_>,
    seed: Seed,
) -> Result<Certificate, PkiError> {
    self_signed_as(key, profile, server_extensions(&key.public())?, seed)
}

/// A self-signed certificate that is made to be encrypted to, for a domain whose key stands in for its accounts' keys. It
/// issues nothing, and names no mailbox.
pub fn self_sign_recipient(
    key: &UnlockedKey,
    profile: &AuthorityProfile<'_>,
    seed: Seed,
) -> Result<Certificate, PkiError> {
    self_signed_as(key, profile, recipient_extensions(&key.public())?, seed)
}

fn recipient_extensions(key: &PublicKey) -> Result<Vec<Extension>, PkiError> {
    Ok(vec![
        extension(true, &usages(key))?,
        extension(false, &ExtendedKeyUsage(vec![ID_KP_EMAIL_PROTECTION]))?,
        extension(false, &key_id(key)?)?,
    ])
}

/// What a new key is given in the place of that certificate: self-signed, with the same subject and alternative names, for the
/// same purpose: an authority is followed by an authority, what mail is sealed to by its like, and anything else by a
/// certificate for TLS. Serial number and key identifiers are new, and nothing of what another authority wrote into the old
/// one is kept.
pub fn succeed(
    old: &Certificate,
    key: &UnlockedKey,
    validity: Validity,
    seed: Seed,
) -> Result<Certificate, PkiError> {
    let is_for_mail =
        old.extended_key_usage()?.is_some_and(|usages| usages.contains(&ID_KP_EMAIL_PROTECTION));
    let mut extensions = if old.may_sign_certificates() {
        authority_extensions(&key.public())?
    } else if is_for_mail {
        recipient_extensions(&key.public())?
    } else {
        server_extensions(&key.public())?
    };
    let tbs = old.parsed().tbs_certificate();
    let names = tbs.extensions().into_iter().flatten().filter(|one| one.extn_id == ID_CE_SUBJECT_ALT_NAME);
    extensions.extend(names.cloned());
    self_signed(key, tbs.subject().clone(), extensions, validity, seed)
}

fn server_extensions(key: &PublicKey) -> Result<Vec<Extension>, PkiError> {
    let usage = match key {
        PublicKey::Rsa(_) => KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment,
        _ => KeyUsages::DigitalSignature.into(),
    };
    Ok(vec![
        extension(true, &BasicConstraints { ca: false, path_len_constraint: None })?,
        extension(true, &KeyUsage(usage))?,
        extension(false, &ExtendedKeyUsage(vec![ID_KP_SERVER_AUTH, ID_KP_CLIENT_AUTH]))?,
        extension(false, &key_id(key)?)?,
    ])
}

#[cfg(test)]
mod tests {
    use super::super::issue::tests::{authority, issue, noon, openssl};
    use super::super::key::tests::{ec_key, rsa_key, seed};
    use super::super::{AUTHORITY_LIFETIME, Authority, Subject};
    use super::*;

    fn server(key: &UnlockedKey) -> Certificate {
        let subject = Subject { country: Some("NO".to_owned()), ..Subject::named("north.example") };
        let names = ["north.example".to_owned()];
        let validity = Validity::lasting(noon(), TLS_LIFETIME);
        let profile = AuthorityProfile { subject: &subject, dns_names: &names, validity };
        self_sign_for_tls(key, &profile, seed(4)).unwrap()
    }

    #[test]
    fn a_certificate_for_tls_is_no_authority() {
        for (key, usage) in
            [(rsa_key(), "Digital Signature, Key Encipherment"), (&ec_key(), "Digital Signature")]
        {
            let made = server(key);
            assert!(!made.may_sign_certificates() && Authority::new(&made, key).is_err());
            let arguments = ["x509", "-noout", "-text", "-purpose"];
            let Some(text) = openssl(&arguments, made.to_pem().unwrap().as_bytes()) else { return };
            let wanted = [
                "CA:FALSE",
                &format!("{usage}\n"),
                "TLS Web Server Authentication, TLS Web Client Authentication",
                "DNS:north.example",
                "SSL server : Yes",
                "S/MIME encryption : No",
            ];
            for one in wanted {
                assert!(text.contains(one), "{one} is not in {text}");
            }
        }
    }

    #[test]
    fn a_successor_has_the_names_and_the_purpose_and_nothing_else() {
        let validity = Validity::lasting(noon(), AUTHORITY_LIFETIME);
        for (old, is_authority) in [(authority(rsa_key()), true), (server(rsa_key()), false)] {
            let new = succeed(&old, &ec_key(), validity, seed(9)).unwrap();
            assert_eq!((new.subject(), new.issuer()), (old.subject(), old.subject()));
            assert_ne!(new.serial(), old.serial());
            assert_ne!(new.subject_key_id(), old.subject_key_id());
            assert_eq!(new.may_sign_certificates(), is_authority);
            assert!(new.is_signed_by(&new));
            assert_eq!(new.key_fingerprint().unwrap(), ec_key().fingerprint().unwrap());
            let names = |certificate: &Certificate| {
                let mut all =
                    certificate.parsed().tbs_certificate().extensions().cloned().unwrap_or_default();
                all.retain(|one| one.extn_id == ID_CE_SUBJECT_ALT_NAME);
                all
            };
            assert_eq!(names(&new), names(&old));
        }
    }

    /// Old and new authority have one name: the key identifier in what was issued tells whose it is.
    #[test]
    fn what_the_old_and_the_new_authority_issued_is_valid_beside_each_other() {
        use super::super::{SealingCheck, ValidatedCertificate};
        let old = authority(rsa_key());
        let new = succeed(&old, &ec_key(), Validity::lasting(noon(), AUTHORITY_LIFETIME), seed(9)).unwrap();
        let users =
            [issue(&old, rsa_key(), &rsa_key().public()), issue(&new, &ec_key(), &rsa_key().public())];
        for anchors in [[old.clone(), new.clone()], [new, old]] {
            for user in &users {
                let check = SealingCheck {
                    addresses: &[],
                    at: noon() + Duration::DAY,
                    minimum_rsa_bits: 2048,
                    anchors: Some(&anchors),
                    intermediates: &anchors,
                    allow_expired: false,
                    allow_not_yet_valid: false,
                    revocation: None,
                };
                let judged = ValidatedCertificate::for_sealing(user, &check);
                assert!(judged.is_ok(), "{:?}", judged.err());
            }
        }
    }
}
