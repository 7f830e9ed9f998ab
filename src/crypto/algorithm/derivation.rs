//! What makes a key-encryption key out of a secret that was encapsulated.

use super::Status;
use crate::crypto::derive::{Derive, hkdf};
use const_oid::ObjectIdentifier;
use sha2::{Sha256, Sha384, Sha512};

/// A key derivation function of KEMRecipientInfo (RFC 9629 5).
#[derive(Debug)]
pub struct KeyDerivation {
    /// The name in output.
    pub name: &'static str,
    /// Its object identifier; its parameters are absent.
    pub oid: ObjectIdentifier,
    /// Written or only read.
    pub status: Status,
    pub(in crate::crypto) derive: Derive,
}

/// HKDF with SHA-256 (RFC 8619), which RFC 9936 2.1 asks everybody to know.
pub static HKDF_SHA256: KeyDerivation =
    derivation("hkdf-sha256", "1.2.840.113549.1.9.16.3.28", hkdf::<Sha256>);
/// HKDF with SHA-384 (RFC 8619).
pub static HKDF_SHA384: KeyDerivation =
    derivation("hkdf-sha384", "1.2.840.113549.1.9.16.3.29", hkdf::<Sha384>);
/// HKDF with SHA-512 (RFC 8619).
pub static HKDF_SHA512: KeyDerivation =
    derivation("hkdf-sha512", "1.2.840.113549.1.9.16.3.30", hkdf::<Sha512>);

/// Every key derivation that we read.
pub static KEY_DERIVATIONS: [&KeyDerivation; 3] = [&HKDF_SHA256, &HKDF_SHA384, &HKDF_SHA512];

const fn derivation(name: &'static str, oid: &str, derive: Derive) -> KeyDerivation {
    KeyDerivation { name, oid: ObjectIdentifier::new_unwrap(oid), status: Status::Write, derive }
}

impl KeyDerivation {
    /// The row with that object identifier.
    pub(in crate::crypto) fn by_oid(oid: ObjectIdentifier) -> Option<&'static KeyDerivation> {
        KEY_DERIVATIONS.into_iter().find(|derivation| derivation.oid == oid)
    }
}
