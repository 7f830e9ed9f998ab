//! What became of messages, in numbers.

use super::Words;
use crate::mailbox::{Left, Outcome};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is counted, in the order in which a summary shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Count {
    LookedAt,
    DoneBefore,
    Replaced,
    WouldReplace,
    Left(Left),
    Finished,
    Noted,
    Failed,
}

impl Count {
    /// In their order.
    fn all() -> impl Iterator<Item = Count> {
        let before = [Count::LookedAt, Count::DoneBefore, Count::Replaced, Count::WouldReplace];
        let left = Left::ALL.map(Count::Left);
        before.into_iter().chain(left).chain([Count::Finished, Count::Noted, Count::Failed])
    }

    /// In JSON.
    fn name(self) -> &'static str {
        match self {
            Count::LookedAt => "looked_at",
            Count::Replaced => "replaced",
            Count::WouldReplace => "would_be_replaced",
            Count::Left(Left::AlreadyRight) => "already_right",
            Count::Left(Left::AndOthers) => "and_others",
            Count::Left(Left::OtherKeys) => "other_keys",
            Count::Left(Left::SealedToOthers) => "sealed_to_others",
            Count::Left(Left::WeakAlgorithms) => "weak_algorithms",
            Count::Left(Left::OpenPgp) => "openpgp",
            Count::Left(Left::Clear) => "clear",
            Count::Left(Left::Gone) => "gone",
            Count::Finished => "finished",
            Count::DoneBefore => "done_before",
            Count::Noted => "noted",
            Count::Failed => "failed",
        }
    }

    /// For a person.
    fn label(self, words: &Words) -> String {
        match self {
            Count::LookedAt => "looked at".to_owned(),
            Count::Replaced => format!("{} now", words.done),
            Count::WouldReplace => format!("would be {}", words.done),
            Count::Left(left) => label_of(left).to_owned(),
            Count::Finished => "finished from an earlier run".to_owned(),
            Count::DoneBefore => "done before".to_owned(),
            Count::Noted => "with a note".to_owned(),
            Count::Failed => "failed".to_owned(),
        }
    }

    fn of(outcome: &Outcome) -> Count {
        match outcome {
            Outcome::Replaced { .. } => Count::Replaced,
            Outcome::WouldReplace(_) => Count::WouldReplace,
            Outcome::Left(left) => Count::Left(*left),
            Outcome::Failed(_) => Count::Failed,
        }
    }
}

/// What a message is that stays as it is, for a person.
pub(in crate::cli::mailbox) fn label_of(left: Left) -> &'static str {
    match left {
        Left::AlreadyRight => "already right",
        Left::AndOthers => "sealed to them and others, left",
        Left::OtherKeys => "on other keys of the account, left",
        Left::SealedToOthers => "sealed to others, left",
        Left::WeakAlgorithms => "on weak algorithms, left",
        Left::OpenPgp => "OpenPGP, left",
        Left::Clear => "in the clear, left",
        Left::Gone => "gone meanwhile",
    }
}

/// Numbers of messages, and their octets.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    counts: BTreeMap<Count, u64>,
    /// Of the messages that were replaced.
    before: u64,
    after: u64,
}

impl Tally {
    pub(super) fn add(&mut self, count: Count, number: u64) {
        if number > 0 {
            *self.counts.entry(count).or_default() += number;
        }
    }

    pub(super) fn take(&mut self, outcome: &Outcome) {
        self.add(Count::LookedAt, 1);
        self.add(Count::of(outcome), 1);
        if let Outcome::Replaced { before, after, .. } = outcome {
            self.before += before;
            self.after += after;
        }
        if let Outcome::Replaced { notes, .. } | Outcome::WouldReplace(notes) = outcome {
            self.add(Count::Noted, u64::from(!notes.texts.is_empty()));
        }
    }

    pub(super) fn include(&mut self, other: &Tally) {
        other.counts.iter().for_each(|(count, number)| self.add(*count, *number));
        self.before += other.before;
        self.after += other.after;
    }

    pub(super) fn of(&self, count: Count) -> u64 {
        self.counts.get(&count).copied().unwrap_or_default()
    }

    /// Did it come to anything but that all is right?
    pub(super) fn is_of_interest(&self) -> bool {
        let dull =
            [Count::LookedAt, Count::Left(Left::AlreadyRight), Count::Left(Left::Clear), Count::DoneBefore];
        self.counts.keys().any(|count| !dull.contains(count))
    }

    /// Were there any messages?
    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// What a summary shows even if it is nothing, and what there is.
    pub(super) fn shown(&self, dry_run: bool) -> Vec<Count> {
        let always = |count| match count {
            Count::LookedAt | Count::Failed => true,
            Count::Replaced => !dry_run,
            Count::WouldReplace => dry_run,
            _ => false,
        };
        Count::all().filter(|count| always(*count) || self.of(*count) > 0).collect()
    }

    /// Labels with numbers.
    pub(super) fn lines(&self, words: &Words, dry_run: bool) -> Vec<[String; 2]> {
        let mut lines: Vec<_> = self
            .shown(dry_run)
            .into_iter()
            .map(|count| [count.label(words), self.of(count).to_string()])
            .collect();
        if self.of(Count::Replaced) > 0 {
            lines.push(["bytes before".to_owned(), self.before.to_string()]);
            lines.push(["bytes after".to_owned(), self.after.to_string()]);
        }
        lines
    }

    /// Headings of the columns that these lines have.
    pub(super) fn headings(counts: &[Count], words: &Words) -> Vec<String> {
        counts.iter().map(|count| count.label(words)).collect()
    }

    /// Every number, for a program.
    pub(super) fn json(&self) -> Map<String, Value> {
        let counts = Count::all().map(|count| (count.name().to_owned(), self.of(count).into()));
        let bytes = [("bytes_before", self.before), ("bytes_after", self.after)];
        counts.chain(bytes.map(|(name, number)| (name.to_owned(), number.into()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Words = Words { verb: "encrypt", done: "sealed", hides: true };

    #[test]
    fn each_outcome_has_its_line() {
        let mut tally = Tally::default();
        let replaced = Outcome::Replaced { before: 10, after: 30, notes: vec!["a note".to_owned()].into() };
        let outcomes = Left::ALL.map(Outcome::Left).into_iter().chain([replaced.clone(), replaced]);
        outcomes.chain([Outcome::Failed("x".to_owned())]).for_each(|outcome| tally.take(&outcome));
        tally.add(Count::Finished, 3);
        tally.add(Count::DoneBefore, 4);
        let lines: Vec<String> = tally
            .lines(&WORDS, false)
            .into_iter()
            .map(|[label, number]| format!("{label} {number}"))
            .collect();
        assert_eq!(
            lines,
            [
                "looked at 11",
                "done before 4",
                "sealed now 2",
                "already right 1",
                "sealed to them and others, left 1",
                "on other keys of the account, left 1",
                "sealed to others, left 1",
                "on weak algorithms, left 1",
                "OpenPGP, left 1",
                "in the clear, left 1",
                "gone meanwhile 1",
                "finished from an earlier run 3",
                "with a note 2",
                "failed 1",
                "bytes before 20",
                "bytes after 60"
            ]
        );
        assert_eq!(tally.json().len(), Count::all().count() + 2);
    }

    #[test]
    fn nothing_is_three_lines() {
        let lines = |dry_run| Tally::default().lines(&WORDS, dry_run).concat().join(" ");
        assert_eq!(lines(false), "looked at 0 sealed now 0 failed 0");
        assert_eq!(lines(true), "looked at 0 would be sealed 0 failed 0");
        assert!(!Tally::default().is_of_interest());
    }
}
