//! Work on many messages side by side, each with its own key. The only room where `unsafe` is allowed: what the processor
//! can do is found at run time, and the portable code is the reference and the fallback.

mod portable;
pub(crate) mod rsa;

use super::cbc::BLOCK;
use zeroize::Zeroizing;

/// AES-256-CBC over one message that comes in pieces: its key and the block that comes next into the chain. Neither is ever
/// beside those of another message but in the registers of the processor.
pub(crate) struct CbcStream {
    round_keys: portable::RoundKeys,
    chain: Zeroizing<[u8; BLOCK]>,
}

/// A stream with the piece of its message that is encrypted in place: borrowed together, so that nothing can be mixed up.
pub(crate) struct Lane<'a> {
    /// Key and chain.
    pub(crate) stream: &'a mut CbcStream,
    /// Whole blocks; a rest of less than a block is left as it is.
    pub(crate) blocks: &'a mut [u8],
}

impl CbcStream {
    /// Starts a message.
    pub(crate) fn new(key: &[u8; 32], iv: [u8; BLOCK]) -> CbcStream {
        CbcStream { round_keys: portable::expand(key), chain: Zeroizing::new(iv) }
    }
}

/// How many streams at once make best use of this processor.
pub(crate) fn width() -> usize {
    1
}

/// Encrypts the pieces of all lanes in place. They may differ in length, and be any number.
pub(crate) fn encrypt(lanes: &mut [Lane<'_>]) {
    lanes.iter_mut().for_each(portable::encrypt);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::cbc;

    #[test]
    fn a_lane_gives_what_the_crate_gives() {
        for length in (0..=512).step_by(BLOCK) {
            let mut expected: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let mut blocks = expected.clone();
            cbc::encryptor::<aes::Aes256>(&[7; 32], &[9; BLOCK]).unwrap().encrypt(&mut expected);
            let mut stream = CbcStream::new(&[7; 32], [9; BLOCK]);
            encrypt(&mut [Lane { stream: &mut stream, blocks: &mut blocks }]);
            assert_eq!(blocks, expected);
        }
    }
}
