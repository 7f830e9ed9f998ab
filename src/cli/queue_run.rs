//! Sending what waits in the queue: right after a delivery, and by `sealpost queue run`.

use super::context::Context;
use super::courier;
use super::failure::{Code, Failure};
use super::output::{Output, Table};
use super::progress;
use super::queue::{clock, rfc3339};
use super::words::counted;
use crate::config::{Config, LONGEST_DEADLINE};
use crate::directory::{
    AdminError, ClaimedMail, HeldEnd, HeldMail, QueueKey, Settled, SqliteDirectory, SqliteOutbox,
};
use crate::engine::{Carried, Clock, CopyName, Courier, Mailstore};
use crate::mail::Address;
use crate::system::SystemClock;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// No delivery takes so long: what is held for longer was left behind by one that died.
pub(super) const GRACE: Duration = Duration::from_secs(LONGEST_DEADLINE.as_secs() + 5 * 60);
/// For a mail to reach the next server, when nobody waits.
const LIMIT: Duration = Duration::from_secs(10 * 60);
/// The same when the MTA waits for the answer to the delivery; and for all of them, as long once more. The server's answer to
/// a mail that it has is waited for even then: until it comes, or the delivery's own deadline.
const HASTY: Duration = Duration::from_secs(5);
/// Beyond the time limits of a mail: nobody else touches it meanwhile. Enough to end a program and to wait for the database;
/// whoever is later than that is known to be, and sends at most once more.
const SLACK: Duration = Duration::from_secs(15);

/// Send what is due, once: the next server takes it, refuses it, or it is tried again later
///
/// Tried again after 5 minutes, then after twice as long each time, up to 4 hours, until queue-lifetime is over (5 days). A mail
/// with a refused recipient, or one that is too old, has failed: it stays, sealed, until somebody tries it again or removes it.
/// One whose return path is empty, as that of an automatic reply, is given up instead: the log says so, and it is gone.
/// Mails whose delivery was cut off are decided about, too: they go if its copies are in their mailboxes.
///
/// Run it every minute, by cron or a systemd timer. Two at once send nothing twice. Exits with 0 if everything was sent or waits,
/// and with 1 if something has failed.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost queue run
  * * * * * root sealpost queue run > /dev/null   (a line of /etc/cron.d/sealpost)
As systemd units:
  # /etc/systemd/system/sealpost-queue.service
  [Service]
  Type=oneshot
  SuccessExitStatus=1
  ExecStart=/usr/local/bin/sealpost queue run
  # /etc/systemd/system/sealpost-queue.timer, with: systemctl enable --now sealpost-queue.timer
  [Timer]
  OnBootSec=1min
  OnUnitInactiveSec=1min
  [Install]
  WantedBy=timers.target")]
pub(super) struct Run;

impl Run {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let config = context.config()?;
        context.start_log(&config)?;
        let (directory, store) = (context.directory_for_reading()?, context.store(&config)?);
        let at = SystemClock.now();
        let since = config.settings.outgoing.answered_since(at);
        let holds = |copy: &CopyName| store.holds(&copy.owner, &copy.mailbox, &copy.name);
        let held = directory.settle_held(at, GRACE, since, &holds)?;
        held.iter().for_each(log_held);
        let now = SystemClock.now();
        let due = directory.due_mails(now)?;
        let claimed = directory.claims(now)?;
        let sent = if due == 0 { Vec::new() } else { send_all(&config, &directory, due, out)? };
        report((&held, &sent, &claimed), out)
    }
}

fn send_all(
    config: &Config,
    directory: &SqliteDirectory,
    due: usize,
    out: &Output,
) -> Result<Vec<Report>, Failure> {
    let carrier = Carrier::new(config, directory, LIMIT)?;
    let bar = progress::bar(out, due);
    let mut sent = Vec::new();
    while let Some(report) = carrier.next(None)? {
        bar.inc(1);
        sent.push(report);
    }
    bar.finish_and_clear();
    Ok(sent)
}

/// Tries once to send what a delivery has released. Whatever goes wrong here changes nothing: the mails wait in the queue.
pub(super) fn after_delivery(config: &Config, directory: &SqliteDirectory, outbox: &SqliteOutbox<'_>) {
    send_released(config, directory, &outbox.take_released());
}

/// The same for mails of these names.
pub(super) fn send_released(config: &Config, directory: &SqliteDirectory, released: &[String]) {
    if released.is_empty() {
        return;
    }
    let end = Instant::now() + HASTY;
    let send = || -> Result<(), Failure> {
        let carrier = Carrier::new(config, directory, HASTY)?;
        for id in released.iter().take_while(|_| Instant::now() < end) {
            carrier.next(Some(id))?;
        }
        Ok(())
    };
    // The hook's own handler has logged a panic already.
    if let Ok(Err(failure)) = catch_unwind(AssertUnwindSafe(send)) {
        tracing::warn!("mail waits in the queue: {}", failure.text);
    }
}

/// What became of a mail, for a person.
struct Report {
    id: String,
    account: String,
    rule: String,
    end: Settled,
    /// Of those who have not got it.
    open: Vec<(String, String)>,
}

impl Report {
    fn word(&self) -> &'static str {
        match self.end {
            Settled::Sent => "sent",
            Settled::Waiting(_) | Settled::Taken => "waiting",
            Settled::Failed => "failed",
            Settled::GivenUp => "given up",
        }
    }

    fn json(&self) -> Value {
        let open = self.open.iter().map(|(address, why)| json!({"address": address, "error": why}));
        let open: Vec<Value> = open.collect();
        json!({"id": self.id, "account": self.account, "rule": self.rule, "result": self.word(), "open": open})
    }
}

/// Takes mails out of the queue and hands them to the courier.
struct Carrier<'a> {
    directory: &'a SqliteDirectory,
    courier: Box<dyn Courier>,
    key: QueueKey,
    limit: Duration,
    lifetime: Duration,
}

impl<'a> Carrier<'a> {
    fn new(config: &Config, directory: &'a SqliteDirectory, limit: Duration) -> Result<Carrier<'a>, Failure> {
        let courier = courier::open(config, directory, limit)?;
        let gone = || Failure::new(Code::Io, "the mail and its key went away while it was looked for");
        let key = directory.queue_key_in_use()?.ok_or_else(gone)?;
        Ok(Carrier { directory, courier, key, limit, lifetime: config.submission.lifetime })
    }

    /// Sends the mail that is named, or the one that waits longest; nothing if it is not due.
    fn next(&self, named: Option<&str>) -> Result<Option<Report>, Failure> {
        let lease = self.limit + courier::ANSWER + SLACK;
        let Some(mail) = self.directory.claim_mail(named, SystemClock.now(), lease)? else { return Ok(None) };
        let (end, open) = match mail.open(&self.key) {
            Err(why) => self.keep(&mail, &why)?,
            Ok(opened) => {
                let to: Vec<Address> =
                    mail.places().iter().filter_map(|at| opened.recipients.get(*at)).cloned().collect();
                let carried = self.courier.carry(&opened.sender, &to, opened.message.expose());
                let at = SystemClock.now();
                let end = match self.directory.settle_mail(&mail, &carried, at, self.lifetime)? {
                    // Nobody is to be told of it (RFC 5321 4.5.5), and the senders that spam names are refused every day.
                    Settled::Failed if opened.sender.is_empty() => self.directory.give_up_mail(&mail, at)?,
                    end => end,
                };
                log_carried(&mail, &to, &carried);
                (end, still_open(&to, &carried))
            }
        };
        log_end(&mail, end);
        let ClaimedMail { id, account, rule, .. } = mail;
        Ok(Some(Report { id, account, rule, end, open }))
    }

    /// It cannot be opened.
    fn keep(&self, mail: &ClaimedMail, why: &str) -> Result<(Settled, Vec<(String, String)>), AdminError> {
        let why = format!("it cannot be opened: {why}");
        tracing::error!(mail = mail.id, rule = mail.rule, account = mail.account, "{why}");
        Ok((self.directory.fail_mail(mail, &why)?, vec![("-".to_owned(), why)]))
    }
}

fn still_open(to: &[Address], carried: &[Carried]) -> Vec<(String, String)> {
    let told = |(address, outcome): (&Address, &Carried)| match outcome {
        Carried::Sent => None,
        Carried::Later(why) | Carried::Refused(why) => Some((address.to_string(), why.clone())),
    };
    to.iter().zip(carried).filter_map(told).collect()
}

/// Addresses, and codes or words of the next server as the courier lets them pass; nothing of the message.
fn log_carried(mail: &ClaimedMail, to: &[Address], carried: &[Carried]) {
    for (to, outcome) in to.iter().zip(carried) {
        let (mail, rule) = (mail.id.as_str(), mail.rule.as_str());
        match outcome {
            Carried::Sent => tracing::info!(mail, rule, %to, "sent"),
            Carried::Later(why) => tracing::warn!(mail, rule, %to, "not sent yet: {why}"),
            Carried::Refused(why) => tracing::warn!(mail, rule, %to, "refused: {why}"),
        }
    }
}

fn log_end(mail: &ClaimedMail, end: Settled) {
    let (mail, rule) = (mail.id.as_str(), mail.rule.as_str());
    match end {
        Settled::Failed => {
            tracing::error!(mail, rule, "a mail has failed and is kept: sealpost queue show {mail}");
        }
        Settled::GivenUp => {
            tracing::warn!(mail, rule, "a mail has failed and is given up: its return path is empty");
        }
        Settled::Sent | Settled::Waiting(_) | Settled::Taken => {}
    }
}

fn log_held(held: &HeldMail) {
    let HeldMail { id, account, rule, end } = held;
    match end {
        HeldEnd::Released => tracing::info!(mail = id, account, rule, "released: its delivery took place"),
        HeldEnd::Dropped => {
            tracing::warn!(mail = id, account, rule, "dropped: its delivery did not take place");
        }
        HeldEnd::Unknown(why) => {
            tracing::error!(
                mail = id,
                account,
                rule,
                "held: cannot tell whether its delivery took place: {why}"
            );
        }
    }
}

fn report(
    (held, sent, claimed): (&[HeldMail], &[Report], &[OffsetDateTime]),
    out: &mut Output,
) -> Result<(), Failure> {
    let count = |word: &str| sent.iter().filter(|report| report.word() == word).count();
    let ended = |end: HeldEnd| held.iter().filter(|mail| mail.end == end).count();
    let (released, dropped) = (ended(HeldEnd::Released), ended(HeldEnd::Dropped));
    let failed = count("failed");
    out.json(json!({
        "sent": count("sent"), "waiting": count("waiting"), "failed": failed,
        "claimed": claimed.len(), "claimed_until": claimed.iter().max().copied().map(rfc3339),
        "released": released, "dropped": dropped,
        "mails": sent.iter().map(Report::json).collect::<Vec<_>>(),
    }))?;
    for (number, what) in [(released, "released"), (dropped, "dropped")] {
        if number > 0 {
            out.line(format!("{} of a delivery that was cut off: {what}", counted(number, "mail")))?;
        }
    }
    let mut table = Table::new(&["id", "rule", "result", "recipients without it"], "nothing is due");
    for report in sent {
        let open = report.open.iter().map(|(address, why)| format!("{address} ({why})"));
        let open = Some(open.collect::<Vec<_>>().join("; ")).filter(|open| !open.is_empty());
        table.row([
            report.id.clone(),
            report.rule.clone(),
            report.word().to_owned(),
            open.unwrap_or_else(|| "-".into()),
        ]);
    }
    out.table(&table)?;
    if let Some(until) = claimed.iter().max() {
        let (number, until) = (counted(claimed.len(), "mail"), clock(*until));
        out.line(format!("{number} claimed until {until}: being sent, or left by a sender that died"))?;
    }
    match failed {
        0 => Ok(()),
        _ => Err(Failure::new(Code::No, format!("{} failed", counted(failed, "mail")))
            .hint("see: sealpost queue list; then queue retry or queue remove")),
    }
}
