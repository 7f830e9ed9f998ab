//! The header as conditions see it: with what rules added, decoded on the first question, once, and only the fields that
//! a rule names.

use super::evidence::{Value, values};
use crate::mail::{Field, HeaderEdits, Message};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a condition of its own reads of the fields of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    From,
    Sender,
    ReplyTo,
    To,
    Cc,
    FromName,
    Subject,
    MessageId,
}

/// All of them.
const PARTS: usize = Part::MessageId as usize + 1;

impl Part {
    fn field(self) -> &'static str {
        match self {
            Part::From | Part::FromName => "From",
            Part::Sender => "Sender",
            Part::ReplyTo => "Reply-To",
            Part::To => "To",
            Part::Cc => "Cc",
            Part::Subject => "Subject",
            Part::MessageId => "Message-ID",
        }
    }

    fn of(self, field: &Field<'_>) -> Vec<String> {
        match self {
            Part::FromName => field.display_names(),
            Part::MessageId => field.message_ids(),
            Part::Subject => vec![field.text()],
            Part::From | Part::Sender | Part::ReplyTo | Part::To | Part::Cc => {
                field.mailboxes().into_iter().map(|found| found.address).collect()
            }
        }
    }
}

/// The name of a header field that a rule asks for, ready to be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldName {
    lower: String,
    hash: u32,
}

impl FieldName {
    pub(super) fn new(name: &str) -> FieldName {
        FieldName { lower: name.to_ascii_lowercase(), hash: hash(name.as_bytes()) }
    }

    fn is_of(&self, field: &Field<'_>) -> bool {
        field.raw_name().eq_ignore_ascii_case(self.lower.as_bytes())
    }
}

/// Of a name in lower case: its length and the eight octets at either end.
fn hash(name: &[u8]) -> u32 {
    let short = || name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let begin = name.first_chunk().map_or_else(short, |chunk| u64::from_le_bytes(*chunk));
    let end = name.last_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk));
    let mixed = ((begin | LOWER) ^ (end | LOWER).rotate_left(29)).wrapping_add(name.len() as u64);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

/// The bit that letters in lower case have. That other signs become alike too makes no name another.
const LOWER: u64 = 0x2020_2020_2020_2020;

/// Where the fields of each name are. Most names that rules ask for are not there at all, and one bit tells that.
struct Index {
    /// A bit for the lowest six bits of each hash.
    present: u64,
    /// Above the hash and below the place of each field, sorted; none of a header that has too many.
    places: Option<Vec<u64>>,
}

/// A header of more fields is walked over instead: nobody writes one, and its index would take the memory that it lacks.
const MOST_INDEXED: usize = 4096;

impl Index {
    fn new(fields: &[Field<'_>]) -> Index {
        let hashes = fields.iter().map(|field| hash(field.raw_name()));
        let bit = |present: u64, hash: u32| present | 1 << (hash & 63);
        if fields.len() > MOST_INDEXED {
            return Index { present: hashes.fold(0, bit), places: None };
        }
        let mut places: Vec<u64> = hashes.zip(0..).map(|(hash, at)| u64::from(hash) << 32 | at).collect();
        let present = places.iter().fold(0, |present, place| bit(present, (place >> 32) as u32));
        places.sort_unstable();
        Index { present, places: Some(places) }
    }

    fn may_hold(&self, name: &FieldName) -> bool {
        self.present & (1 << (name.hash & 63)) != 0
    }
}

/// The fields that may have the name, by their places.
fn found<'f, 'a>(
    places: &[u64],
    name: &FieldName,
    fields: &'f [Field<'a>],
) -> impl Iterator<Item = &'f Field<'a>> {
    let hash = u64::from(name.hash);
    let begin = places.partition_point(|place| place >> 32 < hash);
    let found = places.get(begin..).unwrap_or_default().iter();
    let found = found.take_while(move |place| *place >> 32 == hash);
    found.filter_map(|place| fields.get((place & u64::from(u32::MAX)) as usize))
}

/// A header and what was read of it.
pub(super) struct Header<'a> {
    message: &'a Message<'a>,
    edits: HeaderEdits,
    parts: [OnceCell<Vec<Value>>; PARTS],
    lines: OnceCell<Vec<Value>>,
    index: OnceCell<Index>,
    named: RefCell<BTreeMap<String, Rc<[Value]>>>,
    found: OnceCell<Option<String>>,
}

impl<'a> Header<'a> {
    pub(super) fn new(message: &'a Message<'a>, edits: HeaderEdits) -> Header<'a> {
        Header {
            message,
            edits,
            parts: Default::default(),
            lines: OnceCell::new(),
            index: OnceCell::new(),
            named: RefCell::default(),
            found: OnceCell::new(),
        }
    }

    /// What the rules did to it so far.
    pub(super) fn edits(&self) -> &HeaderEdits {
        &self.edits
    }

    /// The same with further edits; what was read is read anew.
    pub(super) fn edit(&mut self, change: impl FnOnce(&mut HeaderEdits)) {
        change(&mut self.edits);
        let (edits, index) = (std::mem::take(&mut self.edits), std::mem::take(&mut self.index));
        *self = Header { index, ..Header::new(self.message, edits) };
    }

    /// The values of that part, of all its fields.
    pub(super) fn part(&self, part: Part) -> &[Value] {
        let read = || {
            let mut found = Vec::new();
            self.each_named(&FieldName::new(part.field()), &mut |field| found.extend(values(part.of(field))));
            found
        };
        self.parts.get(part as usize).map_or(&[], |cell| cell.get_or_init(read))
    }

    /// `Name: text` of every header field, unfolded and decoded.
    pub(super) fn lines(&self) -> &[Value] {
        self.lines.get_or_init(|| {
            let mut found = Vec::new();
            self.each_field(|field| found.push(line(field)));
            found
        })
    }

    /// `Name: text` of the fields of that name.
    pub(super) fn lines_named(&self, name: &FieldName) -> Option<Rc<[Value]>> {
        if self.edits.is_empty() && !self.index().may_hold(name) {
            return None;
        }
        let mut named = self.named.borrow_mut();
        if let Some(known) = named.get(&name.lower) {
            return Some(Rc::clone(known));
        }
        let mut read = Vec::new();
        self.each_named(name, &mut |field| read.push(line(field)));
        let read: Rc<[Value]> = read.into();
        named.insert(name.lower.clone(), Rc::clone(&read));
        Some(read)
    }

    /// The fields of that name: those that rules added, then those that arrived, which are looked up and not walked over.
    fn each_named(&self, name: &FieldName, look: &mut dyn FnMut(&Field<'_>)) {
        if self.edits.tags_subject() && name.lower == "subject" {
            return self.each_field(|field| {
                if name.is_of(field) {
                    look(field)
                }
            });
        }
        if !self.edits.is_empty() {
            let added = self.edits.header(&Message::new(b""));
            Message::new(&added).fields().iter().filter(|field| name.is_of(field)).for_each(&mut *look);
        }
        let arrived = self.message.fields();
        match &self.index().places {
            None => arrived.iter().filter(|field| name.is_of(field)).for_each(look),
            Some(places) => found(places, name, arrived).filter(|field| name.is_of(field)).for_each(look),
        }
    }

    /// The first field that the condition `Human Generated` looks for, as it was found the first time.
    pub(super) fn find_once(&self, wanted: impl Fn(&Field<'_>) -> bool) -> Option<&str> {
        let find = || {
            let mut found = None;
            self.each_field(|field| {
                if found.is_none() && wanted(field) {
                    found = Some(line(field).text);
                }
            });
            found
        };
        self.found.get_or_init(find).as_deref()
    }

    /// Every field: those that rules added first, as they will stand in the message.
    fn each_field(&self, mut look: impl FnMut(&Field<'_>)) {
        if self.edits.is_empty() {
            return self.message.fields().iter().for_each(&mut look);
        }
        let header = self.edits.header(self.message);
        Message::new(&header).fields().iter().for_each(&mut look);
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(self.message.fields()))
    }
}

fn line(field: &Field<'_>) -> Value {
    Value::new(format!("{}: {}", field.name(), field.text()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(lines: &[Value]) -> Vec<&str> {
        lines.iter().map(|value| value.text.as_str()).collect()
    }

    #[test]
    fn a_header_of_too_many_fields_for_an_index_is_walked_over() {
        let mail = "A: x\nB: y\n".repeat(MOST_INDEXED);
        let message = Message::new(mail.as_bytes());
        let header = Header::new(&message, HeaderEdits::default());
        assert!(header.index().places.is_none());
        assert_eq!(header.lines_named(&FieldName::new("b")).unwrap().len(), MOST_INDEXED);
        assert!(header.lines_named(&FieldName::new("c")).is_none());
    }

    proptest! {
        #[test]
        fn a_name_finds_what_a_walk_over_all_lines_finds(
            names in prop::collection::vec("[A-Ca-c]{1,2}", 0..30),
            asked in "[A-Ca-c]{1,2}",
            added in prop::option::of("[a-c]{1,2}"),
            tagged: bool,
        ) {
            let names = names.iter().map(String::as_str).chain(["Subject", "subject"].into_iter().filter(|_| tagged));
            let mail: String = names.enumerate().map(|(at, name)| format!("{name}: {at}\n")).collect();
            let message = Message::new(mail.as_bytes());
            let mut header = Header::new(&message, HeaderEdits::default());
            if let Some(name) = added {
                let line = crate::mail::HeaderLine::parse(&format!("{name}: new")).unwrap();
                header.edit(|edits| edits.add(line));
            }
            if tagged {
                header.edit(|edits| edits.tag("[x]"));
            }
            let asked = if tagged && asked.len() == 1 { "Subject".to_owned() } else { asked };
            let begin = format!("{}: ", asked.to_lowercase());
            let all = texts(header.lines()).into_iter();
            let walked: Vec<&str> = all.filter(|line| line.to_lowercase().starts_with(&begin)).collect();
            let found = header.lines_named(&FieldName::new(&asked));
            prop_assert_eq!(found.as_deref().map(texts).unwrap_or_default(), walked);
        }
    }
}
