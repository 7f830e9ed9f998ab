//! What a program reads: an object a line.

use super::Words;
use super::tally::Tally;
use crate::cli::failure::without_error_numbers;
use crate::cli::output::with;
use crate::mailbox::{Outcome, Seen};
use crate::store::StoredMailbox;
use serde_json::{Value, json};

/// What became of a message.
pub(super) fn message(seen: &Seen, words: &Words) -> Value {
    let (outcome, reason) = match &seen.outcome {
        Outcome::Replaced { .. } => (words.done.to_owned(), Value::Null),
        Outcome::WouldReplace(_) => (format!("would-be-{}", words.done), Value::Null),
        Outcome::Left(left) => ("left".to_owned(), json!(left)),
        Outcome::Failed(reason) => ("failed".to_owned(), json!(without_error_numbers(reason))),
    };
    let (before, after, notes) = match &seen.outcome {
        Outcome::Replaced { before, after, notes } => (json!(before), json!(after), json!(notes.texts)),
        Outcome::WouldReplace(notes) => (Value::Null, Value::Null, json!(notes.texts)),
        _ => (Value::Null, Value::Null, json!([])),
    };
    let mailbox = seen.stored.mailbox();
    json!({
        "event": "message", "account": mailbox.owner.to_string(), "mailbox": mailbox.name,
        "message": seen.stored.base(), "outcome": outcome, "reason": reason, "notes": notes,
        "bytes_before": before, "bytes_after": after,
    })
}

/// What lies there and could not be listed: a message without a name.
pub(super) fn unlisted(mailbox: &StoredMailbox, reason: &str) -> Value {
    json!({
        "event": "message", "account": mailbox.owner.to_string(), "mailbox": mailbox.name,
        "message": Value::Null, "outcome": "failed", "reason": reason, "notes": [],
        "bytes_before": Value::Null, "bytes_after": Value::Null,
    })
}

/// A mailbox in which nothing is done.
pub(super) fn left_out(mailbox: &StoredMailbox, reason: &str) -> Value {
    json!({
        "event": "mailbox", "account": mailbox.owner.to_string(), "mailbox": mailbox.name,
        "outcome": "failed", "reason": reason,
    })
}

/// An event with numbers.
pub(super) fn join(event: Value, tally: &Tally) -> Value {
    let numbers = tally.json();
    with(event, numbers.iter().map(|(name, number)| (name.as_str(), number.clone())))
}
