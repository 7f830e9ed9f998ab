//! AES key wrap (RFC 3394).

use aes::cipher::typenum::U16;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes_kw::{AesKw, InnerInit};

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
    let cipher = C::new_from_slice(key_encryption_key).ok()?;
    let unwrapped = AesKw::inner_init(cipher).unwrap_key(wrapped, out).ok()?;
    (unwrapped.len() + OVERHEAD == wrapped.len()).then_some(())
}
