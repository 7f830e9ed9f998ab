//! RSA key transport, the way back: a message's algorithm is read and its content key unwrapped.

use super::algorithm::{Hash, KeyTransport, Padding, name_of};
use super::policy::Policy;
use super::rejection::rejection_rng;
use super::rsa_private::{RsaPrivateKey, Scheme};
use super::{CryptoError, SecretBytes, trace};
use der::asn1::{Any, Null, OctetString};
use der::{Decode, Encode};
use rand::Rng;
use rsa::pkcs1::{RsaOaepParamsOwned, RsaOaepParamsRef};
use rsa::traits::PrivateKeyParts;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

/// A keyEncryptionAlgorithm of a KeyTransRecipientInfo: the row, and what its parameters say.
pub(crate) struct TransportAlgorithm {
    /// The row.
    pub(crate) transport: &'static KeyTransport,
    mgf: Hash,
    label: Vec<u8>,
}

impl TransportAlgorithm {
    /// Reads what a message says, and refuses what the policy does not list.
    pub(crate) fn read(
        identifier: &AlgorithmIdentifierOwned,
        policy: &Policy,
    ) -> Result<TransportAlgorithm, CryptoError> {
        let read = read_algorithm(identifier)?;
        policy.check(read.transport.name, read.transport.status)?;
        if policy.is_for_writing() && !read.is_as_in_row() {
            return Err(CryptoError::Policy(read.transport.name));
        }
        Ok(read)
    }

    /// OAEP as its row says: MGF1 with the same hash, and no label.
    fn is_as_in_row(&self) -> bool {
        match self.transport.padding {
            Padding::Pkcs1V1_5 => true,
            Padding::Oaep(hash) => self.mgf == hash && self.label.is_empty(),
        }
    }

    /// Opens a wrapped content key of `key_len` bytes. It never fails (RFC 8017 7.2.2, RFC 3218 2.3.2): where RSA or the
    /// padding says no, the content key is one that depends on private key and ciphertext, and decrypting the content
    /// will fail with it, after the same steps.
    pub(crate) fn unwrap(&self, key: &RsaPrivateKey, wrapped: &[u8], key_len: usize) -> SecretBytes {
        trace::record("rsa");
        let private_key = Zeroizing::new(key.d().to_be_bytes());
        let mut rng = rejection_rng(&private_key, wrapped);
        let mut content_key = vec![0; key_len];
        rng.fill_bytes(&mut content_key);
        let scheme = Scheme { padding: self.transport.padding, mgf: self.mgf, label: &self.label };
        if let Some(opened) = key.decrypt(&scheme, wrapped, &mut rng)
            && opened.len() == key_len
        {
            content_key.copy_from_slice(&opened);
        }
        SecretBytes::new(content_key)
    }
}

impl KeyTransport {
    /// As it is written into a message, parameters included.
    pub(crate) fn identifier(&self) -> der::Result<AlgorithmIdentifierOwned> {
        let parameters = match self.padding {
            Padding::Pkcs1V1_5 => Any::encode_from(&Null)?,
            Padding::Oaep(Hash::Sha1) => Any::encode_from(&RsaOaepParamsRef::new::<Sha1>())?,
            Padding::Oaep(Hash::Sha256) => Any::encode_from(&RsaOaepParamsRef::new::<Sha256>())?,
            Padding::Oaep(Hash::Sha384) => Any::encode_from(&RsaOaepParamsRef::new::<Sha384>())?,
            Padding::Oaep(Hash::Sha512) => Any::encode_from(&RsaOaepParamsRef::new::<Sha512>())?,
        };
        Ok(AlgorithmIdentifierOwned { oid: self.oid, parameters: Some(parameters) })
    }
}

fn read_algorithm(identifier: &AlgorithmIdentifierOwned) -> Result<TransportAlgorithm, CryptoError> {
    let v1_5 = &super::algorithm::RSAES_PKCS1_V1_5;
    match identifier.oid {
        oid if oid == v1_5.oid => {
            Ok(TransportAlgorithm { transport: v1_5, mgf: Hash::Sha1, label: Vec::new() })
        }
        oid if oid == super::algorithm::RSAES_OAEP_SHA1.oid => read_oaep(identifier.parameters.as_ref()),
        oid => Err(CryptoError::Unsupported(name_of(&oid))),
    }
}

/// DER of a SEQUENCE with nothing in it.
const EMPTY_SEQUENCE: [u8; 2] = [0x30, 0x00];

/// RSAES-OAEP-params of RFC 8017 A.2.1; absent ones mean the defaults: SHA-1, MGF1 with SHA-1, an empty label.
fn read_oaep(parameters: Option<&Any>) -> Result<TransportAlgorithm, CryptoError> {
    let broken = |_| CryptoError::Parameters("rsaes-oaep");
    let bytes = parameters.map_or_else(|| Ok(EMPTY_SEQUENCE.to_vec()), Encode::to_der).map_err(broken)?;
    let read = RsaOaepParamsOwned::from_der(&bytes).map_err(broken)?;
    let hash = hash_of(&read.hash.oid)?;
    let transport = KeyTransport::by_padding(Padding::Oaep(hash))
        .ok_or_else(|| CryptoError::Unsupported(name_of(&read.hash.oid)))?;
    Ok(TransportAlgorithm { transport, mgf: read_mgf(&read)?, label: read_label(&read)? })
}

fn read_mgf(read: &RsaOaepParamsOwned) -> Result<Hash, CryptoError> {
    if read.mask_gen.oid != const_oid::db::rfc5912::ID_MGF_1 {
        return Err(CryptoError::Unsupported(name_of(&read.mask_gen.oid)));
    }
    let hash = read.mask_gen.parameters.as_ref().ok_or(CryptoError::Parameters("rsaes-oaep"))?;
    hash_of(&hash.oid)
}

fn read_label(read: &RsaOaepParamsOwned) -> Result<Vec<u8>, CryptoError> {
    if read.p_source.oid != const_oid::db::rfc5912::ID_P_SPECIFIED {
        return Err(CryptoError::Unsupported(name_of(&read.p_source.oid)));
    }
    let broken = CryptoError::Parameters("rsaes-oaep");
    let Some(label) = &read.p_source.parameters else { return Err(broken) };
    match label.decode_as::<OctetString>() {
        Ok(label) => Ok(label.into_bytes().into()),
        Err(_) => Err(broken),
    }
}

fn hash_of(oid: &const_oid::ObjectIdentifier) -> Result<Hash, CryptoError> {
    Hash::by_oid(*oid).ok_or_else(|| CryptoError::Unsupported(name_of(oid)))
}
