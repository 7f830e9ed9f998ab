//! What lies on the disk while it is worked on: AES-256-GCM, chunk by chunk, under a key that never leaves the process.
//!
//! The key is drawn for one sequence of chunks, so the nonce is the chunk's place: its number, and in an octet that no
//! number reaches whether it is the last. No two places share one. Number and end are authenticated besides, so that no chunk can be moved, left out, or taken for the last.

use super::aead::{self, TAG};
use super::algorithm::DecryptInput;
use super::{Seed, StorageError, StorageKey};
use aes::Aes256;

/// Octets that a chunk is longer encrypted than clear.
pub const CHUNK_TAG: usize = TAG;
const NONCE: usize = 12;

/// Where a chunk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkPlace {
    /// More follow. The number counts from 0.
    Inner(u64),
    /// None follows.
    Last(u64),
}

impl ChunkPlace {
    fn nonce(self) -> [u8; NONCE] {
        let (ChunkPlace::Inner(number) | ChunkPlace::Last(number)) = self;
        let mut nonce = [0; NONCE];
        let [first, ..] = &mut nonce;
        *first = u8::from(matches!(self, ChunkPlace::Last(_)));
        nonce.iter_mut().rev().zip(number.to_le_bytes()).for_each(|(octet, digit)| *octet = digit);
        nonce
    }

    fn beside(self) -> &'static [u8] {
        match self {
            ChunkPlace::Inner(_) => b"inner",
            ChunkPlace::Last(_) => b"last",
        }
    }
}

/// The key of one sequence of chunks. No `Debug`, no `Clone`; wiped when dropped. Each place is sealed once.
pub struct ChunkKey(StorageKey);

impl ChunkKey {
    /// A new one.
    pub fn generate(seed: Seed) -> ChunkKey {
        ChunkKey(StorageKey::generate(seed))
    }

    /// Encrypts a chunk, whose last [`CHUNK_TAG`] octets are room for the tag, in place.
    pub fn seal(&self, place: ChunkPlace, chunk: &mut [u8]) -> Result<(), StorageError> {
        let length = chunk.len().checked_sub(TAG).ok_or(StorageError::NotSealed)?;
        let (content, tag) = chunk.split_at_mut(length);
        let made =
            aead::encrypt_gcm_beside::<Aes256>(self.0.expose(), &place.nonce(), place.beside(), content);
        tag.copy_from_slice(&made.ok_or(StorageError::NotSealed)?);
        Ok(())
    }

    /// Decrypts what [`ChunkKey::seal`] made, in place, and says how many octets at the start are clear.
    pub fn open(&self, place: ChunkPlace, chunk: &mut [u8]) -> Result<usize, StorageError> {
        let input =
            DecryptInput { key: self.0.expose(), iv: &place.nonce(), aad: place.beside(), tag_len: TAG };
        aead::decrypt_gcm::<Aes256>(&input, chunk).ok_or(StorageError::NotOpened)
    }
}

#[cfg(test)]
mod tests {
    use super::ChunkPlace::{Inner, Last};
    use super::*;

    fn key(number: u8) -> ChunkKey {
        ChunkKey::generate(Seed::from_bytes(&mut [number; 32]))
    }

    fn sealed(place: ChunkPlace) -> Vec<u8> {
        let mut chunk = [b"clear text".as_slice(), &[0; TAG]].concat();
        key(1).seal(place, &mut chunk).unwrap();
        chunk
    }

    #[test]
    fn a_chunk_opens_in_its_place_and_nowhere_else() {
        for (place, others) in
            [(Inner(3), [Last(3), Inner(2), Inner(1 << 40)]), (Last(0), [Inner(0), Last(1), Last(256)])]
        {
            let whole = sealed(place);
            assert!(!whole.windows(5).any(|window| window == b"clear"));
            assert_eq!(key(1).open(place, &mut whole.clone()), Ok(10));
            let mut opened = whole.clone();
            key(1).open(place, &mut opened).unwrap();
            assert_eq!(opened[..10], *b"clear text");
            for other in others {
                assert_eq!(key(1).open(other, &mut whole.clone()), Err(StorageError::NotOpened), "{other:?}");
            }
            assert_eq!(key(2).open(place, &mut whole.clone()), Err(StorageError::NotOpened));
            for at in 0..whole.len() {
                let mut damaged = whole.clone();
                damaged[at] ^= 1;
                assert_eq!(key(1).open(place, &mut damaged), Err(StorageError::NotOpened), "{at}");
                assert_eq!(
                    key(1).open(place, &mut whole[..at].to_vec()),
                    Err(StorageError::NotOpened),
                    "{at}"
                );
            }
        }
    }

    #[test]
    fn no_two_places_share_a_nonce() {
        let numbers = [0, 1, 255, 256, 65_536, u64::MAX];
        let nonces: std::collections::HashSet<_> =
            numbers.iter().flat_map(|&number| [Inner(number).nonce(), Last(number).nonce()]).collect();
        assert_eq!(nonces.len(), 2 * numbers.len());
        assert_ne!(sealed(Inner(0))[..10], sealed(Inner(1))[..10]);
    }

    #[test]
    fn a_chunk_without_room_for_its_tag_is_refused() {
        assert_eq!(key(1).seal(Last(0), &mut [0; 15]), Err(StorageError::NotSealed));
        assert_eq!(key(1).open(Last(0), &mut [0; 15]), Err(StorageError::NotOpened));
    }
}
