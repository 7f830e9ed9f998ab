//! One `static` row per algorithm; names, help, OID lookup and tests read these tables.

use super::{cbc, gcm, key_wrap, x963};
use aes::{Aes128, Aes192, Aes256};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5753;
use des::TdesEde3;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

/// May we write it, or only read what others wrote?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Written by a profile and read.
    Write,
    /// Read only: old peers send it.
    ReadOnly,
}

/// How a content cipher works on blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Cipher block chaining, for EnvelopedData. No integrity.
    Cbc,
    /// Galois counter mode, for AuthEnvelopedData.
    Gcm,
}

/// Decrypts `content` in place and says how many of its bytes are clear text, or nothing if key, padding or tag is wrong.
pub(super) type Decrypt = fn(input: &DecryptInput<'_>, content: &mut [u8]) -> Option<usize>;

/// What stands beside the ciphertext. CBC looks at key and IV only.
pub(super) struct DecryptInput<'a> {
    pub(super) key: &'a [u8],
    pub(super) iv: &'a [u8],
    pub(super) aad: &'a [u8],
    pub(super) tag: &'a [u8],
}

/// A content-encryption algorithm.
#[derive(Debug)]
pub struct ContentCipher {
    /// The name in config, help and output.
    pub name: &'static str,
    /// Its object identifier.
    pub oid: ObjectIdentifier,
    /// CBC or GCM.
    pub mode: Mode,
    /// Key length in bytes.
    pub key_len: usize,
    /// IV or nonce length in bytes.
    pub iv_len: usize,
    /// Written or only read.
    pub status: Status,
    pub(super) decrypt: Decrypt,
}

/// How a content key is padded before RSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// RFC 8017 7.2.
    Pkcs1V1_5,
    /// RFC 8017 7.1, with this hash over the label.
    Oaep(Hash),
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

/// Fills `out` with key bytes from a shared secret and what both sides know.
pub(super) type Derive = fn(secret: &[u8], shared_info: &[u8], out: &mut [u8]);

/// A key agreement scheme: ECDH with the key derivation of ANSI X9.63. Standard and cofactor Diffie-Hellman are one on
/// curves with cofactor 1, which P-256 is.
#[derive(Debug)]
pub struct KeyAgreement {
    /// The name in output.
    pub name: &'static str,
    /// Its object identifier.
    pub oid: ObjectIdentifier,
    /// Written or only read.
    pub status: Status,
    pub(super) derive: Derive,
}

/// Wraps a key under another, or unwraps it, into `out`; nothing if a length is wrong or the key was not wrapped under it.
pub(super) type WrapStep = fn(key_encryption_key: &[u8], input: &[u8], out: &mut [u8]) -> Option<()>;

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
    pub(super) wrap: WrapStep,
    pub(super) unwrap: WrapStep,
}

/// AES-128 in CBC mode (RFC 3565).
pub static AES_128_CBC: ContentCipher = ContentCipher {
    name: "aes-128-cbc",
    oid: const_oid::db::rfc5911::ID_AES_128_CBC,
    mode: Mode::Cbc,
    key_len: 16,
    iv_len: 16,
    status: Status::ReadOnly,
    decrypt: cbc::decrypt::<Aes128>,
};

/// AES-192 in CBC mode (RFC 3565).
pub static AES_192_CBC: ContentCipher = ContentCipher {
    name: "aes-192-cbc",
    oid: const_oid::db::rfc5911::ID_AES_192_CBC,
    mode: Mode::Cbc,
    key_len: 24,
    iv_len: 16,
    status: Status::ReadOnly,
    decrypt: cbc::decrypt::<Aes192>,
};

/// AES-256 in CBC mode (RFC 3565).
pub static AES_256_CBC: ContentCipher = ContentCipher {
    name: "aes-256-cbc",
    oid: const_oid::db::rfc5911::ID_AES_256_CBC,
    mode: Mode::Cbc,
    key_len: 32,
    iv_len: 16,
    status: Status::Write,
    decrypt: cbc::decrypt::<Aes256>,
};

/// Triple DES in CBC mode (RFC 3370 5.1): what old peers still write by default.
pub static DES_EDE3_CBC: ContentCipher = ContentCipher {
    name: "des-ede3-cbc",
    oid: const_oid::db::rfc5911::DES_EDE_3_CBC,
    mode: Mode::Cbc,
    key_len: 24,
    iv_len: 8,
    status: Status::ReadOnly,
    decrypt: cbc::decrypt::<TdesEde3>,
};

/// AES-128 in GCM mode (RFC 5084).
pub static AES_128_GCM: ContentCipher = ContentCipher {
    name: "aes-128-gcm",
    oid: const_oid::db::rfc5911::ID_AES_128_GCM,
    mode: Mode::Gcm,
    key_len: 16,
    iv_len: 12,
    status: Status::ReadOnly,
    decrypt: gcm::decrypt::<Aes128>,
};

/// AES-192 in GCM mode (RFC 5084).
pub static AES_192_GCM: ContentCipher = ContentCipher {
    name: "aes-192-gcm",
    oid: const_oid::db::rfc5911::ID_AES_192_GCM,
    mode: Mode::Gcm,
    key_len: 24,
    iv_len: 12,
    status: Status::ReadOnly,
    decrypt: gcm::decrypt::<Aes192>,
};

/// AES-256 in GCM mode (RFC 5084).
pub static AES_256_GCM: ContentCipher = ContentCipher {
    name: "aes-256-gcm",
    oid: const_oid::db::rfc5911::ID_AES_256_GCM,
    mode: Mode::Gcm,
    key_len: 32,
    iv_len: 12,
    status: Status::Write,
    decrypt: gcm::decrypt::<Aes256>,
};

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
pub static RSAES_OAEP_SHA384: KeyTransport = oaep("rsaes-oaep-sha384", Hash::Sha384, Status::ReadOnly);
/// RSAES-OAEP with SHA-512 (RFC 3560).
pub static RSAES_OAEP_SHA512: KeyTransport = oaep("rsaes-oaep-sha512", Hash::Sha512, Status::ReadOnly);

/// ECDH with SHA-1, the default of old peers (RFC 5753 7.1.4).
pub static ECDH_SHA1: KeyAgreement =
    agreement("ecdh-sha1kdf", rfc5753::DH_SINGLE_PASS_STD_DH_SHA_1_KDF_SCHEME, x963::derive::<Sha1>);
/// ECDH with SHA-224.
pub static ECDH_SHA224: KeyAgreement =
    agreement("ecdh-sha224kdf", rfc5753::DH_SINGLE_PASS_STD_DH_SHA_224_KDF_SCHEME, x963::derive::<Sha224>);
/// ECDH with SHA-256.
pub static ECDH_SHA256: KeyAgreement = KeyAgreement {
    status: Status::Write,
    ..agreement("ecdh-sha256kdf", rfc5753::DH_SINGLE_PASS_STD_DH_SHA_256_KDF_SCHEME, x963::derive::<Sha256>)
};
/// ECDH with SHA-384.
pub static ECDH_SHA384: KeyAgreement =
    agreement("ecdh-sha384kdf", rfc5753::DH_SINGLE_PASS_STD_DH_SHA_384_KDF_SCHEME, x963::derive::<Sha384>);
/// ECDH with SHA-512.
pub static ECDH_SHA512: KeyAgreement =
    agreement("ecdh-sha512kdf", rfc5753::DH_SINGLE_PASS_STD_DH_SHA_512_KDF_SCHEME, x963::derive::<Sha512>);
/// Cofactor ECDH with SHA-1 (RFC 5753 7.1.4).
pub static ECDH_COFACTOR_SHA1: KeyAgreement = agreement(
    "ecdh-cofactor-sha1kdf",
    rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_1_KDF_SCHEME,
    x963::derive::<Sha1>,
);
/// Cofactor ECDH with SHA-224.
pub static ECDH_COFACTOR_SHA224: KeyAgreement = agreement(
    "ecdh-cofactor-sha224kdf",
    rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_224_KDF_SCHEME,
    x963::derive::<Sha224>,
);
/// Cofactor ECDH with SHA-256.
pub static ECDH_COFACTOR_SHA256: KeyAgreement = agreement(
    "ecdh-cofactor-sha256kdf",
    rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_256_KDF_SCHEME,
    x963::derive::<Sha256>,
);
/// Cofactor ECDH with SHA-384.
pub static ECDH_COFACTOR_SHA384: KeyAgreement = agreement(
    "ecdh-cofactor-sha384kdf",
    rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_384_KDF_SCHEME,
    x963::derive::<Sha384>,
);
/// Cofactor ECDH with SHA-512.
pub static ECDH_COFACTOR_SHA512: KeyAgreement = agreement(
    "ecdh-cofactor-sha512kdf",
    rfc5753::DH_SINGLE_PASS_COFACTOR_DH_SHA_512_KDF_SCHEME,
    x963::derive::<Sha512>,
);

/// AES-128 key wrap (RFC 3394, RFC 3565 2.3.2).
pub static AES_128_WRAP: KeyWrap = KeyWrap {
    name: "aes-128-wrap",
    oid: const_oid::db::rfc5911::ID_AES_128_WRAP,
    key_len: 16,
    status: Status::ReadOnly,
    wrap: key_wrap::wrap::<Aes128>,
    unwrap: key_wrap::unwrap::<Aes128>,
};

/// AES-192 key wrap (RFC 3394, RFC 3565 2.3.2).
pub static AES_192_WRAP: KeyWrap = KeyWrap {
    name: "aes-192-wrap",
    oid: const_oid::db::rfc5911::ID_AES_192_WRAP,
    key_len: 24,
    status: Status::ReadOnly,
    wrap: key_wrap::wrap::<Aes192>,
    unwrap: key_wrap::unwrap::<Aes192>,
};

/// AES-256 key wrap (RFC 3394, RFC 3565 2.3.2).
pub static AES_256_WRAP: KeyWrap = KeyWrap {
    name: "aes-256-wrap",
    oid: const_oid::db::rfc5911::ID_AES_256_WRAP,
    key_len: 32,
    status: Status::Write,
    wrap: key_wrap::wrap::<Aes256>,
    unwrap: key_wrap::unwrap::<Aes256>,
};

/// Every content cipher that we read.
pub static CONTENT_CIPHERS: [&ContentCipher; 7] =
    [&AES_128_CBC, &AES_192_CBC, &AES_256_CBC, &DES_EDE3_CBC, &AES_128_GCM, &AES_192_GCM, &AES_256_GCM];

/// Every key transport that we read.
pub static KEY_TRANSPORTS: [&KeyTransport; 5] =
    [&RSAES_PKCS1_V1_5, &RSAES_OAEP_SHA1, &RSAES_OAEP_SHA256, &RSAES_OAEP_SHA384, &RSAES_OAEP_SHA512];

/// Every key agreement that we read.
pub static KEY_AGREEMENTS: [&KeyAgreement; 10] = [
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
];

/// Every key wrap that we read.
pub static KEY_WRAPS: [&KeyWrap; 3] = [&AES_128_WRAP, &AES_192_WRAP, &AES_256_WRAP];

const fn agreement(name: &'static str, oid: ObjectIdentifier, derive: Derive) -> KeyAgreement {
    KeyAgreement { name, oid, status: Status::ReadOnly, derive }
}

const fn oaep(name: &'static str, hash: Hash, status: Status) -> KeyTransport {
    KeyTransport { name, oid: const_oid::db::rfc5912::ID_RSAES_OAEP, padding: Padding::Oaep(hash), status }
}

impl ContentCipher {
    /// The row with that object identifier.
    pub fn by_oid(oid: ObjectIdentifier) -> Option<&'static ContentCipher> {
        CONTENT_CIPHERS.into_iter().find(|cipher| cipher.oid == oid)
    }

    /// The row with that name.
    pub fn by_name(name: &str) -> Option<&'static ContentCipher> {
        CONTENT_CIPHERS.into_iter().find(|cipher| cipher.name == name)
    }
}

impl KeyTransport {
    /// The row with that object identifier and padding.
    pub(super) fn by_padding(padding: Padding) -> Option<&'static KeyTransport> {
        KEY_TRANSPORTS.into_iter().find(|transport| transport.padding == padding)
    }

    /// The row with that name.
    pub fn by_name(name: &str) -> Option<&'static KeyTransport> {
        KEY_TRANSPORTS.into_iter().find(|transport| transport.name == name)
    }
}

impl KeyAgreement {
    /// The row with that object identifier.
    pub(super) fn by_oid(oid: ObjectIdentifier) -> Option<&'static KeyAgreement> {
        KEY_AGREEMENTS.into_iter().find(|agreement| agreement.oid == oid)
    }
}

impl KeyWrap {
    /// The row with that object identifier.
    pub(super) fn by_oid(oid: ObjectIdentifier) -> Option<&'static KeyWrap> {
        KEY_WRAPS.into_iter().find(|wrap| wrap.oid == oid)
    }
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

/// An algorithm in words: its name in the registry of object identifiers if it has one, else the numbers.
pub(crate) fn name_of(oid: &ObjectIdentifier) -> String {
    match const_oid::db::DB.by_oid(oid) {
        Some(name) => format!("{name} ({oid})"),
        None => oid.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_name_and_oid_and_never_twice() {
        for cipher in CONTENT_CIPHERS {
            assert!(std::ptr::eq(ContentCipher::by_oid(cipher.oid).unwrap(), cipher));
            assert!(std::ptr::eq(ContentCipher::by_name(cipher.name).unwrap(), cipher));
        }
        for transport in KEY_TRANSPORTS {
            assert!(std::ptr::eq(KeyTransport::by_padding(transport.padding).unwrap(), transport));
            assert!(std::ptr::eq(KeyTransport::by_name(transport.name).unwrap(), transport));
        }
        for agreement in KEY_AGREEMENTS {
            assert!(std::ptr::eq(KeyAgreement::by_oid(agreement.oid).unwrap(), agreement));
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
    fn object_identifiers_have_names() {
        assert_eq!(name_of(&AES_256_CBC.oid), "id-aes256-CBC (2.16.840.1.101.3.4.1.42)");
        assert_eq!(name_of(&ObjectIdentifier::new_unwrap("1.2.3.4")), "1.2.3.4");
    }
}
