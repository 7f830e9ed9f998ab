//! A user's private key under the Secure Mail password: PKCS#8 with PBES2, never in the clear.

use crate::crypto::Seed;
use crate::pki::UnlockedKey;

/// Why the vault did not give the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// Wrong password (or a damaged record: both look the same).
    #[error("wrong Secure Mail password")]
    WrongPassword,
    /// A primitive refused.
    #[error("the key could not be protected: {0}")]
    Protect(String),
}

/// Encrypted PKCS#8 (DER) of the key under the password: PBES2, PBKDF2-HMAC-SHA-256, AES-256-CBC.
pub fn protect(key: &UnlockedKey, password: &[u8], seed: Seed) -> Result<Vec<u8>, VaultError> {
    let _ = (key, password, seed);
    todo!()
}

/// The key again. Same error and same time for every failure.
pub fn unlock(record: &[u8], password: &[u8]) -> Result<UnlockedKey, VaultError> {
    let _ = (record, password);
    todo!()
}
