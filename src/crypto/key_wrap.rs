//! AES key wrap (RFC 3394), and the unwrapping of Triple DES key wrap (RFC 3217).

use super::trace;
use aes::cipher::typenum::U16;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use aes_kw::{AesKw, InnerInit};
use des::TdesEde3;
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

/// Octets by which a wrapped key is longer than the key.
pub(super) const OVERHEAD: usize = 8;

/// Wraps the key into `out`, which must have its length and [`OVERHEAD`].
pub(super) fn wrap<C>(key_encryption_key: &[u8], key: &[u8], out: &mut [u8]) -> Option<()>
where
    C: KeyInit + BlockCipherEncrypt<BlockSize = U16>,
{
    let cipher = C::new_from_slice(key_encryption_key).ok()?;
    AesKw::inner_init(cipher).wrap_key(key, out).ok().map(|_| ())
}

/// Unwraps into `out`, which must have the length of the key; nothing if it was not wrapped under this one.
pub(super) fn unwrap<C>(key_encryption_key: &[u8], wrapped: &[u8], out: &mut [u8]) -> Option<()>
where
    C: KeyInit + BlockCipherDecrypt<BlockSize = U16>,
{
    trace::record("unwrap");
    let cipher = C::new_from_slice(key_encryption_key).ok()?;
    let unwrapped = AesKw::inner_init(cipher).unwrap_key(wrapped, out).ok()?;
    (unwrapped.len() + OVERHEAD == wrapped.len()).then_some(())
}

/// Octets of a Triple DES block, of the checksum and of the IV in a wrapped key.
const DES_BLOCK: usize = 8;
/// Octets by which a key wrapped with Triple DES is longer than the key.
pub(super) const DES_OVERHEAD: usize = 2 * DES_BLOCK;
/// RFC 3217 3.1, step 7.
const DES_IV: [u8; DES_BLOCK] = [0x4a, 0xdd, 0xa2, 0x2c, 0x79, 0xe8, 0x21, 0x05];

/// Unwraps with Triple DES (RFC 3217 3.2) into `out`, which must have the length of the key; nothing if it was not
/// wrapped under this one. The parity of a key's octets has no meaning to its cipher and is not looked at.
pub(super) fn unwrap_des(key_encryption_key: &[u8], wrapped: &[u8], out: &mut [u8]) -> Option<()> {
    trace::record("unwrap");
    let mut text = Zeroizing::new(wrapped.to_vec());
    decrypt_des(key_encryption_key, &DES_IV, &mut text)?;
    text.reverse();
    let (iv, text) = text.split_at_mut_checked(DES_BLOCK)?;
    decrypt_des(key_encryption_key, iv, text)?;
    let (key, checksum) = text.split_at_checked(out.len())?;
    let good = Sha1::digest(key).get(..DES_BLOCK) == Some(checksum);
    out.copy_from_slice(key);
    good.then_some(())
}

fn decrypt_des(key: &[u8], iv: &[u8], text: &mut [u8]) -> Option<()> {
    let mut decryptor = cbc::Decryptor::<TdesEde3>::new_from_slices(key, iv).ok()?;
    let (blocks, rest) = Array::slice_as_chunks_mut(text);
    decryptor.decrypt_blocks(blocks);
    rest.is_empty().then_some(())
}
