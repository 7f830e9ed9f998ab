//! Randomness as an argument: one seed a message, never a cloned or forked generator.

use rand::SeedableRng;
use rand::rngs::StdRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// What [`StdRng`] is made of leaves neither seed nor output behind: it does not compile without that feature, which another
/// crate may take away from us.
const _: fn() = || {
    fn is_wiped<T: ZeroizeOnDrop>() {}
    is_wiped::<chacha20::ChaCha12Rng>();
};

/// 32 bytes of the system's generator, for one message or one key. Not `Clone`, and used up by [`Seed::into_rng`]. The bytes
/// stay where they are while the seed is moved about, because each move would leave a copy behind.
pub struct Seed(Box<Zeroizing<[u8; 32]>>);

impl Seed {
    /// Takes the bytes over and wipes the caller's copy. Tests pass fixed bytes; the product only those of [`Entropy`].
    pub fn from_bytes(bytes: &mut [u8; 32]) -> Seed {
        // Not moved into its place: that would leave a copy on the stack.
        let mut seed = Seed(Box::new(Zeroizing::new([0; 32])));
        seed.0.copy_from_slice(bytes);
        bytes.zeroize();
        seed
    }

    /// The generator that this seed starts.
    pub fn into_rng(self) -> StdRng {
        StdRng::from_seed(**self.0)
    }
}

/// The system's generator gave nothing.
#[derive(Debug, thiserror::Error)]
#[error("the system's random number generator failed: {0}")]
pub struct EntropyError(pub String);

/// Where seeds come from: the operating system in the product, fixed bytes in tests.
pub trait Entropy: Send + Sync {
    /// A fresh seed; never the same twice.
    fn seed(&self) -> Result<Seed, EntropyError>;
}
