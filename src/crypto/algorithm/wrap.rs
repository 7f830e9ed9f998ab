//! What encrypts a content key under a key-encryption key.

use super::Status;
use crate::crypto::key_wrap;
use aes::{Aes128, Aes192, Aes256};
use const_oid::ObjectIdentifier;

/// Wraps a key under another, or unwraps it, into `out`; nothing if a length is wrong or the key was not wrapped under it.
pub(in crate::crypto) type WrapStep =
    fn(key_encryption_key: &[u8], input: &[u8], out: &mut [u8]) -> Option<()>;

/// A key wrap: how the key that was agreed on encrypts the content key.
#[derive(Debug)]
pub struct KeyWrap {
    /// The name in output.
    pub name: &'static str,
    /// Its object identifier.
    pub oid: ObjectIdentifier,
    /// Length of the key-encryption key in bytes.
    pub key_len: usize,
    /// Written or only read.
    pub status: Status,
    /// Octets by which a wrapped key is longer than the key.
    pub(in crate::crypto) overhead: usize,
    /// Absent: it is only read.
    pub(in crate::crypto) wrap: Option<WrapStep>,
    pub(in crate::crypto) unwrap: WrapStep,
}

/// AES-128 key wrap (RFC 3394, RFC 3565 2.3.2).
pub static AES_128_WRAP: KeyWrap = KeyWrap {
    wrap: Some(key_wrap::wrap::<Aes128>),
    ..aes("aes-128-wrap", const_oid::db::rfc5911::ID_AES_128_WRAP, 16, key_wrap::unwrap::<Aes128>)
};

/// AES-192 key wrap (RFC 3394, RFC 3565 2.3.2).
pub static AES_192_WRAP: KeyWrap = KeyWrap {
    wrap: Some(key_wrap::wrap::<Aes192>),
    ..aes("aes-192-wrap", const_oid::db::rfc5911::ID_AES_192_WRAP, 24, key_wrap::unwrap::<Aes192>)
};

/// AES-256 key wrap (RFC 3394, RFC 3565 2.3.2).
pub static AES_256_WRAP: KeyWrap = KeyWrap {
    wrap: Some(key_wrap::wrap::<Aes256>),
    ..aes("aes-256-wrap", const_oid::db::rfc5911::ID_AES_256_WRAP, 32, key_wrap::unwrap::<Aes256>)
};

/// Triple DES key wrap (RFC 3217 3.2), which old peers use beside Triple DES.
pub static DES_EDE3_WRAP: KeyWrap = KeyWrap {
    status: Status::ReadOnly,
    overhead: key_wrap::DES_OVERHEAD,
    ..aes("des-ede3-wrap", ID_ALG_CMS_3DES_WRAP, 24, key_wrap::unwrap_des)
};

const ID_ALG_CMS_3DES_WRAP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.3.6");

/// Every key wrap that we read.
pub static KEY_WRAPS: [&KeyWrap; 4] = [&AES_128_WRAP, &AES_192_WRAP, &AES_256_WRAP, &DES_EDE3_WRAP];

const fn aes(name: &'static str, oid: ObjectIdentifier, key_len: usize, unwrap: WrapStep) -> KeyWrap {
    KeyWrap { name, oid, key_len, status: Status::Write, overhead: key_wrap::OVERHEAD, wrap: None, unwrap }
}

impl KeyWrap {
    /// The row with that object identifier.
    pub(in crate::crypto) fn by_oid(oid: ObjectIdentifier) -> Option<&'static KeyWrap> {
        KEY_WRAPS.into_iter().find(|wrap| wrap.oid == oid)
    }
}
