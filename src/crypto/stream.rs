//! Content that is encrypted and decrypted as it comes: what is too large to be held as a whole.

use super::aead::{MINIMUM_TAG, TAG};
use super::algorithm::Decrypt;
use super::cbc::{BLOCK, CbcDecryptor};
use super::content::ContentAlgorithm;
use super::gcm_stream::GcmStream;
use super::lanes::{CbcStream, Lane, encrypt};
use super::{CryptoError, SecretBytes, trace};

/// Encrypts pieces in place.
pub(crate) enum Encryptor {
    /// Whole blocks each.
    Cbc(CbcStream),
    /// Cut anywhere.
    Gcm(Box<GcmStream>),
}

impl Encryptor {
    /// One piece.
    pub(crate) fn encrypt(&mut self, piece: &mut [u8]) -> Result<(), CryptoError> {
        match self {
            Encryptor::Cbc(stream) => encrypt(&mut [Lane::in_place(stream, piece)]),
            Encryptor::Gcm(stream) => stream.encrypt(piece).ok_or(CryptoError::Failed("AES-GCM"))?,
        }
        Ok(())
    }

    /// The tag over all pieces; none in CBC.
    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Encryptor::Cbc(_) => Vec::new(),
            Encryptor::Gcm(stream) => stream.tag().to_vec(),
        }
    }
}

/// Decrypts pieces in place. Nothing that comes out is to be believed until padding or tag was checked.
pub(crate) enum Decryptor {
    /// Whole blocks each.
    Cbc(CbcDecryptor),
    /// Cut anywhere.
    Gcm(Box<GcmStream>),
}

impl Decryptor {
    /// One piece.
    pub(crate) fn decrypt(&mut self, piece: &mut [u8]) -> Result<(), CryptoError> {
        match self {
            Decryptor::Cbc(blocks) => blocks.decrypt(piece),
            Decryptor::Gcm(stream) => stream.decrypt(piece).ok_or(CryptoError::NotOpened)?,
        }
        Ok(())
    }

    /// Compares the tag over all pieces with the one that was sent, looking at every octet; a tag has
    /// as many as the parameters allow. In CBC there is none.
    pub(crate) fn check_tag(self, sent: &[u8]) -> Result<(), CryptoError> {
        let Decryptor::Gcm(stream) = self else { return Ok(()) };
        let tag: [u8; TAG] = stream.tag();
        if !(MINIMUM_TAG..=TAG).contains(&sent.len()) {
            return Err(CryptoError::NotOpened);
        }
        let differs = tag.iter().zip(sent).fold(0, |differs, (own, sent)| differs | (own ^ sent));
        if differs == 0 { Ok(()) } else { Err(CryptoError::NotOpened) }
    }
}

impl ContentAlgorithm {
    /// Starts to encrypt a content that comes in pieces.
    pub(crate) fn encryptor(&self, key: &SecretBytes) -> Result<Encryptor, CryptoError> {
        let failed = CryptoError::Failed(self.cipher.name);
        match &self.cipher.decrypt {
            Decrypt::Chain(_) => self.cbc_stream(key).map(Encryptor::Cbc),
            Decrypt::Tagged { pieces, .. } => {
                pieces(key.expose(), self.iv(), &[]).map(Box::new).map(Encryptor::Gcm).ok_or(failed)
            }
            Decrypt::Whole(_) => Err(failed),
        }
    }

    /// Can a content be decrypted piece by piece?
    pub(crate) fn is_streamed(&self) -> bool {
        !matches!(self.cipher.decrypt, Decrypt::Whole(_))
    }

    /// Starts to decrypt a content that comes in pieces; `beside` is authenticated besides.
    pub(crate) fn decryptor(&self, key: &SecretBytes, beside: &[u8]) -> Result<Decryptor, CryptoError> {
        trace::record("decrypt");
        let decryptor = match &self.cipher.decrypt {
            Decrypt::Chain(start) => start(key.expose(), self.iv()).map(Decryptor::Cbc),
            Decrypt::Tagged { pieces, .. } => {
                pieces(key.expose(), self.iv(), beside).map(Box::new).map(Decryptor::Gcm)
            }
            Decrypt::Whole(_) => None,
        };
        decryptor.ok_or(CryptoError::NotOpened)
    }
}

const _: () = assert!(BLOCK == TAG, "a block of AES is as long as a whole tag");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::ContentCipher;
    use crate::crypto::Policy;
    use crate::crypto::algorithm::{AES_256_CBC, AES_256_GCM, CONTENT_CIPHERS, DecryptInput, Mode};
    use crate::crypto::cbc::padding_len;
    use proptest::prelude::*;

    #[test]
    fn every_cipher_but_one_works_on_pieces() {
        let without: Vec<&str> = CONTENT_CIPHERS
            .into_iter()
            .filter(|cipher| matches!(cipher.decrypt, Decrypt::Whole(_)))
            .map(|cipher| cipher.name)
            .collect();
        assert_eq!(without, ["chacha20-poly1305"]);
        for cipher in CONTENT_CIPHERS {
            assert_eq!(
                matches!(cipher.decrypt, Decrypt::Chain(_)),
                cipher.mode == Mode::Cbc,
                "{}",
                cipher.name
            );
        }
    }

    fn algorithm(cipher: &'static ContentCipher, number: u8) -> ContentAlgorithm {
        ContentAlgorithm::generate(cipher, &mut crate::crypto::Seed::from_bytes(&mut [number; 32]).into_rng())
    }

    /// The ciphertext of octets in any of the ciphers, made by the very package that is decrypted with: CBC chains
    /// backwards are not at hand for old ciphers, so that any octets serve, and the whole is the judge.
    #[test]
    fn pieces_come_out_as_the_whole_does() {
        for cipher in CONTENT_CIPHERS.into_iter().filter(|cipher| algorithm(cipher, 3).is_streamed()) {
            let key = SecretBytes::new(vec![5; cipher.key_len]);
            let algorithm = algorithm(cipher, 3);
            let ciphertext: Vec<u8> = (0..=255).cycle().take(16 * 40).collect();
            let mut pieces = ciphertext.clone();
            let mut decryptor = algorithm.decryptor(&key, b"").unwrap();
            let (one, other) = pieces.split_at_mut(16 * 7);
            decryptor.decrypt(one).unwrap();
            decryptor.decrypt(other).unwrap();
            let whole = |tag: &[u8]| {
                let input =
                    DecryptInput { key: key.expose(), iv: algorithm.iv(), aad: b"", tag_len: tag.len() };
                let mut whole = [ciphertext.as_slice(), tag].concat();
                cipher.decrypt.whole(&input, &mut whole);
                whole.truncate(ciphertext.len());
                whole
            };
            if cipher.mode == Mode::Cbc {
                assert!(pieces == whole(b""), "{}", cipher.name);
            } else {
                let mut tagged = algorithm.decryptor(&key, b"").unwrap();
                tagged.decrypt(&mut ciphertext.clone()).unwrap();
                let Decryptor::Gcm(stream) = tagged else { panic!("{}", cipher.name) };
                assert!(pieces == whole(&stream.tag()), "{}", cipher.name);
            }
        }
    }

    #[test]
    fn a_tag_must_be_the_one() {
        let algorithm = algorithm(&AES_256_GCM, 1);
        let key = SecretBytes::new(vec![1; 32]);
        let mut content = *b"hello";
        let mut encryptor = algorithm.encryptor(&key).unwrap();
        encryptor.encrypt(&mut content).unwrap();
        let tag = encryptor.finish();
        let check = |tag: &[u8]| {
            let mut decryptor = algorithm.decryptor(&key, b"").unwrap();
            decryptor.decrypt(&mut content.clone()).unwrap();
            decryptor.check_tag(tag)
        };
        assert_eq!(check(&tag), Ok(()));
        assert_eq!(check(&tag[..12]), Ok(()), "as short as the parameters allow");
        for length in (0..12).chain([17]) {
            let sent = [tag.as_slice(), &[0]].concat();
            assert_eq!(check(&sent[..length]), Err(CryptoError::NotOpened), "{length} octets");
        }
        for at in 0..tag.len() {
            let mut other = tag.clone();
            other[at] ^= 0x80;
            assert_eq!(check(&other), Err(CryptoError::NotOpened));
        }
        assert!(Policy::READING.check(AES_256_GCM.name, AES_256_GCM.status).is_ok());
    }

    proptest! {
        #[test]
        fn the_padding_is_that_of_the_whole(content in prop::collection::vec(any::<u8>(), 0..70), wrong in 0_u8..3, at: prop::sample::Index) {
            let algorithm = algorithm(&AES_256_CBC, 2);
            let key = SecretBytes::new(vec![2; 32]);
            let mut padded = content.clone();
            let padding = padding_len(content.len());
            padded.resize(content.len() + padding, padding as u8);
            let mut encryptor = algorithm.encryptor(&key).unwrap();
            encryptor.encrypt(&mut padded).unwrap();
            if wrong == 2 {
                let at = at.index(padded.len());
                padded[at] ^= 1;
            }
            let end = &padded[padded.len().saturating_sub(2 * BLOCK)..];
            let found = algorithm.padding(&key, padded.len() as u64, end).ok();
            let whole = algorithm.decrypt(&key, b"", b"", SecretBytes::new(padded.clone())).ok();
            prop_assert_eq!(found.map(|found| padded.len() - found), whole.map(|whole| whole.expose().len()));
            prop_assert!(algorithm.padding(&key, padded.len() as u64 - 1, end).is_err());
            prop_assert!(algorithm.padding(&key, 0, b"").is_err());
        }
    }
}
