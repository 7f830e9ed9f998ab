//! What conditions look at: decoded on the first question, once, and only what a rule asks for.

use super::Action;
use super::facts::{Envelope, Facts, Input};
use super::folded::Folded;
use super::header::Header;
use crate::cms::{Wrapping, wrapping};
use crate::mail::Message;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

/// Sees every value that a condition tests. The silent one is `()`.
pub(super) trait Witness {
    /// A condition looks at this value.
    fn value(&mut self, _value: &dyn fmt::Display) {}
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
    pub(super) header: Header<'a>,
    sender: OnceCell<Vec<Value>>,
    security: OnceCell<Vec<Value>>,
    recipients: OnceCell<Vec<Value>>,
    routes: OnceCell<Vec<Value>>,
    mailboxes: OnceCell<Vec<Value>>,
    preferences: OnceCell<Vec<Value>>,
    datasets: RefCell<BTreeMap<String, Rc<BTreeSet<Folded>>>>,
}

/// Each text as a value.
pub(super) fn values<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Vec<Value> {
    texts.into_iter().map(|text| Value::new(text.into())).collect()
}

impl<'a> Evidence<'a> {
    pub(super) fn new(input: Input<'a>) -> Evidence<'a> {
        Evidence {
            message: input.message,
            envelope: input.envelope,
            facts: input.facts,
            header: Header::new(input.message, input.edits.clone()),
            sender: OnceCell::new(),
            security: OnceCell::new(),
            recipients: OnceCell::new(),
            routes: OnceCell::new(),
            mailboxes: OnceCell::new(),
            preferences: OnceCell::new(),
            datasets: RefCell::default(),
        }
    }

    /// An action ran. What it did to the header, the conditions behind it see (as in RFC 5293).
    pub(super) fn take(&mut self, action: &Action) {
        match action {
            Action::AddHeader(lines) => {
                self.header.edit(|edits| lines.iter().for_each(|line| edits.add(line.clone())))
            }
            Action::TagSubject(tag) => self.header.edit(|edits| edits.tag(tag)),
            _ => {}
        }
    }

    /// The sender of the envelope. A hook that named none leaves it absent; the null sender is an empty value.
    pub(super) fn sender(&self) -> &[Value] {
        self.sender.get_or_init(|| values(self.envelope.sender.as_deref()))
    }

    /// The recipients of the envelope.
    pub(super) fn recipients(&self) -> &[Value] {
        self.recipients.get_or_init(|| values(&self.envelope.recipients))
    }

    /// Where they lead.
    pub(super) fn routes(&self) -> &[Value] {
        self.routes.get_or_init(|| values(&self.facts.routes))
    }

    /// The account's mailboxes. There is an INBOX even before the first message made it (RFC 9051 5.1).
    pub(super) fn mailboxes(&self) -> &[Value] {
        self.mailboxes.get_or_init(|| {
            let has_inbox = self.facts.mailboxes.iter().any(|name| name == "INBOX");
            let inbox = Some("INBOX").filter(|_| !has_inbox);
            values(inbox.into_iter().chain(self.facts.mailboxes.iter().map(String::as_str)))
        })
    }

    /// The account's preferences as `Name: value`.
    pub(super) fn preferences(&self) -> &[Value] {
        let line = |(name, value): &(String, String)| format!("{name}: {value}");
        self.preferences.get_or_init(|| values(self.facts.preferences.iter().map(line)))
    }

    /// The members of a dataset of the account; none if there is no such dataset.
    pub(super) fn dataset(&self, name: &str) -> Rc<BTreeSet<Folded>> {
        if let Some(known) = self.datasets.borrow().get(name) {
            return Rc::clone(known);
        }
        let members = self.facts.datasets.get(name).into_iter().flatten();
        let members: Rc<BTreeSet<Folded>> = Rc::new(members.map(|member| Folded::new(member)).collect());
        self.datasets.borrow_mut().insert(name.to_owned(), Rc::clone(&members));
        members
    }

    /// Octets of the whole message.
    pub(super) fn size(&self) -> u64 {
        self.facts.beyond.as_ref().map_or(self.message.bytes().len() as u64, |beyond| beyond.size)
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
        let seen = self.facts.beyond.as_ref().map(|beyond| beyond.wrapping.clone());
        let Wrapping { encrypted, signed, recipients } = seen.unwrap_or_else(|| wrapping(self.message));
        let to_owner = recipients.iter().any(|id| self.facts.owner_ids.contains(id));
        let words = [(encrypted, "encrypted"), (signed, "signed"), (to_owner, "encrypted-to-owner")];
        words.into_iter().filter(|(found, _)| *found).map(|(_, word)| word).collect()
    }
}
