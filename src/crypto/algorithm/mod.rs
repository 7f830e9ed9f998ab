//! One `static` row per algorithm; names, help, documentation, OID lookup, policies and tests read these tables.

mod agreement;
mod content;
mod derivation;
mod transport;
mod wrap;

pub use super::curve::{CURVES, Curve, P_256, P_384, P_521, X25519};
pub use super::kem::{KEMS, Kem, ML_KEM_512, ML_KEM_768, ML_KEM_1024};
pub use agreement::*;
pub use content::*;
pub use derivation::*;
pub use transport::*;
pub use wrap::*;

use const_oid::ObjectIdentifier;

/// May we write it, or only read what others wrote?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Strong enough to be written, and read.
    Write,
    /// Read only: old peers send it.
    ReadOnly,
}

/// What an algorithm is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It encrypts the content.
    Content,
    /// It encrypts the content key to an RSA key.
    KeyTransport,
    /// It agrees with the holder of an EC key on a key-encryption key.
    KeyAgreement,
    /// It carries a secret to the holder of a post-quantum key.
    KeyEncapsulation,
    /// It makes a key-encryption key out of a secret that was encapsulated.
    KeyDerivation,
    /// It encrypts the content key under a key-encryption key.
    KeyWrap,
}

/// What all rows have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// In which table it stands.
    pub kind: Kind,
    /// The name in config, help and output.
    pub name: &'static str,
    /// Its object identifier; rows that differ in their parameters share one.
    pub oid: ObjectIdentifier,
    /// Written or only read.
    pub status: Status,
}

/// Every row of every table.
pub fn entries() -> impl Iterator<Item = Entry> {
    let content = CONTENT_CIPHERS.into_iter().map(|row| (Kind::Content, row.name, row.oid, row.status));
    let transport = KEY_TRANSPORTS.into_iter().map(|row| (Kind::KeyTransport, row.name, row.oid, row.status));
    let agreement = KEY_AGREEMENTS.into_iter().map(|row| (Kind::KeyAgreement, row.name, row.oid, row.status));
    let kem = KEMS.into_iter().map(|row| (Kind::KeyEncapsulation, row.name, row.oid, row.status));
    let derivation =
        KEY_DERIVATIONS.into_iter().map(|row| (Kind::KeyDerivation, row.name, row.oid, row.status));
    let wrap = KEY_WRAPS.into_iter().map(|row| (Kind::KeyWrap, row.name, row.oid, row.status));
    let rows = content.chain(transport).chain(agreement).chain(kem).chain(derivation).chain(wrap);
    rows.map(|(kind, name, oid, status)| Entry { kind, name, oid, status })
}

/// A hash inside OAEP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    const ALL: [Hash; 4] = [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512];

    fn oid(self) -> ObjectIdentifier {
        match self {
            Hash::Sha1 => const_oid::db::rfc5912::ID_SHA_1,
            Hash::Sha256 => const_oid::db::rfc5912::ID_SHA_256,
            Hash::Sha384 => const_oid::db::rfc5912::ID_SHA_384,
            Hash::Sha512 => const_oid::db::rfc5912::ID_SHA_512,
        }
    }

    /// The hash with that object identifier.
    pub(super) fn by_oid(oid: ObjectIdentifier) -> Option<Hash> {
        Hash::ALL.into_iter().find(|hash| hash.oid() == oid)
    }
}

/// An algorithm in words: its name in the registry of object identifiers or in our tables if it has one, else the numbers.
pub(crate) fn name_of(oid: &ObjectIdentifier) -> String {
    let in_tables = || entries().find(|entry| entry.oid == *oid).map(|entry| entry.name);
    match const_oid::db::DB.by_oid(oid).or_else(in_tables) {
        Some(name) => format!("{name} ({oid})"),
        None => oid.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_given_once() {
        let names: Vec<&str> = entries().map(|entry| entry.name).collect();
        assert_eq!(names.len(), names.iter().collect::<HashSet<_>>().len(), "{names:?}");
        assert_eq!(names.len(), 39);
    }

    #[test]
    fn rows_are_found_by_name_and_oid() {
        for cipher in CONTENT_CIPHERS {
            assert_eq!(ContentCipher::by_oid(cipher.oid).unwrap().oid, cipher.oid);
            assert!(std::ptr::eq(ContentCipher::by_name(cipher.name).unwrap(), cipher));
        }
        for transport in KEY_TRANSPORTS {
            assert!(std::ptr::eq(KeyTransport::by_padding(transport.padding).unwrap(), transport));
            assert!(std::ptr::eq(KeyTransport::by_name(transport.name).unwrap(), transport));
        }
        for agreement in KEY_AGREEMENTS {
            assert!(std::ptr::eq(KeyAgreement::by_oid(agreement.oid).unwrap(), agreement));
        }
        for derivation in KEY_DERIVATIONS {
            assert!(std::ptr::eq(KeyDerivation::by_oid(derivation.oid).unwrap(), derivation));
        }
        for wrap in KEY_WRAPS {
            assert!(std::ptr::eq(KeyWrap::by_oid(wrap.oid).unwrap(), wrap));
        }
    }

    #[test]
    fn hashes_are_found_by_oid() {
        for hash in Hash::ALL {
            assert_eq!(Hash::by_oid(hash.oid()), Some(hash));
        }
    }

    #[test]
    fn what_is_broken_or_old_is_not_written() {
        let read_only = |word: &str| {
            entries().filter(|entry| entry.name.contains(word)).all(|entry| entry.status == Status::ReadOnly)
        };
        for word in ["des", "rc2", "sha1", "cofactor", "sha224", "ML-KEM-512"] {
            assert!(read_only(word), "{word}");
        }
    }

    #[test]
    fn object_identifiers_have_names() {
        assert_eq!(name_of(&AES_256_CBC.oid), "id-aes256-CBC (2.16.840.1.101.3.4.1.42)");
        assert_eq!(name_of(&ObjectIdentifier::new_unwrap("1.2.3.4")), "1.2.3.4");
    }
}
