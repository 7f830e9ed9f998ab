//! Authorities that were replaced.

use super::*;

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
