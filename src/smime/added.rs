//! What is put into a message beside new names: the marker in front of it, and under a policy that hides something the
//! protection of its header (RFC 9788 2): an `HP-Outer` field for each field that stays outside, and `hp="cipher"`.
//!
//! The marker is the first field inside. It says how many octets of fields were added behind it, so that opening takes out
//! exactly these. Opening believes it only if the added octets are what is added here and nothing else: whoever encrypts a
//! message himself can write a marker, and hides nothing of his message with it but such fields.

use super::arrived::PROTECTION_FIELD;
use super::headers::{Headers, Place, content_type};
use super::outer::Outer;
use crate::mail::{Field, Message, header_fields};
use std::ops::Range;

const MARKER_NAME: &str = "Sealpost-Marker";
/// Stands before a message that does not begin with a header field, or that begins with a field of this name.
const MARKER: &[u8] = b"Sealpost-Marker: v=1\r\n";
/// RFC 2045 5.2 makes `text/plain` of a message without the field.
const CONTENT_TYPE: &[u8] = b"Content-Type: text/plain; hp=\"cipher\"\r\n";
/// RFC 9788 2.1.1. It stands behind the last parameter, where nothing but white space and semicolons follows.
pub(super) const PARAMETER: &str = ";\r\n hp=\"cipher\"";
/// RFC 5322 2.1.1: a line has no more octets.
const LONGEST_LINE: usize = 998;

/// Octets that stand before the message, and where the parameter goes into it.
pub(super) struct Added {
    pub(super) front: Vec<u8>,
    pub(super) parameter_at: Option<usize>,
}

impl Added {
    /// `outer` is the header that stays readable beside the message.
    pub(super) fn new(message: &Message<'_>, outer: &Outer, headers: Headers) -> Added {
        match headers {
            Headers::AsReceived => {
                let marker = if needs_marker(message) { MARKER } else { b"" };
                Added { front: marker.to_vec(), parameter_at: None }
            }
            Headers::Hidden(_, Place::Field) => Added::with_fields(CONTENT_TYPE, outer, None),
            Headers::Hidden(_, Place::Parameter(at)) => Added::with_fields(b"", outer, Some(at)),
        }
    }

    fn with_fields(content_type: &[u8], outer: &Outer, parameter_at: Option<usize>) -> Added {
        let mut fields = content_type.to_vec();
        outer.fields().for_each(|field| add_outer_field(&field, &mut fields));
        let front = [marker(fields.len()).as_bytes(), &fields].concat();
        Added { front, parameter_at }
    }
}

fn needs_marker(message: &Message<'_>) -> bool {
    message.fields().first().is_none_or(|field| field.name().eq_ignore_ascii_case(MARKER_NAME))
}

/// The marker before so many octets of added fields.
fn marker(added: usize) -> String {
    format!("{MARKER_NAME}: v=1; added={added}\r\n")
}

/// `HP-Outer: Name: value` (RFC 9788 2.2.1), which unfolds to what the field itself unfolds to. White space on a line of
/// its own, which is obsolete (RFC 5322 4.2), moves to the line before it.
fn add_outer_field(field: &Field<'_>, out: &mut Vec<u8>) {
    let mut lines = without_leading_space(field.value()).split(|&octet| octet == b'\n').map(without_cr);
    let first = lines.next().unwrap_or_default();
    let length = PROTECTION_FIELD.len() + 2 + field.name().len() + 2 + first.len();
    let gap = if length > LONGEST_LINE { "\r\n " } else { " " };
    out.extend_from_slice(format!("{PROTECTION_FIELD}:{gap}{}: ", field.name()).as_bytes());
    out.extend_from_slice(first);
    for line in lines {
        let fold: &[u8] = if line.trim_ascii().is_empty() { b"" } else { b"\r\n" };
        out.extend_from_slice(fold);
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b"\r\n");
}

fn without_leading_space(value: &[u8]) -> &[u8] {
    let start = value.iter().position(|octet| !b" \t\r\n".contains(octet));
    start.and_then(|start| value.get(start..)).unwrap_or_default()
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Behind how many octets of a Content-Type field the parameter goes.
pub(super) fn parameter_at(raw: &[u8]) -> usize {
    let last = raw.iter().rposition(|octet| !octet.is_ascii_whitespace() && *octet != b';');
    last.map_or(0, |last| last + 1)
}

/// What was put in: the front and the parameter, each empty if it is not there, or if the marker is not to be believed.
pub(super) fn additions(content: &[u8]) -> [Range<usize>; 2] {
    let front = if content.starts_with(MARKER) { MARKER.len() } else { 0 };
    protection(content).unwrap_or([0..front, front..front])
}

/// The marker with the fields behind it, and the parameter.
fn protection(content: &[u8]) -> Option<[Range<usize>; 2]> {
    let (start, length) = read_marker(content)?;
    let end = start.checked_add(length)?;
    let (fields, message) = (content.get(start..end)?, content.get(end..)?);
    let (fields, parameter) = match fields.strip_prefix(CONTENT_TYPE) {
        Some(fields) => (fields, 0..0),
        None => (fields, parameter(message)?),
    };
    are_outer_fields(fields).then(|| [0..end, end + parameter.start..end + parameter.end])
}

/// The octets of the marker, and how many it says were added behind it. It is spelled as we spell it, or it is none.
fn read_marker(content: &[u8]) -> Option<(usize, usize)> {
    let text = content.strip_prefix(MARKER_NAME.as_bytes())?.strip_prefix(b": v=1; added=")?;
    let digits = text.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let added = str::from_utf8(text.get(..digits)?).ok()?.parse().ok()?;
    let marker = marker(added);
    content.starts_with(marker.as_bytes()).then_some((marker.len(), added))
}

/// Does it begin with a marker that counts fields behind it?
pub(super) fn counts_fields(content: &[u8]) -> bool {
    read_marker(content).is_some()
}

/// Nothing but whole `HP-Outer` fields.
fn are_outer_fields(fields: &[u8]) -> bool {
    let named = header_fields(fields).take_while(|field| field.name().eq_ignore_ascii_case(PROTECTION_FIELD));
    fields.ends_with(b"\r\n") && named.map(|field| field.raw().len()).sum::<usize>() == fields.len()
}

/// The parameter at its place in the Content-Type field.
fn parameter(message: &[u8]) -> Option<Range<usize>> {
    let (start, field) = content_type(message)?;
    let end = parameter_at(field.raw());
    let before = field.raw().get(..end)?.strip_suffix(PARAMETER.as_bytes())?.len();
    Some(start + before..start + end)
}
