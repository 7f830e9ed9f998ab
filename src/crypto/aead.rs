//! Authenticated encryption with a nonce of 12 bytes: Galois counter mode (NIST SP 800-38D) as RFC 5084 uses it, and
//! ChaCha20-Poly1305 (RFC 8439) as RFC 8103 uses it.

use super::algorithm::DecryptInput;
use aes::cipher::consts::{U12, U13, U14, U15, U16};
use aes::cipher::{BlockCipherEncrypt, BlockSizeUser, KeyInit};
use aes_gcm::{AeadInOut, AesGcm, Nonce, TagSize};
use chacha20poly1305::ChaCha20Poly1305;

/// Bytes of the tags that we write.
pub(crate) const TAG: usize = 16;
/// Shorter tags are refused (NIST SP 800-38D 5.2.1.2 calls them fit for special uses only; RFC 5084 3.2 forbids them).
pub(super) const MINIMUM_TAG: usize = 12;

/// Encrypts in place and gives the tag; nothing if key or nonce has the wrong length.
pub(super) fn encrypt_gcm<C>(key: &[u8], nonce: &[u8], content: &mut [u8]) -> Option<[u8; TAG]>
where
    C: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + KeyInit,
{
    encrypt_gcm_beside::<C>(key, nonce, &[], content)
}

/// The same with something beside the content that is authenticated too.
pub(super) fn encrypt_gcm_beside<C>(
    key: &[u8],
    nonce: &[u8],
    beside: &[u8],
    content: &mut [u8],
) -> Option<[u8; TAG]>
where
    C: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + KeyInit,
{
    let cipher = AesGcm::<C, U12>::new_from_slice(key).ok()?;
    let nonce = Nonce::<U12>::try_from(nonce).ok()?;
    cipher.encrypt_inout_detached(&nonce, beside, content.into()).ok().map(Into::into)
}

/// Checks the tag and only then decrypts in place.
pub(super) fn decrypt_gcm<C>(input: &DecryptInput<'_>, content: &mut [u8]) -> Option<usize>
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

/// Encrypts in place and gives the tag; nothing if key or nonce has the wrong length.
pub(super) fn encrypt_chacha(key: &[u8], nonce: &[u8], content: &mut [u8]) -> Option<[u8; TAG]> {
    let cipher = ChaCha20Poly1305::new_from_slice(key).ok()?;
    let nonce = chacha20poly1305::Nonce::try_from(nonce).ok()?;
    cipher.encrypt_inout_detached(&nonce, &[], content.into()).ok().map(Into::into)
}

/// Checks the tag, which has 16 bytes always, and only then decrypts in place.
pub(super) fn decrypt_chacha(input: &DecryptInput<'_>, content: &mut [u8]) -> Option<usize> {
    let cipher = ChaCha20Poly1305::new_from_slice(input.key).ok()?;
    let nonce = chacha20poly1305::Nonce::try_from(input.iv).ok()?;
    let tag = chacha20poly1305::Tag::try_from(input.tag).ok()?;
    let length = content.len();
    cipher.decrypt_inout_detached(&nonce, input.aad, content.into(), &tag).ok()?;
    Some(length)
}
