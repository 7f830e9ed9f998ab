//! What agrees on a key-encryption key.

use super::{CURVES, Curve, Status, X25519};
use crate::crypto::derive::{Derive, hkdf, x963};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5753;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

/// A key agreement scheme: ephemeral-static ECDH with a key derivation. Standard and cofactor Diffie-Hellman are one on
/// curves with cofactor 1, which the NIST curves are.
#[derive(Debug)]
pub struct KeyAgreement {
    /// The name in output.
    pub name: &'static str,
    /// Its object identifier.
    pub oid: ObjectIdentifier,
    /// Written or only read.
    pub status: Status,
    /// On which curves.
    curves: Curves,
    pub(in crate::crypto) derive: Derive,
}

/// Curves that a scheme is defined for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curves {
    /// Those of NIST (RFC 5753 7.1.4).
    Nist,
    /// X25519 (RFC 8418 2.2).
    X25519,
    /// Both (RFC 8418 2.1).
    All,
}

/// ECDH with SHA-1, the default of old peers (RFC 5753 7.1.4).
pub static ECDH_SHA1: KeyAgreement =
    old("ecdh-sha1kdf", rfc5753::DH_SINGLE_PASS_STD_DH_SHA_1_KDF_SCHEME, x963::<Sha1>);
/// ECDH with SHA-224.
pub static ECDH_SHA224: KeyAgreement =
    old("ecdh-sha224kdf", rfc5753::DH_SINGLE_PASS_STD_DH_SHA_224_KDF_SCHEME, x963::<Sha224>);
/// ECDH with SHA-256.
pub static ECDH_SHA256: KeyAgreement =
    standard("ecdh-sha256kdf", rfc5753::DH_SINGLE_PASS_STD_DH_SHA_256_KDF_SCHEME, x963::<Sha256>);
/// ECDH with SHA-384.
pub static ECDH_SHA384: KeyAgreement =
    standard("ecdh-sha384kdf", rfc5753::DH_SINGLE_PASS_STD_DH_SHA_384_KDF_SCHEME, x963::<Sha384>);
/// ECDH with SHA-512.
pub static ECDH_SHA512: KeyAgreement =
    standard("ecdh-sha512kdf", rfc5753::DH_SINGLE_PASS_STD_DH_SHA_512_KDF_SCHEME, x963::<Sha512>);
/// Cofactor ECDH with SHA-1 (RFC 5753 7.1.4).
pub static ECDH_COFACTOR_SHA1: KeyAgreement =
    old("ecdh-cofactor-sha1kdf", rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_1_KDF_SCHEME, x963::<Sha1>);
/// Cofactor ECDH with SHA-224.
pub static ECDH_COFACTOR_SHA224: KeyAgreement =
    old("ecdh-cofactor-sha224kdf", rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_224_KDF_SCHEME, x963::<Sha224>);
/// Cofactor ECDH with SHA-256.
pub static ECDH_COFACTOR_SHA256: KeyAgreement =
    old("ecdh-cofactor-sha256kdf", rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_256_KDF_SCHEME, x963::<Sha256>);
/// Cofactor ECDH with SHA-384.
pub static ECDH_COFACTOR_SHA384: KeyAgreement =
    old("ecdh-cofactor-sha384kdf", rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_384_KDF_SCHEME, x963::<Sha384>);
/// Cofactor ECDH with SHA-512.
pub static ECDH_COFACTOR_SHA512: KeyAgreement =
    old("ecdh-cofactor-sha512kdf", rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_512_KDF_SCHEME, x963::<Sha512>);
/// X25519 with HKDF and SHA-256 (RFC 8418 2.2).
pub static ECDH_HKDF_SHA256: KeyAgreement =
    modern("ecdh-hkdf-sha256", "1.2.840.113549.1.9.16.3.19", hkdf::<Sha256>);
/// X25519 with HKDF and SHA-384 (RFC 8418 2.2).
pub static ECDH_HKDF_SHA384: KeyAgreement =
    modern("ecdh-hkdf-sha384", "1.2.840.113549.1.9.16.3.20", hkdf::<Sha384>);
/// X25519 with HKDF and SHA-512 (RFC 8418 2.2).
pub static ECDH_HKDF_SHA512: KeyAgreement =
    modern("ecdh-hkdf-sha512", "1.2.840.113549.1.9.16.3.21", hkdf::<Sha512>);

/// Every key agreement that we read.
pub static KEY_AGREEMENTS: [&KeyAgreement; 13] = [
    &ECDH_SHA1,
    &ECDH_SHA224,
    &ECDH_SHA256,
    &ECDH_SHA384,
    &ECDH_SHA512,
    &ECDH_COFACTOR_SHA1,
    &ECDH_COFACTOR_SHA224,
    &ECDH_COFACTOR_SHA256,
    &ECDH_COFACTOR_SHA384,
    &ECDH_COFACTOR_SHA512,
    &ECDH_HKDF_SHA256,
    &ECDH_HKDF_SHA384,
    &ECDH_HKDF_SHA512,
];

const fn old(name: &'static str, oid: ObjectIdentifier, derive: Derive) -> KeyAgreement {
    KeyAgreement { name, oid, status: Status::ReadOnly, curves: Curves::Nist, derive }
}

const fn standard(name: &'static str, oid: ObjectIdentifier, derive: Derive) -> KeyAgreement {
    KeyAgreement { name, oid, status: Status::Write, curves: Curves::All, derive }
}

const fn modern(name: &'static str, oid: &str, derive: Derive) -> KeyAgreement {
    let oid = ObjectIdentifier::new_unwrap(oid);
    KeyAgreement { name, oid, status: Status::Write, curves: Curves::X25519, derive }
}

impl KeyAgreement {
    /// The row with that object identifier.
    pub(in crate::crypto) fn by_oid(oid: ObjectIdentifier) -> Option<&'static KeyAgreement> {
        KEY_AGREEMENTS.into_iter().find(|agreement| agreement.oid == oid)
    }

    /// Is it defined on that curve?
    pub(crate) fn serves(&self, curve: &Curve) -> bool {
        match self.curves {
            Curves::All => true,
            Curves::X25519 => *curve == X25519,
            Curves::Nist => *curve != X25519,
        }
    }

    /// The curves that it is defined on.
    pub fn curves(&self) -> impl Iterator<Item = &'static Curve> {
        CURVES.into_iter().filter(|curve| self.serves(curve))
    }
}
