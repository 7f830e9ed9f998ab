//! Authorities that were replaced.

use super::*;
use crate::pki::self_sign_recipient;

/// north.example with the key 1 and a generic certificate, which is replaced by the key 2.
fn rotated() -> (TempDir, SqliteDirectory) {
    let (folder, directory) = furnished();
    let print = key(1).fingerprint().unwrap();
    directory.set_domain_key("north.example", print, &key(1).to_pkcs8().unwrap()).unwrap();
    directory
        .set_domain_certificate("north.example", CertificateUse::Generic, &certificate(&key(1), 1))
        .unwrap();
    rotate(&directory, 1, 2, 2).unwrap();
    (folder, directory)
}

/// Key by number for key by number, with a certificate of the third number's key.
fn rotate(directory: &SqliteDirectory, old: u8, new: u8, of: u8) -> Result<(), AdminError> {
    directory.rotate_domain_key(
        "alias.example",
        &Rotation {
            replaced: key(old).fingerprint().unwrap(),
            fingerprint: key(new).fingerprint().unwrap(),
            pkcs8: &key(new).to_pkcs8().unwrap(),
            certificates: &[(CertificateUse::Generic, certificate(&key(of), 9))],
        },
    )
}

#[test]
fn a_replaced_authority_is_kept_with_its_key() {
    let (_folder, directory) = rotated();
    let retired = directory.retired_authorities("north.example").unwrap();
    assert_eq!(retired.len(), 1);
    assert_eq!(retired[0].fingerprint, key(1).fingerprint().unwrap());
    assert_eq!(retired[0].certificate, certificate(&key(1), 1));
    assert!(retired[0].key.expose() == key(1).to_pkcs8().unwrap().expose());
    let now = directory.domain_key("north.example").unwrap().unwrap();
    assert_eq!(now.fingerprint, key(2).fingerprint().unwrap());
    let domain = directory.domain("north.example").unwrap();
    assert_eq!(domain.authorities, [certificate(&key(2), 9)]);
    assert_eq!(domain.trust.retired, [certificate(&key(1), 1)]);
    rotate(&directory, 2, 3, 3).unwrap();
    assert_eq!(directory.retired_authorities("north.example").unwrap().len(), 2);
}

#[test]
fn a_rotation_is_whole_or_it_was_not() {
    let (_folder, directory) = rotated();
    // Somebody else was faster.
    assert_eq!(
        rotate(&directory, 1, 3, 3).unwrap_err().to_string(),
        "the key of the domain north.example was changed meanwhile: look at it again \
         (sealpost key show --domain north.example)"
    );
    // The certificate is of another key than the new one: found out when the old one is gone already.
    assert!(matches!(rotate(&directory, 2, 3, 4), Err(AdminError::OtherKey { .. })));
    let now = directory.domain_key("north.example").unwrap().unwrap();
    assert_eq!(now.fingerprint, key(2).fingerprint().unwrap());
    assert_eq!(directory.retired_authorities("north.example").unwrap().len(), 1);
    assert_eq!(directory.domain_certificates("north.example").unwrap().len(), 1);
}

#[test]
fn what_may_not_sign_is_not_kept() {
    let (_folder, directory) = furnished();
    let print = key(1).fingerprint().unwrap();
    directory.set_domain_key("north.example", print, &key(1).to_pkcs8().unwrap()).unwrap();
    rotate(&directory, 1, 2, 2).unwrap();
    assert!(directory.retired_authorities("north.example").unwrap().is_empty());
}

#[test]
fn forgetting_an_authority_is_said_by_name() {
    let (folder, directory) = rotated();
    let (old, new) = (key(1).fingerprint().unwrap(), key(2).fingerprint().unwrap());
    let bob = address("bob@north.example");
    directory.remove_account(&bob, &[]).unwrap();
    for forget in [&[][..], &[old], &[new]] {
        let refused = directory.remove_domain("north.example", forget);
        assert!(matches!(refused, Err(AdminError::KeysWouldBeLost { .. })));
    }
    assert_eq!(
        directory.remove_retired_authority("north.example", new).unwrap_err().to_string(),
        "north.example has no such key"
    );
    directory.remove_retired_authority("north.example", old).unwrap();
    let pkcs8 = key(1).to_pkcs8().unwrap();
    for file in std::fs::read_dir(folder.path().join("store")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(memchr::memmem::find(&bytes, pkcs8.expose()).is_none());
    }
    directory.remove_domain("north.example", &[new]).unwrap();
}

#[test]
fn a_domain_goes_with_its_replaced_authorities() {
    let (_folder, directory) = rotated();
    directory.remove_account(&address("bob@north.example"), &[]).unwrap();
    let held = [1, 2].map(|number| key(number).fingerprint().unwrap());
    directory.remove_domain("north.example", &held).unwrap();
}

fn sealing(key: &UnlockedKey, number: u8) -> Certificate {
    let profile = AuthorityProfile {
        subject: &Subject::named("north.example"),
        dns_names: &[],
        validity: Validity::lasting(datetime!(2026-01-01 0:00 UTC), Duration::days(30)),
    };
    self_sign_recipient(key, &profile, Seed::from_bytes(&mut [number; 32])).unwrap()
}

/// Certificates that are kept of north.example, the oldest first, and whether they vouch.
fn kept(directory: &SqliteDirectory) -> Vec<(Certificate, bool)> {
    let kept = directory.retired_keys("north.example").unwrap();
    kept.into_iter().map(|one| (one.certificate, one.vouches)).collect()
}

fn holders(directory: &SqliteDirectory, certificate: &Certificate) -> Vec<(String, Fingerprint, bool)> {
    let id = &certificate.recipient_ids()[0];
    let found = directory.domain_holders(&[id]).unwrap().remove(0);
    found.into_iter().map(|one| (one.domain, one.certificate, one.active)).collect()
}

#[test]
fn what_mail_was_sealed_to_is_kept_when_it_is_replaced_or_removed() {
    let (_folder, directory) = furnished();
    let (key, domain) = (key(1), "north.example");
    directory.set_domain_key(domain, key.fingerprint().unwrap(), &key.to_pkcs8().unwrap()).unwrap();
    // An authority that does not encrypt; what is sealed to, three times; and what stands in for it without a purpose.
    let set = |purpose, certificate: &Certificate| {
        directory.set_domain_certificate(domain, purpose, certificate).unwrap();
    };
    let [first, second, third] = [1, 2, 3].map(|number| sealing(&key, number));
    set(CertificateUse::Generic, &certificate(&key, 1));
    set(CertificateUse::Sealing, &first);
    assert_eq!(kept(&directory), []);
    set(CertificateUse::Sealing, &first);
    set(CertificateUse::Sealing, &second);
    set(CertificateUse::Generic, &third);
    set(CertificateUse::Generic, &certificate(&key, 9));
    directory.remove_domain_certificate(domain, CertificateUse::Sealing).unwrap();
    assert_eq!(kept(&directory), [&first, &third, &second].map(|one| (one.clone(), false)));
    assert!(directory.remove_domain_certificate(domain, CertificateUse::Sealing).is_err());
    for one in [&first, &second, &third] {
        assert_eq!(holders(&directory, one), [(domain.to_owned(), one.fingerprint(), false)]);
    }
    // One that comes back is one of today, and is kept once.
    set(CertificateUse::Sealing, &first);
    assert_eq!(holders(&directory, &first), [(domain.to_owned(), first.fingerprint(), true)]);
    directory.remove_domain_certificate(domain, CertificateUse::Sealing).unwrap();
    assert_eq!(kept(&directory).len(), 3);
    // None of them is an authority, nor is the key one that was replaced.
    assert!(directory.retired_authorities(domain).unwrap().is_empty());
    assert!(directory.domain(domain).unwrap().trust.retired.is_empty());
    let own = key.fingerprint().unwrap();
    assert!(matches!(directory.remove_retired_authority(domain, own), Err(AdminError::NoKey(_))));
    assert_eq!(kept(&directory).len(), 3);
    // The key goes with all of them.
    directory.remove_domain_key(domain, &[own]).unwrap();
    assert_eq!(kept(&directory), []);
}

#[test]
fn an_authority_that_was_taken_away_anchors_nothing_after_the_key_is_replaced() {
    let (_folder, directory) = furnished();
    let (key, domain) = (key(1), "north.example");
    directory.set_domain_key(domain, key.fingerprint().unwrap(), &key.to_pkcs8().unwrap()).unwrap();
    let (sealed, authority) = (sealing(&key, 1), certificate(&key, 1));
    directory.set_domain_certificate(domain, CertificateUse::Generic, &sealed).unwrap();
    directory.set_domain_certificate(domain, CertificateUse::Smime, &certificate(&key, 2)).unwrap();
    directory.set_domain_certificate(domain, CertificateUse::Smime, &authority).unwrap();
    rotate(&directory, 1, 2, 2).unwrap();
    // A certificate without the purpose that could be sealed to is kept as well.
    assert_eq!(kept(&directory), [(sealed, false), (authority.clone(), true)]);
    assert_eq!(directory.domain(domain).unwrap().trust.retired, [authority]);
}
