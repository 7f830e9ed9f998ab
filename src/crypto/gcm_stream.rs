//! Galois counter mode (NIST SP 800-38D) over content that comes piece by piece, which no package at hand offers: its two
//! halves, counter mode and GHASH, are those that `aes-gcm` is made of.

use super::aead::TAG;
use super::cbc::BLOCK;
use aes::cipher::consts::U16;
use aes::cipher::{Array, BlockCipherEncrypt, BlockSizeUser, InnerIvInit, KeyInit, StreamCipher};
use ctr::{Ctr32BE, CtrCore};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use zeroize::{Zeroize, Zeroizing};

/// The nonce that the counter begins with.
const NONCE: usize = 12;

/// One content under one key and nonce. The pieces may be cut anywhere.
pub(crate) struct GcmStream {
    counter: Box<dyn Keystream>,
    hash: GHash,
    /// The first block of the key stream, which hides the tag.
    mask: Zeroizing<[u8; TAG]>,
    /// Ciphertext that fills no block yet.
    rest: Vec<u8>,
    beside_len: u64,
    content_len: u64,
}

/// Counter mode with its state; how long its key is shows no more.
trait Keystream {
    /// Nothing once the counter has come round: after 64 GiB.
    fn apply(&mut self, piece: &mut [u8]) -> Option<()>;
}

impl<C: StreamCipher> Keystream for C {
    fn apply(&mut self, piece: &mut [u8]) -> Option<()> {
        self.try_apply_keystream(piece).ok()
    }
}

/// Starts; nothing if key or nonce has the wrong length. `beside` is authenticated before the content.
pub(super) fn gcm_stream<C>(key: &[u8], nonce: &[u8], beside: &[u8]) -> Option<GcmStream>
where
    C: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + KeyInit + 'static,
{
    let cipher = C::new_from_slice(key).ok()?;
    let nonce: [u8; NONCE] = nonce.try_into().ok()?;
    let mut hash_key = Array::default();
    cipher.encrypt_block(&mut hash_key);
    let hash = GHash::new(&hash_key);
    hash_key.zeroize();
    let mut first = [0; BLOCK];
    first.iter_mut().zip(nonce).for_each(|(octet, given)| *octet = given);
    first[BLOCK - 1] = 1;
    let mut counter: Box<dyn Keystream> =
        Box::new(Ctr32BE::from_core(CtrCore::<C, _>::inner_iv_init(cipher, &first.into())));
    let mut mask = Zeroizing::new([0; TAG]);
    counter.apply(&mut *mask)?;
    let beside_len = beside.len() as u64;
    let mut stream =
        GcmStream { counter, hash, mask, rest: Vec::with_capacity(BLOCK), beside_len, content_len: 0 };
    stream.hash.update_padded(beside);
    Some(stream)
}

impl GcmStream {
    /// Encrypts a piece in place; nothing once there is more than the mode can take.
    pub(crate) fn encrypt(&mut self, piece: &mut [u8]) -> Option<()> {
        self.counter.apply(piece)?;
        self.absorb(piece);
        Some(())
    }

    /// Decrypts a piece in place, before anything is known of the tag: nobody may see what comes out until
    /// [`GcmStream::tag`] is the one that was sent.
    pub(crate) fn decrypt(&mut self, piece: &mut [u8]) -> Option<()> {
        self.absorb(piece);
        self.counter.apply(piece)
    }

    /// Ciphertext, block by block.
    fn absorb(&mut self, piece: &[u8]) {
        self.content_len += piece.len() as u64;
        let missing = (BLOCK - self.rest.len()) % BLOCK;
        let (first, piece) = piece.split_at_checked(missing).unwrap_or((piece, &[]));
        self.rest.extend_from_slice(first);
        if self.rest.len() == BLOCK {
            self.hash.update_padded(&self.rest);
            self.rest.clear();
        }
        let (blocks, rest) = piece.split_at(piece.len() - piece.len() % BLOCK);
        self.hash.update_padded(blocks);
        self.rest.extend_from_slice(rest);
    }

    /// The tag over all that was there.
    pub(crate) fn tag(mut self) -> [u8; TAG] {
        self.hash.update_padded(&self.rest);
        let bits = (u128::from(self.beside_len * 8) << 64) | u128::from(self.content_len * 8);
        self.hash.update(&[bits.to_be_bytes().into()]);
        let mut tag: [u8; TAG] = self.hash.finalize().into();
        tag.iter_mut().zip(*self.mask).for_each(|(octet, mask)| *octet ^= mask);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::aead::encrypt_gcm_beside;
    use aes::{Aes128, Aes192, Aes256};
    use proptest::prelude::*;

    fn hex(text: &str) -> Vec<u8> {
        crate::crypto::known_answers::unhex(text)
    }

    fn streamed<C>(
        key: &[u8],
        nonce: &[u8],
        beside: &[u8],
        content: &[u8],
        cuts: &[usize],
    ) -> (Vec<u8>, [u8; TAG])
    where
        C: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + KeyInit + 'static,
    {
        let mut stream = gcm_stream::<C>(key, nonce, beside).unwrap();
        let mut content = content.to_vec();
        let mut rest = content.as_mut_slice();
        for &cut in cuts {
            let (piece, after) = rest.split_at_mut(cut.min(rest.len()));
            stream.encrypt(piece).unwrap();
            rest = after;
        }
        stream.encrypt(rest).unwrap();
        (content, stream.tag())
    }

    /// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16.
    #[test]
    fn known_answers() {
        let zeros = [0; 32];
        let (empty, tag) = streamed::<Aes256>(&zeros, &zeros[..12], b"", b"", &[]);
        assert_eq!((empty, tag.to_vec()), (Vec::new(), hex("530f8afbc74536b9a963b4f1c4cb738b")));
        let (block, tag) = streamed::<Aes256>(&zeros, &zeros[..12], b"", &zeros[..16], &[3]);
        assert_eq!(block, hex("cea7403d4d606b6e074ec5d3baf39d18"));
        assert_eq!(tag.to_vec(), hex("d0d1c8a799996bf0265b98b5d48ab919"));
        let key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let content = hex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let beside = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let (sealed, tag) =
            streamed::<Aes256>(&key, &hex("cafebabefacedbaddecaf888"), &beside, &content, &[1, 16, 20]);
        assert_eq!(tag.to_vec(), hex("76fc6ece0f4e1768cddf8853bb2d551b"));
        assert!(sealed.starts_with(&hex("522dc1f099567d07f47f37a32a84427d")));
    }

    #[test]
    fn every_length_and_every_cut_gives_what_the_whole_gives() {
        let content: Vec<u8> = (0..=255).cycle().take(70).collect();
        for length in 0..content.len() {
            let (key, nonce) = ([7; 32], [9; 12]);
            let mut whole = content[..length].to_vec();
            let tag = encrypt_gcm_beside::<Aes256>(&key, &nonce, b"beside", &mut whole).unwrap();
            for cut in 0..=length {
                let made = streamed::<Aes256>(&key, &nonce, b"beside", &content[..length], &[cut]);
                assert_eq!(made, (whole.clone(), tag), "{length} {cut}");
            }
        }
    }

    #[test]
    fn a_key_or_a_nonce_of_another_length_is_refused() {
        assert!(gcm_stream::<Aes256>(&[0; 31], &[0; 12], b"").is_none());
        assert!(gcm_stream::<Aes256>(&[0; 32], &[0; 16], b"").is_none());
    }

    proptest! {
        #[test]
        fn it_is_gcm(
            content in prop::collection::vec(any::<u8>(), 0..400),
            beside in prop::collection::vec(any::<u8>(), 0..40),
            key: [u8; 32], nonce: [u8; 12],
            cuts in prop::collection::vec(0_usize..90, 0..8), length in 0_usize..3,
        ) {
            let key = &key[..[16, 24, 32][length]];
            let encrypt = [encrypt_gcm_beside::<Aes128>, encrypt_gcm_beside::<Aes192>, encrypt_gcm_beside::<Aes256>][length];
            let stream = [streamed::<Aes128>, streamed::<Aes192>, streamed::<Aes256>][length];
            let start = [gcm_stream::<Aes128>, gcm_stream::<Aes192>, gcm_stream::<Aes256>][length];
            let mut whole = content.clone();
            let tag = encrypt(key, &nonce, &beside, &mut whole).unwrap();
            prop_assert_eq!(stream(key, &nonce, &beside, &content, &cuts), (whole.clone(), tag));
            let mut back = start(key, &nonce, &beside).unwrap();
            let (one, other) = whole.split_at_mut(content.len() / 3);
            back.decrypt(one).unwrap();
            back.decrypt(other).unwrap();
            prop_assert_eq!(back.tag(), tag);
            prop_assert_eq!(whole, content);
        }
    }
}
