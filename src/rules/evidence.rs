//! What conditions look at: decoded on the first question, once, and only what a rule asks for.

use super::Action;
use super::facts::{Envelope, Facts, Input};
use super::picture::Folded;
use crate::cms::{Wrapping, wrapping};
use crate::mail::{Field, HeaderEdits, Message};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
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
    fields: RefCell<FieldValues>,
    lines: OnceCell<Vec<Value>>,
    security: OnceCell<Vec<Value>>,
    recipients: OnceCell<Vec<Value>>,
    routes: OnceCell<Vec<Value>>,
    mailboxes: OnceCell<Vec<Value>>,
    preferences: OnceCell<Vec<Value>>,
    datasets: RefCell<BTreeMap<String, Rc<BTreeSet<Folded>>>>,
}

/// What was read of the fields of a name.
type FieldValues = BTreeMap<(&'static str, Part), Rc<[Value]>>;

/// What is read of a header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Addresses,
    DisplayNames,
    MessageIds,
    Text,
}

impl Part {
    fn of(self, field: &Field<'_>) -> Vec<String> {
        match self {
            Part::Addresses => field.mailboxes().into_iter().map(|found| found.address).collect(),
            Part::DisplayNames => field.display_names(),
            Part::MessageIds => field.message_ids(),
            Part::Text => vec![field.text()],
        }
    }
}

fn values<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Vec<Value> {
    texts.into_iter().map(|text| Value::new(text.into())).collect()
}

impl<'a> Evidence<'a> {
    pub(super) fn new(input: Input<'a>) -> Evidence<'a> {
        Evidence {
            message: input.message,
            envelope: input.envelope,
            facts: input.facts,
            edits: input.edits.clone(),
            fields: RefCell::default(),
            lines: OnceCell::new(),
            security: OnceCell::new(),
            recipients: OnceCell::new(),
            routes: OnceCell::new(),
            mailboxes: OnceCell::new(),
            preferences: OnceCell::new(),
            datasets: RefCell::default(),
        }
    }

    /// What the rules did to the header so far.
    pub(super) fn edits(&self) -> &HeaderEdits {
        &self.edits
    }

    /// An action ran. What it did to the header, the conditions behind it see (as in RFC 5293).
    pub(super) fn take(&mut self, action: &Action) {
        match action {
            Action::AddHeader(lines) => lines.iter().for_each(|line| self.edits.add(line.clone())),
            Action::TagSubject(tag) => self.edits.tag(tag),
            _ => return,
        }
        self.fields = RefCell::default();
        self.lines = OnceCell::new();
    }

    /// The addr-specs of all header fields of that name.
    pub(super) fn addresses(&self, name: &'static str) -> Rc<[Value]> {
        self.part(name, Part::Addresses)
    }

    /// The display names of all header fields of that name, decoded.
    pub(super) fn display_names(&self, name: &'static str) -> Rc<[Value]> {
        self.part(name, Part::DisplayNames)
    }

    /// The msg-ids of all header fields of that name, with their angle brackets.
    pub(super) fn message_ids(&self, name: &'static str) -> Rc<[Value]> {
        self.part(name, Part::MessageIds)
    }

    /// The text of all header fields of that name, unfolded and decoded.
    pub(super) fn texts(&self, name: &'static str) -> Rc<[Value]> {
        self.part(name, Part::Text)
    }

    fn part(&self, name: &'static str, part: Part) -> Rc<[Value]> {
        let read = || {
            let mut found = Vec::new();
            self.each_field(|field| {
                if field.name().eq_ignore_ascii_case(name) {
                    found.extend(values(part.of(field)));
                }
            });
            found.into()
        };
        Rc::clone(self.fields.borrow_mut().entry((name, part)).or_insert_with(read))
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

    /// `Name: text` of every header field, unfolded and decoded.
    pub(super) fn lines(&self) -> &[Value] {
        self.lines.get_or_init(|| {
            let mut values = Vec::new();
            self.each_field(|field| values.push(Value::new(format!("{}: {}", field.name(), field.text()))));
            values
        })
    }

    /// Every field: those that rules added first, as they will stand in the message.
    pub(super) fn each_field(&self, mut look: impl FnMut(&Field<'_>)) {
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
        let Wrapping { encrypted, signed, recipients } = wrapping(self.message);
        let to_owner = recipients.iter().any(|id| self.facts.owner_ids.contains(id));
        let words = [(encrypted, "encrypted"), (signed, "signed"), (to_owner, "encrypted-to-owner")];
        words.into_iter().filter(|(found, _)| *found).map(|(_, word)| word).collect()
    }
}
