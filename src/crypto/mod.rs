//! The wall around the primitive crates: algorithm table, content ciphers, key transport, secrets, policy.

pub(crate) mod aead;
pub(crate) mod agreement;
pub mod algorithm;
pub(crate) mod cbc;
mod chunks;
pub(crate) mod content;
pub(crate) mod curve;
mod derive;
pub(crate) mod ed25519;
pub(crate) mod encapsulation;
mod gcm_stream;
pub(crate) mod kem;
mod key_wrap;
#[cfg(test)]
mod known_answers;
pub(crate) mod lanes;
mod mark;
pub mod policy;
mod rejection;
pub(crate) mod rsa_private;
pub(crate) mod rsa_public;
pub mod secret;
pub mod seed;
pub(crate) mod signature;
pub mod storage;
pub(crate) mod stream;
pub(crate) mod trace;
pub(crate) mod transport;
#[cfg(test)]
mod wycheproof;

pub use algorithm::{ContentCipher, KeyTransport};
pub use chunks::{CHUNK_TAG, ChunkKey, ChunkPlace};
pub use curve::CurvePublicKey;
pub use ed25519::Ed25519PublicKey;
pub use kem::KemPublicKey;
pub use mark::MarkKey;
pub use policy::{Classical, Policy, Profile, Suite};
pub use secret::SecretBytes;
pub use seed::{Entropy, EntropyError, Seed};
pub use storage::{StorageError, StorageKey};

/// Why a primitive did not do its work.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CryptoError {
    /// No row in the tables.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// The algorithm's parameters are no parameters of it.
    #[error("the parameters of {0} are broken")]
    Parameters(&'static str),
    /// The policy does not list it.
    #[error("{0} is not allowed here")]
    Policy(&'static str),
    /// Refused on principle.
    #[error("the message is refused: {0}")]
    Refused(&'static str),
    /// Wrong key, padding or tag: which one is not told.
    #[error("the content could not be decrypted")]
    NotOpened,
    /// A primitive refused to encrypt.
    #[error("{0} failed")]
    Failed(&'static str),
}
