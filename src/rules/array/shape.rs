//! How a parameter that the rule language has as a list or a date stands in array text, where it is one text.

use super::data::{Value, What};
use super::moment;
use crate::rules::Operator;
use crate::rules::actions::other_word;
use crate::rules::datum::{Datum, Key, Node};
use std::ops::Range;

/// What a text in the place of a parameter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Itself.
    Plain,
    /// Pictures with commas between them; `\,` is no such comma. `#Name` alone stays a text.
    Pictures,
    /// Words with commas between them; one word stays a text.
    Words,
    /// The same, and some flags have other words.
    Flags,
    /// Addresses with commas between them that stand in no quotes; one address stays a text.
    Addresses,
    /// Header lines, each with a line end between them; one line stays a text.
    Lines,
    /// A date in the words of mail.
    Moment,
}

/// What the parameter of a condition is.
pub(super) fn of_condition(word: &str, operator: Option<Operator>) -> Shape {
    match (word, operator) {
        ("Current Date", _) => Shape::Moment,
        // They take one text as well as a list.
        ("Time Of Day" | "Current Day", Some(operator)) if operator.takes_list() => Shape::Words,
        (_, Some(operator)) if operator.takes_list() => Shape::Pictures,
        _ => Shape::Plain,
    }
}

/// What the parameter of an action is.
pub(super) fn of_action(word: &str) -> Shape {
    match word {
        "Mark" => Shape::Flags,
        "Redirect to" | "Forward to" | "Mirror to" => Shape::Addresses,
        "Add Header" => Shape::Lines,
        _ => Shape::Plain,
    }
}

impl Shape {
    /// The parameter as the rule language has it.
    pub(super) fn read(self, value: &Value) -> Node {
        let datum = match &value.what {
            What::Text(text) => self.datum(text, &value.span),
            _ => return node(value),
        };
        Node { datum, span: value.span.clone() }
    }

    fn datum(self, text: &str, span: &Range<usize>) -> Datum {
        let list = match self {
            Shape::Plain => return Datum::Text(text.to_owned()),
            Shape::Moment => {
                let date = moment::from_mail_date(text);
                return date.map_or_else(|| Datum::Text(text.to_owned()), Datum::Date);
            }
            Shape::Lines => return lines(text, span),
            Shape::Words => trimmed(text.split(','), text),
            Shape::Flags => return flags(text, span),
            Shape::Addresses => trimmed(split(text, addresses()).into_iter(), text),
            Shape::Pictures => trimmed(split(text, pictures()).into_iter(), text),
        };
        self.listed(&list, text, span)
    }

    fn listed(self, list: &[(usize, &str)], text: &str, span: &Range<usize>) -> Datum {
        match list {
            [(_, only)] if self != Shape::Pictures || only.starts_with('#') => {
                Datum::Text((*only).to_owned())
            }
            _ => Datum::List(list.iter().map(|(at, piece)| placed(text, *at, piece, span)).collect()),
        }
    }

    /// The shortest way to write a parameter that reads as the same: a text, an array, or a block that is never taken apart.
    pub(super) fn write(self, node: &Node) -> Value {
        let usual = self.usual(&node.datum).map(|text| value(What::Text(text)));
        let usual = usual.filter(|usual| self.read(usual) == *node);
        usual.unwrap_or_else(|| match &node.datum {
            Datum::Text(text) if self != Shape::Plain => value(What::Block(text.clone())),
            other => written(other),
        })
    }

    fn usual(self, datum: &Datum) -> Option<String> {
        match datum {
            Datum::Text(text) => Some(text.clone()),
            Datum::Date(date) if self == Shape::Moment => moment::to_mail_date(date),
            Datum::List(list) => {
                let between = match self {
                    Shape::Lines => "\n",
                    Shape::Words | Shape::Flags | Shape::Addresses | Shape::Pictures => ",",
                    Shape::Plain | Shape::Moment => return None,
                };
                let texts: Option<Vec<_>> = list.iter().map(Node::as_text).collect();
                Some(texts?.join(between))
            }
            _ => None,
        }
    }
}

/// Flags by the words that a rule file has.
fn flags(text: &str, span: &Range<usize>) -> Datum {
    let mut datum = Shape::Words.datum(text, span);
    let rename = |datum: &mut Datum| {
        if let Datum::Text(word) = datum
            && let Some(flag) = other_word(word)
        {
            flag.clone_into(word);
        }
    };
    match &mut datum {
        Datum::List(list) => list.iter_mut().for_each(|node| rename(&mut node.datum)),
        one => rename(one),
    }
    datum
}

/// The words of a parameter of `Mark` that stand for flags, each with its flag.
pub(super) fn other_flags(value: &Value) -> Vec<(String, &'static str)> {
    let What::Text(text) = &value.what else { return Vec::new() };
    text.split(',').map(trim).filter_map(|word| Some((word.to_owned(), other_word(word)?))).collect()
}

/// What CommuniGate Pro would take for spaces around a word.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// The pieces without spaces around them, and where each begins in the text.
fn trimmed<'t>(pieces: impl Iterator<Item = &'t str>, text: &str) -> Vec<(usize, &'t str)> {
    let place = |piece: &str| (piece.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    pieces.map(trim).map(|piece| (place(piece), piece)).collect()
}

/// The pieces between the commas that separate.
fn split(text: &str, mut separates: impl FnMut(char) -> bool) -> Vec<&str> {
    let (mut begin, mut pieces) = (0, Vec::new());
    for (at, character) in text.char_indices() {
        if separates(character) {
            pieces.push(text.get(begin..at).unwrap_or_default());
            begin = at + 1;
        }
    }
    pieces.push(text.get(begin..).unwrap_or_default());
    pieces
}

/// A comma that no backslash stands before.
fn pictures() -> impl FnMut(char) -> bool {
    let mut escaped = false;
    move |character| {
        let separates = character == ',' && !escaped;
        escaped = character == '\\' && !escaped;
        separates
    }
}

/// A comma outside of quotes.
fn addresses() -> impl FnMut(char) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    move |character| {
        let separates = character == ',' && !quoted;
        quoted ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        separates
    }
}

/// Header lines; one that begins with a space goes on the line before (RFC 5322 section 2.2.3).
fn lines(text: &str, span: &Range<usize>) -> Datum {
    let mut lines: Vec<String> = Vec::new();
    for line in text.trim_end_matches(['\r', '\n']).split('\n') {
        let line = line.trim_end_matches('\r');
        match lines.last_mut() {
            Some(before) if line.starts_with([' ', '\t']) => before.push_str(line),
            _ => lines.push(line.to_owned()),
        }
    }
    if lines.len() == 1 {
        return Datum::Text(lines.concat());
    }
    let line = |line| Node { datum: Datum::Text(line), span: span.clone() };
    Datum::List(lines.into_iter().map(line).collect())
}

/// A piece of a text, at its own place if the text stands in the file as it is.
fn placed(text: &str, at: usize, piece: &str, span: &Range<usize>) -> Node {
    let begin = match span.len().checked_sub(text.len()) {
        Some(0) => Some(span.start + at),
        Some(2) => Some(span.start + 1 + at),
        _ => None,
    };
    let span = begin.map_or_else(|| span.clone(), |begin| begin..begin + piece.len());
    Node { datum: Datum::Text(piece.to_owned()), span }
}

/// An action of TOML as array text has it, where its own reader takes one text apart: `"a@b.example, c@d.example"` says the
/// same as a list of both.
pub(in crate::rules) fn settled(word: &str, element: &Node) -> Node {
    let shape = of_action(word);
    let mut settled = element.clone();
    if let (Shape::Addresses | Shape::Lines, Datum::List(parts)) = (shape, &mut settled.datum)
        && let Some(Node { datum, span }) = parts.get_mut(1)
        && let Datum::Text(text) = datum
    {
        *datum = shape.datum(text, span);
    }
    settled
}

/// A value as it stands. Keys are in the order of their names, as TOML gives them.
pub(super) fn node(value: &Value) -> Node {
    let datum = match &value.what {
        What::Text(text) | What::Block(text) => Datum::Text(text.clone()),
        What::Number(number) => Datum::Integer(*number),
        What::Date(date) => Datum::Date(date.clone()),
        What::Null => Datum::Other("#NULL#, which is nothing"),
        What::Other(kind) => Datum::Other(kind),
        What::Array(list) => Datum::List(list.iter().map(node).collect()),
        What::Dictionary(entries) => {
            let mut table: Vec<(Key, Node)> =
                entries.iter().map(|(key, value)| (key.clone(), node(value))).collect();
            table.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
            Datum::Table(table)
        }
    };
    Node { datum, span: value.span.clone() }
}

/// The other way round.
fn written(datum: &Datum) -> Value {
    value(match datum {
        Datum::Text(text) => What::Text(text.clone()),
        Datum::Integer(number) => What::Number(*number),
        Datum::Date(date) => What::Date(date.clone()),
        Datum::List(list) => What::Array(list.iter().map(|node| written(&node.datum)).collect()),
        Datum::Table(table) => {
            What::Dictionary(table.iter().map(|(key, node)| (key.clone(), written(&node.datum))).collect())
        }
        // No rule holds it.
        Datum::Other(_) => What::Null,
    })
}

/// A value that stands nowhere yet.
pub(super) fn value(what: What) -> Value {
    Value { what, span: 0..0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Datum {
        Datum::Text(text.to_owned())
    }

    fn list(texts: &[&str]) -> Datum {
        Datum::List(texts.iter().map(|each| Node { datum: text(each), span: 0..0 }).collect())
    }

    fn read(shape: Shape, written: &str) -> Datum {
        shape.read(&value(What::Text(written.to_owned()))).datum
    }

    #[test]
    fn commas_make_lists_of_pictures() {
        for (written, meant) in [
            ("*@a.example,b@c.example", list(&["*@a.example", "b@c.example"])),
            (" *@a.example , b@c.example\n", list(&["*@a.example", "b@c.example"])),
            ("*@a.example", list(&["*@a.example"])),
            (r"a\,b,c\\,d", list(&[r"a\,b", r"c\\", "d"])),
            ("", list(&[""])),
            ("a,,b", list(&["a", "", "b"])),
            ("#Friends", text("#Friends")),
            ("#Friends,a@b.example", list(&["#Friends", "a@b.example"])),
        ] {
            assert_eq!(read(Shape::Pictures, written), meant, "{written}");
        }
    }

    #[test]
    fn one_word_or_line_stays_a_text() {
        assert_eq!(read(Shape::Words, "Seen, $Payroll"), list(&["Seen", "$Payroll"]));
        assert_eq!(read(Shape::Words, " Seen"), text("Seen"));
        assert_eq!(read(Shape::Flags, "read, $Payroll"), list(&["Seen", "$Payroll"]));
        assert_eq!(read(Shape::Flags, "Read"), text("Seen"));
        assert_eq!(read(Shape::Addresses, "a@b.example"), text("a@b.example"));
        let quoted = r#""Doe, \"J\"" <j@d.example>, k@d.example"#;
        assert_eq!(read(Shape::Addresses, quoted), list(&[r#""Doe, \"J\"" <j@d.example>"#, "k@d.example"]));
        assert_eq!(read(Shape::Lines, "X-A: 1\r\nX-B: 2\n three\n"), list(&["X-A: 1", "X-B: 2 three"]));
        assert_eq!(read(Shape::Lines, "X-A: 1\n"), text("X-A: 1"));
        assert_eq!(read(Shape::Moment, "11 Dec 2013 23:24:00"), Datum::Date("2013-12-11T23:24:00".into()));
        assert_eq!(read(Shape::Moment, "2013-12-11"), text("2013-12-11"));
        assert_eq!(read(Shape::Plain, "a,b\nc"), text("a,b\nc"));
    }

    #[test]
    fn what_is_written_reads_as_the_same() {
        for shape in [
            Shape::Plain,
            Shape::Pictures,
            Shape::Words,
            Shape::Flags,
            Shape::Addresses,
            Shape::Lines,
            Shape::Moment,
        ] {
            for datum in [
                text(""),
                text("a"),
                text(" a"),
                text("a,b"),
                text("#a"),
                text("#a,b"),
                text("a\nb\r\n"),
                text("11 Dec 2013"),
                list(&[]),
                list(&[""]),
                list(&["a"]),
                list(&["#a"]),
                list(&["a", "b"]),
                list(&["a,b", "c"]),
                text("Read"),
                list(&["x", "read"]),
                list(&[r"a\", "c"]),
                list(&["a ", "b\nc"]),
                Datum::Integer(-7),
                Datum::Date("2013-12-11T23:24:00".into()),
                Datum::Date("2013-12-11T23:24:00.5+02:00".into()),
                Datum::List(vec![Node { datum: list(&["a"]), span: 0..0 }]),
            ] {
                let node = Node { datum, span: 0..0 };
                assert_eq!(shape.read(&shape.write(&node)), node, "{shape:?}");
            }
        }
    }

    #[test]
    fn pieces_have_their_own_places() {
        let written = "\"ab, cd\"";
        let value = Value { what: What::Text("ab, cd".into()), span: 0..written.len() };
        let Datum::List(list) = Shape::Pictures.read(&value).datum else { panic!() };
        let places: Vec<_> = list.iter().map(|node| written.get(node.span.clone()).unwrap()).collect();
        assert_eq!(places, ["ab", "cd"]);
    }
}
