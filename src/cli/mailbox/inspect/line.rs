//! A message: a line for a person, an object for a program.

use crate::cli::failure::Failure;
use crate::cli::inspect::ShownClaim;
use crate::cli::output::Output;
use crate::cli::words;
use crate::cms::{AlgorithmReport, ContentReport, Holder, HolderRole, RecipientReport};
use crate::mail::{cut, printable};
use crate::mailbox::{Looked, Sealing, State};
use crate::store::Keywords;
use serde::Serialize;
use std::collections::BTreeSet;

/// Characters of a file's name that are shown: enough to name the message by, as nearly every delivery agent makes names.
const NAME: usize = 32;
/// Holders that are named; the others are counted.
const NAMED: usize = 3;
/// Characters of From and of Subject.
const FROM: usize = 40;
const SUBJECT: usize = 60;

/// Shows messages of one mailbox.
pub(super) fn show(messages: &[Looked], keywords: &Keywords, out: &mut Output) -> Result<(), Failure> {
    if out.is_json() {
        return messages.iter().try_for_each(|message| out.json(Shown::of(message, keywords)));
    }
    let lines: Vec<String> = messages.iter().map(|message| line(message, keywords)).collect();
    out.line(lines.join("\n"))
}

/// Columns as wide as they mostly are; what is wider moves the rest of its line.
fn line(message: &Looked, keywords: &Keywords) -> String {
    let name: String = printable(message.stored.base()).chars().take(NAME).collect();
    let (date, size) = match &message.state {
        State::Unreadable(_) => ("-".to_owned(), "-".to_owned()),
        _ => (words::minute(message.date.into()), message.size.to_string()),
    };
    let (state, cipher, to) = (word(&message.state), cipher(&message.state), to_whom(&message.state));
    let flags = or_dash(flags(message, keywords).join(" "));
    let text = format!(
        "{name:<NAME$}  {date:<16}  {size:>9}  {state:<10}  {cipher:<13}  {to:<41}  {flags:<6}  {}",
        about(message)
    );
    text.trim_end().to_owned()
}

fn about(message: &Looked) -> String {
    match &message.state {
        State::Unreadable(reason) => format!("! {reason}"),
        State::Broken(reason) => format!("! {reason}"),
        _ => {
            let (from, subject) = (cut(&message.from, FROM), cut(&message.subject, SUBJECT));
            format!("{}  {}", or_dash(from), or_dash(subject))
        }
    }
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

/// What a message is, in a word.
pub(super) fn word(state: &State) -> &'static str {
    match state {
        State::Clear => "clear",
        State::Signed => "signed",
        State::Sealed(_) => "sealed",
        State::OpenPgp => "openpgp",
        State::Broken(_) => "broken",
        State::Unreadable(_) => "unreadable",
    }
}

fn cipher(state: &State) -> String {
    let Some(sealing) = sealing(state) else { return "-".to_owned() };
    let name = &sealing.envelope.content.algorithm.name;
    let weak = if sealing.weak.is_empty() { "" } else { " weak" };
    let strong = if sealing.envelope.is_post_quantum() { " post-quantum" } else { "" };
    format!("{}{weak}{strong}", name.strip_prefix("id-").unwrap_or(name))
}

pub(super) fn sealing(state: &State) -> Option<&Sealing> {
    match state {
        State::Sealed(sealing) => Some(sealing),
        _ => None,
    }
}

fn to_whom(state: &State) -> String {
    let Some(sealing) = sealing(state) else { return "-".to_owned() };
    let recipients = &sealing.envelope.recipients;
    let mut holders: Vec<&Holder> = recipients.iter().flat_map(|to| &to.holders).collect();
    // Whose mail it is comes first; a SET has no order that says anything.
    holders.sort_by_key(|holder| holder.role != HolderRole::Account);
    let unknown = recipients.iter().filter(|to| to.holders.is_empty()).count();
    let mut parts: Vec<String> = holders.iter().take(NAMED).map(|known| holder(known)).collect();
    parts.extend((holders.len() > NAMED).then(|| format!("{} more", holders.len() - NAMED)));
    parts.extend((unknown > 0).then(|| format!("{unknown} unknown here")));
    parts.join(", ")
}

fn holder(holder: &Holder) -> String {
    let whose = match holder.role {
        HolderRole::Account => holder.account.clone(),
        HolderRole::DomainKey => format!("key of {}", holder.account),
        HolderRole::Recovery => format!("recovery of {}", holder.account),
    };
    format!("{whose} {} {}", words::short(&holder.certificate), holder.state.name())
}

fn flags(message: &Looked, keywords: &Keywords) -> Vec<String> {
    words::texts(keywords.flags(message.stored.letters()))
}

/// The object of a message.
#[derive(Serialize)]
struct Shown<'a> {
    event: &'static str,
    account: String,
    mailbox: &'a str,
    /// The base name of its file.
    message: &'a str,
    date: Option<String>,
    /// Octets.
    size: Option<u64>,
    state: &'static str,
    content: Option<&'a ContentReport>,
    recipients: &'a [RecipientReport],
    post_quantum: Option<bool>,
    weak: &'a [AlgorithmReport],
    flags: BTreeSet<String>,
    from: &'a str,
    subject: &'a str,
    claim: Option<ShownClaim<'a>>,
    fault: Option<&'a str>,
}

impl Shown<'_> {
    fn of<'a>(message: &'a Looked, keywords: &Keywords) -> Shown<'a> {
        let sealing = sealing(&message.state);
        let (fault, read) = match &message.state {
            State::Unreadable(reason) => (Some(reason.as_str()), false),
            State::Broken(reason) => (Some(reason.as_str()), true),
            _ => (None, true),
        };
        Shown {
            event: "message",
            account: message.stored.mailbox().owner.to_string(),
            mailbox: &message.stored.mailbox().name,
            message: message.stored.base(),
            date: read.then(|| words::instant(message.date.into())),
            size: read.then_some(message.size),
            state: word(&message.state),
            content: sealing.map(|sealing| &sealing.envelope.content),
            recipients: sealing.map_or(&[], |sealing| &sealing.envelope.recipients),
            post_quantum: sealing.map(|sealing| sealing.envelope.is_post_quantum()),
            weak: sealing.map_or(&[], |sealing| &sealing.weak),
            flags: flags(message, keywords).into_iter().collect(),
            from: &message.from,
            subject: &message.subject,
            claim: message.claim.as_ref().map(ShownClaim::of),
            fault,
        }
    }
}
