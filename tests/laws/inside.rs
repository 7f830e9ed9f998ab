//! What is inside an EnvelopedData, read with nothing but the primitives: a reader that knows nothing of ours.

use super::people::Person;
use aes::Aes256;
use aes::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use aes_kw::{KeyInit, KwAes256};
use p256::ecdh::diffie_hellman;
use p256::pkcs8::DecodePrivateKey;
use sealpost::cms::{Enveloped, Input, Originator, Protection, RecipientKind};
use sha2::{Digest, Sha256};

const BLOCK: usize = 16;

/// The structure in a message, or by itself.
pub(crate) fn enveloped(message: &[u8]) -> Enveloped {
    match Input::of(message).examine() {
        Ok(Protection::Encrypted(enveloped)) => *enveloped,
        other => panic!("not sealed: {other:?}"),
    }
}

/// What a message that is sealed as the profile `compatible` does holds for somebody with a key on P-256.
pub(crate) fn inside(sealed: &[u8], person: &Person) -> Vec<u8> {
    let enveloped = enveloped(sealed);
    let key = content_key(&enveloped, person).expect("the content key is wrapped for this person");
    decrypt(&key, &enveloped).expect("the content is encrypted under this key")
}

/// The content key, from the first recipient whose key agreement comes out.
pub(crate) fn content_key(enveloped: &Enveloped, person: &Person) -> Option<[u8; 32]> {
    let private = p256::SecretKey::from_pkcs8_der(person.key().to_pkcs8().unwrap().expose()).unwrap();
    let agreed = enveloped.recipients.iter().filter(|to| to.kind == RecipientKind::KeyAgreement);
    agreed.into_iter().find_map(|to| {
        let Originator::Key(originator) = &to.agreement.as_ref()?.originator else { return None };
        let point = p256::PublicKey::from_sec1_bytes(&originator.public_key).ok()?;
        let secret = diffie_hellman(private.to_nonzero_scalar(), point.as_affine());
        unwrap(&key_encryption_key(secret.raw_secret_bytes()), &to.encrypted_key)
    })
}

/// The derivation of ANSI X9.63 for SHA-256 and AES-256 wrap without keying material: secret, counter, and
/// ECC-CMS-SharedInfo in DER.
fn key_encryption_key(secret: &[u8]) -> [u8; 32] {
    let key_info = [0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2d];
    let shared_info = [&[0x30, 0x15][..], &key_info, &[0xa2, 6, 4, 4, 0, 0, 1, 0]].concat();
    Sha256::digest([secret, &[0, 0, 0, 1], &shared_info].concat()).into()
}

fn unwrap(key_encryption_key: &[u8; 32], wrapped: &[u8]) -> Option<[u8; 32]> {
    let mut content_key = [0; 32];
    KwAes256::new(key_encryption_key.into()).unwrap_key(wrapped, &mut content_key).ok()?;
    Some(content_key)
}

/// AES-256-CBC of a content and its padding: what a sender may put inside, who is not us.
pub(crate) fn encrypt(content_key: &[u8; 32], iv: &[u8], content: &[u8]) -> Vec<u8> {
    let padding = BLOCK - content.len() % BLOCK;
    let mut padded = [content, &vec![padding as u8; padding]].concat();
    let (blocks, _) = Array::slice_as_chunks_mut(&mut padded);
    cbc::Encryptor::<Aes256>::new_from_slices(content_key, iv).expect("the IV of AES").encrypt_blocks(blocks);
    padded
}

/// AES-256-CBC without its padding; nothing if there is none.
pub(crate) fn decrypt(content_key: &[u8; 32], enveloped: &Enveloped) -> Option<Vec<u8>> {
    let iv = enveloped.algorithm.parameters.as_ref()?.value();
    let mut clear = enveloped.encrypted_content.to_vec();
    let (blocks, rest) = Array::slice_as_chunks_mut(&mut clear);
    if !rest.is_empty() {
        return None;
    }
    cbc::Decryptor::<Aes256>::new_from_slices(content_key, iv).ok()?.decrypt_blocks(blocks);
    let padding = usize::from(*clear.last()?);
    let text = clear.len().checked_sub(padding)?;
    let padded =
        (1..=BLOCK).contains(&padding) && clear[text..].iter().all(|&byte| usize::from(byte) == padding);
    clear.truncate(text);
    padded.then_some(clear)
}
