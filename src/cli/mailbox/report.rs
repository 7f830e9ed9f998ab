//! What a run tells: a bar for who waits, failures as they come, numbers at the end; or an object a line for a program.

mod event;
mod fate;
mod lines;
mod readers;
mod rows;
mod tally;

use super::leftovers::Leftovers;
use super::selection::no_mailbox;
use crate::cli::failure::{Failure, without_error_numbers};
use crate::cli::output::{Output, Table, with};
use crate::cli::progress;
use crate::cli::words;
use crate::mail::{Address, printable};
use crate::mailbox::{Ended, Event, Left, Outcome, Run, RunError, Seen};
use crate::store::{MaildirStore, StoredMailbox};
use fate::Fate;
use indicatif::ProgressBar;
use lines::Lines;
use readers::Readers;
use rows::Rows;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
pub(in crate::cli::mailbox) use tally::label_of;
use tally::{Count, Tally};

/// Lines of one kind that a person reads; of what comes after only the number is said.
const LINES: usize = 100;
/// Notes that are shown.
const NOTES: usize = 10;
/// Accounts for which it is said what drops the words that Dovecot keeps.
const CLEANED: usize = 100;

/// How a verb calls what it does.
pub(super) struct Words {
    /// `encrypt`
    pub(super) verb: &'static str,
    /// `sealed`
    pub(super) done: &'static str,
    /// Was there clear text before, whose words may be kept elsewhere?
    pub(super) hides: bool,
}

/// What is known before the first message.
pub(super) struct Begun {
    /// How the verb calls it.
    pub(super) words: Words,
    /// Is nothing changed?
    pub(super) dry_run: bool,
    /// Does it go on where an earlier run was stopped?
    pub(super) resumed: bool,
    /// How many accounts there are.
    pub(super) accounts: usize,
    /// Messages that were named and are not there.
    pub(super) missing: Vec<String>,
}

/// What is known of an account that is worked on.
#[derive(Default)]
struct InHand {
    tally: Tally,
    warnings: Vec<String>,
}

/// Takes what happens and says it.
pub(super) struct Report<'o> {
    out: &'o mut Output,
    begun: Begun,
    bar: ProgressBar,
    store: &'o MaildirStore,
    stop: &'o AtomicBool,
    total: Tally,
    running: HashMap<Address, InHand>,
    rows: Rows,
    /// Whose messages were hidden, the first of them.
    hidden: Vec<Address>,
    more_hidden: u64,
    failures: Lines,
    notes: Lines,
    warnings: Lines,
    accounts_done: u64,
    readers: Readers,
    fate: Fate,
}

impl<'o> Report<'o> {
    pub(super) fn new(out: &'o mut Output, begun: Begun, run: &Run<'o>) -> Report<'o> {
        let bar = progress::rate(out);
        for name in &begun.missing {
            out.note(&format!("no message is called {name}"));
        }
        Report {
            out,
            begun,
            bar,
            store: run.store,
            stop: run.stop,
            total: Tally::default(),
            running: HashMap::new(),
            rows: Rows::default(),
            hidden: Vec::new(),
            more_hidden: 0,
            failures: Lines::of(LINES),
            notes: Lines::of(NOTES),
            warnings: Lines::of(LINES),
            accounts_done: 0,
            readers: Readers::default(),
            fate: Fate::default(),
        }
    }

    /// Does somebody look at a bar? Then messages are worth counting first.
    pub(super) fn has_bar(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// So many messages are to be looked at.
    pub(super) fn expect(&self, messages: u64) {
        self.bar.set_length(messages);
        self.bar.reset();
    }

    /// What should be known about the certificates of an account.
    pub(super) fn warn(&mut self, owner: Address, warnings: Vec<String>) {
        for warning in &warnings {
            self.warnings.show(&self.bar, self.out, || format!("warning: {warning}"));
        }
        self.running.entry(owner).or_default().warnings.extend(warnings);
    }

    pub(super) fn see(&mut self, event: Event) {
        match event {
            Event::Begins { owner, done_before } => {
                let in_hand = self.running.entry(owner).or_default();
                in_hand.tally.add(Count::DoneBefore, done_before);
            }
            Event::Finished(step) => {
                self.running.entry(step.account).or_default().tally.add(Count::Finished, 1)
            }
            Event::Unlisted { mailbox, reason } => self.unlisted(&mailbox, &reason),
            Event::Warning { owner, text } => self.warn(owner, vec![text]),
            Event::LeftOut { mailbox, reason } => self.left_out(&mailbox, &reason),
            Event::NotMeant { messages, .. } => self.bar.inc(messages),
            Event::Message(seen) => self.message(&seen),
            Event::Ends { owner, ended } => {
                self.fate.stopped |= ended == Ended::Stopped;
                let outcome = if ended == Ended::Stopped { "stopped" } else { "whole" };
                self.account(owner, outcome, None);
            }
            Event::Fails { owner, error } => self.account_failed(owner, error),
        }
    }

    fn message(&mut self, seen: &Seen) {
        let owner = &seen.stored.mailbox().owner;
        if let Some(in_hand) = self.running.get_mut(owner) {
            in_hand.tally.take(&seen.outcome);
        } else {
            self.running.entry(owner.clone()).or_default().tally.take(&seen.outcome);
        }
        self.readers.take(&seen.outcome);
        self.bar.inc(1);
        let place = || {
            let StoredMailbox { name, .. } = &**seen.stored.mailbox();
            format!("{owner} {} {}", printable(name), printable(seen.stored.base()))
        };
        match &seen.outcome {
            Outcome::Failed(reason) => {
                let reason = without_error_numbers(reason);
                let text = || format!("{}: {reason}", place());
                self.failures.show_reason(&self.bar, self.out, &reason, text);
            }
            Outcome::Replaced { notes, .. } | Outcome::WouldReplace(notes) if !notes.texts.is_empty() => {
                let text = || format!("note: {}: {}", place(), notes.texts.join("; "));
                self.notes.show(&self.bar, self.out, text);
            }
            _ => {}
        }
        let words = &self.begun.words;
        let told = if self.out.is_json() { self.out.json(event::message(seen, words)) } else { Ok(()) };
        self.told(told);
    }

    /// Nothing is done in that mailbox.
    fn left_out(&mut self, mailbox: &StoredMailbox, reason: &str) {
        self.fate.mailboxes_failed += 1;
        self.place_failed(mailbox, reason, event::left_out);
    }

    fn unlisted(&mut self, mailbox: &StoredMailbox, reason: &str) {
        self.running.entry(mailbox.owner.clone()).or_default().tally.add(Count::Failed, 1);
        self.place_failed(mailbox, reason, event::unlisted);
    }

    fn place_failed(
        &mut self,
        mailbox: &StoredMailbox,
        reason: &str,
        event: fn(&StoredMailbox, &str) -> Value,
    ) {
        let reason = without_error_numbers(reason);
        let place = || format!("{} {}", mailbox.owner, printable(&mailbox.name));
        self.failures.show(&self.bar, self.out, || format!("{}: {reason}", place()));
        let told = if self.out.is_json() { self.out.json(event(mailbox, &reason)) } else { Ok(()) };
        self.told(told);
    }

    fn account_failed(&mut self, owner: Address, error: RunError) {
        let missing =
            if let RunError::NoMailbox { mailbox, .. } = &error { Some(mailbox.clone()) } else { None };
        let mut failure = Failure::from(error);
        if let Some(name) = &missing {
            self.fate.without_mailbox += 1;
            // Of many accounts not each has each mailbox.
            if self.fate.without_mailbox < self.begun.accounts {
                return self.account(owner, "no-mailbox", None);
            }
            if self.begun.accounts > 1 {
                failure = no_mailbox(name, &[]);
            }
        }
        self.fate.accounts_failed += 1;
        let text = without_error_numbers(&failure.in_one_line());
        if self.begun.accounts == 1 || missing.is_some() {
            self.fate.only = Some(failure);
        } else {
            let reason = text.replace(&owner.to_string(), "ADDRESS");
            self.failures.show_reason(&self.bar, self.out, &reason, || format!("{owner}: {text}"));
        }
        self.account(owner, "failed", Some(text));
    }

    fn account(&mut self, owner: Address, outcome: &str, reason: Option<String>) {
        let InHand { tally, warnings } = self.running.remove(&owner).unwrap_or_default();
        self.total.include(&tally);
        self.accounts_done += 1;
        let hides = self.begun.words.hides && tally.of(Count::Replaced) + tally.of(Count::Finished) > 0;
        let told = if self.out.is_json() {
            let event = json!({
                "event": "account", "account": owner.to_string(), "outcome": outcome, "reason": reason,
                "warnings": warnings,
            });
            self.account_json(event, hides.then_some(&owner), &tally)
        } else {
            Ok(())
        };
        self.told(told);
        match self.hidden.len() {
            _ if !hides => {}
            CLEANED.. => self.more_hidden += 1,
            _ => self.hidden.push(owner.clone()),
        }
        match outcome {
            "failed" if tally.is_empty() => self.rows.refused(&owner),
            _ => self.rows.take(&owner, tally),
        }
    }

    fn account_json(&mut self, event: Value, hidden: Option<&Address>, tally: &Tally) -> Result<(), Failure> {
        let leftovers = leftovers(self.store, hidden)?.json();
        self.out.json(event::join(with(event, [("leftovers", leftovers)]), tally))
    }

    /// Where nobody can read what is done, it ends.
    fn told(&mut self, told: Result<(), Failure>) {
        if let Err(failure) = told {
            self.fate.unsaid = Some(failure);
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    /// The summary, and how the command ends.
    pub(super) fn conclude(mut self, ended: Ended) -> Result<(), Failure> {
        self.fate.stopped |= ended == Ended::Stopped;
        self.bar.finish_and_clear();
        self.tell_numbers();
        // Where the only account was refused, its numbers say nothing.
        if self.fate.only.is_none() || !self.total.is_empty() {
            self.table()?;
        }
        self.readers.tell(self.begun.dry_run, self.out)?;
        let (begun, fate) = (&self.begun, &self.fate);
        let event = json!({
            "event": "summary", "operation": begun.words.verb, "dry_run": begun.dry_run, "resumed": begun.resumed,
            "stopped": fate.stopped, "accounts": self.accounts_done, "accounts_failed": fate.accounts_failed,
            "not_found": begun.missing,
        });
        let event = with(event, self.readers.json());
        self.out.json(event::join(event, &self.total))?;
        self.tell_other_keys();
        self.tell_leftovers()?;
        self.fate.ending(&self.total, &self.begun)
    }

    /// Was every account worked on to its end? Then there is nothing to go on with.
    pub(super) fn is_whole(&self) -> bool {
        !self.fate.stopped && self.fate.accounts_failed + self.fate.mailboxes_failed == 0
    }

    fn tell_other_keys(&self) {
        if self.total.of(Count::Left(Left::OtherKeys)) > 0 {
            self.out.note(
                "what is on other keys of an account is handed to those of today: sealpost mailbox rekey",
            );
        }
    }

    /// What still holds words of the messages that were in the clear.
    fn tell_leftovers(&self) -> Result<(), Failure> {
        if !self.out.is_text() {
            return Ok(());
        }
        leftovers(self.store, &self.hidden)?.tell(self.out);
        if self.more_hidden > 0 {
            let accounts = counted_more(self.more_hidden, "account");
            self.out.note(&format!("and so for {accounts}, which --json names"));
        }
        Ok(())
    }

    fn tell_numbers(&self) {
        let kinds = [(&self.failures, "failure"), (&self.notes, "note"), (&self.warnings, "warning")];
        for (reason, number) in self.failures.repeated() {
            self.out.note(&format!("and {}, which --json names: {reason}", counted_more(number, "failure")));
        }
        for (lines, what) in kinds {
            if lines.hidden > 0 {
                self.out.note(&format!("and {}, which --json names", counted_more(lines.hidden, what)));
            }
        }
        if self.begun.accounts > 1 && self.rows.hidden > 0 {
            let accounts = counted_more(self.rows.hidden, "account");
            self.out.note(&format!("the table leaves out {accounts}, which --json names"));
        }
    }

    fn table(&mut self) -> Result<(), Failure> {
        let (words, dry_run) = (&self.begun.words, self.begun.dry_run);
        let rows = self.rows.all();
        if self.begun.accounts == 1 || rows.is_empty() {
            let mut table = Table::new(&["messages", "number"], "");
            self.total.lines(words, dry_run).into_iter().for_each(|line| table.row(line));
            return self.out.table(&table);
        }
        let counts = self.total.shown(dry_run);
        let headings = Tally::headings(&counts, words);
        let names: Vec<&str> =
            std::iter::once("account").chain(headings.iter().map(String::as_str)).collect();
        let mut table = Table::new(&names, "");
        let number = |tally: Option<&Tally>, count: &Count| {
            tally.map_or_else(|| "-".to_owned(), |tally| tally.of(*count).to_string())
        };
        for (owner, tally) in rows.into_iter().chain([("all", Some(&self.total))]) {
            let numbers = counts.iter().map(|count| number(tally, count));
            table.row(std::iter::once(owner.to_owned()).chain(numbers));
        }
        self.out.table(&table)
    }
}

/// Beside all mailboxes of these.
fn leftovers<'a>(
    store: &MaildirStore,
    owners: impl IntoIterator<Item = &'a Address>,
) -> Result<Leftovers, Failure> {
    let mut mailboxes = Vec::new();
    for owner in owners {
        mailboxes.extend(store.stored_mailboxes(owner)?);
    }
    Leftovers::of(&mailboxes)
}

/// `3 more failures`
fn counted_more(number: u64, what: &str) -> String {
    counted(number, &format!("more {what}"))
}

/// `1 message`, `2 messages`
fn counted(number: u64, what: &str) -> String {
    words::counted(usize::try_from(number).unwrap_or(usize::MAX), what)
}
