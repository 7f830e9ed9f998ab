//! Elliptic curve key agreement (RFC 5753 3.1, RFC 8418): ephemeral-static ECDH, a key-encryption key derived from the
//! shared secret, and the content key wrapped under it.

use super::algorithm::{Curve, KeyAgreement, KeyWrap, name_of};
use super::curve::{CurvePrivateKey, CurvePublicKey};
use super::policy::Policy;
use super::rejection::{open_wrapped, rejection_rng};
use super::{CryptoError, SecretBytes, trace};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::ID_EC_PUBLIC_KEY;
use der::asn1::{Any, Null, OctetString};
use der::{Encode, Sequence, Tag, Tagged};
use rand::rngs::StdRng;
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
    /// The originator's public key, a point as octets.
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

    /// Reads what a message says, and refuses what the policy does not list. The key wrap may carry NULL, which some
    /// writers put there.
    pub(crate) fn read(
        identifier: &AlgorithmIdentifierOwned,
        policy: &Policy,
    ) -> Result<AgreementAlgorithm, CryptoError> {
        let agreement = KeyAgreement::by_oid(identifier.oid)
            .ok_or_else(|| CryptoError::Unsupported(name_of(&identifier.oid)))?;
        policy.check(agreement.name, agreement.status)?;
        let broken = || CryptoError::Parameters(agreement.name);
        let parameters = identifier.parameters.as_ref().ok_or_else(broken)?;
        let key_info: AlgorithmIdentifierOwned = parameters.decode_as().map_err(|_| broken())?;
        let wrap = read_wrap(&key_info, policy)?;
        Ok(AgreementAlgorithm { agreement, wrap, key_info })
    }

    /// As it is written into a message.
    pub(crate) fn identifier(&self) -> der::Result<AlgorithmIdentifierOwned> {
        let parameters = Some(Any::encode_from(&self.key_info)?);
        Ok(AlgorithmIdentifierOwned { oid: self.agreement.oid, parameters })
    }

    /// Wraps a content key for the owner of `recipient`, with an ephemeral key from `rng`, the message's own generator.
    pub(crate) fn wrap(
        &self,
        recipient: &CurvePublicKey,
        content_key: &SecretBytes,
        rng: &mut StdRng,
    ) -> Result<WrappedKey, CryptoError> {
        let failed = || CryptoError::Failed(self.agreement.name);
        let ephemeral = CurvePrivateKey::generate(recipient.curve(), rng).ok_or_else(failed)?;
        let shared_info = self.shared_info(None).map_err(|_| failed())?;
        let secret = ephemeral.agree(recipient).ok_or_else(failed)?;
        let key_encryption_key = self.derive(&secret, None, &shared_info);
        let encrypted_key = wrap_key(self.wrap, &key_encryption_key, content_key).ok_or_else(failed)?;
        Ok(WrappedKey { ephemeral_key: ephemeral.public().octets().to_vec(), encrypted_key })
    }

    /// Opens a wrapped content key of `key_len` bytes. Like its sister for RSA it does not tell whether that went well: a
    /// point that is none, or a key that was not wrapped for us, gives a key that only we can foresee, after the same
    /// steps. The error is about what anybody can see.
    pub(crate) fn unwrap(
        &self,
        key: &CurvePrivateKey,
        originator: Originator<'_>,
        wrapped: &[u8],
        key_len: usize,
    ) -> Result<SecretBytes, CryptoError> {
        let curve = key.public().curve();
        if !self.agreement.serves(curve) {
            return Err(CryptoError::Unsupported(format!("{} with {}", self.agreement.name, curve.name)));
        }
        let shared_info = self.shared_info(originator.ukm)?;
        let rejection = rejection_rng(key.octets(), wrapped);
        // With our own public key in the place of a broken point the secret is one that nobody else knows.
        let point = CurvePublicKey::new(curve, originator.public_key);
        let point = point.unwrap_or_else(|| key.public().clone());
        trace::record("agree");
        let secret = key.agree(&point).ok_or(CryptoError::NotOpened)?;
        let key_encryption_key = self.derive(&secret, originator.ukm, &shared_info);
        Ok(open_wrapped(self.wrap, &key_encryption_key, wrapped, key_len, rejection))
    }

    fn derive(&self, secret: &[u8], ukm: Option<&[u8]>, shared_info: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut key_encryption_key = Zeroizing::new(vec![0; self.wrap.key_len]);
        (self.agreement.derive)(secret, ukm, shared_info, &mut key_encryption_key);
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

/// The row that a keyInfo or a KEMRecipientInfo's wrap names.
pub(super) fn read_wrap(
    identifier: &AlgorithmIdentifierOwned,
    policy: &Policy,
) -> Result<&'static KeyWrap, CryptoError> {
    let wrap =
        KeyWrap::by_oid(identifier.oid).ok_or_else(|| CryptoError::Unsupported(name_of(&identifier.oid)))?;
    policy.check(wrap.name, wrap.status)?;
    if is_empty(identifier.parameters.as_ref()) { Ok(wrap) } else { Err(CryptoError::Parameters(wrap.name)) }
}

/// The content key under a key-encryption key; nothing if a length is wrong or the wrap is only read.
pub(super) fn wrap_key(
    wrap: &KeyWrap,
    key_encryption_key: &[u8],
    content_key: &SecretBytes,
) -> Option<Vec<u8>> {
    let mut wrapped = vec![0; content_key.expose().len() + wrap.overhead];
    (wrap.wrap?)(key_encryption_key, content_key.expose(), &mut wrapped)?;
    Some(wrapped)
}

/// Refuses an originator's key of another kind or curve than ours. Its parameters may be absent, NULL, or the curve's name
/// (RFC 5753 3.1.1). Some writers spell the whole curve out: that is not compared, because the point must be on our
/// curve, and the secret is computed there, whatever they say.
pub(crate) fn check_originator(
    algorithm: &AlgorithmIdentifierOwned,
    curve: &Curve,
) -> Result<(), CryptoError> {
    if algorithm.oid != curve.key_algorithm() {
        return Err(CryptoError::Unsupported(name_of(&algorithm.oid)));
    }
    let named = match &algorithm.parameters {
        Some(parameters) if !is_empty(Some(parameters)) && parameters.tag() != Tag::Sequence => parameters,
        _ => return Ok(()),
    };
    match named.decode_as::<ObjectIdentifier>() {
        Ok(oid) if oid == curve.oid && algorithm.oid == ID_EC_PUBLIC_KEY => Ok(()),
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
