//! What encrypts content.

use super::Status;
use crate::crypto::aead::{self, GcmCipher};
use crate::crypto::cbc::{self, CbcDecryptor};
use crate::crypto::gcm_stream::{GcmStream, gcm_stream};
use aes::{Aes128, Aes192, Aes256};
use const_oid::ObjectIdentifier;
use des::TdesEde3;
use std::fmt;

/// How a content cipher works, and with that the structure around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Cipher block chaining, for EnvelopedData. No integrity.
    Cbc,
    /// Authenticated encryption (GCM, ChaCha20-Poly1305), for AuthEnvelopedData.
    Aead,
}

/// What the parameters of a content cipher look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::crypto) enum Parameters {
    /// OCTET STRING with IV or nonce (RFC 3565 2.3.1, RFC 8103 3); a tag has 16 octets.
    Iv,
    /// GCMParameters (RFC 5084 3.2).
    Gcm,
    /// RC2CBCParameter (RFC 3370 5.2), whose version stands for so many bits of the key.
    Rc2 { version: u32 },
}

/// Starts to decrypt pieces in CBC; nothing if key or IV has the wrong length.
type StartChain = fn(key: &[u8], iv: &[u8]) -> Option<CbcDecryptor>;

/// Starts to work on pieces, either way; nothing if key or nonce has the wrong length. `beside` is authenticated besides.
type StartTagged = fn(key: &[u8], nonce: &[u8], beside: &[u8]) -> Option<GcmStream>;

/// Decrypts `content` in place, which has its tag behind it, and says how many of its bytes are clear text, or nothing if key
/// or tag is wrong.
type DecryptWhole = fn(input: &DecryptInput<'_>, content: &mut [u8]) -> Option<usize>;

/// How content is decrypted.
pub(in crate::crypto) enum Decrypt {
    /// Block after block, as it comes.
    Chain(StartChain),
    /// As a whole, or as it comes.
    Tagged { whole: DecryptWhole, pieces: StartTagged },
    /// As a whole: its package takes no pieces.
    Whole(DecryptWhole),
}

impl Decrypt {
    /// A whole content in place, with its tag behind it where there is one. Gives how many of its bytes are clear text, or nothing
    /// if key, padding or tag is wrong.
    pub(in crate::crypto) fn whole(&self, input: &DecryptInput<'_>, content: &mut [u8]) -> Option<usize> {
        match self {
            Decrypt::Chain(start) => start(input.key, input.iv)?.decrypt_to_end(content),
            Decrypt::Tagged { whole, .. } | Decrypt::Whole(whole) => whole(input, content),
        }
    }
}

/// What stands beside the ciphertext. CBC looks at key and IV only.
#[derive(Clone, Copy)]
pub(in crate::crypto) struct DecryptInput<'a> {
    pub(in crate::crypto) key: &'a [u8],
    pub(in crate::crypto) iv: &'a [u8],
    pub(in crate::crypto) aad: &'a [u8],
    /// So many bytes at the end of the ciphertext are the tag.
    pub(in crate::crypto) tag_len: usize,
}

/// Encrypts in place and gives the tag, or nothing if key or nonce has the wrong length.
type EncryptWhole = fn(key: &[u8], nonce: &[u8], content: &mut [u8]) -> Option<[u8; aead::TAG]>;

/// How content is encrypted.
pub(in crate::crypto) enum Encrypt {
    /// Block after block, as it comes, beside other messages.
    Lanes,
    /// As a whole.
    Whole(EncryptWhole),
    /// It is only read.
    Never,
}

/// A content-encryption algorithm.
pub struct ContentCipher {
    /// The name in config, help and output.
    pub name: &'static str,
    /// Its object identifier.
    pub oid: ObjectIdentifier,
    /// With a tag or without.
    pub mode: Mode,
    /// Key length in bytes.
    pub key_len: usize,
    /// IV or nonce length in bytes.
    pub iv_len: usize,
    /// Written or only read.
    pub status: Status,
    pub(in crate::crypto) parameters: Parameters,
    pub(in crate::crypto) encrypt: Encrypt,
    pub(in crate::crypto) decrypt: Decrypt,
}

impl fmt::Debug for ContentCipher {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}

const IV: usize = cbc::BLOCK;
const NONCE: usize = 12;

/// AES-128 in CBC mode (RFC 3565).
pub static AES_128_CBC: ContentCipher =
    block("aes-128-cbc", const_oid::db::rfc5911::ID_AES_128_CBC, 16, cbc::decryptor::<Aes128>);

/// AES-192 in CBC mode (RFC 3565).
pub static AES_192_CBC: ContentCipher =
    block("aes-192-cbc", const_oid::db::rfc5911::ID_AES_192_CBC, 24, cbc::decryptor::<Aes192>);

/// AES-256 in CBC mode (RFC 3565).
pub static AES_256_CBC: ContentCipher = ContentCipher {
    encrypt: Encrypt::Lanes,
    ..block("aes-256-cbc", const_oid::db::rfc5911::ID_AES_256_CBC, 32, cbc::decryptor::<Aes256>)
};

/// Triple DES in CBC mode (RFC 3370 5.1): what old peers still write by default.
pub static DES_EDE3_CBC: ContentCipher = ContentCipher {
    iv_len: 8,
    status: Status::ReadOnly,
    ..block("des-ede3-cbc", const_oid::db::rfc5911::DES_EDE_3_CBC, 24, cbc::decryptor::<TdesEde3>)
};

/// RC2 in CBC mode (RFC 3370 5.2) with 40 bits, as export rules once wanted it.
pub static RC2_40_CBC: ContentCipher = rc2("rc2-40-cbc", 5, 160);
/// RC2 in CBC mode with 64 bits.
pub static RC2_64_CBC: ContentCipher = rc2("rc2-64-cbc", 8, 120);
/// RC2 in CBC mode with 128 bits.
pub static RC2_128_CBC: ContentCipher = rc2("rc2-128-cbc", 16, 58);

/// AES-128 in GCM mode (RFC 5084).
pub static AES_128_GCM: ContentCipher =
    gcm::<Aes128>("aes-128-gcm", const_oid::db::rfc5911::ID_AES_128_GCM, 16);

/// AES-192 in GCM mode (RFC 5084).
pub static AES_192_GCM: ContentCipher =
    gcm::<Aes192>("aes-192-gcm", const_oid::db::rfc5911::ID_AES_192_GCM, 24);

/// AES-256 in GCM mode (RFC 5084).
pub static AES_256_GCM: ContentCipher =
    gcm::<Aes256>("aes-256-gcm", const_oid::db::rfc5911::ID_AES_256_GCM, 32);

/// ChaCha20-Poly1305 (RFC 8103).
pub static CHACHA20_POLY1305: ContentCipher = ContentCipher {
    parameters: Parameters::Iv,
    ..tagged(
        "chacha20-poly1305",
        ID_ALG_AEAD_CHACHA20_POLY1305,
        32,
        aead::encrypt_chacha,
        Decrypt::Whole(aead::decrypt_chacha),
    )
};

const ID_ALG_AEAD_CHACHA20_POLY1305: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.3.18");

/// Every content cipher that we read.
pub static CONTENT_CIPHERS: [&ContentCipher; 11] = [
    &AES_128_CBC,
    &AES_192_CBC,
    &AES_256_CBC,
    &AES_128_GCM,
    &AES_192_GCM,
    &AES_256_GCM,
    &CHACHA20_POLY1305,
    &DES_EDE3_CBC,
    &RC2_40_CBC,
    &RC2_64_CBC,
    &RC2_128_CBC,
];

const fn block(
    name: &'static str,
    oid: ObjectIdentifier,
    key_len: usize,
    start: StartChain,
) -> ContentCipher {
    ContentCipher {
        name,
        oid,
        mode: Mode::Cbc,
        key_len,
        iv_len: IV,
        status: Status::Write,
        parameters: Parameters::Iv,
        encrypt: Encrypt::Never,
        decrypt: Decrypt::Chain(start),
    }
}

const fn rc2(name: &'static str, key_len: usize, version: u32) -> ContentCipher {
    ContentCipher {
        iv_len: 8,
        status: Status::ReadOnly,
        parameters: Parameters::Rc2 { version },
        ..block(name, const_oid::db::rfc5911::RC_2_CBC, key_len, cbc::rc2_decryptor)
    }
}

const fn gcm<C: GcmCipher + 'static>(
    name: &'static str,
    oid: ObjectIdentifier,
    key_len: usize,
) -> ContentCipher {
    let decrypt = Decrypt::Tagged { whole: aead::decrypt_gcm::<C>, pieces: gcm_stream::<C> };
    tagged(name, oid, key_len, aead::encrypt_gcm::<C>, decrypt)
}

const fn tagged(
    name: &'static str,
    oid: ObjectIdentifier,
    key_len: usize,
    encrypt: EncryptWhole,
    decrypt: Decrypt,
) -> ContentCipher {
    ContentCipher {
        name,
        oid,
        mode: Mode::Aead,
        key_len,
        iv_len: NONCE,
        status: Status::Write,
        parameters: Parameters::Gcm,
        encrypt: Encrypt::Whole(encrypt),
        decrypt,
    }
}

impl ContentCipher {
    /// The row with that object identifier: the first of several that differ in their parameters.
    pub fn by_oid(oid: ObjectIdentifier) -> Option<&'static ContentCipher> {
        CONTENT_CIPHERS.into_iter().find(|cipher| cipher.oid == oid)
    }

    /// RC2 by the version in its parameters.
    pub(in crate::crypto) fn rc2_by_version(wanted: u32) -> Option<&'static ContentCipher> {
        CONTENT_CIPHERS.into_iter().find(|cipher| cipher.parameters == Parameters::Rc2 { version: wanted })
    }

    /// The row with that name.
    pub fn by_name(name: &str) -> Option<&'static ContentCipher> {
        CONTENT_CIPHERS.into_iter().find(|cipher| cipher.name == name)
    }
}
