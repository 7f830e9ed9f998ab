//! Header protection that arrives on an unencrypted message (RFC 9788): a client would believe it once we have encrypted
//! the message, though nobody vouches for it. So it gets another name inside and its own name back on opening.
//!
//! An `HP-Outer` field gets the prefix `Sealpost-Arrived-`, an `hp` parameter of Content-Type `x-sealpost-arrived-`; a name
//! that has prefixes gets one more. Since both ends look for a name with any number of prefixes at the same places, putting
//! in and taking out undo each other for every input. The places do not depend on how lines end.
//!
//! Readers differ in where a header ends and what a line is. So every line up to the first empty one counts, also behind a
//! line that is no field, and a bare CR begins a line too.

use memchr::memchr2;
use std::iter;
use std::ops::Range;

/// The field of RFC 9788 2.2.
pub(super) const PROTECTION_FIELD: &str = "HP-Outer";
const FIELD_PREFIX: &str = "Sealpost-Arrived-";
const PARAMETER: &str = "hp";
const PARAMETER_PREFIX: &str = "x-sealpost-arrived-";

/// Text that goes into the message before the byte `at`.
pub(super) struct Insertion {
    pub(super) at: usize,
    pub(super) text: &'static str,
}

/// What must be put in, in the order of the message. Found while it is asked for: a hostile header has as many as bytes
/// by four, and a list of them would be larger than the message.
pub(super) fn insertions(message: &[u8]) -> impl Iterator<Item = Insertion> {
    arrived(message).map(|name| Insertion { at: name.at, text: name.prefix })
}

/// What must be taken out, in the order of the message.
pub(super) fn removals(message: &[u8]) -> Vec<Range<usize>> {
    let prefixed = arrived(message).filter(|name| name.prefixed);
    prefixed.map(|name| name.at..name.at + name.prefix.len()).collect()
}

/// Is this the name of a field that protects a header, or once did?
pub(super) fn is_protection_field(name: &str) -> bool {
    without_prefixes(name.as_bytes(), FIELD_PREFIX).eq_ignore_ascii_case(PROTECTION_FIELD.as_bytes())
}

/// How many Content-Type fields a reader could find.
pub(super) fn count_content_types(message: &[u8]) -> usize {
    fields(message).filter(|(_, raw)| is_content_type(raw)).count()
}

/// A name that says `HP-Outer` or `hp`, with any number of prefixes.
struct ArrivedName {
    at: usize,
    prefix: &'static str,
    prefixed: bool,
}

fn arrived(message: &[u8]) -> impl Iterator<Item = ArrivedName> {
    fields(message).flat_map(|(start, raw)| names_in_field(raw, start))
}

/// Lines with their continuations, and where they begin.
fn fields(message: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut lines = lines(message).peekable();
    iter::from_fn(move || {
        let (start, first) = lines.next()?;
        let mut end = start + first.len();
        while let Some((_, line)) =
            lines.next_if(|(_, line)| line.starts_with(b" ") || line.starts_with(b"\t"))
        {
            end += line.len();
        }
        Some((start, message.get(start..end)?))
    })
}

/// The lines before the first empty one, with their ends. An empty line counts only after an LF: what CR CR LF means is
/// not for us to say.
fn lines(message: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let (mut start, mut rest, mut after_lf) = (0, message, true);
    iter::from_fn(move || {
        let (line, after) = rest.split_at_checked(line_len(rest))?;
        let ends_header = after_lf && (line == b"\n" || line == b"\r\n");
        if line.is_empty() || ends_header {
            return None;
        }
        let found = (start, line);
        (start, rest, after_lf) = (start + line.len(), after, line.ends_with(b"\n"));
        Some(found)
    })
}

fn line_len(rest: &[u8]) -> usize {
    match memchr2(b'\n', b'\r', rest) {
        Some(at) if rest.get(at..at + 2) == Some(b"\r\n") => at + 2,
        Some(at) => at + 1,
        None => rest.len(),
    }
}

fn names_in_field(raw: &[u8], start: usize) -> impl Iterator<Item = ArrivedName> {
    let field = is_named(without_prefixes(raw, FIELD_PREFIX), PROTECTION_FIELD).then(|| {
        let prefixed = starts_with(raw, FIELD_PREFIX);
        ArrivedName { at: start, prefix: FIELD_PREFIX, prefixed }
    });
    let typed = if is_content_type(raw) { raw } else { &[] };
    field.into_iter().chain(parameters(typed, start))
}

fn is_content_type(raw: &[u8]) -> bool {
    is_named(raw, "Content-Type")
}

/// Some readers drop white space wherever it stands in a name, and colons before it.
fn is_named(raw: &[u8], name: &str) -> bool {
    let mut octets = raw.iter().filter(|byte| !byte.is_ascii_whitespace()).skip_while(|&&byte| byte == b':');
    let begins =
        name.bytes().all(|wanted| octets.next().is_some_and(|byte| byte.eq_ignore_ascii_case(&wanted)));
    begins && octets.next() == Some(&b':')
}

/// Every token `hp` that a reader could take for the name of a parameter: readers differ in what they make of quotes and
/// comments, so those do not hide it.
fn parameters(raw: &[u8], start: usize) -> impl Iterator<Item = ArrivedName> {
    let mut rest = raw;
    let mut quotes = Quotes::default();
    let mut in_token = false;
    iter::from_fn(move || {
        while let Some((&byte, after)) = rest.split_first() {
            let found = (!in_token && is_protection_parameter(rest, quotes.quoted)).then(|| ArrivedName {
                at: start + raw.len() - rest.len(),
                prefix: PARAMETER_PREFIX,
                prefixed: starts_with(rest, PARAMETER_PREFIX),
            });
            in_token = is_token(byte);
            quotes.pass(byte);
            rest = after;
            if found.is_some() {
                return found;
            }
        }
        None
    })
}

/// `hp`, `hp*`, `hp*0`, `hp*0*` (RFC 2231) and what comes before a value; outside quotes a comment may stand before it.
fn is_protection_parameter(text: &[u8], quoted: bool) -> bool {
    let name = without_prefixes(text, PARAMETER_PREFIX);
    if !starts_with(name, PARAMETER) {
        return false;
    }
    let after_name = name.iter().skip(PARAMETER.len());
    let mut after = after_name.skip_while(|&&byte| byte == b'*' || byte.is_ascii_digit());
    match after.find(|&&byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
        Some(b'=') => true,
        Some(b'(') => !quoted,
        _ => false,
    }
}

/// Are we inside a quoted string?
#[derive(Default)]
struct Quotes {
    quoted: bool,
    escaped: bool,
}

impl Quotes {
    fn pass(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.quoted => self.escaped = true,
            b'"' => self.quoted = !self.quoted,
            _ => {}
        }
    }
}

/// token of RFC 2045 5.1.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}

fn without_prefixes<'a>(mut text: &'a [u8], prefix: &str) -> &'a [u8] {
    while starts_with(text, prefix) {
        text = text.get(prefix.len()..).unwrap_or_default();
    }
    text
}

fn starts_with(text: &[u8], prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}
