//! Bytes that must not outlive their use.

use zeroize::Zeroizing;

/// A buffer with one owner that is wiped when dropped. No `Debug`, no `Clone`; it must not grow once filled,
/// because a reallocation would leave a copy behind: make it with its final capacity.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the buffer over.
    pub fn new(bytes: Vec<u8>) -> SecretBytes {
        SecretBytes(Zeroizing::new(bytes))
    }

    /// The bytes, for reading.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}
