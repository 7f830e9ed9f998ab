//! What rules do to a message's header: fields in front of it, and a tag in front of the subject.

use super::header_line::{HeaderLine, Lines, must_be_encoded};
use super::{Edited, Field, Message};
use zeroize::Zeroizing;

/// Header lines to add and tags for the subject, in the order in which rules asked for them. The message itself is not
/// touched: [`HeaderEdits::apply`] makes another one.
///
/// Lines keep their order, in front of all that arrived: a header is read from its begin, so that whoever looks for the
/// first field of a name finds ours and not a forged one, and the lines of several rules read as the rules ran.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    lines: Vec<HeaderLine>,
    /// For the subject that arrived.
    tags: Vec<String>,
}

impl HeaderEdits {
    /// A field in front of the message, behind those that were added before.
    pub fn add(&mut self, line: HeaderLine) {
        self.lines.push(line);
    }

    /// A text in front of the first subject as it is now, and so in front of earlier tags.
    pub fn tag(&mut self, text: &str) {
        match self.lines.iter_mut().find(|line| line.name().eq_ignore_ascii_case("Subject")) {
            Some(line) => line.tag(text),
            None => self.tags.push(text.to_owned()),
        }
    }

    /// Is there a tag for the subject?
    pub fn tags_subject(&self) -> bool {
        !self.tags.is_empty()
    }

    /// Is there nothing to do?
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.tags.is_empty()
    }

    /// The names of the fields that were added or tagged, each once, in their order.
    pub fn names(&self) -> Vec<&str> {
        let tagged = (!self.tags.is_empty()).then_some("Subject");
        let mut names: Vec<&str> = Vec::new();
        for name in self.lines.iter().map(HeaderLine::name).chain(tagged) {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name);
            }
        }
        names
    }

    /// The message with all of it. Nothing behind the header changes. Where the message has no field at all and does not
    /// begin with an empty line, one keeps what was added from the text.
    ///
    /// A message may have [`MAX_FIELDS`](super::message::MAX_FIELDS): where it has that many, the last ones count as body
    /// once more are in front of it.
    pub fn apply<'m>(&self, message: &Message<'m>) -> Edited<'m> {
        if self.is_empty() {
            return Edited::arrived(message.bytes());
        }
        let header: usize = message.fields().iter().map(|field| field.raw().len()).sum();
        let rest = message.bytes().get(header..).unwrap_or_default();
        // Of its size at once: what grows leaves clear text behind.
        let mut edited = Zeroizing::new(Vec::with_capacity(self.room() + message.bytes().len()));
        self.write_header(message, &mut edited);
        if message.fields().is_empty() && !rest.is_empty() && rest.len() == message.body().len() {
            edited.extend_from_slice(line_end(message.bytes()).as_bytes());
        }
        edited.extend_from_slice(rest);
        Edited::made(edited)
    }

    /// Its header alone, up to the last field.
    pub fn header(&self, message: &Message<'_>) -> Vec<u8> {
        let mut header = Vec::new();
        self.write_header(message, &mut header);
        header
    }

    fn write_header(&self, message: &Message<'_>, header: &mut Vec<u8>) {
        let end = line_end(message.bytes());
        self.lines.iter().for_each(|line| line.write(end, header));
        let subject = message.fields().iter().position(|field| field.name().eq_ignore_ascii_case("Subject"));
        let subject = subject.filter(|_| !self.tags.is_empty());
        if subject.is_none() && !self.tags.is_empty() {
            Lines::begin("Subject", end, header).text(&self.tag_text());
            header.extend_from_slice(end.as_bytes());
        }
        for (at, field) in message.fields().iter().enumerate() {
            match subject == Some(at) {
                true => self.tag_field(field, end, header),
                false => header.extend_from_slice(field.raw()),
            }
        }
    }

    /// Octets that are surely enough for what is added: an encoded word takes less than four for one.
    fn room(&self) -> usize {
        let lines = self.lines.iter().map(|line| line.name().len() + 4 * line.value().len() + 100);
        let tags = self.tags.iter().map(|tag| 4 * tag.len() + 100);
        lines.sum::<usize>() + tags.sum::<usize>() + 100
    }

    /// All tags, the last one first.
    fn tag_text(&self) -> String {
        let tags: Vec<&str> = self.tags.iter().rev().map(String::as_str).collect();
        tags.join(" ")
    }

    /// What stands in the field stays octet by octet behind the tags, its line end too.
    fn tag_field(&self, field: &Field<'_>, end: &str, header: &mut Vec<u8>) {
        let own_end = own_end(field.raw());
        let value = without_leading_space(field.value());
        let mut tags = self.tag_text();
        // The blank between two encoded words is not shown.
        let last = tags.rsplit(' ').next().unwrap_or_default();
        if value.starts_with(b"=?") && !tags.is_ascii() && must_be_encoded(last) {
            tags.push(' ');
        }
        let mut lines = Lines::begin(field.name(), end, header);
        lines.text(&tags);
        if !value.is_empty() {
            lines.raw(value);
        }
        header.extend_from_slice(own_end);
    }
}

/// How the first line ends; CRLF if there is no line end at all.
fn line_end(bytes: &[u8]) -> &'static str {
    match memchr::memchr(b'\n', bytes) {
        Some(at) if at == 0 || bytes.get(at - 1) != Some(&b'\r') => "\n",
        _ => "\r\n",
    }
}

/// The line end of a field; nothing if the message was cut off in it.
fn own_end(raw: &[u8]) -> &[u8] {
    let content = raw.strip_suffix(b"\n").map_or(raw, |line| line.strip_suffix(b"\r").unwrap_or(line));
    raw.get(content.len()..).unwrap_or_default()
}

/// Without blanks and folds in front.
fn without_leading_space(mut value: &[u8]) -> &[u8] {
    while let Some(rest) =
        [&b" "[..], b"\t", b"\n", b"\r\n"].iter().find_map(|space| value.strip_prefix(*space))
    {
        value = rest;
    }
    value
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

#[cfg(test)]
mod tests;
