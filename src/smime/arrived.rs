//! Header protection that arrives on an unencrypted message (RFC 9788): a client would believe it once we have encrypted
//! the message, though nobody vouches for it. So it gets another name inside and its own name back on opening.
//!
//! An `HP-Outer` field gets the prefix `Sealpost-Arrived-`, an `hp` parameter of Content-Type `x-sealpost-arrived-`; a name
//! that has prefixes gets one more. Since both ends look for a name with any number of prefixes at the same places, putting
//! in and taking out undo each other for every input. The places do not depend on how lines end.
//!
//! Readers differ in where a header ends, what a line is and what a name is. So every line up to the first empty one counts,
//! also behind a line that is no field; a bare CR ends a line and does not; white space may stand in a name.

use memchr::{memchr_iter, memchr2};
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
    let types =
        |(_, raw)| line_starts(raw).filter(move |&at| is_content_type(raw.get(at..).unwrap_or_default()));
    fields(message).flat_map(types).count()
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

/// Lines with their continuations, and where they begin; the lines before the first empty one. A bare CR ends no line here.
fn fields(message: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let (mut start, mut rest) = (0, message);
    iter::from_fn(move || {
        let (raw, after) = rest.split_at_checked(field_len(rest))?;
        if raw.is_empty() {
            return None;
        }
        let found = (start, raw);
        (start, rest) = (start + raw.len(), after);
        Some(found)
    })
}

/// Nothing if the header ends here. What CR CR LF means is not for us to say.
fn field_len(rest: &[u8]) -> usize {
    if rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
        return 0;
    }
    let mut ends = memchr_iter(b'\n', rest).map(|at| at + 1);
    ends.find(|&end| !rest.get(end).is_some_and(is_blank)).unwrap_or(rest.len())
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Up to its end, for readers to whom a bare CR is one.
fn line(rest: &[u8]) -> &[u8] {
    memchr2(b'\n', b'\r', rest).and_then(|end| rest.get(..end)).unwrap_or(rest)
}

/// Where lines begin for readers to whom a bare CR ends one: at the start, and behind each that no blank follows.
fn line_starts(raw: &[u8]) -> impl Iterator<Item = usize> {
    let behind = memchr_iter(b'\r', raw).map(|at| at + 1);
    iter::once(0).chain(behind.filter(|&at| raw.get(at..).is_some_and(begins_line)))
}

/// Behind a CR: it is bare, and no continuation follows.
fn begins_line(rest: &[u8]) -> bool {
    rest.first().is_some_and(|byte| *byte != b'\n' && !is_blank(byte))
}

/// Whatever a bare CR is, the names before the first line that is a Content-Type are names of fields; those behind it may
/// be names of parameters, too.
fn names_in_field(raw: &[u8], start: usize) -> impl Iterator<Item = ArrivedName> {
    let is_type = |&at: &usize| raw.get(at..).is_some_and(is_content_type);
    let typed = line_starts(raw).find(is_type).unwrap_or(raw.len());
    let before = line_starts(raw).take_while(move |&at| at < typed);
    let fields = before.filter_map(move |at| field_name(raw.get(at..)?, start + at));
    fields.chain(TypeNames::new(raw.get(typed..).unwrap_or_default(), start + typed))
}

fn is_content_type(rest: &[u8]) -> bool {
    is_named(rest, "Content-Type")
}

fn field_name(rest: &[u8], at: usize) -> Option<ArrivedName> {
    let prefixed = starts_with(rest, FIELD_PREFIX);
    let found = is_named(without_prefixes(rest, FIELD_PREFIX), PROTECTION_FIELD);
    found.then_some(ArrivedName { at, prefix: FIELD_PREFIX, prefixed })
}

/// Some readers drop white space wherever it stands in a name, and colons before it.
fn is_named(rest: &[u8], name: &str) -> bool {
    let mut octets =
        line(rest).iter().filter(|byte| !byte.is_ascii_whitespace()).skip_while(|&&byte| byte == b':');
    let begins =
        name.bytes().all(|wanted| octets.next().is_some_and(|byte| byte.eq_ignore_ascii_case(&wanted)));
    begins && octets.next() == Some(&b':')
}

/// The names in and behind a Content-Type: every token `hp` that a reader could take for the name of a parameter, and what
/// is a field to those to whom a bare CR ends a line. Readers differ in what they make of quotes and comments, so those do
/// not hide it.
struct TypeNames<'a> {
    rest: &'a [u8],
    at: usize,
    in_token: bool,
    begins_line: bool,
    /// For readers to whom a bare CR is nothing.
    as_lf: Quotes,
    /// For readers to whom it ends a line.
    as_cr: Quotes,
}

impl<'a> TypeNames<'a> {
    fn new(rest: &'a [u8], at: usize) -> TypeNames<'a> {
        let (as_lf, as_cr) = (Quotes::default(), Quotes::default());
        TypeNames { rest, at, in_token: false, begins_line: false, as_lf, as_cr }
    }

    fn name(&self) -> Option<ArrivedName> {
        if self.begins_line
            && let Some(field) = field_name(self.rest, self.at)
        {
            return Some(field);
        }
        let quoted = self.as_lf.quoted && self.as_cr.quoted;
        let found = !self.in_token && is_protection_parameter(self.rest, quoted);
        let prefixed = starts_with(self.rest, PARAMETER_PREFIX);
        found.then_some(ArrivedName { at: self.at, prefix: PARAMETER_PREFIX, prefixed })
    }

    fn pass(&mut self, byte: u8, rest: &'a [u8]) {
        self.in_token = is_token(byte);
        self.begins_line = byte == b'\r' && begins_line(rest);
        self.as_lf.pass(byte);
        self.as_cr.pass(byte);
        if self.begins_line {
            self.as_cr = Quotes::default();
        }
        (self.rest, self.at) = (rest, self.at + 1);
    }
}

impl Iterator for TypeNames<'_> {
    type Item = ArrivedName;

    fn next(&mut self) -> Option<ArrivedName> {
        while let Some((&byte, rest)) = self.rest.split_first() {
            let found = self.name();
            self.pass(byte, rest);
            if found.is_some() {
                return found;
            }
        }
        None
    }
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
