//! What a mailbox knows of a message beside it, in header fields: read from everybody's, written and taken off in our form.
//!
//! Fields of other programs (`Status`, `X-Status`, `X-Keywords`, Mozilla's) are read and stay in the message: nobody can
//! tell whether they were put there by the mailbox or came with the message, and what is imported is the message octet for
//! octet. Ours stand right behind the `From ` line, in one order and spelling, and end with `Sealpost-Mbox`; they are no
//! part of the message.

use crate::mail::{Eol, Flag, Message, eol};
use memchr::memchr_iter;
use std::collections::BTreeSet;
use std::fmt::Write;
use zeroize::Zeroizing;

const STATUS: &str = "Status: ";
const X_STATUS: &str = "X-Status: ";
const KEYWORDS: &str = "X-Keywords: ";
const OURS: &str = "Sealpost-Mbox: v=1";
const CRLF: &str = "; eol=crlf";
const CUT: &str = "; end=cut";
/// More keywords than this are not taken from one message.
const MOST_KEYWORDS: usize = 64;
/// Letters of `Status` and `X-Status` (RFC 4155 leaves them to the programs; these are what UW IMAP, mutt, Dovecot and
/// Python mean by them).
const LETTERS: [(char, Flag); 5] = [
    ('R', Flag::Seen),
    ('A', Flag::Answered),
    ('F', Flag::Flagged),
    ('T', Flag::Draft),
    ('D', Flag::Deleted),
];
/// Bits of `X-Mozilla-Status`.
const MOZILLA: [(u16, Flag); 4] =
    [(1, Flag::Seen), (2, Flag::Answered), (4, Flag::Flagged), (8, Flag::Deleted)];

/// What a mailbox knows of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keeping {
    /// System flags and keywords, each once.
    pub flags: Vec<Flag>,
    /// Some client has seen that it is there (`Status: O`); it need not have been read.
    pub noticed: bool,
}

/// How a message was changed to be lines that end in LF.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// Each LF had a CR before it.
    pub(super) crlf: bool,
    /// The last line had no end.
    pub(super) cut: bool,
}

impl Shape {
    pub(super) fn of(message: &[u8]) -> Shape {
        let crlf = message.contains(&b'\n') && eol(message) == Eol::Crlf;
        Shape { crlf, cut: message.last() != Some(&b'\n') }
    }

    /// The message as it was before.
    pub(super) fn restore(self, mut message: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
        if self.cut && message.last() == Some(&b'\n') {
            message.pop();
        }
        if self.crlf { with_crs(&message) } else { message }
    }
}

impl Keeping {
    /// What stands in front of a message, and the message.
    pub(super) fn take(mut found: Zeroizing<Vec<u8>>) -> (Keeping, Zeroizing<Vec<u8>>) {
        let (keeping, shape, length) = Keeping::front(&found);
        found.drain(..length);
        (keeping, shape.restore(found))
    }

    /// What stands in front of a message, how the message was changed, and how many octets come off.
    pub(super) fn front(found: &[u8]) -> (Keeping, Shape, usize) {
        let of_others = || (Keeping::of_others(&Message::new(found)), Shape::default(), 0);
        Keeping::ours(found).unwrap_or_else(of_others)
    }

    /// The fields in our form, and their octets.
    fn ours(message: &[u8]) -> Option<(Keeping, Shape, usize)> {
        let mut found = Found::default();
        let mut rest = message;
        found.letters(field(&mut rest, STATUS).unwrap_or_default());
        found.letters(field(&mut rest, X_STATUS).unwrap_or_default());
        found.keywords(field(&mut rest, KEYWORDS).unwrap_or_default());
        let form = field(&mut rest, OURS)?;
        let (crlf, form) = form.strip_prefix(CRLF).map_or((false, form), |form| (true, form));
        let (cut, form) = form.strip_prefix(CUT).map_or((false, form), |form| (true, form));
        form.is_empty().then(|| (found.keeping(), Shape { crlf, cut }, message.len() - rest.len()))
    }

    fn of_others(message: &Message<'_>) -> Keeping {
        let mut found = Found::default();
        for field in message.fields() {
            let value = || String::from_utf8_lossy(field.value()).into_owned();
            match field.name().to_ascii_lowercase().as_str() {
                "status" | "x-status" => found.letters(&value()),
                "x-keywords" | "x-mozilla-keys" => found.keywords(&value()),
                "x-mozilla-status" => found.mozilla(&value()),
                _ => {}
            }
        }
        found.keeping()
    }

    /// The fields in our form.
    pub(super) fn text(&self, shape: Shape) -> String {
        let letters = |wanted: &[Flag]| -> String {
            let of = |(letter, flag): &(char, Flag)| {
                (wanted.contains(flag) && self.flags.contains(flag)).then_some(*letter)
            };
            LETTERS.iter().filter_map(of).collect()
        };
        let noticed = if self.noticed || !self.flags.is_empty() { "O" } else { "" };
        let status = letters(&[Flag::Seen]) + noticed;
        let more = letters(&[Flag::Answered, Flag::Flagged, Flag::Draft, Flag::Deleted]);
        let keywords: Vec<&str> = self.flags.iter().filter_map(keyword).collect();
        let mut text = String::new();
        for (name, value) in [(STATUS, status), (X_STATUS, more), (KEYWORDS, keywords.join(" "))] {
            if !value.is_empty() {
                let _ = writeln!(text, "{name}{value}");
            }
        }
        let (crlf, cut) = (if shape.crlf { CRLF } else { "" }, if shape.cut { CUT } else { "" });
        let _ = writeln!(text, "{OURS}{crlf}{cut}");
        text
    }
}

fn keyword(flag: &Flag) -> Option<&str> {
    match flag {
        Flag::Keyword(name) => Some(name),
        Flag::Seen | Flag::Flagged | Flag::Answered | Flag::Draft | Flag::Deleted => None,
    }
}

/// The value of the line, if it is of that field; what is left begins behind it.
fn field<'m>(rest: &mut &'m [u8], name: &str) -> Option<&'m str> {
    let line = rest.strip_prefix(name.as_bytes())?;
    let end = line.iter().position(|byte| *byte == b'\n')?;
    let value = str::from_utf8(line.get(..end)?).ok()?;
    *rest = line.get(end + 1..)?;
    Some(value)
}

fn with_crs(message: &[u8]) -> Zeroizing<Vec<u8>> {
    let lines = memchr_iter(b'\n', message).count();
    let mut out = Zeroizing::new(Vec::with_capacity(message.len() + lines));
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                out.extend_from_slice(text);
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}

#[derive(Default)]
struct Found {
    flags: BTreeSet<Flag>,
    noticed: bool,
}

impl Found {
    fn letters(&mut self, letters: &str) {
        self.noticed |= letters.contains('O');
        let named = LETTERS.into_iter().filter(|(letter, _)| letters.contains(*letter));
        self.flags.extend(named.map(|(_, flag)| flag));
    }

    /// What is no keyword is left out.
    fn keywords(&mut self, words: &str) {
        for word in words.split_ascii_whitespace() {
            match Flag::parse(word) {
                Ok(flag @ Flag::Keyword(_)) if self.flags.len() < MOST_KEYWORDS => self.flags.insert(flag),
                _ => continue,
            };
        }
    }

    fn mozilla(&mut self, hex: &str) {
        let bits = u16::from_str_radix(hex.trim(), 16).unwrap_or(0);
        let named = MOZILLA.into_iter().filter(|(bit, _)| bits & bit != 0);
        self.flags.extend(named.map(|(_, flag)| flag));
    }

    fn keeping(self) -> Keeping {
        let noticed = self.noticed || !self.flags.is_empty();
        Keeping { flags: self.flags.into_iter().collect(), noticed }
    }
}
