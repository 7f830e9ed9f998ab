//! The encrypted content, where it lies: it is not copied out of the structure that it was read from.

use std::fmt;
use std::ops::{Deref, Range};

/// A ciphertext inside of octets that are its own. Looks like the ciphertext from outside.
#[derive(Clone)]
pub struct Ciphertext {
    octets: Vec<u8>,
    place: Range<usize>,
    is_whole: bool,
}

impl Ciphertext {
    /// That piece of a structure. `is_whole`: the octets are one ContentInfo in DER, as it was written.
    pub(super) fn within(octets: Vec<u8>, place: Range<usize>, is_whole: bool) -> Ciphertext {
        Ciphertext { octets, place, is_whole }
    }

    /// The ContentInfo that it was read from, if that was in DER and the ciphertext in one piece.
    pub fn structure(&self) -> Option<&[u8]> {
        self.is_whole.then_some(&self.octets)
    }

    /// Moves it to the front of its buffer, which is all that is given up.
    pub fn into_bytes(mut self) -> Vec<u8> {
        let length = self.len();
        self.octets.copy_within(self.place, 0);
        self.octets.truncate(length);
        self.octets
    }
}

impl From<Vec<u8>> for Ciphertext {
    fn from(octets: Vec<u8>) -> Ciphertext {
        let place = 0..octets.len();
        Ciphertext { octets, place, is_whole: false }
    }
}

impl Deref for Ciphertext {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.octets.get(self.place.clone()).unwrap_or_default()
    }
}

impl PartialEq for Ciphertext {
    fn eq(&self, other: &Ciphertext) -> bool {
        **self == **other
    }
}

impl Eq for Ciphertext {}

impl fmt::Debug for Ciphertext {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(out)
    }
}
