//! Both ends of a content say what all of it says.

use super::super::algorithm::CONTENT_CIPHERS;
use super::super::known_answers::{counting, read_cipher};
use super::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Octets that nobody encrypted: what decrypts them is a bijection, so that this is as good as any ciphertext.
fn noise(length: usize, number: u64) -> Vec<u8> {
    let mut octets = vec![0; length];
    StdRng::seed_from_u64(number).fill_bytes(&mut octets);
    octets
}

/// Compares them, and says whether the padding is right.
fn compare(algorithm: &ContentAlgorithm, key: &SecretBytes, content: &[u8]) -> bool {
    let whole = algorithm.decrypt(key, &[], &[], SecretBytes::new(content.to_vec())).ok();
    for most in [1_usize, 8, 16, 17, 100, 1024, 1 << 20] {
        let first = &content[..content.len().min(most.next_multiple_of(algorithm.iv.len()))];
        // No more of it than must be.
        let last = &content[content.len().saturating_sub(2 * algorithm.iv.len())..];
        let Ends { start, length } = algorithm.ends(key, content.len(), first, last);
        assert_eq!(length, whole.as_ref().map(|clear| clear.expose().len()));
        let Some(clear) = &whole else { continue };
        let clear = clear.expose();
        assert!(clear.starts_with(start.expose()));
        assert!(start.expose().len() >= most.min(clear.len()));
    }
    whole.is_some()
}

#[test]
fn the_ends_say_what_the_whole_says() {
    for row in CONTENT_CIPHERS.into_iter().filter(|row| row.mode == Mode::Cbc) {
        let block = row.iv_len;
        let algorithm = read_cipher(row, &counting(block, 3), 0).unwrap();
        let key = SecretBytes::new(counting(row.key_len, 0));
        let mut right = 0;
        for blocks in [2, 3, 7, 64, 65] {
            // Every last octet that the clear text can have.
            for octet in 0..=255 {
                let mut content = noise(blocks * block, blocks as u64);
                content[(blocks - 1) * block - 1] = octet;
                right += usize::from(compare(&algorithm, &key, &content));
            }
        }
        assert!((5..5 * 256).contains(&right), "{}: {right}", row.name);
        for length in [0, 1, block - 1, block + 1, 5 * block - 1] {
            assert!(!compare(&algorithm, &key, &noise(length, 1)));
        }
    }
}

/// One block has the IV before it.
#[test]
fn a_content_of_one_block_has_both_ends_in_it() {
    for row in CONTENT_CIPHERS.into_iter().filter(|row| row.mode == Mode::Cbc) {
        let key = SecretBytes::new(counting(row.key_len, 0));
        let lengths: Vec<bool> = (0..=255)
            .map(|octet| {
                let mut iv = counting(row.iv_len, 3);
                *iv.last_mut().unwrap() = octet;
                compare(&read_cipher(row, &iv, 0).unwrap(), &key, &noise(row.iv_len, 9))
            })
            .collect();
        assert!(lengths.contains(&true) && lengths.contains(&false), "{}", row.name);
    }
}
