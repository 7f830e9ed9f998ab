//! One stream after the other, by the `aes` crate: on every processor, and the reference for the others.

use super::Block;
use aes::Aes256Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};

/// The key as the rounds take it. Wiped by the crate when it is dropped.
pub(super) type RoundKeys = Aes256Enc;

pub(super) fn expand(key: &[u8; 32]) -> RoundKeys {
    Aes256Enc::new(&Array::from(*key))
}

pub(super) fn encrypt(keys: &RoundKeys, chain: &mut Block, blocks: &mut [Block]) {
    for block in blocks {
        block.iter_mut().zip(chain.iter()).for_each(|(byte, before)| *byte ^= before);
        keys.encrypt_block(block.into());
        *chain = *block;
    }
}
