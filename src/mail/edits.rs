//! What rules do to a message's header: fields in front of it, and a tag in front of the subject.

use super::line::{Eol, eol};
use super::{Field, Message};
use std::borrow::Cow;

/// Header lines to add and tags for the subject, in the order in which rules asked for them. The message itself is not
/// touched: [`HeaderEdits::apply`] makes another one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    lines: Vec<String>,
    tags: Vec<String>,
}

impl HeaderEdits {
    /// A field, `Name: value` without a line end. It is put in front of the message, behind those that were added before.
    pub fn add(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    /// A text in front of the subject, and in front of earlier tags.
    pub fn tag(&mut self, text: &str) {
        self.tags.push(text.to_owned());
    }

    /// Is there nothing to do?
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.tags.is_empty()
    }

    /// The message with all of it.
    pub fn apply<'m>(&self, message: &Message<'m>) -> Cow<'m, [u8]> {
        if self.is_empty() {
            return Cow::Borrowed(message.bytes());
        }
        let header: usize = message.fields().iter().map(|field| field.raw().len()).sum();
        let rest = message.bytes().get(header..).unwrap_or_default();
        let mut edited = self.header(message).into_owned();
        edited.extend_from_slice(rest);
        Cow::Owned(edited)
    }

    /// Its header alone, up to the last field.
    pub fn header<'m>(&self, message: &Message<'m>) -> Cow<'m, [u8]> {
        let end = match eol(message.bytes()) {
            Eol::Lf => "\n",
            _ => "\r\n",
        };
        let mut header = Vec::new();
        for line in &self.lines {
            header.extend_from_slice(line.as_bytes());
            header.extend_from_slice(end.as_bytes());
        }
        self.tagged(message.fields(), end, &mut header);
        Cow::Owned(header)
    }

    fn tagged(&self, fields: &[Field<'_>], end: &str, header: &mut Vec<u8>) {
        let subject = fields.iter().position(|field| field.name().eq_ignore_ascii_case("Subject"));
        let tags: String = self.tags.iter().rev().flat_map(|tag| [tag.as_str(), " "]).collect();
        if subject.is_none() && !tags.is_empty() {
            header.extend_from_slice(format!("Subject: {}{end}", tags.trim_end()).as_bytes());
        }
        for (at, field) in fields.iter().enumerate() {
            if Some(at) == subject && !tags.is_empty() {
                header.extend_from_slice(format!("{}: {tags}", field.name()).as_bytes());
                header.extend_from_slice(field.value().trim_ascii_start());
                header.extend_from_slice(end.as_bytes());
            } else {
                header.extend_from_slice(field.raw());
            }
        }
    }
}

/// Shows how much there is: what a message says belongs into no log.
impl std::fmt::Debug for HeaderEdits {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("HeaderEdits")
            .field("lines", &self.lines.len())
            .field("tags", &self.tags.len())
            .finish()
    }
}
