//! The data syntax of CommuniGate Pro: strings, numbers, times, blocks, arrays, dictionaries, comments. A structure that
//! is broken gives its first fault; nothing is repaired.

use super::literal;
use crate::rules::datum::Key;
use std::collections::BTreeSet;
use std::ops::Range;

/// Rules need six levels at most. Ours.
const DEEPEST: usize = 32;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::rules) struct Value {
    pub(super) what: What,
    pub(super) span: Range<usize>,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    /// An atom or a quoted string.
    Text(String),
    /// The text in a block of base64: it is never taken apart.
    Block(String),
    /// `#7`
    Number(i64),
    /// `#T…`, in the words of RFC 3339.
    Date(String),
    /// `#NULL#`
    Null,
    /// What no rule holds, by its kind with its article.
    Other(&'static str),
    /// `(…)`
    Array(Vec<Value>),
    /// `{…}`
    Dictionary(Vec<(Key, Value)>),
}

/// Why a text is no data, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) struct Broken {
    pub(in crate::rules) span: Range<usize>,
    pub(in crate::rules) text: String,
    pub(in crate::rules) hint: &'static str,
}

impl Broken {
    pub(super) fn new(span: Range<usize>, text: impl Into<String>, hint: &'static str) -> Broken {
        Broken { span, text: text.into(), hint }
    }
}

/// Is the name in the list, whatever its case?
pub(super) fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A way through a text. Every octet is looked at a bounded number of times.
pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    depth: usize,
    shown: &'static [&'static str],
    /// Does the text begin with a dictionary?
    pub(super) is_settings: bool,
    /// The values of the outermost dictionary, but those under the keys that are shown.
    pub(super) hidden: Vec<Range<usize>>,
}

impl<'t> Parser<'t> {
    /// At the begin. `shown` are the keys of a dictionary whose values may stand in errors.
    pub(super) fn new(text: &'t str, shown: &'static [&'static str]) -> Parser<'t> {
        Parser { text, at: 0, depth: 0, shown, is_settings: false, hidden: Vec::new() }
    }

    /// The one value of the text.
    pub(super) fn whole(&mut self) -> Result<Value, Broken> {
        self.begin()?;
        self.is_settings = self.peek() == Some('{');
        let value = self.value()?;
        self.blank()?;
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(Broken::new(
                self.here(),
                "there is more behind the end of the rules",
                "a file holds one rule, or several in one pair of parentheses: ((…), (…))",
            )),
        }
    }

    /// Is the first character that counts one of these?
    pub(super) fn begins_with(&mut self, characters: &[char]) -> bool {
        self.begin().is_ok() && self.peek().is_some_and(|first| characters.contains(&first))
    }

    fn begin(&mut self) -> Result<(), Broken> {
        if self.rest().starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        self.blank()
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The next character; nothing at the end.
    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// The place of the next character.
    pub(super) fn here(&self) -> Range<usize> {
        self.at..self.at + self.peek().map_or(0, char::len_utf8)
    }

    fn takes(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += if there { wanted.len_utf8() } else { 0 };
        there
    }

    /// Spaces, line ends and comments.
    pub(super) fn blank(&mut self) -> Result<(), Broken> {
        loop {
            let rest = self.rest();
            let word = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            self.at += rest.len() - word.len();
            let length = match word.get(..2) {
                Some("//") => word.find('\n').unwrap_or(word.len()),
                Some("/*") => match word.find("*/") {
                    Some(end) => end + 2,
                    None => {
                        let begin = self.at..self.at + 2;
                        return Err(Broken::new(begin, "this comment has no end", "a comment ends with */"));
                    }
                },
                _ => return Ok(()),
            };
            self.at += length;
        }
    }

    fn value(&mut self) -> Result<Value, Broken> {
        let start = self.at;
        let what = match self.peek() {
            Some('(') => self.nested(Parser::array)?,
            Some('{') => self.nested(Parser::dictionary)?,
            Some('[') => literal::block(self)?,
            Some('"') => {
                let (text, end) = literal::strings(self)?;
                return Ok(Value { what: What::Text(text), span: start..end });
            }
            Some('#') => literal::hash(self)?,
            _ => What::Text(self.atom()?),
        };
        Ok(Value { what, span: start..self.at })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<What, Broken>) -> Result<What, Broken> {
        if self.depth == DEEPEST {
            let text = format!("this is nested deeper than {DEEPEST} levels");
            return Err(Broken::new(self.here(), text, "a rule has six levels at most"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn array(&mut self) -> Result<What, Broken> {
        let begin = self.here();
        let mut list = Vec::new();
        self.next();
        self.blank()?;
        if self.takes(')') {
            return Ok(What::Array(list));
        }
        loop {
            list.push(self.value()?);
            self.blank()?;
            if self.takes(')') {
                return Ok(What::Array(list));
            }
            if !self.takes(',') {
                return Err(self.stops(begin, "(", "between two elements stands `,`, behind the last `)`"));
            }
            self.blank()?;
        }
    }

    fn dictionary(&mut self) -> Result<What, Broken> {
        let begin = self.here();
        let (mut entries, mut names) = (Vec::new(), BTreeSet::new());
        self.next();
        loop {
            self.blank()?;
            if self.takes('}') {
                return Ok(What::Dictionary(entries));
            }
            if self.peek().is_none() {
                return Err(self.stops(begin, "{", ""));
            }
            let key = self.key()?;
            if !names.insert(key.name.clone()) {
                let text = "a key stands twice in this dictionary";
                return Err(Broken::new(key.span, text, "leave one of them out"));
            }
            self.blank()?;
            if !self.takes('=') {
                return Err(self.stops(begin, "{", "behind a key stands `=`"));
            }
            self.blank()?;
            let value = self.entry(&key)?;
            self.blank()?;
            if !self.takes(';') {
                return Err(self.stops(begin, "{", "behind every value of a dictionary stands `;`"));
            }
            entries.push((key, value));
        }
    }

    fn key(&mut self) -> Result<Key, Broken> {
        let start = self.at;
        let (name, end) = match self.peek() {
            Some('"') => literal::strings(self)?,
            _ => (self.atom()?, self.at),
        };
        Ok(Key { name, span: start..end })
    }

    /// A value of a dictionary; those of the outermost are hidden unless their key is shown.
    fn entry(&mut self, key: &Key) -> Result<Value, Broken> {
        let start = self.at;
        let value = self.value();
        if self.depth == 1 && !is_one_of(self.shown, &key.name) {
            self.hidden.push(start..self.at);
        }
        value
    }

    /// Letters, digits, and every sign that has no meaning of its own.
    fn atom(&mut self) -> Result<String, Broken> {
        let length = atom_length(self.rest());
        let atom = self.rest().get(..length).unwrap_or_default();
        if atom.is_empty() {
            let text = match self.peek() {
                None => "the text ends where a value is needed".to_owned(),
                Some(found) => format!("a value is needed here, not `{}`", found.escape_debug()),
            };
            return Err(Broken::new(
                self.here(),
                text,
                "a value is a word, a \"text\", #7, an array (a,b), or a dictionary {key=value;}",
            ));
        }
        self.at += length;
        Ok(atom.to_owned())
    }

    fn stops(&self, begin: Range<usize>, open: &str, hint: &'static str) -> Broken {
        let Some(found) = self.peek() else {
            let close = if open == "(" { "`)`" } else { "`}`" };
            return Broken::new(begin, format!("this `{open}` is not closed: {close} is missing"), "");
        };
        Broken::new(self.here(), format!("`{}` is not expected here", found.escape_debug()), hint)
    }
}

/// How many octets at the begin of the text are an atom.
pub(super) fn atom_length(text: &str) -> usize {
    let mut before = None;
    for (at, character) in text.char_indices() {
        if before == Some('/') && matches!(character, '/' | '*') {
            return at - 1;
        }
        if character.is_whitespace() || character.is_control() || "()[]{},;=\"\\".contains(character) {
            return at;
        }
        before = Some(character);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> What {
        Parser::new(text, &[]).whole().unwrap_or_else(|broken| panic!("{text}: {broken:?}")).what
    }

    fn broken(text: &str) -> (Range<usize>, String) {
        let broken = Parser::new(text, &[]).whole().expect_err(text);
        (broken.span, broken.text)
    }

    fn text(text: &str) -> What {
        What::Text(text.to_owned())
    }

    fn texts(what: What) -> Vec<What> {
        match what {
            What::Array(list) => list.into_iter().map(|value| value.what).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn atoms_are_as_real_exports_write_them() {
        let read = texts(read("(a1, phpunit@null.com,*@x.example , 'y', a/b, größe,a//b)\n,c)"));
        let words = ["a1", "phpunit@null.com", "*@x.example", "'y'", "a/b", "größe", "a", "c"];
        assert_eq!(read, words.map(text));
    }

    #[test]
    fn arrays_dictionaries_and_comments() {
        assert_eq!(texts(read("/* a ( */ ( // b\n )")), []);
        assert_eq!(texts(read("(a,/**/b//\n)")), [text("a"), text("b")]);
        let What::Dictionary(entries) = read("{a=b; \"c d\"=(); e={};}") else { panic!() };
        let keys: Vec<_> = entries.iter().map(|(key, _)| key.name.as_str()).collect();
        assert_eq!(keys, ["a", "c d", "e"]);
    }

    #[test]
    fn spans_are_those_of_the_text() {
        let whole = "( ab ,\"c\" /**/ \"d\" )";
        let value = Parser::new(whole, &[]).whole().unwrap();
        let What::Array(list) = &value.what else { panic!() };
        let places: Vec<_> = list.iter().map(|value| whole.get(value.span.clone()).unwrap()).collect();
        assert_eq!(places, ["ab", "\"c\" /**/ \"d\""]);
        assert_eq!(value.span, 0..whole.len());
    }

    #[test]
    fn the_first_fault_and_its_place() {
        for (wrong, span, words) in [
            ("", 0..0, "the text ends where a value is needed"),
            ("(a", 0..1, "this `(` is not closed: `)` is missing"),
            ("(a b)", 3..4, "`b` is not expected here"),
            ("(a,)", 3..4, "a value is needed here, not `)`"),
            ("(a,,b)", 3..4, "a value is needed here, not `,`"),
            ("(a)(b)", 3..4, "there is more behind the end of the rules"),
            ("{a=b}", 4..5, "`}` is not expected here"),
            ("{a;}", 2..3, "`;` is not expected here"),
            ("{a=b;", 0..1, "this `{` is not closed: `}` is missing"),
            ("{a=b;a=c;}", 5..6, "a key stands twice in this dictionary"),
            ("(a /* b)", 3..5, "this comment has no end"),
            ("(a,\u{7})", 3..4, "a value is needed here, not `\\u{7}`"),
        ] {
            assert_eq!(broken(wrong), (span, words.to_owned()), "{wrong}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert_eq!(broken(&"(".repeat(100_000)).1, "this is nested deeper than 32 levels");
        let deepest = format!("{}{}", "(".repeat(DEEPEST), ")".repeat(DEEPEST));
        assert!(Parser::new(&deepest, &[]).whole().is_ok());
    }
}
