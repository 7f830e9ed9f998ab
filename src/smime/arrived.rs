//! Header protection that arrives on an unencrypted message (RFC 9788): a client would believe it once we have encrypted
//! the message, though nobody vouches for it. So it gets another name inside and its own name back on opening.
//!
//! An `HP-Outer` field gets the prefix `Sealpost-Arrived-`, an `hp` parameter of Content-Type `x-sealpost-arrived-`; a name
//! that has prefixes gets one more. Since both ends look for a name with any number of prefixes at the same places, putting
//! in and taking out undo each other for every input. The places do not depend on how lines end.
//!
//! Readers differ in where a header ends, in what a line is, and in what they drop before a name and in it. So every line
//! up to the first empty one counts, also one that continues another, and a bare CR ends a line too. Behind that line nothing
//! counts, so that who holds the message up to there knows all. What is put in leaves the lines as they are.

use memchr::{memchr_iter, memchr2};
use std::iter;
use std::ops::Range;

/// The field of RFC 9788 2.2.
pub(super) const PROTECTION_FIELD: &str = "HP-Outer";
const FIELD_PREFIX: &str = "Sealpost-Arrived-";
const CONTENT_TYPE: &str = "Content-Type";
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
    let header = header(message);
    lines(header).filter(|line| is_named(line.text(header), CONTENT_TYPE)).count()
}

/// What stands before the first empty line, which counts only after an LF: what CR CR LF means is not for us to say.
fn header(message: &[u8]) -> &[u8] {
    let is_empty_line = |rest: &[u8]| rest.starts_with(b"\n") || rest.starts_with(b"\r\n");
    let mut starts = iter::once(0).chain(memchr_iter(b'\n', message).map(|at| at + 1));
    let end = starts.find(|&start| message.get(start..).is_some_and(is_empty_line));
    end.and_then(|end| message.get(..end)).unwrap_or(message)
}

/// A name that says `HP-Outer` or `hp`, with any number of prefixes.
struct ArrivedName {
    at: usize,
    prefix: &'static str,
    prefixed: bool,
}

fn arrived(message: &[u8]) -> impl Iterator<Item = ArrivedName> {
    let message = header(message);
    let mut lines = lines(message);
    let mut parameters = Parameters { message, at: 0, end: 0, read: ReadAs::default() };
    iter::from_fn(move || {
        loop {
            let found = parameters.next();
            if found.is_some() {
                return found;
            }
            let line = lines.next()?;
            let name = line.text(message);
            parameters.go_to(&line, is_named(name, CONTENT_TYPE));
            if is_named(without_prefixes(name, FIELD_PREFIX), PROTECTION_FIELD) {
                let prefixed = starts_with(name, FIELD_PREFIX);
                return Some(ArrivedName { at: line.name, prefix: FIELD_PREFIX, prefixed });
            }
        }
    })
}

struct Line {
    start: usize,
    /// Behind white space and colons, which some readers drop before a name.
    name: usize,
    end: usize,
    /// Behind a bare CR it is a line only for some readers.
    after_lf: bool,
    /// For those who go by LF.
    continues: bool,
}

impl Line {
    /// From the name to the end of the header: a name may go on in the next line.
    fn text<'a>(&self, header: &'a [u8]) -> &'a [u8] {
        let begins = self.name < self.end;
        header.get(self.name..).filter(|_| begins).unwrap_or_default()
    }
}

/// The lines of a header, with their ends.
fn lines(header: &[u8]) -> impl Iterator<Item = Line> {
    let (mut start, mut after_lf) = (0, true);
    iter::from_fn(move || {
        let rest = header.get(start..)?;
        let line = rest.get(..line_len(rest)).filter(|line| !line.is_empty())?;
        let dropped = line.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b':').count();
        let continues = !after_lf || line.starts_with(b" ") || line.starts_with(b"\t");
        let found = Line { start, name: start + dropped, end: start + line.len(), after_lf, continues };
        (start, after_lf) = (found.end, line.ends_with(b"\n"));
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

/// Some readers drop white space wherever it stands in a name.
fn is_named(text: &[u8], name: &str) -> bool {
    let mut octets = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    let begins =
        name.bytes().all(|wanted| octets.next().is_some_and(|byte| byte.eq_ignore_ascii_case(&wanted)));
    begins && octets.next() == Some(&b':') && !text.first().is_some_and(u8::is_ascii_whitespace)
}

/// Every token `hp` that a reader could take for the name of a parameter of Content-Type: readers differ in what they make
/// of quotes and comments, so those do not hide it.
struct Parameters<'a> {
    message: &'a [u8],
    at: usize,
    end: usize,
    read: ReadAs,
}

/// What the field at hand is to readers.
#[derive(Default)]
struct ReadAs {
    typed: bool,
    /// Some begin it elsewhere, and are not inside the same quotes.
    differently: bool,
    in_token: bool,
    quotes: Quotes,
}

impl Parameters<'_> {
    fn go_to(&mut self, line: &Line, names_type: bool) {
        if !line.continues {
            self.read = ReadAs::default();
        }
        self.read.differently |= !line.after_lf || (self.read.typed && names_type);
        self.read.typed |= names_type;
        (self.at, self.end) = (if self.read.typed { line.start } else { line.end }, line.end);
    }
}

impl Iterator for Parameters<'_> {
    type Item = ArrivedName;

    fn next(&mut self) -> Option<ArrivedName> {
        while self.at < self.end {
            let (at, text) = (self.at, self.message.get(self.at..)?);
            let read = &mut self.read;
            let quoted = read.quotes.quoted && !read.differently;
            let byte = *text.first()?;
            let found = !read.in_token && may_begin(byte) && is_protection_parameter(text, quoted);
            read.in_token = is_token(byte);
            read.quotes.pass(byte);
            self.at += 1;
            if found {
                let prefixed = starts_with(text, PARAMETER_PREFIX);
                return Some(ArrivedName { at, prefix: PARAMETER_PREFIX, prefixed });
            }
        }
        None
    }
}

/// Most octets begin neither the name nor its prefix.
fn may_begin(byte: u8) -> bool {
    matches!(byte, b'h' | b'H' | b'x' | b'X')
}

/// `hp` before a value, with what readers pass over; `hp*`, `hp*0`, `hp*0*` (RFC 2231), and whatever else an asterisk begins;
/// outside quotes a comment may stand before the value.
fn is_protection_parameter(text: &[u8], quoted: bool) -> bool {
    let name = without_prefixes(text, PARAMETER_PREFIX);
    if !starts_with(name, PARAMETER) {
        return false;
    }
    let after = name.get(PARAMETER.len()..).unwrap_or_default();
    if after.starts_with(b"*") {
        return true;
    }
    match after.iter().find(|&&byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\\')) {
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

/// token of RFC 2045 5.1, without the asterisk, which some readers pass over.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'(' | b')'
                | b'<'
                | b'>'
                | b'@'
                | b','
                | b';'
                | b':'
                | b'\\'
                | b'"'
                | b'/'
                | b'['
                | b']'
                | b'?'
                | b'='
                | b'*'
        )
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
