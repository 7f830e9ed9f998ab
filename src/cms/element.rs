//! Walking over DER, element by element.

use super::CmsError;
use super::ber::{primitive_content, read_header};
use super::error::malformed;

/// One element of DER.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    /// The first identifier octet.
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    /// With identifier and length.
    pub(super) whole: &'a [u8],
}

/// Walks over elements of DER side by side.
#[derive(Clone, Copy)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// The next element, whatever it is.
    pub(super) fn any(&mut self) -> Result<Element<'a>, CmsError> {
        let start = self.0;
        let header = read_header(&mut self.0)?;
        let content = primitive_content(&mut self.0, &header)?;
        let whole = start.get(..start.len() - self.0.len()).unwrap_or(start);
        Ok(Element { tag: header.first(), content, whole })
    }
    /// The next element, which must have that tag.
    pub(super) fn tagged(&mut self, tag: u8, name: &str) -> Result<Element<'a>, CmsError> {
        self.optional(tag)?.ok_or_else(|| malformed(format!("{name} is missing or is of another type")))
    }
    /// The next element, if it has that tag.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, CmsError> {
        if self.0.first() == Some(&tag) { self.any().map(Some) } else { Ok(None) }
    }
}
