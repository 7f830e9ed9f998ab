//! A content cipher with its parameters: one encrypted content.

use super::aead::{MINIMUM_TAG, TAG};
use super::algorithm::{DecryptInput, Encrypt, Mode, Parameters, name_of};
use super::lanes::CbcStream;
use super::policy::Policy;
use super::{ContentCipher, CryptoError, SecretBytes, trace};
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

/// RC2CBCParameter of RFC 3370 5.2. Without a version it means a strength that nobody should have used.
#[derive(Sequence)]
struct Rc2Parameters {
    version: u32,
    iv: OctetString,
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
        let tag_len = if cipher.mode == Mode::Aead { TAG } else { 0 };
        ContentAlgorithm { cipher, iv, tag_len }
    }

    /// Reads what a message says, and refuses what its algorithm does not allow or the policy does not list.
    pub(crate) fn read(
        identifier: &AlgorithmIdentifierOwned,
        policy: &Policy,
    ) -> Result<ContentAlgorithm, CryptoError> {
        let cipher = ContentCipher::by_oid(identifier.oid)
            .ok_or_else(|| CryptoError::Unsupported(name_of(&identifier.oid)))?;
        let broken = || CryptoError::Parameters(cipher.name);
        let parameters = identifier.parameters.as_ref().ok_or_else(broken)?.to_der().map_err(|_| broken())?;
        let read = read_parameters(cipher, &parameters).map_err(|_| broken())?.ok_or_else(broken)?;
        policy.check(read.cipher.name, read.cipher.status)?;
        read.check()
    }

    fn check(self) -> Result<ContentAlgorithm, CryptoError> {
        if self.iv.len() != self.cipher.iv_len {
            return Err(CryptoError::Parameters(self.cipher.name));
        }
        if self.cipher.mode == Mode::Aead && !(MINIMUM_TAG..=TAG).contains(&self.tag_len) {
            return Err(CryptoError::Refused(
                "its authentication tag is shorter than 12 or longer than 16 bytes",
            ));
        }
        Ok(self)
    }

    /// IV or nonce.
    pub(super) fn iv(&self) -> &[u8] {
        &self.iv
    }

    /// As it is written into a message.
    pub(crate) fn identifier(&self) -> der::Result<AlgorithmIdentifierOwned> {
        let iv = OctetString::new(self.iv.as_slice())?;
        let parameters = match self.cipher.parameters {
            Parameters::Iv => Any::encode_from(&iv)?,
            Parameters::Gcm => Any::encode_from(&GcmParameters { nonce: iv, icv_len: TAG as u8 })?,
            Parameters::Rc2 { version } => Any::encode_from(&Rc2Parameters { version, iv })?,
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

    /// Starts encrypting a content that comes in pieces: with AES-256, the only cipher that is written so.
    pub(crate) fn cbc_stream(&self, key: &SecretBytes) -> Result<CbcStream, CryptoError> {
        let failed = CryptoError::Failed(self.cipher.name);
        let (Encrypt::Lanes, Ok(key), Ok(iv)) =
            (&self.cipher.encrypt, key.expose().try_into(), self.iv.as_slice().try_into())
        else {
            return Err(failed);
        };
        Ok(CbcStream::new(key, iv))
    }

    /// Encrypts a whole content in place and gives the tag.
    pub(crate) fn encrypt(&self, key: &SecretBytes, content: &mut [u8]) -> Result<[u8; TAG], CryptoError> {
        let tag = match self.cipher.encrypt {
            Encrypt::Whole(encrypt) => encrypt(key.expose(), &self.iv, content),
            Encrypt::Lanes | Encrypt::Never => None,
        };
        tag.ok_or(CryptoError::Failed(self.cipher.name))
    }

    /// Decrypts in place. `aad` is what is authenticated besides, `tag` the tag (both empty for CBC).
    pub(crate) fn decrypt(
        &self,
        key: &SecretBytes,
        aad: &[u8],
        tag: &[u8],
        mut content: SecretBytes,
    ) -> Result<SecretBytes, CryptoError> {
        trace::record("decrypt");
        content.append(tag);
        let input = DecryptInput { key: key.expose(), iv: &self.iv, aad, tag_len: tag.len() };
        let length = self.cipher.decrypt.whole(&input, content.expose_mut()).ok_or(CryptoError::NotOpened)?;
        content.truncate(length);
        Ok(content)
    }
}

/// What tells of a content in CBC whether the key is right.
pub(crate) struct Ends {
    /// The first bytes of the clear text, and all of it if it is no longer.
    pub(crate) start: SecretBytes,
    /// Bytes of all of it; nothing where [`ContentAlgorithm::decrypt`] fails.
    pub(crate) length: Option<usize>,
}

impl ContentAlgorithm {
    /// What [`decrypt`](ContentAlgorithm::decrypt) would come to, seen from both ends of a ciphertext in CBC. A block of clear
    /// text depends on its own block of ciphertext and the one before it, and on nothing else (NIST SP 800-38A 6.2): so the
    /// first bytes need the first blocks only, and the padding, which is all that is checked, needs the last two.
    ///
    /// `content` are the octets of the ciphertext, `first` the first of them and `last` the last two blocks or more, or all of
    /// it where it is no longer.
    pub(crate) fn ends(&self, key: &SecretBytes, content: usize, first: &[u8], last: &[u8]) -> Ends {
        trace::record("decrypt");
        let padding = self.padding(key, content as u64, last);
        let length = padding.ok().map(|padding| content - padding);
        let (first, _) = first.split_at(first.len() - first.len() % self.iv.len());
        let (mut start, _) = self.decrypt_run(key, &self.iv, first);
        start.truncate(length.unwrap_or(content));
        Ends { start, length }
    }

    /// How many octets of padding (RFC 5652 6.3) end a ciphertext in CBC of so many octets, whose last two blocks or more, or
    /// all of it if it is shorter, are `end`.
    pub(crate) fn padding(&self, key: &SecretBytes, length: u64, end: &[u8]) -> Result<usize, CryptoError> {
        let block = self.iv.len();
        if length == 0 || !length.is_multiple_of(block as u64) {
            return Err(CryptoError::NotOpened);
        }
        let at = end.len().checked_sub(block).ok_or(CryptoError::NotOpened)?;
        let (before, last) = end.split_at(at);
        // What a block is chained to is the ciphertext before it, or the IV.
        let chained = if length == block as u64 { self.iv.as_slice() } else { before };
        let chained = chained.len().checked_sub(block).and_then(|from| chained.get(from..));
        let (_, left) = self.decrypt_run(key, chained.unwrap_or_default(), last);
        Ok(block - left.ok_or(CryptoError::NotOpened)?)
    }

    /// Some blocks in CBC behind that one, and how much of them is clear text if padding ends them. They are decrypted
    /// whatever the padding says.
    fn decrypt_run(&self, key: &SecretBytes, iv: &[u8], blocks: &[u8]) -> (SecretBytes, Option<usize>) {
        let mut clear = SecretBytes::new(blocks.to_vec());
        let input = DecryptInput { key: key.expose(), iv, aad: &[], tag_len: 0 };
        let length = self.cipher.decrypt.whole(&input, clear.expose_mut());
        (clear, length)
    }
}

/// The algorithm that these parameters make of a row; nothing if their version of RC2 is unknown.
fn read_parameters(
    cipher: &'static ContentCipher,
    parameters: &[u8],
) -> der::Result<Option<ContentAlgorithm>> {
    let (cipher, iv, tag_len) = match cipher.parameters {
        Parameters::Iv => {
            let tag_len = if cipher.mode == Mode::Aead { TAG } else { 0 };
            (Some(cipher), OctetString::from_der(parameters)?, tag_len)
        }
        Parameters::Gcm => {
            let read = GcmParameters::from_der(parameters)?;
            (Some(cipher), read.nonce, usize::from(read.icv_len))
        }
        Parameters::Rc2 { .. } => {
            let read = Rc2Parameters::from_der(parameters)?;
            (ContentCipher::rc2_by_version(read.version), read.iv, 0)
        }
    };
    Ok(cipher.map(|cipher| ContentAlgorithm { cipher, iv: iv.into_bytes().into(), tag_len }))
}

#[cfg(test)]
mod tests;
