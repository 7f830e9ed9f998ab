//! Is it the right content key? Only the content shows it.

use super::{OpenError, inner};
use crate::cms::{Ciphertext, Enveloped, Outline};
use crate::crypto::SecretBytes;
use crate::crypto::algorithm::Mode;
use crate::crypto::content::ContentAlgorithm;
use std::borrow::Cow;

/// So much of the clear text decides nearly always whether it begins like mail. Whole blocks.
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
        Mode::Cbc => begins_with_padding(&enveloped.encrypted_content, algorithm, content_key),
    };
    if begins { Ok(()) } else { Err(OpenError::NotOpened) }
}

/// The same of a content in CBC that was not decoded.
pub(super) fn prove_ends(
    outline: &Outline<'_>,
    algorithm: &ContentAlgorithm,
    content_key: &SecretBytes,
) -> Result<(), OpenError> {
    if begins_with_padding(outline, algorithm, content_key) { Ok(()) } else { Err(OpenError::NotOpened) }
}

/// A ciphertext of which both ends can be had.
trait TwoEnds {
    fn octets(&self) -> usize;
    /// As many as are wanted, if there are so many.
    fn first(&self, wanted: usize) -> Cow<'_, [u8]>;
    /// Two blocks or more, or all of it.
    fn last(&self) -> &[u8];
}

impl TwoEnds for Ciphertext {
    fn octets(&self) -> usize {
        self.len()
    }

    fn first(&self, wanted: usize) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.get(..wanted).unwrap_or(self))
    }

    fn last(&self) -> &[u8] {
        self
    }
}

impl TwoEnds for Outline<'_> {
    fn octets(&self) -> usize {
        self.content_len()
    }

    fn first(&self, wanted: usize) -> Cow<'_, [u8]> {
        Cow::Owned(Outline::first(self, wanted.min(self.content_len())))
    }

    fn last(&self) -> &[u8] {
        Outline::last(self)
    }
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
    content: &impl TwoEnds,
    algorithm: &ContentAlgorithm,
    content_key: &SecretBytes,
) -> bool {
    let mut most = START;
    loop {
        let ends = algorithm.ends(content_key, content.octets(), &content.first(most), content.last());
        let is_whole = most >= content.octets();
        match inner::start_begins_like_mail(ends.start.expose()) {
            None if !is_whole => most = most.saturating_mul(16),
            begins => return ends.length.is_some() && begins.unwrap_or(false),
        }
    }
}
