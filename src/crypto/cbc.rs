//! Cipher block chaining with the padding of RFC 5652 6.3.

use aes::cipher::{Array, BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit, KeyIvInit};
use rc2::Rc2;

/// Bytes of an AES block.
pub(crate) const BLOCK: usize = 16;

/// CBC of any block cipher over a ciphertext that comes in pieces.
pub(crate) struct CbcDecryptor {
    chain: Box<dyn DecryptBlocks>,
    /// Bytes of a block.
    block: usize,
}

/// A cipher with its state; which one it is shows no more.
trait DecryptBlocks {
    /// Decrypts whole blocks in place; a rest of less than a block is left as it is.
    fn decrypt(&mut self, blocks: &mut [u8]);
}

impl<C: BlockCipherDecrypt> DecryptBlocks for cbc::Decryptor<C> {
    fn decrypt(&mut self, blocks: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(blocks);
        self.decrypt_blocks(blocks);
    }
}

impl CbcDecryptor {
    /// Decrypts whole blocks in place; a rest of less than a block is left as it is.
    pub(crate) fn decrypt(&mut self, blocks: &mut [u8]) {
        self.chain.decrypt(blocks);
    }

    /// Decrypts in place what is left, and then checks the padding. Gives the length without it; nothing if it is wrong, or
    /// these are not whole blocks.
    pub(super) fn decrypt_to_end(mut self, blocks: &mut [u8]) -> Option<usize> {
        if blocks.is_empty() || !blocks.len().is_multiple_of(self.block) {
            return None;
        }
        self.decrypt(blocks);
        unpadded_len(blocks, self.block)
    }
}

/// Starts; nothing if key or IV has the wrong length.
pub(super) fn decryptor<C>(key: &[u8], iv: &[u8]) -> Option<CbcDecryptor>
where
    C: BlockCipherDecrypt + KeyInit + 'static,
    cbc::Decryptor<C>: KeyIvInit,
{
    let decryptor = cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?;
    Some(CbcDecryptor { chain: Box::new(decryptor), block: iv.len() })
}

/// The same with RC2, all of whose key is effective.
pub(super) fn rc2_decryptor(key: &[u8], iv: &[u8]) -> Option<CbcDecryptor> {
    let cipher = Rc2::new_with_eff_key_len(key, key.len() * 8);
    let decryptor = cbc::Decryptor::inner_iv_slice_init(cipher, iv).ok()?;
    Some(CbcDecryptor { chain: Box::new(decryptor), block: iv.len() })
}

/// How many bytes the padding adds to a content of that length: 1 to 16.
pub(crate) fn padding_len(content: usize) -> usize {
    BLOCK - content % BLOCK
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
