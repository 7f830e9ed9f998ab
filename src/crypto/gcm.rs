//! Galois counter mode (NIST SP 800-38D) with a nonce of 12 bytes, as RFC 5084 uses it.

use super::SecretBytes;
use super::algorithm::DecryptInput;
use aes::Aes256;
use aes::cipher::consts::{U12, U13, U14, U15, U16};
use aes::cipher::{BlockCipherEncrypt, BlockSizeUser, KeyInit};
use aes_gcm::{AeadInOut, AesGcm, Nonce, TagSize};

/// Bytes of the tags that we write.
pub(crate) const TAG: usize = 16;
/// Shorter tags are refused (NIST SP 800-38D 5.2.1.2 calls them fit for special uses only; RFC 5084 3.2 forbids them).
pub(super) const MINIMUM_TAG: usize = 12;

/// Encrypts in place with AES-256 and gives the tag; nothing if key or nonce has the wrong length.
pub(super) fn encrypt(key: &SecretBytes, nonce: &[u8], content: &mut [u8]) -> Option<[u8; TAG]> {
    let cipher = AesGcm::<Aes256, U12>::new_from_slice(key.expose()).ok()?;
    let nonce = Nonce::<U12>::try_from(nonce).ok()?;
    cipher.encrypt_inout_detached(&nonce, &[], content.into()).ok().map(Into::into)
}

/// Checks the tag and only then decrypts in place.
pub(super) fn decrypt<C>(input: &DecryptInput<'_>, content: &mut [u8]) -> Option<usize>
where
    C: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + KeyInit,
{
    match input.tag.len() {
        12 => decrypt_tagged::<C, U12>(input, content),
        13 => decrypt_tagged::<C, U13>(input, content),
        14 => decrypt_tagged::<C, U14>(input, content),
        15 => decrypt_tagged::<C, U15>(input, content),
        16 => decrypt_tagged::<C, U16>(input, content),
        _ => None,
    }
}

fn decrypt_tagged<C, T>(input: &DecryptInput<'_>, content: &mut [u8]) -> Option<usize>
where
    C: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + KeyInit,
    T: TagSize,
{
    let cipher = AesGcm::<C, U12, T>::new_from_slice(input.key).ok()?;
    let nonce = Nonce::<U12>::try_from(input.iv).ok()?;
    let tag = aes_gcm::Tag::<T>::try_from(input.tag).ok()?;
    let length = content.len();
    cipher.decrypt_inout_detached(&nonce, input.aad, content.into(), &tag).ok()?;
    Some(length)
}
