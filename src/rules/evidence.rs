//! What conditions look at: decoded on the first question, once, and only what a rule asks for.

use super::Action;
use super::facts::{Envelope, Facts, Input};
use super::picture::Folded;
use crate::cms::{Protection, find};
use crate::mail::{Field, HeaderEdits, Message};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Sees every value that a condition tests. The silent one is `()`.
pub(super) trait Witness {
    /// A condition looks at this value.
    fn value(&mut self, _value: &str) {}
}

impl Witness for () {}

/// A value that pictures are held against.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) folded: Folded,
}

impl Value {
    pub(super) fn new(text: String) -> Value {
        let folded = Folded::new(&text);
        Value { text, folded }
    }
}

/// The message, its envelope and the facts, for the conditions of one evaluation.
pub(super) struct Evidence<'a> {
    pub(super) message: &'a Message<'a>,
    pub(super) envelope: &'a Envelope,
    pub(super) facts: &'a Facts,
    edits: HeaderEdits,
    addresses: RefCell<BTreeMap<&'static str, Rc<[Value]>>>,
    texts: RefCell<BTreeMap<&'static str, Rc<[Value]>>>,
    lines: OnceCell<Vec<Value>>,
    security: OnceCell<Vec<Value>>,
}

impl<'a> Evidence<'a> {
    pub(super) fn new(input: Input<'a>) -> Evidence<'a> {
        Evidence {
            message: input.message,
            envelope: input.envelope,
            facts: input.facts,
            edits: input.edits.clone(),
            addresses: RefCell::default(),
            texts: RefCell::default(),
            lines: OnceCell::new(),
            security: OnceCell::new(),
        }
    }

    /// What the rules did to the header so far.
    pub(super) fn edits(&self) -> &HeaderEdits {
        &self.edits
    }

    /// An action ran. What it did to the header, the conditions behind it see (as in RFC 5293).
    pub(super) fn take(&mut self, action: &Action) {
        match action {
            Action::AddHeader(lines) => lines.iter().for_each(|line| self.edits.add(line)),
            Action::TagSubject(tag) => self.edits.tag(tag),
            _ => return,
        }
        (self.addresses, self.texts) = Default::default();
        self.lines = OnceCell::new();
    }

    /// The addr-specs of all header fields of that name.
    pub(super) fn addresses(&self, name: &'static str) -> Rc<[Value]> {
        let decode = || {
            let mut values = Vec::new();
            self.each_field(|field| {
                if field.name().eq_ignore_ascii_case(name) {
                    values.extend(field.mailboxes().into_iter().map(|found| Value::new(found.address)));
                }
            });
            values.into()
        };
        Rc::clone(self.addresses.borrow_mut().entry(name).or_insert_with(decode))
    }

    /// The text of all header fields of that name, unfolded and decoded.
    pub(super) fn texts(&self, name: &'static str) -> Rc<[Value]> {
        let decode = || {
            let mut values = Vec::new();
            self.each_field(|field| {
                if field.name().eq_ignore_ascii_case(name) {
                    values.push(Value::new(field.text()));
                }
            });
            values.into()
        };
        Rc::clone(self.texts.borrow_mut().entry(name).or_insert_with(decode))
    }

    /// `Name: text` of every header field, unfolded and decoded.
    pub(super) fn lines(&self) -> &[Value] {
        self.lines.get_or_init(|| {
            let mut values = Vec::new();
            self.each_field(|field| values.push(Value::new(format!("{}: {}", field.name(), field.text()))));
            values
        })
    }

    /// Every field: those that rules added first, as they will stand in the message.
    fn each_field(&self, mut look: impl FnMut(&Field<'_>)) {
        if self.edits.is_empty() {
            return self.message.fields().iter().for_each(&mut look);
        }
        let header = self.edits.header(self.message);
        Message::new(&header).fields().iter().for_each(&mut look);
    }

    /// The words of the condition `Security`, joined by spaces, and each alone if there are several.
    pub(super) fn security(&self) -> &[Value] {
        self.security.get_or_init(|| {
            let words = self.security_words();
            let alone = words.iter().filter(|_| words.len() > 1).map(|word| (*word).to_owned());
            std::iter::once(words.join(" ")).chain(alone).map(Value::new).collect()
        })
    }

    fn security_words(&self) -> Vec<&'static str> {
        match find(self.message) {
            Protection::None => Vec::new(),
            Protection::Signed => vec!["signed"],
            Protection::OpenPgp => vec!["encrypted"],
            Protection::Encrypted(enveloped) => {
                let mut ids = enveloped.recipients.iter().filter_map(|recipient| recipient.id.as_ref());
                match ids.any(|id| self.facts.owner_ids.contains(id)) {
                    true => vec!["encrypted", "encrypted-to-owner"],
                    false => vec!["encrypted"],
                }
            }
        }
    }
}
