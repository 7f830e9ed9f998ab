//! What encrypts a content key to an RSA key.

use super::{Hash, Status};
use const_oid::ObjectIdentifier;

/// How a content key is padded before RSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// RFC 8017 7.2.
    Pkcs1V1_5,
    /// RFC 8017 7.1, with this hash over the label.
    Oaep(Hash),
}

/// A key transport algorithm (RSA). The OAEP rows share one object identifier and differ in their parameters.
#[derive(Debug)]
pub struct KeyTransport {
    /// The name in config, help and output.
    pub name: &'static str,
    /// Its object identifier.
    pub oid: ObjectIdentifier,
    /// How the content key is padded.
    pub padding: Padding,
    /// Written or only read.
    pub status: Status,
}

/// RSAES-PKCS1-v1_5 (RFC 3370 4.2.1).
pub static RSAES_PKCS1_V1_5: KeyTransport = KeyTransport {
    name: "rsaes-pkcs1-v1_5",
    oid: const_oid::db::rfc5912::RSA_ENCRYPTION,
    padding: Padding::Pkcs1V1_5,
    status: Status::Write,
};

/// RSAES-OAEP with SHA-1, the default of old peers (RFC 3560).
pub static RSAES_OAEP_SHA1: KeyTransport = oaep("rsaes-oaep-sha1", Hash::Sha1, Status::ReadOnly);
/// RSAES-OAEP with SHA-256 (RFC 3560, RFC 8551 2.3).
pub static RSAES_OAEP_SHA256: KeyTransport = oaep("rsaes-oaep-sha256", Hash::Sha256, Status::Write);
/// RSAES-OAEP with SHA-384 (RFC 3560).
pub static RSAES_OAEP_SHA384: KeyTransport = oaep("rsaes-oaep-sha384", Hash::Sha384, Status::Write);
/// RSAES-OAEP with SHA-512 (RFC 3560).
pub static RSAES_OAEP_SHA512: KeyTransport = oaep("rsaes-oaep-sha512", Hash::Sha512, Status::Write);

/// Every key transport that we read.
pub static KEY_TRANSPORTS: [&KeyTransport; 5] =
    [&RSAES_PKCS1_V1_5, &RSAES_OAEP_SHA1, &RSAES_OAEP_SHA256, &RSAES_OAEP_SHA384, &RSAES_OAEP_SHA512];

const fn oaep(name: &'static str, hash: Hash, status: Status) -> KeyTransport {
    KeyTransport { name, oid: const_oid::db::rfc5912::ID_RSAES_OAEP, padding: Padding::Oaep(hash), status }
}

impl KeyTransport {
    /// The row with that padding.
    pub(in crate::crypto) fn by_padding(padding: Padding) -> Option<&'static KeyTransport> {
        KEY_TRANSPORTS.into_iter().find(|transport| transport.padding == padding)
    }

    /// The row with that name.
    pub fn by_name(name: &str) -> Option<&'static KeyTransport> {
        KEY_TRANSPORTS.into_iter().find(|transport| transport.name == name)
    }
}
