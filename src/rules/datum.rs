//! Values of a rule text, whatever its syntax, with the place of each.

use std::cmp::Ordering;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// What it is.
    pub(super) datum: Datum,
    /// Bytes of the text.
    pub(super) span: Range<usize>,
}

/// What a rule text holds: the same for TOML and for array text, so that one reader makes rules of both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Datum {
    /// A text.
    Text(String),
    /// A whole number in decimal digits.
    Integer(i64),
    /// A date, or a date with a time, in the words of RFC 3339.
    Date(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values in their order.
    Table(Vec<(Key, Node)>),
    /// What no rule holds, by its kind with its article.
    Other(&'static str),
}

/// Two nodes are the same if they say the same, wherever they stand.
impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.datum == other.datum
    }
}

impl Eq for Node {}

/// By what they say; the order means nothing.
impl Ord for Node {
    fn cmp(&self, other: &Node) -> Ordering {
        self.datum.cmp(&other.datum)
    }
}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Node) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A key of a table and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// Its name.
    pub(super) name: String,
    /// Bytes of the text.
    pub(super) span: Range<usize>,
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.name == other.name
    }
}

impl Eq for Key {}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        self.name.cmp(&other.name)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Node {
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.datum {
            Datum::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_integer(&self) -> Option<i64> {
        match self.datum {
            Datum::Integer(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn as_list(&self) -> Option<&[Node]> {
        match &self.datum {
            Datum::List(list) => Some(list),
            _ => None,
        }
    }

    pub(super) fn as_table(&self) -> Option<&[(Key, Node)]> {
        match &self.datum {
            Datum::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Its type with its article.
    pub(super) fn kind(&self) -> &'static str {
        match &self.datum {
            Datum::Text(_) => "a text",
            Datum::Integer(_) => "a whole number",
            Datum::Date(_) => "a date or time",
            Datum::List(_) => "a list",
            Datum::Table(_) => "a table",
            Datum::Other(kind) => kind,
        }
    }
}

/// The value under a key, and the key.
pub(super) fn entry<'n>(table: &'n [(Key, Node)], name: &str) -> Option<&'n (Key, Node)> {
    table.iter().find(|(key, _)| key.name == name)
}

/// A value of TOML.
pub(super) fn from_toml(value: &Spanned<DeValue<'_>>) -> Node {
    let datum = match value.get_ref() {
        DeValue::String(text) => Datum::Text(text.to_string()),
        DeValue::Integer(integer) => whole(integer.as_str(), integer.radix()),
        DeValue::Float(_) => Datum::Other("a number with a point"),
        DeValue::Boolean(_) => Datum::Other("true or false"),
        DeValue::Datetime(date) => Datum::Date(date.to_string()),
        DeValue::Array(list) => Datum::List(list.iter().map(from_toml).collect()),
        DeValue::Table(table) => Datum::Table(table_of(table)),
    };
    Node { datum, span: value.span() }
}

fn whole(digits: &str, radix: u32) -> Datum {
    let number = Some(digits).filter(|_| radix == 10).and_then(|digits| digits.parse().ok());
    number.map_or(Datum::Other("a whole number"), Datum::Integer)
}

/// A table of TOML.
pub(super) fn table_of(table: &DeTable<'_>) -> Vec<(Key, Node)> {
    let entries = table.iter();
    let read = entries
        .map(|(key, value)| (Key { name: key.get_ref().to_string(), span: key.span() }, from_toml(value)));
    read.collect()
}
