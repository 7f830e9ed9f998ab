//! `sealpost mailbox list`: mailboxes and what is in them.

use super::targets::Targets;
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::cli::output::{Output, Table};
use crate::cli::words;
use crate::mail::printable;
use crate::mailbox::{Looked, Selection, State, look};
use crate::store::{MaildirStore, StoredMailbox, is_of_one_file};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;

/// List mailboxes: how many messages lie there, sealed and in the clear
///
/// Every message is looked at as a whole; no label is believed. What is neither sealed nor clear is told apart by
/// `mailbox inspect`: OpenPGP, broken S/MIME, what could not be read. Without an option: the mailboxes of every account.
#[derive(clap::Args)]
#[command(
    mut_group("Targets", |group| group.required(false)),
    after_help = "Examples:
  sealpost mailbox list
  sealpost mailbox list --account anna@north.example
  sealpost mailbox list --domain north.example --json"
)]
pub(super) struct List {
    #[command(flatten)]
    targets: Targets,
}

/// What is in a mailbox.
#[derive(Default, Clone, Copy)]
struct Held {
    messages: usize,
    sealed: usize,
    clear: usize,
    other: usize,
    unreadable: usize,
    bytes: u64,
}

impl List {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let (config, directory) = (context.config()?, context.directory_for_reading()?);
        let store = context.store(&config)?;
        let headings = ["account", "mailbox", "messages", "sealed", "clear", "other", "bytes"];
        let mut table = Table::new(&headings, "no mailbox");
        let (mut rows, mut total, mut faults) = (Vec::new(), Held::default(), Vec::new());
        for owner in self.targets.owners(&directory)? {
            for mailbox in store.stored_mailboxes(&owner)? {
                let (held, fault) = held(&store, &mailbox);
                total.add(&held);
                faults.extend(fault);
                let mut row = vec![owner.to_string(), printable(&mailbox.name)];
                row.extend(held.numbers());
                table.row(row);
                rows.push(held.json(json!({"account": owner.to_string(), "mailbox": mailbox.name})));
            }
        }
        if rows.len() > 1 {
            table.row(["total".to_owned(), String::new()].into_iter().chain(total.numbers()));
        }
        out.table(&table)?;
        out.json(json!({"mailboxes": rows, "total": total.json(json!({}))}))?;
        told(total.unreadable, &faults)
    }
}

/// What could not be looked at is a failure, once everything else was told.
fn told(unreadable: usize, faults: &[Failure]) -> Result<(), Failure> {
    let text = match (unreadable, faults) {
        (0, []) => return Ok(()),
        (unread, []) => format!("{} could not be read", words::counted(unread, "message")),
        (_, faults) => words::texts(faults.iter().map(|fault| &fault.text)).join("; "),
    };
    Err(Failure::new(Code::No, text).hint("see: sealpost mailbox inspect"))
}

/// What is in a mailbox, and why that may not be all.
fn held(store: &MaildirStore, mailbox: &Arc<StoredMailbox>) -> (Held, Vec<Failure>) {
    let (mut held, mut faults) = (Held::default(), Vec::new());
    let Ok(()) = look::<Infallible>(store, mailbox, &Selection::all(), &mut |messages| {
        match messages {
            Ok(messages) => messages.iter().for_each(|message| held.count(message)),
            Err(error) if is_of_one_file(&error) => held.count_unreadable(),
            Err(error) => faults.push(error.into()),
        }
        Ok(())
    });
    (held, faults)
}

impl Held {
    fn count(&mut self, message: &Looked) {
        self.messages += 1;
        self.bytes += message.size;
        match &message.state {
            State::Clear | State::Signed => self.clear += 1,
            State::Sealed(_) => self.sealed += 1,
            State::OpenPgp | State::Broken(_) => self.other += 1,
            State::Unreadable(_) => self.unreadable += 1,
        }
    }

    /// A file whose name cannot be read.
    fn count_unreadable(&mut self) {
        self.messages += 1;
        self.unreadable += 1;
    }

    fn add(&mut self, more: &Held) {
        self.messages += more.messages;
        self.sealed += more.sealed;
        self.clear += more.clear;
        self.other += more.other;
        self.unreadable += more.unreadable;
        self.bytes += more.bytes;
    }

    fn numbers(&self) -> [String; 5] {
        let [messages, sealed, clear, other] =
            [self.messages, self.sealed, self.clear, self.other + self.unreadable]
                .map(|number| number.to_string());
        [messages, sealed, clear, other, self.bytes.to_string()]
    }

    fn json(&self, object: Value) -> Value {
        crate::cli::output::with(
            object,
            [
                ("messages", json!(self.messages)),
                ("sealed", json!(self.sealed)),
                ("clear", json!(self.clear)),
                ("other", json!(self.other + self.unreadable)),
                ("bytes", json!(self.bytes)),
            ],
        )
    }
}
