//! Bytes that must not outlive their use.

use zeroize::{Zeroize, Zeroizing};

/// A buffer with one owner that is wiped when dropped. No `Debug`, no `Clone`; it never grows once filled,
/// because a reallocation would leave a copy behind: make it with its final size.
pub struct SecretBytes(Vec<u8>);

/// Takes the buffer over.
impl From<Zeroizing<Vec<u8>>> for SecretBytes {
    fn from(mut bytes: Zeroizing<Vec<u8>>) -> SecretBytes {
        SecretBytes(std::mem::take(&mut *bytes))
    }
}

impl SecretBytes {
    /// Takes the buffer over.
    pub fn new(bytes: Vec<u8>) -> SecretBytes {
        SecretBytes(bytes)
    }

    /// The bytes, for reading.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, for work in place.
    pub(crate) fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Keeps the first `length` bytes; the buffer stays where it is, and all of it is wiped in the end.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// Hands the buffer out, and wipes nothing: what lies in it turned out to be no secret.
    pub(crate) fn into_public(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    /// Puts octets behind what is there, which must hold nothing secret yet: where it has no room, it moves.
    pub(crate) fn append(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
    }

    /// Takes the ranges out, which are in order and do not overlap. The rest moves up inside the buffer.
    pub(crate) fn remove(&mut self, ranges: &[std::ops::Range<usize>]) {
        let mut removed = 0;
        for (index, range) in ranges.iter().enumerate() {
            let next = ranges.get(index + 1).map_or(self.0.len(), |next| next.start);
            let place = range.start - removed;
            // Nothing was removed so far: a megabyte stays where it is.
            if place != range.end {
                self.0.copy_within(range.end..next, place);
            }
            removed += range.len();
        }
        let left = self.0.len() - removed;
        self.0.truncate(left);
    }
}

impl Drop for SecretBytes {
    /// All of the buffer. As two slices: `Vec::zeroize` goes octet by octet, which takes longer than decrypting.
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
        self.0.spare_capacity_mut().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::SecretBytes;

    #[test]
    fn ranges_go_and_the_rest_moves_up() {
        let mut secret = SecretBytes::new(b"0123456789".to_vec());
        secret.remove(&[0..2, 3..4, 8..10]);
        assert_eq!(secret.expose(), b"24567");
        secret.remove(&[]);
        assert_eq!(secret.expose(), b"24567");
        secret.truncate(2);
        assert_eq!(secret.expose(), b"24");
    }
}
