//! Messages by their names.

use super::Place;
use crate::store::StoredMessage;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Fewer characters of a name could mean another message by chance.
const SHORTEST: usize = 8;

/// A message as a person names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageName {
    /// The name of its file without flags, or the beginning of it.
    Base(String),
    /// Its number in the mailbox, as IMAP clients know it.
    Uid(u32),
    /// Its Message-ID, with the angle brackets. Several messages may have one, and all of them are meant.
    Id(String),
}

/// Why a text names no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a message is a file's name or the first {SHORTEST} characters of it at least (no path), uid:NUMBER, or a <Message-ID>"
)]
pub struct MessageNameError;

impl FromStr for MessageName {
    type Err = MessageNameError;

    fn from_str(text: &str) -> Result<MessageName, MessageNameError> {
        if let Some(number) = text.strip_prefix("uid:") {
            let digits = number.bytes().all(|digit| digit.is_ascii_digit());
            let number = digits.then(|| number.parse().ok()).flatten().filter(|number| *number > 0);
            return number.map(MessageName::Uid).ok_or(MessageNameError);
        }
        if text.starts_with('<') {
            let whole = text.ends_with('>') && text.len() > 2;
            return whole.then(|| MessageName::Id(text.to_owned())).ok_or(MessageNameError);
        }
        let base = text.split_once(":2,").map_or(text, |(base, _)| base);
        let usable = base.chars().count() >= SHORTEST && !base.contains('/') && !base.starts_with('.');
        usable.then(|| MessageName::Base(base.to_owned())).ok_or(MessageNameError)
    }
}

impl fmt::Display for MessageName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MessageName::Base(text) | MessageName::Id(text) => out.write_str(text),
            MessageName::Uid(number) => write!(out, "uid:{number}"),
        }
    }
}

/// Names, and what they turned out to mean.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    found: BTreeMap<MessageName, usize>,
    places: BTreeMap<PathBuf, BTreeSet<String>>,
}

impl Named {
    pub(super) fn new(names: impl IntoIterator<Item = MessageName>) -> Named {
        Named { found: names.into_iter().map(|name| (name, 0)).collect(), places: BTreeMap::new() }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &MessageName> {
        self.found.keys()
    }

    /// The name means this message.
    pub(super) fn add(&mut self, name: &MessageName, (folder, base): Place<'_>) {
        if let Some(found) = self.found.get_mut(name) {
            *found += 1;
        }
        self.places.entry(folder.to_owned()).or_default().insert(base.to_owned());
    }

    pub(super) fn contains(&self, stored: &StoredMessage) -> bool {
        self.places.get(stored.mailbox().folder()).is_some_and(|bases| bases.contains(stored.base()))
    }

    pub(super) fn missing(&self) -> impl Iterator<Item = &MessageName> {
        self.found.iter().filter(|(_, found)| **found == 0).map(|(name, _)| name)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let read = |text: &str| text.parse::<MessageName>();
        assert_eq!(read("1764128462.M1.mx:2,FS"), Ok(MessageName::Base("1764128462.M1.mx".to_owned())));
        assert_eq!(read("17641284"), Ok(MessageName::Base("17641284".to_owned())));
        assert_eq!(read("uid:7"), Ok(MessageName::Uid(7)));
        assert_eq!(read("<a@b>"), Ok(MessageName::Id("<a@b>".to_owned())));
        for wrong in ["", "1764128", "uid:", "uid:0", "uid:-1", "uid:+1", "uid:4294967296", "<a@b", "<>"] {
            assert_eq!(read(wrong), Err(MessageNameError), "{wrong}");
        }
        assert_eq!(read("cur/1764128462.M1.mx"), Err(MessageNameError), "a path");
        for text in ["17641284", "uid:7", "<a@b>"] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
    }
}
