//! A header field that rules and filters add: checked, and written so that it stays one field.

use encodify::{Fold, rfc2047};
use std::fmt;

/// Octets of a field that is added, in UTF-8 (RFC 5322 2.1.1: no line is longer).
pub const LONGEST_LINE: usize = 998;
/// Octets of its name: with less than this a fold finds a place.
const LONGEST_NAME: usize = 64;
/// Lines of ours are folded here, where they have a blank (RFC 5322 2.1.1 recommends 78).
const WIDTH: usize = 76;

/// `Name: value` in one line of text, without a line end and without control characters, and of no name that would
/// change how the message is read or where it goes. Written, it is ASCII (RFC 2047).
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderLine {
    name: String,
    value: String,
}

/// Why a text is no header line. The text is not in it: a filter may quote the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no header line: {reason}")]
pub struct HeaderLineError {
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Names that nobody but their owners may write.
enum Reserved {
    Named(&'static str),
    Beginning(&'static str),
}

/// Those names, each with the reason.
static RESERVED: [(Reserved, &str); 7] = [
    (Reserved::Beginning("Sealpost-"), "only Sealpost itself writes fields that begin with Sealpost-"),
    (
        Reserved::Beginning("Content-"),
        "fields that begin with Content- say how the body is read, and the message has its own",
    ),
    (Reserved::Named("MIME-Version"), "MIME-Version says how the body is read, and the message has its own"),
    (
        Reserved::Named("HP-Outer"),
        "HP-Outer says what a sealed header hides, and a reader would believe a forged one",
    ),
    (Reserved::Named("Return-Path"), "Return-Path is the envelope's sender, which a rule cannot change"),
    (Reserved::Named("Received"), "mail servers count Received fields to find loops"),
    (Reserved::Named("Delivered-To"), "mail servers look for Delivered-To to find loops"),
];

impl Reserved {
    fn covers(&self, name: &str) -> bool {
        match self {
            Reserved::Named(reserved) => name.eq_ignore_ascii_case(reserved),
            Reserved::Beginning(start) => {
                name.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
            }
        }
    }
}

impl HeaderLine {
    /// Reads `Name: value`. Tabs become blanks, and blanks around the value go.
    pub fn parse(text: &str) -> Result<HeaderLine, HeaderLineError> {
        let wrong = |reason| HeaderLineError { reason };
        if text.len() > LONGEST_LINE {
            return Err(wrong("it is longer than 998 octets"));
        }
        let text = text.replace('\t', " ");
        if text.contains(char::is_control) {
            return Err(wrong("it has a line end or another control character"));
        }
        let (name, value) = text.split_once(':').ok_or(wrong("there is no colon behind a field name"))?;
        check_name(name).map_err(wrong)?;
        Ok(HeaderLine { name: name.to_owned(), value: value.trim().to_owned() })
    }

    /// The field's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands behind the colon, in Unicode.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Puts a text in front of the value.
    pub(super) fn tag(&mut self, text: &str) {
        self.value = format!("{text} {}", self.value).trim_end().to_owned();
    }

    /// The whole field with its folds and its line end.
    pub fn write(&self, end: &str, out: &mut Vec<u8>) {
        let mut lines = Lines::begin(&self.name, end, out);
        lines.text(&self.value);
        out.extend_from_slice(end.as_bytes());
    }
}

/// `1*ftext` (RFC 5322 3.6.8).
fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || !name.bytes().all(|byte| matches!(byte, 33..=57 | 59..=126)) {
        return Err("a field name is printable ASCII without blanks, with a colon behind it");
    }
    if name.len() > LONGEST_NAME {
        return Err("its field name is longer than 64 octets");
    }
    let reserved = RESERVED.iter().find(|(reserved, _)| reserved.covers(name));
    reserved.map_or(Ok(()), |(_, reason)| Err(reason))
}

/// As it stands in a rule: `Name: value`.
impl fmt::Display for HeaderLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.name, self.value)
    }
}

/// Shows its name only: what a filter adds may quote the message.
impl fmt::Debug for HeaderLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "HeaderLine({})", self.name)
    }
}

/// Writes the lines of one field.
pub(super) struct Lines<'o> {
    /// A line end and a blank.
    fold: Vec<u8>,
    column: usize,
    out: &'o mut Vec<u8>,
}

impl<'o> Lines<'o> {
    /// Writes the name and the colon.
    pub(super) fn begin(name: &str, end: &str, out: &'o mut Vec<u8>) -> Lines<'o> {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        Lines { fold: format!("{end} ").into_bytes(), column: name.len() + 1, out }
    }

    /// A blank and the text, folded at single blanks; words that are not ASCII are encoded. ASCII alone stays as it is,
    /// encoded words too.
    pub(super) fn text(&mut self, text: &str) {
        let mut words = text.split(' ').filter(|_| !text.is_empty()).peekable();
        let mut before = "";
        while let Some(word) = words.next() {
            if text.is_ascii() || !goes_into_a_word(word) {
                self.word(word, before);
                before = word;
                continue;
            }
            let mut run = word.to_owned();
            while let Some(next) = words.next_if(|next| goes_into_a_word(next)) {
                run.push(' ');
                run.push_str(next);
            }
            self.encoded(&run);
            before = word;
        }
    }

    fn word(&mut self, word: &str, before: &str) {
        // A fold beside a second blank would swallow one.
        let is_place = !word.is_empty() && !before.is_empty();
        if is_place && self.column + 1 + word.len() > WIDTH {
            self.out.extend_from_slice(&self.fold);
            self.column = 0;
        } else {
            self.out.push(b' ');
        }
        self.out.extend_from_slice(word.as_bytes());
        self.column += 1 + word.len();
    }

    fn encoded(&mut self, run: &str) {
        self.out.push(b' ');
        self.column += 1;
        let fold = Fold::new(WIDTH, &self.fold, 1);
        rfc2047::Q_PHRASE.encode_words("utf-8", run, &mut self.column, fold, self.out);
    }

    /// What stood in the field before, octet by octet, on a line of its own if this one would be too long.
    pub(super) fn raw(&mut self, value: &[u8]) {
        let first = value.iter().position(|&byte| byte == b'\n').unwrap_or(value.len());
        match self.column + 1 + first > WIDTH {
            true => self.out.extend_from_slice(&self.fold),
            false => self.out.push(b' '),
        }
        self.out.extend_from_slice(value);
    }
}

/// What must be encoded, and blanks beside it: readers drop those between two encoded words, and join several.
fn goes_into_a_word(word: &str) -> bool {
    word.is_empty() || must_be_encoded(word)
}

/// Could a reader take it for something else than itself?
pub(super) fn must_be_encoded(word: &str) -> bool {
    !word.is_ascii() || word.contains("=?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Message;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        HeaderLine::parse(text).unwrap().write("\r\n", &mut out);
        String::from_utf8(out).unwrap()
    }

    fn reason(text: &str) -> &'static str {
        HeaderLine::parse(text).unwrap_err().reason
    }

    #[test]
    fn a_line_is_written_as_it_stands() {
        assert_eq!(written("X-Mark: a  b; c"), "X-Mark: a  b; c\r\n");
        assert_eq!(written("X-Mark:\ta\tb "), "X-Mark: a b\r\n");
        assert_eq!(written("X-Mark:"), "X-Mark:\r\n");
        assert_eq!(written("X-Mark: =?utf-8?q?=C3=BC?="), "X-Mark: =?utf-8?q?=C3=BC?=\r\n");
        assert_eq!(
            written("Reply-To: Jürgen <j@x.example>, K <k@x.example>"),
            "Reply-To: =?utf-8?Q?J=C3=BCrgen?= <j@x.example>, K <k@x.example>\r\n"
        );
    }

    #[test]
    fn long_lines_are_folded_at_single_blanks() {
        let long = format!("X-Long: {}  end", "word ".repeat(30).trim_end());
        let text = written(&long);
        assert!(text.lines().all(|line| line.len() <= 78), "{text}");
        assert_eq!(text.replace("\r\n ", " ").trim_end(), long);
        let solid = format!("X: {}", "x".repeat(LONGEST_LINE - 3));
        assert_eq!(written(&solid), format!("{solid}\r\n"));
    }

    #[test]
    fn what_is_no_line_is_refused() {
        assert_eq!(reason("X-Mark a"), "there is no colon behind a field name");
        assert_eq!(
            reason("X Mark: a"),
            "a field name is printable ASCII without blanks, with a colon behind it"
        );
        assert_eq!(reason(": a"), reason("X Mark: a"));
        assert_eq!(reason("Größe: a"), reason("X Mark: a"));
        assert_eq!(reason("X : a"), reason("X Mark: a"));
        for line_end in ["X: a\nY: b", "X: a\r\n\r\nbody", "X: \0", "X: a\u{85}b", "X\n: b", "X: a\u{7f}"] {
            assert_eq!(reason(line_end), "it has a line end or another control character");
        }
        assert_eq!(reason(&format!("X: {}", "x".repeat(996))), "it is longer than 998 octets");
        assert_eq!(reason(&format!("{}: x", "x".repeat(65))), "its field name is longer than 64 octets");
    }

    #[test]
    fn reserved_names_are_refused_with_the_reason() {
        for (line, word) in [
            ("Sealpost-Sealed: v=1", "Sealpost"),
            ("content-type: text/html", "Content-"),
            ("MIME-VERSION: 1.0", "MIME-Version"),
            ("HP-Outer: Subject: x", "HP-Outer"),
            ("return-path: <>", "Return-Path"),
            ("Received: by x", "loops"),
            ("Delivered-To: x", "loops"),
        ] {
            assert!(reason(line).contains(word), "{line}: {}", reason(line));
        }
        for line in ["Sealpost: x", "Content: x", "X-Content-Type: x", "Received-SPF: pass"] {
            assert!(HeaderLine::parse(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn it_shows_nothing_of_its_value() {
        let line = HeaderLine::parse("X-Mark: secret").unwrap();
        assert_eq!(format!("{line:?}"), "HeaderLine(X-Mark)");
        assert_eq!(line.to_string(), "X-Mark: secret");
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_one_field_that_says_the_same(text in "(X-A|Subject|Content-Type|x):( |[a-z=?ü台\u{2028}\"<>:,]|=\\?utf-8\\?q\\?x\\?=){0,120}") {
            let Ok(line) = HeaderLine::parse(&text) else { return Ok(()) };
            for end in ["\n", "\r\n"] {
                let mut out = Vec::new();
                line.write(end, &mut out);
                prop_assert!(out.is_ascii());
                let message = Message::new(&out);
                prop_assert_eq!(message.fields().len(), 1);
                prop_assert_eq!(message.body(), b"");
                if !line.value().is_ascii() {
                    prop_assert_eq!(message.fields()[0].text(), line.value());
                }
            }
        }

        #[test]
        fn no_text_gets_through_with_a_line_end(text: String) {
            if let Ok(line) = HeaderLine::parse(&text) {
                let mut out = Vec::new();
                line.write("\r\n", &mut out);
                prop_assert_eq!(Message::new(&out).fields().len(), 1);
                prop_assert_eq!(Message::new(&out).body(), b"");
            }
        }
    }
}
