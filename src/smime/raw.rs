//! Opening what need not be mail.

use super::open::{checked_algorithm, decrypt_content, find_enveloped};
use super::unwrap::recover_content_key;
use super::{OpenError, OpeningKey};
use crate::cms::Input;
use crate::crypto::{Policy, SecretBytes};

/// The content as it is: of any content type (RFC 5652 6.1), nothing of ours taken out. Takes what
/// [`open`](super::open()) takes, and fails with the same errors.
///
/// That a key is the right one shows in the tag (GCM), or in the padding alone (CBC), which 4 in 1000 wrong keys pass:
/// then this gives octets that mean nothing, where [`open`](super::open()) sees that they are no mail.
pub fn open_raw(sealed: &[u8], keys: &[OpeningKey<'_>]) -> Result<SecretBytes, OpenError> {
    let enveloped = find_enveloped(&Input::of(sealed))?;
    let algorithm = checked_algorithm(&enveloped, &Policy::READING)?;
    let content_key = recover_content_key(&enveloped, algorithm.cipher.key_len, keys, &Policy::READING)?;
    decrypt_content(enveloped, &algorithm, &content_key)
}
