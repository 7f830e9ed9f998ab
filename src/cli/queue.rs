//! `sealpost queue`: mail that rules send, on its way out.

use super::context::Context;
use super::failure::{Code, Failure};
use super::output::{Output, Table};
use super::queue_run::Run;
use super::words::{self, counted};
use crate::directory::{AdminError, MailState, QueuedMail, SqliteDirectory};
use crate::engine::{Choice, Clock};
use crate::system::SystemClock;
use serde_json::{Value, json};
use std::time::Duration;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// Send, list and remove the mail that rules send
///
/// What a rule sends waits here, sealed under the site's queue key (queue.key), until the next server has it: see the setting
/// submission. A delivery tries once by itself; what is left over goes with `sealpost queue run`.
#[derive(clap::Args)]
pub(super) struct QueueCommand {
    #[command(subcommand)]
    verb: QueueVerb,
}

#[derive(clap::Subcommand)]
enum QueueVerb {
    Run(Run),
    /// List the mails in the queue: whose rule sends what to whom, and what keeps it. Never what a mail says
    #[command(after_help = "Examples:
  sealpost queue list
  sealpost queue list --state sending
  sealpost queue list --state failed --json")]
    List {
        /// Those only
        #[arg(long, value_name = "STATE", value_parser = words::choice::<Shown>())]
        state: Option<Shown>,
    },
    /// Show the envelope of a mail, and what became of each recipient
    #[command(after_help = "Example:
  sealpost queue show 019abf3e-6f0e-7")]
    Show {
        /// Its id, or as much of it as no other has
        id: String,
    },
    /// Have a mail tried by the next run, also one that has failed
    ///
    /// One that has failed counts as enqueued now; its refused recipients are tried again, and nobody who has it.
    #[command(after_help = "Examples:
  sealpost queue retry 019abf3e-6f0e-7
  sealpost queue retry --all && sealpost queue run")]
    #[command(group(clap::ArgGroup::new("which").required(true).args(["id", "all"])))]
    Retry {
        /// Its id, or as much of it as no other has
        id: Option<String>,
        /// Every mail that waits or has failed
        #[arg(long)]
        all: bool,
    },
    /// Take a mail out of the queue: nobody gets it any more
    #[command(after_help = "Examples:
  sealpost queue remove 019abf3e-6f0e-7cc3-98c4-dc0c0c07398f
  sealpost queue remove --all-failed
  sealpost queue remove --unreadable")]
    #[command(group(clap::ArgGroup::new("which").required(true).args(["id", "all_failed", "unreadable"])))]
    Remove {
        /// Its whole id
        id: Option<String>,
        /// Every mail that has failed
        #[arg(long)]
        all_failed: bool,
        /// Every mail that queue.key does not open, because it is missing or another one, or the mail is damaged
        #[arg(long)]
        unreadable: bool,
    },
}

impl QueueCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            QueueVerb::Run(verb) => verb.run(context, out),
            QueueVerb::List { state } => list(context, state, out),
            QueueVerb::Show { id } => show(context, &id, out),
            QueueVerb::Retry { id, .. } => retry(context, id.as_deref(), out),
            QueueVerb::Remove { id: Some(id), .. } => remove_one(context, &id, out),
            QueueVerb::Remove { unreadable: true, .. } => remove_unreadable(context, out),
            QueueVerb::Remove { .. } => remove_failed(context, out),
        }
    }
}

fn list(context: &Context, state: Option<Shown>, out: &mut Output) -> Result<(), Failure> {
    let mut mails = context.directory_for_reading()?.queued_mails()?;
    let now = SystemClock.now();
    mails.retain(|mail| state.is_none_or(|state| shown(mail, now) == state));
    let headings = ["id", "state", "rule", "account", "to", "age", "tries", "next", "last error"];
    let mut table = Table::new(&headings, "no mail is in the queue");
    for mail in &mails {
        table.row([
            mail.id.clone(),
            shown(mail, now).name().to_owned(),
            mail.rule.clone(),
            holder(mail),
            words::joined(mail.recipients.iter().map(|recipient| &recipient.address)),
            age(now - mail.enqueued),
            mail.attempts.to_string(),
            next(mail, now),
            mail.last_error().unwrap_or("-").to_owned(),
        ]);
    }
    out.table(&table)?;
    out.json(json!({"mails": mails.iter().map(|mail| as_json(mail, now)).collect::<Vec<_>>()}))
}

/// Its state as people see it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Held,
    Waiting,
    Sending,
    Failed,
}

impl Choice for Shown {
    const ALL: &'static [Shown] = &[Shown::Held, Shown::Waiting, Shown::Sending, Shown::Failed];

    fn name(self) -> &'static str {
        match self {
            Shown::Held => "held",
            Shown::Waiting => "waiting",
            Shown::Sending => "sending",
            Shown::Failed => "failed",
        }
    }
}

fn shown(mail: &QueuedMail, now: OffsetDateTime) -> Shown {
    match mail.state {
        MailState::Held => Shown::Held,
        MailState::Failed => Shown::Failed,
        MailState::Waiting if mail.claimed_until(now).is_some() => Shown::Sending,
        MailState::Waiting => Shown::Waiting,
    }
}

/// The time of the day, for leases.
pub(super) fn clock(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(UtcOffset::UTC);
    format!("{:02}:{:02}:{:02} UTC", moment.hour(), moment.minute(), moment.second())
}

fn holder(mail: &QueuedMail) -> String {
    if mail.account.is_empty() { "server".to_owned() } else { mail.account.clone() }
}

fn next(mail: &QueuedMail, now: OffsetDateTime) -> String {
    if let Some(until) = mail.claimed_until(now) {
        return format!("claimed until {}", clock(until));
    }
    match mail.state {
        MailState::Waiting if mail.next <= now => "now".to_owned(),
        MailState::Waiting => format!("in {}", age(mail.next - now)),
        MailState::Held | MailState::Failed => "-".to_owned(),
    }
}

/// `12s`, `5m`, `3h`, `2d`
fn age(time: time::Duration) -> String {
    match time.whole_seconds().max(0) {
        seconds @ 0..120 => format!("{seconds}s"),
        seconds @ 120..7_200 => format!("{}m", seconds / 60),
        seconds @ 7_200..172_800 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

fn as_json(mail: &QueuedMail, now: OffsetDateTime) -> Value {
    let recipients = mail.recipients.iter().map(
        |recipient| json!({"address": recipient.address, "state": recipient.state, "error": recipient.error}),
    );
    let waits = mail.state == MailState::Waiting;
    json!({
        "id": mail.id,
        "state": shown(mail, now).name(),
        "rule": mail.rule,
        "action": mail.action,
        "account": Some(&mail.account).filter(|account| !account.is_empty()),
        "enqueued": rfc3339(mail.enqueued),
        "next": waits.then(|| rfc3339(mail.next)),
        "claimed_until": mail.claimed_until(now).map(rfc3339),
        "attempts": mail.attempts,
        "bytes": mail.bytes,
        "recipients": recipients.collect::<Vec<_>>(),
    })
}

pub(super) fn rfc3339(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_default()
}

fn show(context: &Context, id: &str, out: &mut Output) -> Result<(), Failure> {
    let directory = context.directory_for_reading()?;
    let (mail, now) = (directory.queued_mail(id)?, SystemClock.now());
    let sender = sender(&directory, &mail.id)?;
    out.table(&Table::fields([
        ("id", mail.id.clone()),
        ("state", shown(&mail, now).name().to_owned()),
        ("rule", mail.rule.clone()),
        ("action", mail.action.clone()),
        ("account", holder(&mail)),
        ("sender", told(&sender)),
        ("enqueued", rfc3339(mail.enqueued)),
        ("tries", mail.attempts.to_string()),
        ("next", next(&mail, now)),
        ("bytes", mail.bytes.to_string()),
    ]))?;
    let mut table = Table::new(&["recipient", "state", "error"], "it has no recipient");
    for recipient in &mail.recipients {
        let error = recipient.error.clone().unwrap_or_else(|| "-".to_owned());
        table.row([recipient.address.clone(), recipient.state.clone(), error]);
    }
    out.table(&table)?;
    let mut layout = as_json(&mail, now);
    if let Some(fields) = layout.as_object_mut() {
        fields.insert("sender".into(), json!(sender.ok()));
    }
    out.json(layout)
}

/// The return path lies under the seal; or why it cannot be read.
fn sender(directory: &SqliteDirectory, id: &str) -> Result<Result<String, String>, Failure> {
    match directory.queue_key_in_use() {
        Err(error) => Ok(Err(error.to_string())),
        Ok(None) => Ok(Err("queue.key is missing".to_owned())),
        Ok(Some(key)) => {
            let read = directory.queued_sender(id, &key)?;
            Ok(read.ok_or_else(|| AdminError::NoMail(id.to_owned()))?)
        }
    }
}

fn told(sender: &Result<String, String>) -> String {
    match sender {
        Ok(null) if null.is_empty() => "<>".to_owned(),
        Ok(sender) => sender.clone(),
        Err(why) => format!("cannot be read: {why}"),
    }
}

fn retry(context: &Context, id: Option<&str>, out: &mut Output) -> Result<(), Failure> {
    let directory = context.directory_for_reading()?;
    let mails = match id {
        Some(id) => vec![directory.queued_mail(id)?],
        None => directory.queued_mails()?.into_iter().filter(|mail| mail.state != MailState::Held).collect(),
    };
    if let Some(held) = mails.iter().find(|mail| mail.state == MailState::Held) {
        return Err(Failure::new(Code::No, format!("the mail {} waits for its delivery", held.id))
            .hint(format!("the next run decides after {}: sealpost queue run", words::wait(grace()))));
    }
    let now = SystemClock.now();
    mails.iter().try_for_each(|mail| directory.retry_mail(&mail.id, now))?;
    let claimed: Vec<_> = mails.iter().filter_map(|mail| mail.claimed_until(now)).collect();
    let free = mails.len() - claimed.len();
    if free > 0 || claimed.is_empty() {
        out.line(format!("{} will be tried by the next run: sealpost queue run", counted(free, "mail")))?;
    }
    if let Some(until) = claimed.iter().max() {
        let number = counted(claimed.len(), "mail");
        let until = clock(*until);
        out.line(format!("{number} claimed until {until}: being sent, or left by a sender that died; a run after that tries what is still there"))?;
    }
    out.json(json!({"retried": ids(&mails)}))
}

fn grace() -> Duration {
    super::queue_run::GRACE
}

fn ids(mails: &[QueuedMail]) -> Vec<&str> {
    mails.iter().map(|mail| mail.id.as_str()).collect()
}

fn remove_one(context: &Context, id: &str, out: &mut Output) -> Result<(), Failure> {
    let directory = context.directory_for_reading()?;
    let mail = whole(directory.queued_mail(id)?, id)?;
    remove(&directory, &[mail], out)
}

fn remove_failed(context: &Context, out: &mut Output) -> Result<(), Failure> {
    let directory = context.directory_for_reading()?;
    let mut mails = directory.queued_mails()?;
    mails.retain(|mail| mail.state == MailState::Failed);
    remove(&directory, &mails, out)
}

fn remove_unreadable(context: &Context, out: &mut Output) -> Result<(), Failure> {
    let directory = context.directory_for_reading()?;
    let mails = directory.unreadable_mails(directory.queue_key()?.as_ref())?;
    remove(&directory, &mails, out)
}

fn remove(directory: &SqliteDirectory, mails: &[QueuedMail], out: &mut Output) -> Result<(), Failure> {
    let now = SystemClock.now();
    mails.iter().try_for_each(|mail| directory.remove_mail(&mail.id, now))?;
    out.line(format!("{} removed", counted(mails.len(), "mail")))?;
    out.json(json!({"removed": ids(mails)}))
}

/// What cannot be undone is named whole.
fn whole(mail: QueuedMail, id: &str) -> Result<QueuedMail, Failure> {
    if mail.id == id {
        return Ok(mail);
    }
    let to = words::joined(mail.recipients.iter().map(|recipient| &recipient.address));
    Err(Failure::new(
        Code::No,
        format!("{id} is the mail of rule \"{}\" to {to}: nothing was removed", mail.rule),
    )
    .hint(format!("to remove it: sealpost queue remove {}", mail.id)))
}
