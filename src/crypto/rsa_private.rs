//! An RSA private key in two forms: as `rsa` holds it, for writing, signing and whatever aws-lc-rs refuses, and as
//! aws-lc-rs holds it, which opens a content key in an eighth of the time.

use super::algorithm::{Hash, Padding};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm, OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey,
};
use pkcs8::EncodePrivateKey;
use rand::CryptoRng;
use rsa::{Oaep, Pkcs1v15Encrypt};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use std::ops::Deref;
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// A private key that is prepared once, with the first content key that it opens. Both forms are wiped when it is dropped:
/// `rsa` does it itself, and aws-lc wipes every allocation that it frees (OPENSSL_free). No `Debug`, no `Clone`.
pub(crate) struct RsaPrivateKey {
    key: rsa::PrivateKey,
    fast: OnceLock<Option<FastKey>>,
}

impl From<rsa::PrivateKey> for RsaPrivateKey {
    fn from(key: rsa::PrivateKey) -> RsaPrivateKey {
        RsaPrivateKey { key, fast: OnceLock::new() }
    }
}

impl Deref for RsaPrivateKey {
    type Target = rsa::PrivateKey;

    fn deref(&self) -> &rsa::PrivateKey {
        &self.key
    }
}

/// How a content key was padded (RFC 8017 7).
pub(super) struct Scheme<'a> {
    /// The scheme, with the hash of OAEP.
    pub(super) padding: Padding,
    /// The hash of MGF1; of OAEP only.
    pub(super) mgf: Hash,
    /// Of OAEP only.
    pub(super) label: &'a [u8],
}

impl RsaPrivateKey {
    /// The private operation and what lies in the padding; nothing if RSA or the padding says no. `rng` blinds where `rsa`
    /// works; aws-lc blinds by a generator of its own, on which nothing that comes out depends.
    ///
    /// Which of the two works follows from key and padding, never from how the other fared.
    pub(super) fn decrypt(
        &self,
        scheme: &Scheme<'_>,
        wrapped: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let fast = self.fast.get_or_init(|| FastKey::new(&self.key));
        match (fast, Method::of(scheme)) {
            (Some(key), Some(method)) => key.decrypt(&method, wrapped),
            _ => decrypt_by_reference(&self.key, scheme, wrapped, rng),
        }
    }

    /// The same key, without the fast form.
    #[cfg(test)]
    pub(super) fn by_reference(key: rsa::PrivateKey) -> RsaPrivateKey {
        RsaPrivateKey { key, fast: OnceLock::from(None) }
    }

    /// Does aws-lc-rs take the key?
    #[cfg(test)]
    pub(super) fn is_fast(&self) -> bool {
        self.fast.get_or_init(|| FastKey::new(&self.key)).is_some()
    }
}

/// What aws-lc-rs needs to know of the padding.
enum Method<'a> {
    V1_5,
    Oaep(&'static OaepAlgorithm, &'a [u8]),
}

impl<'a> Method<'a> {
    /// Nothing where the hash of MGF1 is another one.
    fn of(scheme: &Scheme<'a>) -> Option<Method<'a>> {
        let algorithm = match scheme.padding {
            Padding::Pkcs1V1_5 => return Some(Method::V1_5),
            Padding::Oaep(hash) if hash != scheme.mgf => return None,
            Padding::Oaep(Hash::Sha1) => &OAEP_SHA1_MGF1SHA1,
            Padding::Oaep(Hash::Sha256) => &OAEP_SHA256_MGF1SHA256,
            Padding::Oaep(Hash::Sha384) => &OAEP_SHA384_MGF1SHA384,
            Padding::Oaep(Hash::Sha512) => &OAEP_SHA512_MGF1SHA512,
        };
        Some(Method::Oaep(algorithm, scheme.label))
    }
}

/// One key of aws-lc under the names of both schemes.
struct FastKey {
    v1_5: Pkcs1PrivateDecryptingKey,
    oaep: OaepPrivateDecryptingKey,
}

impl FastKey {
    /// Nothing if aws-lc refuses the key: it takes 2048 to 8192 bits and exponents of at most 33.
    fn new(key: &rsa::PrivateKey) -> Option<FastKey> {
        let der = key.to_pkcs8_der().ok()?;
        let key = PrivateDecryptingKey::from_pkcs8(der.as_bytes()).ok()?;
        let v1_5 = Pkcs1PrivateDecryptingKey::new(key.clone()).ok()?;
        Some(FastKey { v1_5, oaep: OaepPrivateDecryptingKey::new(key).ok()? })
    }

    fn decrypt(&self, method: &Method<'_>, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut room = Zeroizing::new(vec![0; self.v1_5.key_size_bytes()]);
        let opened = match method {
            Method::V1_5 => self.v1_5.decrypt(wrapped, &mut room),
            Method::Oaep(algorithm, label) => self.oaep.decrypt(algorithm, wrapped, &mut room, Some(label)),
        };
        let length = opened.ok()?.len();
        room.truncate(length);
        Some(room)
    }
}

fn decrypt_by_reference(
    key: &rsa::PrivateKey,
    scheme: &Scheme<'_>,
    wrapped: &[u8],
    rng: &mut impl CryptoRng,
) -> Option<Zeroizing<Vec<u8>>> {
    let opened = match scheme.padding {
        Padding::Pkcs1V1_5 => key.decrypt_blinded(rng, Pkcs1v15Encrypt, wrapped),
        Padding::Oaep(Hash::Sha1) => decrypt_oaep::<Sha1>(key, scheme, wrapped, rng),
        Padding::Oaep(Hash::Sha256) => decrypt_oaep::<Sha256>(key, scheme, wrapped, rng),
        Padding::Oaep(Hash::Sha384) => decrypt_oaep::<Sha384>(key, scheme, wrapped, rng),
        Padding::Oaep(Hash::Sha512) => decrypt_oaep::<Sha512>(key, scheme, wrapped, rng),
    };
    opened.map(Zeroizing::new).ok()
}

fn decrypt_oaep<D: OaepHash>(
    key: &rsa::PrivateKey,
    scheme: &Scheme<'_>,
    wrapped: &[u8],
    rng: &mut impl CryptoRng,
) -> rsa::Result<Vec<u8>> {
    let label = Some(scheme.label.into());
    let digest = D::default();
    match scheme.mgf {
        Hash::Sha1 => key.decrypt_blinded(rng, Oaep { digest, mgf_digest: Sha1::default(), label }, wrapped),
        Hash::Sha256 => {
            key.decrypt_blinded(rng, Oaep { digest, mgf_digest: Sha256::default(), label }, wrapped)
        }
        Hash::Sha384 => {
            key.decrypt_blinded(rng, Oaep { digest, mgf_digest: Sha384::default(), label }, wrapped)
        }
        Hash::Sha512 => {
            key.decrypt_blinded(rng, Oaep { digest, mgf_digest: Sha512::default(), label }, wrapped)
        }
    }
}

/// What RSAES-OAEP asks of a hash.
trait OaepHash: sha2::Digest + sha2::digest::FixedOutputReset + Default {}
impl<D: sha2::Digest + sha2::digest::FixedOutputReset + Default> OaepHash for D {}

#[cfg(test)]
mod tests;
