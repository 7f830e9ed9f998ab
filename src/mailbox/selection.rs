//! Which messages of a mailbox are meant.

mod named;
mod resolve;

pub use named::{MessageName, MessageNameError};
pub use resolve::SelectionError;

use crate::cms::{self, Protection, RecipientId};
use crate::mail::{Flag, Message};
use crate::pki::Fingerprint;
use crate::rules::HeaderPicture;
use crate::store::{Keywords, StoredMailbox, StoredMessage};
use std::collections::HashSet;
use std::fmt;
use std::fs::Metadata;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Octets at the front of a message that tell to whom it is sealed, but for those with very many recipients.
const FRONT: usize = 64 << 10;

/// A condition that a message fulfils or not.
#[derive(Debug, Clone)]
pub enum Criterion {
    /// It has the flag.
    Flag(Flag),
    /// It has it not.
    NotFlag(Flag),
    /// An author's address or display name, outside.
    From(HeaderPicture),
    /// The Subject outside.
    Subject(HeaderPicture),
    /// Its internal date is not before this moment.
    Since(SystemTime),
    /// Its internal date is before this moment.
    Before(SystemTime),
    /// It has more octets.
    Larger(u64),
    /// It has fewer octets.
    Smaller(u64),
    /// It names one of these as a recipient, all of which name this certificate.
    SealedTo(Fingerprint, HashSet<RecipientId>),
}

/// Criteria that all must hold. What the file's name tells is asked first, then the inode, then the bytes.
///
/// Its text form is the same for the same criteria, in whatever order they were given, as they were given: a run that is
/// started again is known by it.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    criteria: Vec<(String, Criterion)>,
    named: Option<named::Named>,
    keywords: Arc<Mutex<Option<Listed>>>,
}

/// The keywords of the mailbox that was asked for last; none if its list cannot be read.
#[derive(Debug)]
struct Listed {
    mailbox: Arc<StoredMailbox>,
    keywords: Option<Keywords>,
}

impl Selection {
    /// Every message.
    pub fn all() -> Selection {
        Selection::default()
    }

    /// With one more criterion, and how it was written.
    #[must_use]
    pub fn and(mut self, written: impl Into<String>, criterion: Criterion) -> Selection {
        self.criteria.push((written.into(), criterion));
        self
    }

    /// Only messages that one of these names, and none of which before [`Selection::resolve`] looked them up.
    #[must_use]
    pub fn named(mut self, names: impl IntoIterator<Item = MessageName>) -> Selection {
        self.named = Some(named::Named::new(names));
        self
    }

    /// The names that no message has, once they were looked up.
    pub fn missing(&self) -> Vec<&MessageName> {
        self.named.iter().flat_map(named::Named::missing).collect()
    }

    /// Does it name messages, and none of them is there?
    pub fn names_nothing(&self) -> bool {
        self.named.as_ref().is_some_and(named::Named::is_empty)
    }

    /// Are messages named? Then a file whose name cannot be read is none of them.
    pub fn names_messages(&self) -> bool {
        self.named.is_some()
    }

    /// Must the bytes be looked at?
    pub fn needs_bytes(&self) -> bool {
        use Criterion::{From, SealedTo, Subject};
        self.criteria.iter().any(|(_, criterion)| matches!(criterion, From(_) | Subject(_) | SealedTo(..)))
    }

    /// May it be meant, by its name?
    pub fn by_name(&self, stored: &StoredMessage) -> bool {
        self.named.as_ref().is_none_or(|named| named.contains(stored)) && self.by_flags(stored)
    }

    /// May it be meant, by size and date?
    pub fn by_metadata(&self, data: &Metadata) -> bool {
        self.each(|criterion| match criterion {
            Criterion::Since(moment) => data.modified().is_ok_and(|date| date >= *moment),
            Criterion::Before(moment) => data.modified().is_ok_and(|date| date < *moment),
            Criterion::Larger(size) => data.len() > *size,
            Criterion::Smaller(size) => data.len() < *size,
            _ => true,
        })
    }

    /// Is it meant?
    pub fn by_bytes(&self, bytes: &[u8]) -> bool {
        if !self.needs_bytes() {
            return true;
        }
        let message = Message::new(bytes);
        self.each(|criterion| match criterion {
            Criterion::From(picture) | Criterion::Subject(picture) => picture.matches(&message),
            Criterion::SealedTo(_, ids) => is_sealed_to(&message, ids),
            _ => true,
        })
    }

    fn each(&self, holds: impl Fn(&Criterion) -> bool) -> bool {
        self.criteria.iter().all(|(_, criterion)| holds(criterion))
    }

    fn by_flags(&self, stored: &StoredMessage) -> bool {
        self.each(|criterion| match criterion {
            Criterion::Flag(flag) => self.has(stored, flag) == Some(true),
            Criterion::NotFlag(flag) => self.has(stored, flag) == Some(false),
            _ => true,
        })
    }

    /// Nothing if that cannot be known: such a message is not meant, whichever way it was asked.
    fn has(&self, stored: &StoredMessage, flag: &Flag) -> Option<bool> {
        let Flag::Keyword(name) = flag else {
            return Some(Keywords::default().flags(stored.letters()).contains(flag));
        };
        let mut listed = self.keywords.lock().unwrap_or_else(PoisonError::into_inner);
        if listed.as_ref().is_none_or(|listed| listed.mailbox != *stored.mailbox()) {
            let mailbox = Arc::clone(stored.mailbox());
            *listed = Some(Listed { keywords: mailbox.keywords().ok(), mailbox });
        }
        let keywords = listed.as_ref()?.keywords.as_ref()?;
        // Keywords fold ASCII case (RFC 9051 2.3.2).
        let same = |flag: &Flag| matches!(flag, Flag::Keyword(other) if other.eq_ignore_ascii_case(name));
        Some(keywords.flags(stored.letters()).iter().any(same))
    }

    fn asks_for_keywords(&self) -> bool {
        use Criterion::{Flag as With, NotFlag};
        let keyword =
            |criterion: &Criterion| matches!(criterion, With(Flag::Keyword(_)) | NotFlag(Flag::Keyword(_)));
        self.criteria.iter().any(|(_, criterion)| keyword(criterion))
    }
}

/// Does the message name one of these? Its front tells, or all of it.
fn is_sealed_to(message: &Message<'_>, ids: &HashSet<RecipientId>) -> bool {
    let bytes = message.bytes();
    if let Some(named) = cms::front_recipients(bytes.get(..FRONT).unwrap_or(bytes)) {
        return named.iter().any(|id| ids.contains(id));
    }
    match cms::find(message) {
        Protection::Encrypted(found) => {
            found.recipients.iter().any(|to| to.id.as_ref().is_some_and(|id| ids.contains(id)))
        }
        _ => false,
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.criteria.iter().map(|(written, _)| written.clone()).collect();
        parts.extend(self.named.iter().flat_map(named::Named::names).map(|name| format!("message {name}")));
        parts.sort_unstable();
        parts.dedup();
        if parts.is_empty() { out.write_str("all") } else { out.write_str(&parts.join("\n")) }
    }
}

/// Which message of which folder.
type Place<'a> = (&'a Path, &'a str);
