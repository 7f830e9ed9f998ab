//! Is it the right content key? Only the content shows it.

use super::{OpenError, inner};
use crate::cms::Enveloped;
use crate::crypto::SecretBytes;
use crate::crypto::algorithm::Mode;
use crate::crypto::content::ContentAlgorithm;

/// So much of the clear text decides nearly always whether it begins like mail.
const START: usize = 1024;

/// Would [`open`](super::open()) open it with this key? The same checks with the same answer, and nothing of the clear text
/// is kept. With a tag all of it must be looked at; without one the two ends are all that is checked anyway.
pub(super) fn prove(
    enveloped: &Enveloped,
    algorithm: &ContentAlgorithm,
    content_key: &SecretBytes,
) -> Result<(), OpenError> {
    let begins = match algorithm.cipher.mode {
        Mode::Aead => begins_with_tag(enveloped, algorithm, content_key)?,
        Mode::Cbc => begins_with_padding(enveloped, algorithm, content_key),
    };
    if begins { Ok(()) } else { Err(OpenError::NotOpened) }
}

/// The tag is over all of it, and the structure is still needed: a copy is decrypted.
fn begins_with_tag(
    enveloped: &Enveloped,
    algorithm: &ContentAlgorithm,
    content_key: &SecretBytes,
) -> Result<bool, OpenError> {
    let content = &enveloped.encrypted_content;
    let (aad, tag) = (enveloped.auth_attributes.as_deref(), enveloped.tag.as_deref().unwrap_or_default());
    let mut copy = Vec::with_capacity(content.len() + tag.len());
    copy.extend_from_slice(content);
    let clear = algorithm.decrypt(content_key, aad.unwrap_or_default(), tag, SecretBytes::new(copy))?;
    Ok(inner::begins_like_mail(clear.expose()))
}

/// Both ends are decrypted whatever the other one says, and the start is followed for as long as it does not decide: a
/// name of a field may be of any length.
fn begins_with_padding(
    enveloped: &Enveloped,
    algorithm: &ContentAlgorithm,
    content_key: &SecretBytes,
) -> bool {
    let content = &enveloped.encrypted_content;
    let mut most = START;
    loop {
        let ends = algorithm.ends(content_key, content, most);
        let is_whole = most >= content.len();
        match inner::start_begins_like_mail(ends.start.expose()) {
            None if !is_whole => most = most.saturating_mul(16),
            begins => return ends.length.is_some() && begins.unwrap_or(false),
        }
    }
}
