//! Numbers by which octets are known again, and which say nothing of them to whoever lacks the key.

use super::{SecretBytes, StorageKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A key for such numbers. A plain digest would let anybody who sees it try what the octets may be.
pub struct MarkKey(SecretBytes);

impl MarkKey {
    /// One that follows from a key of the site, for this purpose alone.
    pub fn derive(key: &StorageKey, purpose: &str) -> MarkKey {
        MarkKey(SecretBytes::new(mac(key.expose(), &[purpose.as_bytes()]).to_vec()))
    }

    /// Nobody's: for numbers that nobody compares.
    pub fn of_nobody() -> MarkKey {
        MarkKey(SecretBytes::new(Vec::new()))
    }

    /// The number of these parts in this order.
    pub fn mark(&self, parts: &[&[u8]]) -> u64 {
        let octets = mac(self.0.expose(), parts);
        octets.iter().take(8).fold(0, |number, octet| number << 8 | u64::from(*octet))
    }
}

/// HMAC-SHA-256 of the parts, each behind its length.
fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_depends_on_key_purpose_and_every_part() {
        let key = |octet| StorageKey::from_bytes(SecretBytes::new(vec![octet; 32])).unwrap();
        let mark = |octet, purpose, parts: &[&[u8]]| MarkKey::derive(&key(octet), purpose).mark(parts);
        let one = mark(1, "a", &[b"x", b"yz"]);
        assert_eq!(one, mark(1, "a", &[b"x", b"yz"]));
        assert_ne!(one, mark(2, "a", &[b"x", b"yz"]));
        assert_ne!(one, mark(1, "b", &[b"x", b"yz"]));
        assert_ne!(one, mark(1, "a", &[b"xy", b"z"]));
    }
}
