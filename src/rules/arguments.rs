//! What stands after the word in a condition or an action, read one by one with a fault for each that is wrong.

use super::datum::{Datum, Key, Node};
use super::fault::Faults;
use super::picture::Picture;
use super::pictures::Pictures;
use super::warnings::Warning;
use super::{Operator, ScopeKind, dataset_name_fault};
use crate::mail::MailboxRef;
use std::ops::Range;

/// The parameters of one condition or action. Each reader takes the next one; where it gives nothing, the fault is
/// on record already.
pub(super) struct Arguments<'a, 't> {
    pub(super) faults: &'a mut Faults<'t>,
    pub(super) notes: &'a mut Vec<Warning>,
    pub(super) rule: &'a str,
    pub(super) scope: ScopeKind,
    pub(super) word: &'static str,
    pub(super) span: Range<usize>,
    pub(super) operator: Option<Operator>,
    pub(super) rest: &'a [Node],
}

impl<'a> Arguments<'a, '_> {
    /// The pictures of `is`, `is not`, `in` or `not in`; in a list `#Name` is a dataset.
    pub(super) fn pictures(&mut self) -> Option<Pictures> {
        let operator = self.operator?;
        if operator.takes_list() {
            return self.picture_list(operator);
        }
        let (text, span) = self.text("a picture")?;
        Some(Pictures { operator, list: vec![self.picture(text, span)?], datasets: Vec::new() })
    }

    /// A date or a date with time, as a text or as TOML writes them.
    pub(super) fn date(&mut self) -> Option<(&'a str, Range<usize>)> {
        let value = self.next("a date")?;
        match &value.datum {
            Datum::Date(text) => Some((text, value.span.clone())),
            _ => self.as_text(value, "a date"),
        }
    }

    /// One text or a list of at least one.
    pub(super) fn filled_list(&mut self, what: &str) -> Option<Vec<(&'a str, Range<usize>)>> {
        let span = self.rest.first().map_or(self.span.clone(), |value| value.span.clone());
        let texts = self.texts(what)?;
        if texts.is_empty() {
            self.faults.add(span, "the list is empty", format!("write {what} at least"));
            return None;
        }
        Some(texts)
    }

    /// A count of bytes: a whole number, or a text with the suffix `K`, `M` or `G` (powers of 1024).
    pub(super) fn size(&mut self) -> Option<u64> {
        let value = self.next("a size")?;
        let size = match &value.datum {
            Datum::Integer(number) => u64::try_from(*number).ok(),
            Datum::Text(text) => bytes(text),
            _ => None,
        };
        if size.is_none() {
            let hint = "a whole number of bytes, or a text like \"10K\", \"25M\", \"1G\"".to_owned();
            let text = format!("{} is no size", self.faults.source(&value.span));
            self.faults.add(value.span.clone(), text, hint);
        }
        size
    }

    /// The next parameter, a text.
    pub(super) fn text(&mut self, what: &str) -> Option<(&'a str, Range<usize>)> {
        let value = self.next(what)?;
        self.as_text(value, what)
    }

    /// A mailbox; in server scope its owner must be named.
    pub(super) fn mailbox(&mut self) -> Option<MailboxRef> {
        let (text, span) = self.text("a mailbox name")?;
        match MailboxRef::parse(text) {
            Ok(mailbox) if mailbox.owner.is_none() && self.scope == ScopeKind::Server => {
                let text = format!("mailbox \"{text}\" has no owner");
                let hint = "in server scope every mailbox name begins with its owner: \"~owner@domain/Box\"";
                self.faults.add(span, text, hint.to_owned());
                None
            }
            Ok(mailbox) => Some(mailbox),
            Err(error) => {
                let hint = "\"Box\", \"Box/Sub\", \"~owner/Box\" or \"~owner@domain/Box\"".to_owned();
                self.faults.add(span, error.to_string(), hint);
                None
            }
        }
    }

    /// One text or a list of texts.
    pub(super) fn texts(&mut self, what: &str) -> Option<Vec<(&'a str, Range<usize>)>> {
        let value = self.next(what)?;
        let Some(array) = value.as_list() else {
            return Some(vec![self.as_text(value, what)?]);
        };
        let texts: Vec<_> = array.iter().map(|item| self.as_text(item, what)).collect();
        texts.into_iter().collect()
    }

    /// The options, a table at the end; an empty one if there is none.
    pub(super) fn options(&mut self) -> Option<&'a [(Key, Node)]> {
        let Some((value, rest)) = self.rest.split_first() else { return Some(&[]) };
        self.rest = rest;
        if let Some(table) = value.as_table() {
            return Some(table);
        }
        let text = format!("the options of \"{}\" are {}, not a table", self.word, value.kind());
        self.faults.add(value.span.clone(), text, "write {key = \"value\"}".to_owned());
        None
    }

    /// A remark on a legal file.
    pub(super) fn note(&mut self, span: &Range<usize>, text: String) {
        self.notes.push(Warning { line: self.faults.line(span.start), rule: self.rule.to_owned(), text });
    }

    /// A fault for every parameter that is left.
    pub(super) fn finish(self) {
        for value in self.rest {
            let text = format!("\"{}\" takes nothing more", self.word);
            self.faults.add(value.span.clone(), text, "leave this out".to_owned());
        }
    }

    fn next(&mut self, what: &str) -> Option<&'a Node> {
        let Some((value, rest)) = self.rest.split_first() else {
            let text = format!("\"{}\" needs {what}", self.word);
            self.faults.add(self.span.clone(), text, None);
            return None;
        };
        self.rest = rest;
        Some(value)
    }

    fn as_text(&mut self, value: &'a Node, what: &str) -> Option<(&'a str, Range<usize>)> {
        if let Some(text) = value.as_text() {
            return Some((text, value.span.clone()));
        }
        let text = format!("\"{}\" takes {what} here, not {}", self.word, value.kind());
        self.faults.add(value.span.clone(), text, "write a text in quotes".to_owned());
        None
    }

    fn picture_list(&mut self, operator: Operator) -> Option<Pictures> {
        let value = self.next("a list of pictures")?;
        let items = match &value.datum {
            Datum::Text(text) if text.starts_with('#') => std::slice::from_ref(value),
            Datum::Text(text) => return self.refuse_single(text, value.span.clone()),
            Datum::List(list) => list.as_slice(),
            _ => {
                let text = format!("\"{}\" takes a list of pictures here, not {}", self.word, value.kind());
                self.faults.add(value.span.clone(), text, LIST_HINT.to_owned());
                return None;
            }
        };
        if items.is_empty() {
            self.faults.add(value.span.clone(), "the list is empty", LIST_HINT.to_owned());
            return None;
        }
        let mut pictures = Pictures { operator, list: Vec::new(), datasets: Vec::new() };
        let taken: Vec<_> = items.iter().map(|item| self.add_listed(item, &mut pictures)).collect();
        taken.into_iter().all(|taken| taken.is_some()).then_some(pictures)
    }

    fn add_listed(&mut self, item: &'a Node, pictures: &mut Pictures) -> Option<()> {
        let (text, span) = self.as_text(item, "a picture")?;
        match text.strip_prefix('#') {
            Some(name) => pictures.datasets.push(self.dataset(name, span)?),
            None => pictures.list.push(self.picture(text, span)?),
        }
        Some(())
    }

    /// The name of a dataset that stands for its members.
    fn dataset(&mut self, name: &str, span: Range<usize>) -> Option<String> {
        let hint = "a picture that begins with # is written with a backslash in lists: '\\#42*'".to_owned();
        if dataset_name_fault(name).is_some() {
            self.faults.add(span, format!("\"#{name}\" names no dataset"), hint);
            return None;
        }
        if self.scope == ScopeKind::Server {
            let text = format!(
                "the dataset \"#{name}\" is not allowed in server scope: datasets belong to accounts"
            );
            self.faults.add(span, text, hint);
            return None;
        }
        Some(name.to_owned())
    }

    fn picture(&mut self, text: &str, span: Range<usize>) -> Option<Picture> {
        match Picture::compile(text) {
            Ok(picture) => Some(picture),
            Err(error) => {
                let hint = self.faults.backslash.to_owned();
                self.faults.add(span, error.to_string(), hint);
                None
            }
        }
    }

    fn refuse_single<T>(&mut self, text: &str, span: Range<usize>) -> Option<T> {
        let operator = self.operator.map_or("in", Operator::name);
        let single = if operator == "in" { "is" } else { "is not" };
        let hint = format!("write a list: [{text:?}], or use \"{single}\" for one picture");
        self.faults.add(span, format!("\"{operator}\" takes a list of pictures, not one text"), hint);
        None
    }
}

const LIST_HINT: &str = "write a list: [\"first\", \"second\"]";

/// Bytes from digits and a suffix.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let (digits, unit) = match text.char_indices().last()? {
        (at, 'K' | 'k') => (text.get(..at)?, 1 << 10),
        (at, 'M' | 'm') => (text.get(..at)?, 1 << 20),
        (at, 'G' | 'g') => (text.get(..at)?, 1 << 30),
        _ => (text, 1),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse::<u64>().ok()?.checked_mul(unit)).flatten()
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_have_suffixes() {
        assert_eq!(bytes("0"), Some(0));
        assert_eq!(bytes("10K"), Some(10_240));
        assert_eq!(bytes("25m"), Some(26_214_400));
        assert_eq!(bytes("1G"), Some(1_073_741_824));
        for wrong in
            ["", "K", "-1", "+1", "1.5M", "10 K", "10KB", "99999999999999999999", "99999999999999999G"]
        {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }
}
