//! Whether a content key is the right one: `rekey` says what `open` says, without decrypting all of it.

use super::damage::enveloped;
use super::*;
use crate::cms::Enveloped;
use crate::crypto::SecretBytes;
use crate::crypto::algorithm::{AES_256_CBC, AES_256_GCM, CHACHA20_POLY1305, ContentCipher, Mode};
use crate::crypto::cbc::padding_len;
use crate::crypto::content::ContentAlgorithm;
use aes::cipher::{Array, BlockModeEncrypt, KeyIvInit};
use aes::{Aes128, Aes256};
use der::asn1::OctetString;

/// Those that we write; the other rows in CBC are compared in `crypto/content/tests.rs`.
const CIPHERS: [&ContentCipher; 3] = [&AES_256_CBC, &AES_256_GCM, &CHACHA20_POLY1305];

fn key(cipher: &ContentCipher, number: u8) -> SecretBytes {
    SecretBytes::new(vec![number; cipher.key_len])
}

/// That content, encrypted under key 1.
fn encrypted(cipher: &'static ContentCipher, clear: &[u8]) -> Enveloped {
    let algorithm = ContentAlgorithm::generate(cipher, &mut seed(3).into_rng());
    let mut content = clear.to_vec();
    let tag = match cipher.mode {
        Mode::Aead => Some(algorithm.encrypt(&key(cipher, 1), &mut content).unwrap().to_vec()),
        Mode::Cbc => {
            let padding = padding_len(clear.len());
            content.extend(vec![padding as u8; padding]);
            let parameters = algorithm.identifier().unwrap().parameters.unwrap();
            let iv = parameters.decode_as::<OctetString>().unwrap();
            chain(key(cipher, 1).expose(), iv.as_bytes(), &mut content);
            None
        }
    };
    let frame = enveloped(seal_for_alice(b"A: b\r\n\r\n", Profile::Compatible).bytes());
    let algorithm = algorithm.identifier().unwrap();
    let authenticated = cipher.mode == Mode::Aead;
    Enveloped { algorithm, tag, authenticated, encrypted_content: content.into(), ..frame }
}

/// With keys of other lengths too, which are read and not written.
fn chain(key: &[u8], iv: &[u8], content: &mut [u8]) {
    let (blocks, _) = Array::slice_as_chunks_mut(content);
    match key.len() {
        16 => cbc::Encryptor::<Aes128>::new_from_slices(key, iv).unwrap().encrypt_blocks(blocks),
        _ => cbc::Encryptor::<Aes256>::new_from_slices(key, iv).unwrap().encrypt_blocks(blocks),
    }
}

/// What both say.
fn holds(enveloped: &Enveloped, key: &SecretBytes) -> bool {
    let algorithm = open::checked_content(enveloped, &Policy::READING).unwrap();
    let opened = open::decrypt_content(enveloped.clone(), &algorithm, key);
    let opens = opened.is_ok_and(|clear| inner::begins_like_mail(clear.expose()));
    let proven = proof::prove(enveloped, &algorithm, key);
    assert_eq!(proven.is_ok(), opens, "{} {}", algorithm.cipher.name, enveloped.encrypted_content.len());
    assert!(!matches!(proven, Err(error) if !matches!(error, OpenError::NotOpened)));
    opens
}

/// Contents, and whether they begin like mail.
fn contents() -> Vec<(Vec<u8>, bool)> {
    let long = |piece: &[u8], count: usize| piece.repeat(count);
    let mut contents = vec![
        (b"".to_vec(), false),
        (b"\r\n".to_vec(), true),
        (b"\n".to_vec(), true),
        (b"\r".to_vec(), false),
        (b": x".to_vec(), false),
        (b"A:".to_vec(), true),
        (b"A \t:".to_vec(), true),
        (b"A b: c".to_vec(), false),
        (b" A: b".to_vec(), false),
        (b"\xffA: b".to_vec(), false),
    ];
    // What decides stands before, on and behind the places where the next look begins.
    for count in [1, 13, 1007, 1022, 1023, 1024, 1025, 1040, 16_383, 16_384, 16_385, 70_000, 300_000] {
        contents.push((long(b"x", count), false));
        contents.push(([&long(b"x", count)[..], b":"].concat(), true));
        contents.push(([&long(b"x", count)[..], b": the rest"].concat(), true));
        contents.push(([b"A", &long(b" \t", count)[..]].concat(), false));
        contents.push(([b"A", &long(b" \t", count)[..], b":"].concat(), true));
        contents.push(([b"A", &long(b" \t", count)[..], b"b:"].concat(), false));
        contents.push(([b"A: b\r\n\r\n", &long(b"\0", count)[..]].concat(), true));
    }
    contents
}

#[test]
fn the_right_key_holds_where_the_content_is_mail() {
    for cipher in CIPHERS {
        for (content, expected) in contents() {
            let begin = content[..content.len().min(9)].escape_ascii();
            assert_eq!(
                holds(&encrypted(cipher, &content), &key(cipher, 1)),
                expected,
                "{begin} {}",
                content.len()
            );
        }
    }
}

#[test]
fn every_length_holds() {
    for cipher in CIPHERS {
        for length in 0..100 {
            assert!(holds(
                &encrypted(cipher, &[b"A:".as_slice(), &vec![b'x'; length]].concat()),
                &key(cipher, 1)
            ));
        }
    }
}

#[test]
fn no_wrong_key_holds() {
    for cipher in CIPHERS {
        let enveloped = encrypted(cipher, &[b"Subject: x\r\n\r\n".as_slice(), &[b'x'; 3000]].concat());
        assert!(holds(&enveloped, &key(cipher, 1)));
        for number in 2..=255 {
            assert!(!holds(&enveloped, &key(cipher, number)));
        }
    }
}

/// Each octet of both ends, and some between, which in CBC nobody looks at: then it opens to something else, and so does
/// what is handed on.
#[test]
fn damage_is_judged_alike() {
    for cipher in CIPHERS {
        let good = encrypted(cipher, &[b"Subject: x\r\n\r\n".as_slice(), &[b'x'; 4000]].concat());
        let length = good.encrypted_content.len();
        let mut held = 0;
        for at in (0..48).chain(length / 2..length / 2 + 16).chain(length - 48..length) {
            for bits in [1, 0x80, 0xff] {
                let mut content = good.encrypted_content.to_vec();
                content[at] ^= bits;
                let broken = Enveloped { encrypted_content: content.into(), ..good.clone() };
                held += usize::from(holds(&broken, &key(cipher, 1)));
            }
        }
        assert_eq!(held > 0, cipher.mode == Mode::Cbc, "{}: {held}", cipher.name);
        for length in [0, 1, 15, 16, 17, 32, 48, length - 16, length - 1] {
            let content = good.encrypted_content[..length].to_vec();
            let cut = Enveloped { encrypted_content: content.into(), ..good.clone() };
            assert!(!holds(&cut, &key(cipher, 1)));
        }
    }
}
