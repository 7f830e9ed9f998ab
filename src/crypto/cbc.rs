//! Cipher block chaining with the padding of RFC 5652 6.3.

use super::SecretBytes;
use super::algorithm::DecryptInput;
use aes::Aes256;
use aes::cipher::{
    Array, Block, BlockCipherDecrypt, BlockModeDecrypt, BlockModeEncrypt, BlockSizeUser, KeyInit, KeyIvInit,
};

/// Bytes of an AES block.
pub(crate) const BLOCK: usize = 16;

/// AES-256-CBC over a message that comes in pieces.
pub(crate) struct CbcEncryptor(cbc::Encryptor<Aes256>);

impl CbcEncryptor {
    /// Starts; nothing if key or IV has the wrong length.
    pub(super) fn new(key: &SecretBytes, iv: &[u8]) -> Option<CbcEncryptor> {
        cbc::Encryptor::new_from_slices(key.expose(), iv).ok().map(CbcEncryptor)
    }

    /// Encrypts whole blocks in place; a rest of less than a block is left as it is.
    pub(crate) fn encrypt(&mut self, blocks: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(blocks);
        self.0.encrypt_blocks(blocks);
    }
}

/// How many bytes the padding adds to a content of that length: 1 to 16.
pub(crate) fn padding_len(content: usize) -> usize {
    BLOCK - content % BLOCK
}

/// Decrypts in place and checks the padding.
pub(super) fn decrypt<C>(input: &DecryptInput<'_>, content: &mut [u8]) -> Option<usize>
where
    C: BlockCipherDecrypt + BlockSizeUser + KeyInit,
    cbc::Decryptor<C>: KeyIvInit + BlockModeDecrypt,
{
    let block = C::block_size();
    if content.is_empty() || !content.len().is_multiple_of(block) {
        return None;
    }
    let mut decryptor = cbc::Decryptor::<C>::new_from_slices(input.key, input.iv).ok()?;
    let (blocks, _): (&mut [Block<cbc::Decryptor<C>>], _) = Array::slice_as_chunks_mut(content);
    decryptor.decrypt_blocks(blocks);
    unpadded_len(content, block)
}

/// The length without its padding. Every byte of the last block is looked at, whatever the padding says.
fn unpadded_len(content: &[u8], block: usize) -> Option<usize> {
    let padding = usize::from(*content.last()?);
    let wrong = content.iter().rev().take(block).enumerate().fold(0, |wrong, (index, &byte)| {
        wrong | (usize::from(index < padding) * (usize::from(byte) ^ padding))
    });
    let in_range = (1..=block).contains(&padding);
    (wrong == 0 && in_range).then(|| content.len() - padding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_must_be_exact() {
        let mut block = [7u8; 16];
        block[15] = 1;
        assert_eq!(unpadded_len(&block, BLOCK), Some(15));
        assert_eq!(unpadded_len(&[16; 16], BLOCK), Some(0));
        assert_eq!(unpadded_len(&[17; 16], BLOCK), None);
        assert_eq!(unpadded_len(&[0; 16], BLOCK), None);
        block[15] = 2;
        assert_eq!(unpadded_len(&block, BLOCK), None);
        assert_eq!(unpadded_len(&[], BLOCK), None);
        assert_eq!(unpadded_len(&[8; 8], 8), Some(0));
        assert_eq!(unpadded_len(&[9; 16], 8), None);
    }

    #[test]
    fn padding_fills_up_to_the_next_block() {
        assert_eq!(padding_len(0), 16);
        assert_eq!(padding_len(15), 1);
        assert_eq!(padding_len(16), 16);
    }
}
