//! The other direction: what the peers seal by themselves. OpenSSL and Sealpost open all of it. (What OpenSSL seals stands
//! in the table of the forms.)

use super::person::By::{self, Bob, Dana, Erin, Frank};
use super::reader::Reader::{self, BouncyCastle, Gpgsm, NodeForge, Nss, Python, Thunderbird};

/// A row.
pub(super) struct Offer {
    pub(super) sealer: Reader,
    /// What its driver is asked for, where there is a choice.
    pub(super) asked: &'static str,
    /// What `sealpost inspect` finds: the content's algorithm.
    pub(super) content: &'static str,
    /// The same: how the content key is handed over.
    pub(super) key: &'static str,
    pub(super) to: By,
}

const fn offer(
    sealer: Reader,
    asked: &'static str,
    content: &'static str,
    key: &'static str,
    to: By,
) -> Offer {
    Offer { sealer, asked, content, key, to }
}

const PKCS1: &str = "rsaEncryption";
const OAEP: &str = "id-RSAES-OAEP";
const ECDH: &str = "dhSinglePass-stdDH-sha256kdf-scheme";
const ECDH_384: &str = "dhSinglePass-stdDH-sha384kdf-scheme";

pub(super) const OFFERS: &[Offer] = &[
    offer(Nss, "", "id-aes128-CBC", PKCS1, Bob),
    offer(Thunderbird, "", "id-aes128-CBC", PKCS1, Bob),
    offer(Thunderbird, "", "id-aes128-CBC", ECDH, Dana),
    offer(Thunderbird, "", "id-aes256-CBC", ECDH_384, Erin),
    offer(Thunderbird, "", "id-aes256-CBC", ECDH_384, Frank),
    offer(Gpgsm, "", "id-aes128-CBC", PKCS1, Bob),
    offer(BouncyCastle, "cbc", "id-aes256-CBC", PKCS1, Bob),
    offer(BouncyCastle, "cbc", "id-aes256-CBC", ECDH, Dana),
    offer(BouncyCastle, "gcm", "id-aes256-GCM", OAEP, Bob),
    offer(BouncyCastle, "gcm", "id-aes256-GCM", ECDH, Dana),
    offer(BouncyCastle, "cbc", "id-aes256-CBC", ECDH, Erin),
    offer(BouncyCastle, "gcm", "id-aes256-GCM", ECDH, Frank),
    offer(Python, "AES128", "id-aes128-CBC", PKCS1, Bob),
    offer(Python, "AES256", "id-aes256-CBC", PKCS1, Bob),
    offer(NodeForge, "", "id-aes256-CBC", PKCS1, Bob),
];
