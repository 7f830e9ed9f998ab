//! Authenticated encryption with a nonce of 12 bytes: Galois counter mode (NIST SP 800-38D) as RFC 5084 uses it, and
//! ChaCha20-Poly1305 (RFC 8439) as RFC 8103 uses it. aws-lc-rs does the work, six times faster than the crates `aes-gcm` and
//! twice as fast as `chacha20poly1305`; it knows tags of 16 bytes only, so that shorter ones are read by `aes-gcm`.

use super::algorithm::DecryptInput;
use aes::cipher::consts::{U12, U13, U14, U15, U16};
use aes::cipher::{BlockCipherEncrypt, BlockSizeUser, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::{AeadInOut, AesGcm, TagSize};
use aws_lc_rs::aead::{
    AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};

/// Bytes of the tags that we write.
pub(crate) const TAG: usize = 16;
/// Who does the work of GCM on this machine, for people: which instructions it takes is its own affair.
pub(crate) const BACKEND: &str = "aws-lc";
/// Shorter tags are refused (NIST SP 800-38D 5.2.1.2 calls them fit for special uses only; RFC 5084 3.2 forbids them).
pub(super) const MINIMUM_TAG: usize = 12;

/// AES with one length of key, and what aws-lc-rs calls it in this mode.
pub(super) trait GcmCipher: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + KeyInit {
    const ALGORITHM: &'static Algorithm;
}

impl GcmCipher for Aes128 {
    const ALGORITHM: &'static Algorithm = &AES_128_GCM;
}

impl GcmCipher for Aes192 {
    const ALGORITHM: &'static Algorithm = &AES_192_GCM;
}

impl GcmCipher for Aes256 {
    const ALGORITHM: &'static Algorithm = &AES_256_GCM;
}

/// Encrypts in place and gives the tag; nothing if key or nonce has the wrong length.
pub(super) fn encrypt_gcm<C: GcmCipher>(key: &[u8], nonce: &[u8], content: &mut [u8]) -> Option<[u8; TAG]> {
    encrypt_gcm_beside::<C>(key, nonce, &[], content)
}

/// The same with something beside the content that is authenticated too.
pub(super) fn encrypt_gcm_beside<C: GcmCipher>(
    key: &[u8],
    nonce: &[u8],
    beside: &[u8],
    content: &mut [u8],
) -> Option<[u8; TAG]> {
    encrypt(C::ALGORITHM, key, nonce, beside, content)
}

/// Decrypts in place what has its tag behind it: the tag is checked before anything is given out. What does not open is
/// left as zeros or as it was.
pub(super) fn decrypt_gcm<C: GcmCipher>(input: &DecryptInput<'_>, tagged: &mut [u8]) -> Option<usize> {
    match input.tag_len {
        12 => decrypt_tagged::<C, U12>(input, tagged),
        13 => decrypt_tagged::<C, U13>(input, tagged),
        14 => decrypt_tagged::<C, U14>(input, tagged),
        15 => decrypt_tagged::<C, U15>(input, tagged),
        TAG => decrypt(C::ALGORITHM, input, tagged),
        _ => None,
    }
}

/// By the reference, which checks the tag and only then decrypts.
fn decrypt_tagged<C: GcmCipher, T: TagSize>(input: &DecryptInput<'_>, tagged: &mut [u8]) -> Option<usize> {
    let cipher = AesGcm::<C, U12, T>::new_from_slice(input.key).ok()?;
    let nonce = aes_gcm::Nonce::<U12>::try_from(input.iv).ok()?;
    let length = tagged.len().checked_sub(input.tag_len)?;
    let (content, tag) = tagged.split_at_mut_checked(length)?;
    let tag = aes_gcm::Tag::<T>::try_from(&*tag).ok()?;
    cipher.decrypt_inout_detached(&nonce, input.aad, content.into(), &tag).ok()?;
    Some(length)
}

/// Encrypts in place and gives the tag; nothing if key or nonce has the wrong length.
pub(super) fn encrypt_chacha(key: &[u8], nonce: &[u8], content: &mut [u8]) -> Option<[u8; TAG]> {
    encrypt(&CHACHA20_POLY1305, key, nonce, &[], content)
}

/// As [`decrypt_gcm`]; the tag has 16 bytes always.
pub(super) fn decrypt_chacha(input: &DecryptInput<'_>, tagged: &mut [u8]) -> Option<usize> {
    if input.tag_len == TAG { decrypt(&CHACHA20_POLY1305, input, tagged) } else { None }
}

fn encrypt(
    algorithm: &'static Algorithm,
    key: &[u8],
    nonce: &[u8],
    beside: &[u8],
    content: &mut [u8],
) -> Option<[u8; TAG]> {
    let (key, nonce) = prepare(algorithm, key, nonce)?;
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(beside), content).ok()?;
    tag.as_ref().try_into().ok()
}

fn decrypt(algorithm: &'static Algorithm, input: &DecryptInput<'_>, tagged: &mut [u8]) -> Option<usize> {
    let (key, nonce) = prepare(algorithm, input.key, input.iv)?;
    let clear = key.open_in_place(nonce, Aad::from(input.aad), tagged).ok()?;
    Some(clear.len())
}

/// For one message: aws-lc wipes the key schedule when it is dropped.
fn prepare(algorithm: &'static Algorithm, key: &[u8], nonce: &[u8]) -> Option<(LessSafeKey, Nonce)> {
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    Some((key, Nonce::try_assume_unique_for_key(nonce).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20poly1305::ChaCha20Poly1305;

    type Seal = fn(&[u8], &[u8], &mut [u8]) -> Option<[u8; TAG]>;
    type Open = fn(&DecryptInput<'_>, &mut [u8]) -> Option<usize>;
    type Reference = fn(&[u8], &[u8], &[u8], &mut [u8]) -> [u8; TAG];

    const ROWS: [(usize, Seal, Open, Reference); 4] = [
        (16, encrypt_gcm::<Aes128>, decrypt_gcm::<Aes128>, reference::<AesGcm<Aes128, U12>>),
        (24, encrypt_gcm::<Aes192>, decrypt_gcm::<Aes192>, reference::<AesGcm<Aes192, U12>>),
        (32, encrypt_gcm::<Aes256>, decrypt_gcm::<Aes256>, reference::<AesGcm<Aes256, U12>>),
        (32, encrypt_chacha, decrypt_chacha, reference::<ChaCha20Poly1305>),
    ];

    fn reference<C>(key: &[u8], nonce: &[u8], beside: &[u8], content: &mut [u8]) -> [u8; TAG]
    where
        C: KeyInit + AeadInOut<NonceSize = U12, TagSize = U16>,
    {
        let cipher = C::new_from_slice(key).unwrap();
        let nonce = nonce.try_into().unwrap();
        cipher.encrypt_inout_detached(&nonce, beside, content.into()).unwrap().into()
    }

    fn counting(length: usize, start: usize) -> Vec<u8> {
        (start..).map(|number| number.wrapping_mul(number) as u8).take(length).collect()
    }

    #[test]
    fn both_libraries_say_the_same_of_every_length() {
        for (key_len, seal, open, reference) in ROWS {
            let (key, nonce) = (counting(key_len, 1), counting(12, 9));
            for length in (0..600).chain([4095, 4096, 4097, 100_003]) {
                let clear = counting(length, 5);
                let (mut ours, mut theirs) = (clear.clone(), clear.clone());
                let tag = seal(&key, &nonce, &mut ours).unwrap();
                assert_eq!(tag, reference(&key, &nonce, &[], &mut theirs), "{length}");
                assert!(ours == theirs, "{length}");
                ours.extend(tag);
                let input = DecryptInput { key: &key, iv: &nonce, aad: &[], tag_len: TAG };
                assert_eq!(open(&input, &mut ours), Some(length));
                assert!(ours[..length] == clear, "{length}");
            }
        }
    }

    #[test]
    fn every_damage_is_seen_and_no_clear_byte_is_left() {
        let clear = b"a word that must not show";
        for (key_len, _, open, reference) in ROWS {
            let (key, nonce) = (counting(key_len, 1), counting(12, 9));
            let mut sealed = clear.to_vec();
            let tag = reference(&key, &nonce, b"beside", &mut sealed);
            sealed.extend(tag);
            let good = DecryptInput { key: &key, iv: &nonce, aad: b"beside", tag_len: TAG };
            assert_eq!(open(&good, &mut sealed.clone()), Some(clear.len()));
            for at in 0..sealed.len() {
                let mut broken = sealed.clone();
                broken[at] ^= 0x10;
                assert_eq!(open(&good, &mut broken), None);
                assert!(!broken.windows(4).any(|window| clear.windows(4).any(|word| word == window)));
            }
            let (other_key, other_nonce) = (counting(key_len, 2), counting(12, 8));
            for wrong in [
                DecryptInput { key: &other_key, ..good },
                DecryptInput { iv: &other_nonce, ..good },
                DecryptInput { aad: b"", ..good },
                DecryptInput { key: &key[1..], ..good },
                DecryptInput { iv: &nonce[1..], ..good },
                DecryptInput { tag_len: 11, ..good },
                DecryptInput { tag_len: 12, ..good },
                DecryptInput { tag_len: 17, ..good },
            ] {
                assert_eq!(open(&wrong, &mut sealed.clone()), None);
            }
            assert_eq!(open(&good, &mut sealed[..15].to_vec()), None, "shorter than a tag");
            assert_eq!(open(&good, &mut []), None);
        }
    }
}
