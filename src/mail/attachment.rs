//! The attachments of a message: parts that are files and no text to read.

use super::{Field, FileName, MediaType, Message, TransferEncoding, split_multipart};
use encodify::base64;
use std::borrow::Cow;

/// More attachments than this are not looked for: each may cost a file. Ours.
pub const MAX_ATTACHMENTS: usize = 100;
/// Multiparts in multiparts are looked into this far. Ours.
const MAX_DEPTH: usize = 32;

/// One part that is a file.
pub struct Attachment<'m> {
    /// Header and body, read when used: what a header of many fields is read into is larger than the header.
    part: &'m [u8],
    essence: String,
    /// As the sender wrote it, decoded (RFC 2231, RFC 2047).
    name: Option<String>,
}

/// What was found in a message.
#[derive(Default)]
pub struct Attachments<'m> {
    /// In their order.
    pub list: Vec<Attachment<'m>>,
    /// There are more of them, or deeper ones, than are looked for.
    pub is_cut: bool,
}

impl<'m> Attachments<'m> {
    /// Looks through all multiparts. A message in a message is one attachment; a signature is none.
    pub fn of(message: &Message<'m>) -> Attachments<'m> {
        let mut found = Attachments::default();
        found.walk(message, MAX_DEPTH);
        found
    }

    fn walk(&mut self, entity: &Message<'m>, depth: usize) {
        let media = MediaType::of(entity);
        let split = match media.is_multipart() {
            true => media.parameter("boundary").and_then(|boundary| split_multipart(entity.body(), boundary)),
            false => None,
        };
        let Some(split) = split else { return self.take(entity, &media) };
        if depth == 0 {
            self.is_cut = true;
            return;
        }
        // The second part of it is the signature (RFC 1847 2.1).
        let parts = if media.essence() == "multipart/signed" { 1 } else { split.parts.len() };
        for part in split.parts.iter().take(parts) {
            self.walk(&Message::new(part), depth - 1);
        }
    }

    fn take(&mut self, entity: &Message<'m>, media: &MediaType) {
        let name = name_of(entity);
        let is_file = name.is_some() || is_attached(entity) || !is_text(media);
        if !is_file {
            return;
        }
        if self.list.len() == MAX_ATTACHMENTS {
            self.is_cut = true;
            return;
        }
        self.list.push(Attachment { part: entity.bytes(), essence: media.essence().to_owned(), name });
    }
}

/// Text to read, or a multipart that holds nothing.
fn is_text(media: &MediaType) -> bool {
    matches!(media.essence(), "text/plain" | "text/html" | "text/enriched" | "text/richtext")
        || media.is_multipart()
}

fn is_attached(entity: &Message<'_>) -> bool {
    let field = entity.fields_named("Content-Disposition").next();
    let word = field.map(|field| field.value().trim_ascii_start());
    let start = word.and_then(|word| word.get(.."attachment".len()));
    start.is_some_and(|start| start.eq_ignore_ascii_case(b"attachment"))
}

/// RFC 2183 2.3; older programs write it into the Content-Type alone.
fn name_of(entity: &Message<'_>) -> Option<String> {
    let parameter = |field, name| entity.fields_named(field).next().and_then(|field| field.parameter(name));
    parameter("Content-Disposition", "filename").or_else(|| parameter("Content-Type", "name"))
}

impl Attachment<'_> {
    /// A harmless name for its file.
    pub fn file_name(&self) -> FileName {
        FileName::of(self.name.as_deref(), &self.essence)
    }

    /// What it holds. Nothing if it is not encoded as it says.
    pub fn content(&self) -> Option<Cow<'_, [u8]>> {
        let part = Message::new(self.part);
        TransferEncoding::of(&part).decode(part.body())
    }

    /// Octets of the part as it came.
    pub fn size(&self) -> usize {
        self.part.len()
    }

    /// A message with this one attachment and these fields in front (each with its line end): what describes the part stays
    /// as it is, and so does its body, unless it is not encoded and no text: then line ends could be changed on the way,
    /// and it becomes base64.
    pub fn message(&self, fields: &[u8]) -> Vec<u8> {
        let part = Message::new(self.part);
        let encodes = TransferEncoding::of(&part) == TransferEncoding::Identity && !self.has_lines();
        // Four octets for three, and a line end for each 76.
        let more = if encodes { part.body().len() * 2 / 5 } else { 0 };
        let mut out = Vec::with_capacity(fields.len() + self.part.len() + more + 200);
        out.extend_from_slice(fields);
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
        for field in part.fields().iter().filter(|field| is_kept(field, encodes)) {
            out.extend_from_slice(field.raw());
            if !field.raw().ends_with(b"\n") {
                out.extend_from_slice(b"\r\n");
            }
        }
        match encodes {
            true => {
                out.extend_from_slice(b"Content-Transfer-Encoding: base64\r\n\r\n");
                base64::MIME.encode_append(part.body(), &mut out);
                out.extend_from_slice(b"\r\n");
            }
            false => {
                out.extend_from_slice(b"\r\n");
                out.extend_from_slice(part.body());
            }
        }
        out
    }

    /// Text and messages are lines (RFC 2046 4.1.1 and 5.2.1).
    fn has_lines(&self) -> bool {
        self.essence.starts_with("text/") || self.essence.starts_with("message/")
    }
}

/// Only these fields mean something in a part (RFC 2046 5.1).
fn is_kept(field: &Field<'_>, encodes: bool) -> bool {
    let name = field.name();
    let describes = name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("Content-"));
    describes && !(encodes && name.eq_ignore_ascii_case("Content-Transfer-Encoding"))
}

/// Shows sizes only: what a message says belongs into no log.
impl std::fmt::Debug for Attachment<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Attachment({} octets)", self.part.len())
    }
}

#[cfg(test)]
mod tests;
