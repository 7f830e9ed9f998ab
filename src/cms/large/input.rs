//! In what form a large structure comes, as [`Input`] tells it of one that is held.

use super::super::Enveloped;
use super::super::armor::{begins, sole_block};
use super::super::error::malformed;
use super::super::input::{InputForm, LABELS, UNKNOWN_IN_PEM, is_content_info};
use super::entity::{Entity, trimmed};
use super::find::encrypted_body;
use super::walk::Carrier;
use super::{CmsError, LargeError};
use crate::mail::{Message, Span, TransferEncoding};
use std::ops::ControlFlow;

/// Octets that tell the form, and hold the line that begins PEM.
const GLANCE: usize = 4096;

/// A source that may hold a CMS structure.
pub struct LargeInput<'s> {
    span: Span<'s>,
    form: InputForm,
    /// The message, if it is one.
    entity: Option<Entity<'s>>,
}

impl<'s> LargeInput<'s> {
    /// Looks at the first octets, and at the header of a message.
    pub fn of(span: Span<'s>) -> Result<LargeInput<'s>, LargeError> {
        let start = span.start(GLANCE)?;
        let form = if is_content_info(&start) {
            InputForm::Bare
        } else if LABELS.iter().any(|label| begins(&start, label)) {
            InputForm::Pem
        } else {
            InputForm::Message
        };
        let entity = if form == InputForm::Message { Some(Entity::read(span)?) } else { None };
        Ok(LargeInput { span, form, entity })
    }

    /// The header of the message, if it is one.
    pub fn header(&self) -> Option<Message<'_>> {
        self.entity.as_ref().map(Entity::message)
    }

    /// The encrypted structure that it is, without its ciphertext, which goes to `take`, and where it lies. Nothing if it
    /// is something else.
    pub fn encrypted(
        &self,
        take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<Option<(Enveloped, Carrier<'s>)>, LargeError> {
        let carrier = match self.form {
            InputForm::Bare => Carrier { span: self.span, encoding: TransferEncoding::Identity, fault: "" },
            InputForm::Pem => pem(self.span)?,
            InputForm::Message => match encrypted_body(self.span)? {
                Some(carrier) => carrier,
                None => return Ok(None),
            },
        };
        match carrier.envelope(take) {
            // It may be signed, which is said of the whole.
            Err(LargeError::Cms(CmsError::NotEnveloped(_))) => Err(LargeError::Undecided),
            found => Ok(Some((found?, carrier))),
        }
    }
}

/// What stands between the two lines.
fn pem(span: Span<'_>) -> Result<Carrier<'_>, LargeError> {
    let block = trimmed(span)?;
    let (start, end) = (block.start(GLANCE)?, block.end(GLANCE)?);
    let first = memchr::memchr(b'\n', &start).ok_or(LargeError::Undecided)? + 1;
    // White space may stand before the mark and nothing before that in its line; the mark is short.
    let mark = memchr::memmem::rfind(&end, b"-----END ").ok_or_else(no_block)?;
    let (first_line, last) = (start.get(..first).unwrap_or_default(), end.get(mark..).unwrap_or_default());
    let ends = [first_line, last].concat();
    if !LABELS.iter().any(|label| sole_block(&ends, label).is_some()) {
        return Err(no_block().into());
    }
    let behind = last.len() as u64 + first as u64;
    let text = block.behind(first as u64).first(block.len().saturating_sub(behind));
    Ok(Carrier { span: text, encoding: TransferEncoding::Base64, fault: UNKNOWN_IN_PEM })
}

fn no_block() -> CmsError {
    malformed("the PEM block has no end, or octets follow it")
}
