//! What waits on the disk for a while: AES-256-GCM under a key of the site.
//!
//! The nonce is random: SP 800-38D 8.3 allows 2^32 contents under one key, which is one a second for 136 years.

use super::aead::{self, TAG};
use super::algorithm::DecryptInput;
use super::{SecretBytes, Seed};
use aes::Aes256;
use rand::Rng;

const KEY: usize = 32;
const NONCE: usize = 12;

/// Why content was not stored or not found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// A key has 32 octets.
    #[error("the key has not 32 octets")]
    KeyLength,
    /// More than the mode can take.
    #[error("the content could not be encrypted")]
    NotSealed,
    /// Another key, other octets, or in another place.
    #[error("it does not open under this key")]
    NotOpened,
}

/// A key of 32 octets for what this site stores itself. No `Debug`, no `Clone`; wiped when dropped.
pub struct StorageKey(SecretBytes);

impl StorageKey {
    /// A new one.
    pub fn generate(seed: Seed) -> StorageKey {
        let mut key = SecretBytes::new(vec![0; KEY]);
        seed.into_rng().fill_bytes(key.expose_mut());
        StorageKey(key)
    }

    /// Takes the octets over.
    pub fn from_bytes(key: SecretBytes) -> Result<StorageKey, StorageError> {
        if key.expose().len() == KEY { Ok(StorageKey(key)) } else { Err(StorageError::KeyLength) }
    }

    /// The octets, for the file that keeps them.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// The parts one after the other as nonce, ciphertext and tag. `place` is authenticated besides: what is moved
    /// elsewhere does not open there.
    pub fn seal(&self, parts: &[&[u8]], place: &[u8], seed: Seed) -> Result<SecretBytes, StorageError> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut octets = Vec::with_capacity(NONCE + length + TAG);
        octets.resize(NONCE, 0);
        parts.iter().for_each(|part| octets.extend_from_slice(part));
        octets.resize(NONCE + length + TAG, 0);
        // Wiped if something goes wrong from here on.
        let mut sealed = SecretBytes::new(octets);
        let (nonce, rest) = sealed.expose_mut().split_at_mut(NONCE);
        let (content, tag) = rest.split_at_mut(length);
        seed.into_rng().fill_bytes(nonce);
        let made = aead::encrypt_gcm_beside::<Aes256>(self.expose(), nonce, place, content);
        tag.copy_from_slice(&made.ok_or(StorageError::NotSealed)?);
        Ok(sealed)
    }

    /// What [`StorageKey::seal`] was given, joined.
    pub fn open(&self, sealed: &[u8], place: &[u8]) -> Result<SecretBytes, StorageError> {
        let (iv, tagged) = sealed.split_at_checked(NONCE).ok_or(StorageError::NotOpened)?;
        let mut opened = SecretBytes::new(tagged.to_vec());
        let input = DecryptInput { key: self.expose(), iv, aad: place, tag_len: TAG };
        let length =
            aead::decrypt_gcm::<Aes256>(&input, opened.expose_mut()).ok_or(StorageError::NotOpened)?;
        opened.truncate(length);
        Ok(opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(number: u8) -> Seed {
        Seed::from_bytes(&mut [number; 32])
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_and_nowhere_else() {
        let key = StorageKey::generate(seed(1));
        let sealed = key.seal(&[b"head", b"", b"body"], b"row 1", seed(2)).unwrap();
        assert_eq!(sealed.expose().len(), NONCE + 8 + TAG);
        assert!(!sealed.expose().windows(4).any(|window| window == b"body"));
        assert_eq!(key.open(sealed.expose(), b"row 1").unwrap().expose(), b"headbody");
        assert_eq!(key.open(sealed.expose(), b"row 2").err(), Some(StorageError::NotOpened));
        let other = StorageKey::generate(seed(3));
        assert_eq!(other.open(sealed.expose(), b"row 1").err(), Some(StorageError::NotOpened));
        for at in 0..sealed.expose().len() {
            let mut damaged = sealed.expose().to_vec();
            damaged[at] ^= 1;
            assert_eq!(key.open(&damaged, b"row 1").err(), Some(StorageError::NotOpened), "{at}");
            assert!(key.open(&sealed.expose()[..at], b"row 1").is_err(), "{at}");
        }
    }

    #[test]
    fn two_of_the_same_differ_and_a_short_key_is_none() {
        let key = StorageKey::generate(seed(1));
        let one = key.seal(&[b"x"], b"", seed(2)).unwrap();
        assert_ne!(one.expose(), key.seal(&[b"x"], b"", seed(3)).unwrap().expose());
        assert!(StorageKey::from_bytes(SecretBytes::new(vec![0; 31])).is_err());
        let again = StorageKey::from_bytes(SecretBytes::new(key.expose().to_vec())).unwrap();
        assert_eq!(again.open(one.expose(), b"").unwrap().expose(), b"x");
    }
}
