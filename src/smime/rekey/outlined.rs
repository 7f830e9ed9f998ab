//! A message in base64 that is copied and not decoded: most are, and their ciphertext is none of our business.

use super::text::{Copied, Rewriting};
use super::{InHand, RekeyError, frame};
use crate::cms::{Enveloped, Input, Outline};
use crate::crypto::SecretBytes;
use crate::crypto::content::ContentAlgorithm;
use crate::smime::OpenError;
use crate::smime::lines::{MIME_COLUMNS, PEM_COLUMNS};
use crate::smime::proof::prove_ends;
use crate::smime::recipient_info::RecipientInfo;

/// What its ends say, and a copy in which nothing is changed yet.
pub(super) struct Outlined<'a> {
    sealed: &'a [u8],
    columns: usize,
    outline: Outline<'a>,
    copy: Copied,
}

impl<'a> Outlined<'a> {
    /// Nothing where all of it must be decoded to say what it is, or to check its tag.
    pub(super) fn of(input: &Input<'a>) -> Option<Outlined<'a>> {
        let outline = Outline::of(input).filter(|outline| !outline.enveloped().authenticated)?;
        let columns = if input.message().is_some() { MIME_COLUMNS } else { PEM_COLUMNS };
        let copy = Copied::of(input.bytes(), outline.text())?;
        // What the outline says holds for a text of so many letters.
        let is_whole = copy.letters() == outline.letters();
        is_whole.then(|| Outlined { sealed: input.bytes(), columns, outline, copy })
    }
}

impl InHand for Outlined<'_> {
    fn enveloped(&self) -> &Enveloped {
        self.outline.enveloped()
    }

    fn prove(&self, algorithm: &ContentAlgorithm, content_key: &SecretBytes) -> Result<(), OpenError> {
        prove_ends(&self.outline, algorithm, content_key)
    }

    fn written_for(self, infos: Vec<RecipientInfo>) -> Result<Vec<u8>, RekeyError> {
        let Outlined { sealed, columns, outline, copy } = self;
        let frame = frame(sealed, infos, &outline.parts()?, outline.content_len())?;
        if frame.len() == outline.len() {
            // What is behind the head has the same place in the structure, so the same letters stand for it.
            return Ok(copy.beginning_with(&frame.head, outline.first(2)));
        }
        drop(copy);
        let mut rewriting = Rewriting::begin(sealed, outline.piece(), columns, &frame);
        let decoded = outline.for_each_piece(&mut |piece| rewriting.write(piece));
        if decoded { Ok(rewriting.finish()) } else { Err(RekeyError::NotBase64) }
    }
}
