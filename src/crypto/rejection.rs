//! Implicit rejection: what takes the place of a content key that does not open.

use super::SecretBytes;
use super::algorithm::KeyWrap;
use hmac::{Hmac, KeyInit, Mac};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A generator that private key and ciphertext determine and nobody else can foresee: for the key that takes the place
/// of one that does not open, and for blinding. So opening needs no entropy, and the same input fails in the same way.
pub(super) fn rejection_rng(private_key: &[u8], wrapped: &[u8]) -> StdRng {
    let seed = Hmac::<Sha256>::new_from_slice(private_key).map(|mut mac| {
        mac.update(b"sealpost implicit rejection");
        mac.update(wrapped);
        mac.finalize().into_bytes()
    });
    // HMAC takes keys of every length: the default is never used, and would be as good as a wrong key.
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(seed.map(Into::into).unwrap_or_default());
    StdRng::from_seed(*seed)
}

/// The content key of `key_len` bytes that lies wrapped under a key-encryption key; one that `rejection` gives where it
/// does not, after the same steps.
pub(super) fn open_wrapped(
    wrap: &KeyWrap,
    key_encryption_key: &[u8],
    wrapped: &[u8],
    key_len: usize,
    mut rejection: StdRng,
) -> SecretBytes {
    let mut content_key = vec![0; key_len];
    rejection.fill_bytes(&mut content_key);
    let mut opened = Zeroizing::new(vec![0; key_len]);
    let substitute = vec![0; key_len + wrap.overhead];
    let wrapped = if wrapped.len() == substitute.len() { wrapped } else { &substitute };
    if (wrap.unwrap)(key_encryption_key, wrapped, &mut opened).is_some() {
        content_key.copy_from_slice(&opened);
    }
    SecretBytes::new(content_key)
}
