//! Private and public keys.

/// Kinds of keys that can be made. The row's name is the `--type` word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
    /// NIST P-256.
    EcP256,
}

/// A public key that we can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA.
    Rsa(rsa::PublicKey),
    /// NIST P-256.
    EcP256(p256::PublicKey),
}

/// A private key in the clear: made by `vault` or read from a key file, wiped on drop. No `Debug`, no `Clone`.
pub struct UnlockedKey(pub(crate) PrivateKey);

/// What an [`UnlockedKey`] holds.
pub(crate) enum PrivateKey {
    /// RSA.
    Rsa(rsa::PrivateKey),
    /// NIST P-256.
    EcP256(p256::SecretKey),
}
