//! Cipher block chaining with the padding of RFC 5652 6.3.

use super::algorithm::DecryptInput;
use aes::cipher::{
    Array, Block, BlockCipherDecrypt, BlockModeDecrypt, BlockSizeUser, InnerIvInit, KeyInit, KeyIvInit,
};
use rc2::Rc2;

/// Bytes of an AES block.
pub(crate) const BLOCK: usize = 16;

/// CBC of any block cipher over a ciphertext that comes in pieces.
pub(crate) struct CbcDecryptor(Box<dyn DecryptBlocks>);

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
        self.0.decrypt(blocks);
    }
}

/// Starts; nothing if key or IV has the wrong length.
pub(super) fn decryptor<C>(key: &[u8], iv: &[u8]) -> Option<CbcDecryptor>
where
    C: BlockCipherDecrypt + KeyInit + 'static,
    cbc::Decryptor<C>: KeyIvInit,
{
    let decryptor = cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?;
    Some(CbcDecryptor(Box::new(decryptor)))
}

/// The same with RC2, all of whose key is effective.
pub(super) fn rc2_decryptor(key: &[u8], iv: &[u8]) -> Option<CbcDecryptor> {
    let cipher = Rc2::new_with_eff_key_len(key, key.len() * 8);
    let decryptor = cbc::Decryptor::inner_iv_slice_init(cipher, iv).ok()?;
    Some(CbcDecryptor(Box::new(decryptor)))
}

/// How many bytes the padding adds to a content of that length: 1 to 16.
pub(crate) fn padding_len(content: usize) -> usize {
    BLOCK - content % BLOCK
}

/// Decrypts in place and then checks the padding.
pub(super) fn decrypt<C>(input: &DecryptInput<'_>, content: &mut [u8]) -> Option<usize>
where
    C: BlockCipherDecrypt + BlockSizeUser + KeyInit,
    cbc::Decryptor<C>: KeyIvInit + BlockModeDecrypt,
{
    decrypt_with(cbc::Decryptor::<C>::new_from_slices(input.key, input.iv).ok()?, content)
}

/// The same with RC2, all of whose key is effective.
pub(super) fn decrypt_rc2(input: &DecryptInput<'_>, content: &mut [u8]) -> Option<usize> {
    let cipher = Rc2::new_with_eff_key_len(input.key, input.key.len() * 8);
    decrypt_with(cbc::Decryptor::inner_iv_slice_init(cipher, input.iv).ok()?, content)
}

fn decrypt_with<D: BlockModeDecrypt>(mut decryptor: D, content: &mut [u8]) -> Option<usize> {
    let block = D::block_size();
    if content.is_empty() || !content.len().is_multiple_of(block) {
        return None;
    }
    let (blocks, _): (&mut [Block<D>], _) = Array::slice_as_chunks_mut(content);
    decryptor.decrypt_blocks(blocks);
    unpadded_len(content, block)
}

/// The length without its padding. Every byte of the last block is looked at, whatever the padding says.
pub(super) fn unpadded_len(content: &[u8], block: usize) -> Option<usize> {
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
