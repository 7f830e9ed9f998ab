//! Looking names up before anything is done: one that means several messages, or nothing, is told at once.

use super::Selection;
use super::named::{MessageName, Named};
use crate::engine::StoreError;
use crate::mail::Message;
use crate::store::{MaildirStore, StoredMailbox, StoredMessage, UidListError, kept_beginning};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::Arc;

/// Octets of a message in which its Message-ID stands.
const HEADER: u64 = 256 << 10;

/// Why a selection does not tell which messages are meant.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The list of numbers.
    #[error(transparent)]
    UidList(#[from] UidListError),
    /// A number means something in one mailbox only.
    #[error("{0} names a message of one mailbox, and several are looked at")]
    SeveralMailboxes(MessageName),
    /// The beginning of more than one name.
    #[error("{name} names several messages: {}", places.join(" and "))]
    Ambiguous {
        /// As it was given.
        name: MessageName,
        /// Two of them: file and mailbox.
        places: Box<[String; 2]>,
    },
}

impl Selection {
    /// Looks the names up in these mailboxes, and reads the lists of keywords once, so that one that cannot be read is told
    /// before anything is done.
    pub fn resolve(
        mut self,
        store: &MaildirStore,
        mailboxes: &[Arc<StoredMailbox>],
    ) -> Result<Selection, SelectionError> {
        if self.asks_for_keywords() {
            mailboxes.iter().try_for_each(|mailbox| mailbox.keywords().map(drop))?;
        }
        if let Some(named) = self.named.take() {
            self.named = Some(Search::of(named, mailboxes)?.through(store, mailboxes)?);
        }
        Ok(self)
    }
}

/// What is looked for.
struct Search {
    named: Named,
    /// Beginnings of base names, and the names that they come from.
    beginnings: BTreeMap<String, Vec<MessageName>>,
    /// What the names of replacements of those begin with: a command that was stopped is given again with the names of before.
    kept: BTreeMap<String, Vec<MessageName>>,
    /// The lengths of those, in octets.
    lengths: BTreeSet<usize>,
    /// Message-IDs.
    ids: BTreeSet<String>,
    /// What names that may mean one message only were found to mean.
    candidates: BTreeMap<MessageName, Candidates>,
}

impl Search {
    fn of(named: Named, mailboxes: &[Arc<StoredMailbox>]) -> Result<Search, SelectionError> {
        let mut beginnings: BTreeMap<String, Vec<MessageName>> = BTreeMap::new();
        let (mut ids, mut uids) = (BTreeSet::new(), BTreeSet::new());
        for name in named.names() {
            match name {
                MessageName::Base(base) => beginnings.entry(base.clone()).or_default().push(name.clone()),
                MessageName::Id(id) => drop(ids.insert(id.clone())),
                MessageName::Uid(uid) => drop(uids.insert(*uid)),
            }
        }
        for (uid, base) in names_of_uids(&uids, mailboxes)? {
            beginnings.entry(base).or_default().push(MessageName::Uid(uid));
        }
        let lengths = beginnings.keys().map(String::len).collect();
        let mut kept: BTreeMap<String, Vec<MessageName>> = BTreeMap::new();
        for (base, names) in &beginnings {
            if let Some(beginning) = kept_beginning(base) {
                kept.entry(beginning).or_default().extend(names.iter().cloned());
            }
        }
        Ok(Search { named, beginnings, kept, lengths, ids, candidates: BTreeMap::new() })
    }

    fn through(
        mut self,
        store: &MaildirStore,
        mailboxes: &[Arc<StoredMailbox>],
    ) -> Result<Named, SelectionError> {
        for mailbox in mailboxes {
            // What cannot be listed is told by whoever works on the mailbox.
            for stored in store.messages(mailbox).flatten() {
                self.by_name(&stored);
                self.by_place(&stored);
                self.by_id(&stored);
            }
        }
        for (name, candidates) in std::mem::take(&mut self.candidates) {
            self.settle(name, candidates)?;
        }
        Ok(self.named)
    }

    fn by_name(&mut self, stored: &StoredMessage) {
        for length in &self.lengths {
            let beginning = stored.base().get(..*length).unwrap_or_default();
            for name in self.beginnings.get(beginning).into_iter().flatten() {
                let found = self.candidates.entry(name.clone()).or_default();
                match (beginning == stored.base(), name) {
                    (true, _) => add(&mut found.whole, stored),
                    (false, MessageName::Uid(_)) => {}
                    (false, _) => add(&mut found.begins, stored),
                }
            }
        }
    }

    /// What a run put in the place of the message that is named.
    fn by_place(&mut self, stored: &StoredMessage) {
        let Some(beginning) = stored.run().and_then(|_| kept_beginning(stored.base())) else { return };
        for name in self.kept.get(&beginning).into_iter().flatten() {
            add(&mut self.candidates.entry(name.clone()).or_default().instead, stored);
        }
    }

    /// A whole name goes before the beginning of others, and what is there before what took its place.
    fn settle(&mut self, name: MessageName, found: Candidates) -> Result<(), SelectionError> {
        let Candidates { whole, begins, instead } = found;
        let meant = [whole, begins, instead].into_iter().find(|found| !found.is_empty()).unwrap_or_default();
        match meant.as_slice() {
            [] => {}
            [one] => self.named.add(&name, (one.mailbox().folder(), one.base())),
            [one, other, ..] => {
                let places = Box::new([one, other].map(place_of));
                return Err(SelectionError::Ambiguous { name, places });
            }
        }
        Ok(())
    }

    /// What cannot be read has no Message-ID here: whoever works on the mailbox tells of it.
    fn by_id(&mut self, stored: &StoredMessage) {
        if self.ids.is_empty() {
            return;
        }
        for id in message_ids(stored).unwrap_or_default() {
            let id = format!("<{}>", id.trim_start_matches('<').trim_end_matches('>'));
            if self.ids.contains(&id) {
                self.named.add(&MessageName::Id(id), (stored.mailbox().folder(), stored.base()));
            }
        }
    }
}

/// Two of each are enough to say that a name does not tell.
#[derive(Default)]
struct Candidates {
    whole: Vec<StoredMessage>,
    begins: Vec<StoredMessage>,
    instead: Vec<StoredMessage>,
}

/// A message that a reader moves from `new` to `cur` meanwhile is seen twice and is one.
fn add(found: &mut Vec<StoredMessage>, stored: &StoredMessage) {
    let same = |other: &StoredMessage| other.mailbox() == stored.mailbox() && other.base() == stored.base();
    if found.len() < 2 && !found.iter().any(same) {
        found.push(stored.clone());
    }
}

fn place_of(stored: &StoredMessage) -> String {
    format!("{} in {} of {}", stored.base(), stored.mailbox().name, stored.mailbox().owner)
}

fn names_of_uids(
    uids: &BTreeSet<u32>,
    mailboxes: &[Arc<StoredMailbox>],
) -> Result<BTreeMap<u32, String>, SelectionError> {
    match (uids.first(), mailboxes) {
        (None, _) => Ok(BTreeMap::new()),
        (_, [mailbox]) => Ok(mailbox.names_of_uids(uids)?),
        (Some(uid), _) => Err(SelectionError::SeveralMailboxes(MessageName::Uid(*uid))),
    }
}

fn message_ids(stored: &StoredMessage) -> Result<Vec<String>, io::Error> {
    let Ok(Some((file, _))) = stored.open() else { return Ok(Vec::new()) };
    let mut front = zeroize::Zeroizing::new(Vec::with_capacity(16 << 10));
    read_header(file, &mut front)?;
    let message = Message::new(&front);
    Ok(message.fields_named("Message-ID").flat_map(|field| field.message_ids()).collect())
}

/// Reads until the header is over, or long enough.
fn read_header(mut file: impl Read, front: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let more = file.by_ref().take(16 << 10).read_to_end(front)?;
        let over = memchr::memmem::find(front, b"\n\n").or_else(|| memchr::memmem::find(front, b"\n\r\n"));
        if more < 16 << 10 || over.is_some() || front.len() as u64 >= HEADER {
            return Ok(());
        }
    }
}
