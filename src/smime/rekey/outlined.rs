//! A message in base64 whose text stays and is not decoded: most are, and their ciphertext is none of our business.

use super::text::{Letters, Rewriting, Rewritten};
use super::{InHand, RekeyError, frame};
use crate::cms::{Enveloped, Input, Outline};
use crate::crypto::SecretBytes;
use crate::crypto::content::ContentAlgorithm;
use crate::crypto::lanes::letters;
use crate::smime::OpenError;
use crate::smime::lines::{MIME_COLUMNS, PEM_COLUMNS};
use crate::smime::proof::prove_ends;
use crate::smime::recipient_info::RecipientInfo;

/// What its ends say; of all between them it is known that nothing stands there but letters and white space.
pub(super) struct Outlined<'a> {
    sealed: &'a [u8],
    columns: usize,
    outline: Outline<'a>,
}

impl<'a> Outlined<'a> {
    /// Nothing where all of it must be decoded to say what it is, or to check its tag.
    pub(super) fn of(input: &Input<'a>) -> Option<Outlined<'a>> {
        let outline = Outline::of(input).filter(|outline| !outline.enveloped().authenticated)?;
        let columns = if input.message().is_some() { MIME_COLUMNS } else { PEM_COLUMNS };
        // What the outline says holds for a text of so many letters and no `=` among them: our reader passes over one inside, and
        // what is behind it has not the place that it seems to have.
        let is_whole = letters::count(outline.text().bytes()) == Some(outline.letters());
        is_whole.then(|| Outlined { sealed: input.bytes(), columns, outline })
    }
}

impl InHand for Outlined<'_> {
    fn enveloped(&self) -> &Enveloped {
        self.outline.enveloped()
    }

    fn prove(&self, algorithm: &ContentAlgorithm, content_key: &SecretBytes) -> Result<(), OpenError> {
        prove_ends(&self.outline, algorithm, content_key)
    }

    fn written_for(self, infos: Vec<RecipientInfo>) -> Result<Rewritten, RekeyError> {
        let Outlined { sealed, columns, outline } = self;
        let frame = frame(sealed, infos, &outline.parts()?, outline.content_len())?;
        if frame.len() == outline.len() {
            // What is behind the head has the same place in the structure, so the same letters stand for it.
            let letters = Letters::of(sealed, outline.text(), &frame.head, outline.first(2));
            return Ok(Rewritten::Letters(letters));
        }
        let mut rewriting = Rewriting::begin(sealed, outline.piece(), columns, &frame);
        let decoded = outline.for_each_piece(&mut |piece| rewriting.write(piece));
        if decoded { Ok(Rewritten::Whole(rewriting.finish())) } else { Err(RekeyError::NotBase64) }
    }
}
