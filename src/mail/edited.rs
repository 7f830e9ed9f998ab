//! A message that rules may have edited.

use std::ops::Deref;
use zeroize::Zeroizing;

/// The octets of a message: as it arrived, or of another one with a header of ours, which is wiped when it is dropped. No
/// `Debug`: it holds what a message says.
pub struct Edited<'m>(Octets<'m>);

enum Octets<'m> {
    Arrived(&'m [u8]),
    Made(Zeroizing<Vec<u8>>),
}

impl<'m> Edited<'m> {
    pub(super) fn arrived(bytes: &'m [u8]) -> Edited<'m> {
        Edited(Octets::Arrived(bytes))
    }

    pub(super) fn made(bytes: Zeroizing<Vec<u8>>) -> Edited<'m> {
        Edited(Octets::Made(bytes))
    }
}

impl Deref for Edited<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Octets::Arrived(bytes) => bytes,
            Octets::Made(bytes) => bytes,
        }
    }
}
