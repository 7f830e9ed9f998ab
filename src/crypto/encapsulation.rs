//! Key encapsulation (RFC 9629, RFC 9936): a secret that ML-KEM carries, a key-encryption key derived from it, and the
//! content key wrapped under that.

use super::agreement::{read_wrap, wrap_key};
use super::algorithm::{Kem, KeyDerivation, KeyWrap, name_of};
use super::kem::{KemPrivateKey, KemPublicKey};
use super::policy::Policy;
use super::rejection::{open_wrapped, rejection_rng};
use super::{CryptoError, SecretBytes, trace};
use der::asn1::OctetString;
use der::{Encode, Sequence};
use rand::rngs::StdRng;
use spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

/// What a KEMRecipientInfo says of its algorithms.
#[derive(Clone, Copy)]
pub(crate) struct KemIdentifiers<'a> {
    /// The mechanism.
    pub(crate) kem: &'a AlgorithmIdentifierOwned,
    /// What derives the key-encryption key.
    pub(crate) derivation: &'a AlgorithmIdentifierOwned,
    /// How many octets of it.
    pub(crate) key_len: u16,
    /// What wraps the content key.
    pub(crate) wrap: &'a AlgorithmIdentifierOwned,
}

/// The algorithms of a KEMRecipientInfo: the rows, and how the message spells the key wrap.
pub(crate) struct KemAlgorithm {
    kem: &'static Kem,
    derivation: &'static KeyDerivation,
    wrap: &'static KeyWrap,
    /// The key derivation takes it as it is encoded.
    wrap_identifier: AlgorithmIdentifierOwned,
}

/// A content key on its way to a recipient.
pub(crate) struct EncapsulatedKey {
    /// What carries the secret.
    pub(crate) ciphertext: Vec<u8>,
    /// The content key, wrapped.
    pub(crate) encrypted_key: Vec<u8>,
}

/// CMSORIforKEMOtherInfo of RFC 9629 5.
#[derive(Sequence)]
struct OtherInfo {
    wrap: AlgorithmIdentifierOwned,
    key_len: u16,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    ukm: Option<OctetString>,
}

impl KemAlgorithm {
    /// For writing: all parameters are absent (RFC 8619 2, RFC 3565 2.3.2).
    pub(crate) fn new(
        kem: &'static Kem,
        derivation: &'static KeyDerivation,
        wrap: &'static KeyWrap,
    ) -> KemAlgorithm {
        let wrap_identifier = AlgorithmIdentifierOwned { oid: wrap.oid, parameters: None };
        KemAlgorithm { kem, derivation, wrap, wrap_identifier }
    }

    /// Reads what a message says, and refuses what the policy does not list, or a length that is not the key wrap's.
    pub(crate) fn read(said: KemIdentifiers<'_>, policy: &Policy) -> Result<KemAlgorithm, CryptoError> {
        let unsupported =
            |identifier: &AlgorithmIdentifierOwned| CryptoError::Unsupported(name_of(&identifier.oid));
        let kem = Kem::by_oid(said.kem.oid).ok_or_else(|| unsupported(said.kem))?;
        policy.check(kem.name, kem.status)?;
        let derivation =
            KeyDerivation::by_oid(said.derivation.oid).ok_or_else(|| unsupported(said.derivation))?;
        policy.check(derivation.name, derivation.status)?;
        let wrap = read_wrap(said.wrap, policy)?;
        if usize::from(said.key_len) != wrap.key_len {
            return Err(CryptoError::Refused("its key-encryption key is not as long as its key wrap wants"));
        }
        Ok(KemAlgorithm { kem, derivation, wrap, wrap_identifier: said.wrap.clone() })
    }

    /// As they are written into a message: mechanism, key derivation and key wrap.
    pub(crate) fn identifiers(&self) -> [AlgorithmIdentifierOwned; 3] {
        let bare = |oid| AlgorithmIdentifierOwned { oid, parameters: None };
        [bare(self.kem.oid), bare(self.derivation.oid), self.wrap_identifier.clone()]
    }

    /// Octets of the key-encryption key.
    pub(crate) fn key_len(&self) -> u16 {
        // At most 32.
        self.wrap.key_len as u16
    }

    /// Hands a content key to the owner of `recipient`; the secret comes from `rng`, the message's own generator.
    pub(crate) fn wrap(
        &self,
        recipient: &KemPublicKey,
        content_key: &SecretBytes,
        rng: &mut StdRng,
    ) -> Result<EncapsulatedKey, CryptoError> {
        let failed = || CryptoError::Failed(self.kem.name);
        let (ciphertext, secret) = recipient.encapsulate(rng).ok_or_else(failed)?;
        let key_encryption_key = self.derive(&secret, None)?;
        let encrypted_key = wrap_key(self.wrap, &key_encryption_key, content_key).ok_or_else(failed)?;
        Ok(EncapsulatedKey { ciphertext, encrypted_key })
    }

    /// Opens a wrapped content key of `key_len` bytes. Like its sisters it does not tell whether that went well. The
    /// error is about what anybody can see.
    pub(crate) fn unwrap(
        &self,
        key: &KemPrivateKey,
        ciphertext: &[u8],
        ukm: Option<&[u8]>,
        wrapped: &[u8],
        key_len: usize,
    ) -> Result<SecretBytes, CryptoError> {
        if key.public().kem() != self.kem {
            return Err(CryptoError::Refused("its recipient's key is of another kind"));
        }
        let rejection = rejection_rng(key.octets(), wrapped);
        // A ciphertext of another length is none: what takes its place carries a secret that nobody else knows.
        let substitute = vec![0; self.kem.ciphertext_len];
        let ciphertext = if ciphertext.len() == substitute.len() { ciphertext } else { &substitute };
        trace::record("decapsulate");
        let secret = key.decapsulate(ciphertext).ok_or(CryptoError::NotOpened)?;
        let key_encryption_key = self.derive(&secret, ukm)?;
        Ok(open_wrapped(self.wrap, &key_encryption_key, wrapped, key_len, rejection))
    }

    /// RFC 9936 2.2.1: no salt.
    fn derive(&self, secret: &[u8], ukm: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let info = self.other_info(ukm).map_err(|_| CryptoError::Parameters(self.kem.name))?;
        let mut key_encryption_key = Zeroizing::new(vec![0; self.wrap.key_len]);
        (self.derivation.derive)(secret, None, &info, &mut key_encryption_key);
        Ok(key_encryption_key)
    }

    fn other_info(&self, ukm: Option<&[u8]>) -> der::Result<Vec<u8>> {
        let ukm = ukm.map(OctetString::new).transpose()?;
        OtherInfo { wrap: self.wrap_identifier.clone(), key_len: self.key_len(), ukm }.to_der()
    }
}

#[cfg(test)]
mod tests;
