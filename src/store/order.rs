//! The order of the messages of a mailbox.

use super::stored::StoredMessage;

impl StoredMessage {
    /// What readers sort a mailbox by when they give numbers to messages that they see for the first time: the leading time of
    /// the name in seconds, the microseconds behind the first `M` of the next level, and the name. What begins with no time is last.
    pub fn order(&self) -> (u64, u64, &str) {
        let base = self.base();
        let mut levels = base.split('.');
        let seconds = levels.next().and_then(leading_number).unwrap_or(u64::MAX);
        let micros = levels.next().and_then(|level| level.split_once('M')).map(|(_, rest)| rest);
        (seconds, micros.and_then(leading_number).unwrap_or_default(), base)
    }
}

fn leading_number(text: &str) -> Option<u64> {
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    text.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::stored::{Part, StoredMailbox};
    use super::*;
    use crate::mail::Address;
    use std::sync::Arc;

    #[test]
    fn times_are_numbers_and_what_has_none_is_last() {
        let owner = Address::parse("bob@north.example").unwrap();
        let mailbox =
            StoredMailbox { owner, name: "INBOX".into(), maildir: "/m".into(), folder: "/m".into() };
        let mailbox = Arc::new(mailbox);
        let message = |name: &&str| StoredMessage {
            mailbox: Arc::clone(&mailbox),
            part: Part::Cur,
            file_name: (*name).to_owned(),
        };
        let sorted = [
            "999999999.M5P1.mx:2,S",
            "1000000000.M5P1.mx:2,",
            "1000000000.M20P1.mx",
            "1000000000.M20P2.mx:2,FS",
            "draft:2,D",
        ];
        let mut all: Vec<StoredMessage> = sorted.iter().rev().map(message).collect();
        all.sort_by(|one, other| one.order().cmp(&other.order()));
        let names: Vec<&str> = all.iter().map(|message| message.file_name.as_str()).collect();
        assert_eq!(names, sorted);
    }
}
