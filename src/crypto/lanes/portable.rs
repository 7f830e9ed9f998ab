//! One stream after the other, by the `cbc` crate: on every processor.

use super::Lane;
use crate::crypto::cbc::BLOCK;
use aes::Aes256;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};

/// The key as the rounds take it.
pub(super) type RoundKeys = Aes256;

pub(super) fn expand(key: &[u8; 32]) -> RoundKeys {
    Aes256::new(&Array::from(*key))
}

pub(super) fn encrypt(lane: &mut Lane<'_>) {
    let (blocks, _) = lane.blocks.as_chunks_mut::<BLOCK>();
    for block in blocks {
        block.iter_mut().zip(lane.stream.chain.iter()).for_each(|(byte, chain)| *byte ^= chain);
        lane.stream.round_keys.encrypt_block(block.into());
        *lane.stream.chain = *block;
    }
}
