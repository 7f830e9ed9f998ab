//! A content cipher with its parameters: one encrypted content.

use super::algorithm::{DecryptInput, Mode, name_of};
use super::cbc::CbcEncryptor;
use super::gcm::{MINIMUM_TAG, TAG};
use super::{ContentCipher, CryptoError, SecretBytes, gcm};
use der::asn1::{Any, OctetString};
use der::{Decode, Encode, Sequence};
use rand::CryptoRng;
use spki::AlgorithmIdentifierOwned;

/// GCMParameters of RFC 5084 3.2.
#[derive(Sequence)]
struct GcmParameters {
    nonce: OctetString,
    #[asn1(default = "default_icv_len")]
    icv_len: u8,
}

fn default_icv_len() -> u8 {
    12
}

/// A contentEncryptionAlgorithm: the row, and what its parameters say.
pub(crate) struct ContentAlgorithm {
    /// The row.
    pub(crate) cipher: &'static ContentCipher,
    iv: Vec<u8>,
    tag_len: usize,
}

impl ContentAlgorithm {
    /// A new one for writing, with a fresh IV.
    pub(crate) fn generate(cipher: &'static ContentCipher, rng: &mut impl CryptoRng) -> ContentAlgorithm {
        let mut iv = vec![0; cipher.iv_len];
        rng.fill_bytes(&mut iv);
        let tag_len = if cipher.mode == Mode::Gcm { TAG } else { 0 };
        ContentAlgorithm { cipher, iv, tag_len }
    }

    /// Reads what a message says, and refuses what its algorithm does not allow.
    pub(crate) fn read(identifier: &AlgorithmIdentifierOwned) -> Result<ContentAlgorithm, CryptoError> {
        let cipher = ContentCipher::by_oid(identifier.oid)
            .ok_or_else(|| CryptoError::Unsupported(name_of(&identifier.oid)))?;
        let broken = || CryptoError::Parameters(cipher.name);
        let parameters = identifier.parameters.as_ref().ok_or_else(broken)?.to_der().map_err(|_| broken())?;
        let (iv, tag_len) = match cipher.mode {
            Mode::Cbc => (OctetString::from_der(&parameters).map_err(|_| broken())?, 0),
            Mode::Gcm => {
                let read = GcmParameters::from_der(&parameters).map_err(|_| broken())?;
                (read.nonce, usize::from(read.icv_len))
            }
        };
        let read = ContentAlgorithm { cipher, iv: iv.into_bytes().into(), tag_len };
        read.check()
    }

    fn check(self) -> Result<ContentAlgorithm, CryptoError> {
        if self.iv.len() != self.cipher.iv_len {
            return Err(CryptoError::Parameters(self.cipher.name));
        }
        if self.cipher.mode == Mode::Gcm && !(MINIMUM_TAG..=TAG).contains(&self.tag_len) {
            return Err(CryptoError::Refused(
                "its authentication tag is shorter than 12 or longer than 16 bytes",
            ));
        }
        Ok(self)
    }

    /// As it is written into a message.
    pub(crate) fn identifier(&self) -> der::Result<AlgorithmIdentifierOwned> {
        let iv = OctetString::new(self.iv.as_slice())?;
        let parameters = match self.cipher.mode {
            Mode::Cbc => Any::encode_from(&iv)?,
            Mode::Gcm => Any::encode_from(&GcmParameters { nonce: iv, icv_len: TAG as u8 })?,
        };
        Ok(AlgorithmIdentifierOwned { oid: self.cipher.oid, parameters: Some(parameters) })
    }

    /// Refuses a tag that is absent, or not as long as the parameters say, or there where no tag belongs.
    pub(crate) fn check_tag(&self, tag: Option<&[u8]>) -> Result<(), CryptoError> {
        if tag.map_or(0, <[u8]>::len) == self.tag_len {
            Ok(())
        } else {
            Err(CryptoError::Refused("its authentication tag is not as long as its parameters say"))
        }
    }

    /// Starts encrypting a content that comes in pieces, with AES-256-CBC.
    pub(crate) fn cbc_encryptor(&self, key: &SecretBytes) -> Result<CbcEncryptor, CryptoError> {
        CbcEncryptor::new(key, &self.iv).ok_or(CryptoError::Failed("AES-256-CBC"))
    }

    /// Encrypts a whole content in place, with AES-256-GCM, and gives the tag.
    pub(crate) fn gcm_encrypt(
        &self,
        key: &SecretBytes,
        content: &mut [u8],
    ) -> Result<[u8; TAG], CryptoError> {
        gcm::encrypt(key, &self.iv, content).ok_or(CryptoError::Failed("AES-256-GCM"))
    }

    /// Decrypts in place. `aad` is what is authenticated besides, `tag` the tag (both empty for CBC).
    pub(crate) fn decrypt(
        &self,
        key: &SecretBytes,
        aad: &[u8],
        tag: &[u8],
        mut content: SecretBytes,
    ) -> Result<SecretBytes, CryptoError> {
        let input = DecryptInput { key: key.expose(), iv: &self.iv, aad, tag };
        let length = (self.cipher.decrypt)(&input, content.expose_mut()).ok_or(CryptoError::NotOpened)?;
        content.truncate(length);
        Ok(content)
    }
}
