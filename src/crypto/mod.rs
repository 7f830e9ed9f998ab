//! The wall around the primitive crates: algorithm table, content ciphers, key transport, secrets, policy.

pub mod algorithm;
pub mod policy;
pub mod secret;
pub mod seed;

pub use algorithm::{ContentCipher, KeyTransport};
pub use policy::Profile;
pub use secret::SecretBytes;
pub use seed::{Entropy, EntropyError, Seed};
