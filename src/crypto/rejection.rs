//! Implicit rejection: what takes the place of a content key that does not open.

use hmac::{Hmac, KeyInit, Mac};
use rand::SeedableRng;
use rand::rngs::StdRng;
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
