//! What conditions look at: decoded on the first question, once, and only what a rule asks for.

use super::evaluate::{Envelope, Facts};
use super::picture::Folded;
use crate::cms::{Protection, find};
use crate::mail::Message;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Sees every value that a condition tests. The silent one is `()`.
pub(super) trait Witness {
    /// A condition looks at this value.
    fn value(&mut self, _value: &str) {}
}

impl Witness for () {}

impl Witness for Vec<String> {
    fn value(&mut self, value: &str) {
        self.push(value.to_owned());
    }
}

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
    facts: &'a Facts,
    addresses: RefCell<BTreeMap<&'static str, Rc<[Value]>>>,
    texts: RefCell<BTreeMap<&'static str, Rc<[Value]>>>,
    lines: OnceCell<Vec<Value>>,
    security: OnceCell<Vec<Value>>,
}

impl<'a> Evidence<'a> {
    pub(super) fn new(message: &'a Message<'a>, envelope: &'a Envelope, facts: &'a Facts) -> Evidence<'a> {
        Evidence {
            message,
            envelope,
            facts,
            addresses: RefCell::default(),
            texts: RefCell::default(),
            lines: OnceCell::new(),
            security: OnceCell::new(),
        }
    }

    /// The addr-specs of all header fields of that name.
    pub(super) fn addresses(&self, field: &'static str) -> Rc<[Value]> {
        let decode = || {
            let boxes = self.message.fields_named(field).flat_map(|field| field.mailboxes());
            boxes.map(|mailbox| Value::new(mailbox.address)).collect()
        };
        Rc::clone(self.addresses.borrow_mut().entry(field).or_insert_with(decode))
    }

    /// The text of all header fields of that name, unfolded and decoded.
    pub(super) fn texts(&self, field: &'static str) -> Rc<[Value]> {
        let decode = || self.message.fields_named(field).map(|field| Value::new(field.text())).collect();
        Rc::clone(self.texts.borrow_mut().entry(field).or_insert_with(decode))
    }

    /// `Name: text` of every header field, unfolded and decoded.
    pub(super) fn lines(&self) -> &[Value] {
        let decode =
            |field: &crate::mail::Field<'_>| Value::new(format!("{}: {}", field.name(), field.text()));
        self.lines.get_or_init(|| self.message.fields().iter().map(decode).collect())
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
