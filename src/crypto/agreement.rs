//! Elliptic curve key agreement (RFC 5753 3.1): ephemeral-static ECDH on P-256, a key-encryption key derived from the
//! shared secret, and the content key wrapped under it.

use super::algorithm::{KeyAgreement, KeyWrap, Status, name_of};
use super::key_wrap::OVERHEAD;
use super::rejection::rejection_rng;
use super::{CryptoError, SecretBytes};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{ID_EC_PUBLIC_KEY, SECP_256_R_1};
use der::asn1::{Any, Null, OctetString};
use der::{Encode, Sequence, Tag, Tagged};
use p256::ecdh::diffie_hellman;
use p256::elliptic_curve::Generate;
use rand::{CryptoRng, Rng};
use spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

/// A keyEncryptionAlgorithm of a KeyAgreeRecipientInfo: the rows, and how the message spells the key wrap.
pub(crate) struct AgreementAlgorithm {
    agreement: &'static KeyAgreement,
    wrap: &'static KeyWrap,
    /// The key derivation takes it as it is encoded, NULL parameters or none.
    key_info: AlgorithmIdentifierOwned,
}

/// The originator's half of a key agreement, as a message gives it.
#[derive(Clone, Copy)]
pub(crate) struct Originator<'a> {
    /// The ephemeral public key, a point as octets.
    pub(crate) public_key: &'a [u8],
    /// User keying material, if any.
    pub(crate) ukm: Option<&'a [u8]>,
}

/// A content key on its way to a recipient.
pub(crate) struct WrappedKey {
    /// The ephemeral public key, uncompressed.
    pub(crate) ephemeral_key: Vec<u8>,
    /// The content key, wrapped.
    pub(crate) encrypted_key: Vec<u8>,
}

/// ECC-CMS-SharedInfo of RFC 5753 7.2.
#[derive(Sequence)]
struct SharedInfo {
    key_info: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    entity_u_info: Option<OctetString>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT")]
    supp_pub_info: OctetString,
}

impl AgreementAlgorithm {
    /// For writing: the key wrap's parameters are absent, as RFC 3565 2.3.2 wants them.
    pub(crate) fn new(agreement: &'static KeyAgreement, wrap: &'static KeyWrap) -> AgreementAlgorithm {
        let key_info = AlgorithmIdentifierOwned { oid: wrap.oid, parameters: None };
        AgreementAlgorithm { agreement, wrap, key_info }
    }

    /// Reads what a message says. The key wrap may carry NULL, which some writers put there.
    pub(crate) fn read(identifier: &AlgorithmIdentifierOwned) -> Result<AgreementAlgorithm, CryptoError> {
        let agreement = KeyAgreement::by_oid(identifier.oid)
            .ok_or_else(|| CryptoError::Unsupported(name_of(&identifier.oid)))?;
        let broken = || CryptoError::Parameters(agreement.name);
        let parameters = identifier.parameters.as_ref().ok_or_else(broken)?;
        let key_info: AlgorithmIdentifierOwned = parameters.decode_as().map_err(|_| broken())?;
        let wrap =
            KeyWrap::by_oid(key_info.oid).ok_or_else(|| CryptoError::Unsupported(name_of(&key_info.oid)))?;
        if !is_empty(key_info.parameters.as_ref()) {
            return Err(CryptoError::Parameters(wrap.name));
        }
        Ok(AgreementAlgorithm { agreement, wrap, key_info })
    }

    /// Would we write it so?
    pub(crate) fn is_written(&self) -> bool {
        self.agreement.status == Status::Write && self.wrap.status == Status::Write
    }

    /// As it is written into a message.
    pub(crate) fn identifier(&self) -> der::Result<AlgorithmIdentifierOwned> {
        let parameters = Some(Any::encode_from(&self.key_info)?);
        Ok(AlgorithmIdentifierOwned { oid: self.agreement.oid, parameters })
    }

    /// Wraps a content key for the owner of `recipient`, with an ephemeral key from `rng`, the message's own generator.
    pub(crate) fn wrap(
        &self,
        recipient: &p256::PublicKey,
        content_key: &SecretBytes,
        rng: &mut impl CryptoRng,
    ) -> Result<WrappedKey, CryptoError> {
        let failed = || CryptoError::Failed(self.agreement.name);
        let ephemeral = p256::SecretKey::generate_from_rng(rng);
        let shared_info = self.shared_info(None).map_err(|_| failed())?;
        let key_encryption_key = self.agree(&ephemeral, recipient, &shared_info);
        let mut encrypted_key = vec![0; content_key.expose().len() + OVERHEAD];
        (self.wrap.wrap)(&key_encryption_key, content_key.expose(), &mut encrypted_key).ok_or_else(failed)?;
        let ephemeral_key = ephemeral.public_key().to_sec1_bytes().into();
        Ok(WrappedKey { ephemeral_key, encrypted_key })
    }

    /// Opens a wrapped content key of `key_len` bytes. Like its sister for RSA it does not tell whether that went well: a
    /// point that is none, or a key that was not wrapped for us, gives a key that only we can foresee, after the same
    /// steps. The error is about what anybody can see.
    pub(crate) fn unwrap(
        &self,
        key: &p256::SecretKey,
        originator: Originator<'_>,
        wrapped: &[u8],
        key_len: usize,
    ) -> Result<SecretBytes, CryptoError> {
        let shared_info = self.shared_info(originator.ukm)?;
        let private_key = Zeroizing::new(key.to_bytes());
        let mut content_key = vec![0; key_len];
        rejection_rng(private_key.as_slice(), wrapped).fill_bytes(&mut content_key);
        // With our own public key in the place of a broken point the secret is one that nobody else knows.
        let point = p256::PublicKey::from_sec1_bytes(originator.public_key);
        let point = point.unwrap_or_else(|_| key.public_key());
        let key_encryption_key = self.agree(key, &point, &shared_info);
        let mut opened = Zeroizing::new(vec![0; key_len]);
        let substitute = vec![0; key_len + OVERHEAD];
        let wrapped = if wrapped.len() == substitute.len() { wrapped } else { &substitute };
        if (self.wrap.unwrap)(&key_encryption_key, wrapped, &mut opened).is_some() {
            content_key.copy_from_slice(&opened);
        }
        Ok(SecretBytes::new(content_key))
    }

    /// The key-encryption key that both sides come to.
    fn agree(
        &self,
        private: &p256::SecretKey,
        public: &p256::PublicKey,
        shared_info: &[u8],
    ) -> Zeroizing<Vec<u8>> {
        let secret = diffie_hellman(private.to_nonzero_scalar(), public.as_affine());
        self.derive(secret.raw_secret_bytes(), shared_info)
    }

    fn derive(&self, secret: &[u8], shared_info: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut key_encryption_key = Zeroizing::new(vec![0; self.wrap.key_len]);
        (self.agreement.derive)(secret, shared_info, &mut key_encryption_key);
        key_encryption_key
    }

    fn shared_info(&self, ukm: Option<&[u8]>) -> Result<Vec<u8>, CryptoError> {
        let encode = || {
            // At most 256 bits.
            let bits = (self.wrap.key_len * 8) as u32;
            let entity_u_info = ukm.map(OctetString::new).transpose()?;
            let supp_pub_info = OctetString::new(bits.to_be_bytes())?;
            SharedInfo { key_info: self.key_info.clone(), entity_u_info, supp_pub_info }.to_der()
        };
        encode().map_err(|_| CryptoError::Parameters(self.agreement.name))
    }
}

/// Refuses an originator's key of another kind or curve than ours. Its parameters may be absent, NULL, or the curve's name
/// (RFC 5753 3.1.1). Some writers spell the whole curve out: that is not compared, because the point must be on our
/// curve, and the secret is computed there, whatever they say.
pub(crate) fn check_originator(algorithm: &AlgorithmIdentifierOwned) -> Result<(), CryptoError> {
    if algorithm.oid != ID_EC_PUBLIC_KEY {
        return Err(CryptoError::Unsupported(name_of(&algorithm.oid)));
    }
    let curve = match &algorithm.parameters {
        Some(parameters) if !is_empty(Some(parameters)) && parameters.tag() != Tag::Sequence => parameters,
        _ => return Ok(()),
    };
    match curve.decode_as::<ObjectIdentifier>() {
        Ok(SECP_256_R_1) => Ok(()),
        Ok(other) => Err(CryptoError::Unsupported(name_of(&other))),
        Err(_) => Err(CryptoError::Parameters("the originator's key")),
    }
}

/// Absent, or NULL.
fn is_empty(parameters: Option<&Any>) -> bool {
    parameters.is_none_or(|parameters| parameters.decode_as::<Null>().is_ok())
}

#[cfg(test)]
mod tests;
