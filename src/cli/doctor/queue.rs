//! Mail on its way out: what failed, what nobody sends, what cannot be opened, and where it would go.

use super::{Finding, Round, Severity};
use crate::cli::courier;
use crate::cli::failure::Failure;
use crate::cli::queue_run::GRACE;
use crate::cli::words::{counted, joined};
use crate::directory::{MailState, QueuedMail};
use crate::rules::RuleSet;
use std::time::Duration;

/// Of each kind; `queue list` has the rest.
const MOST: usize = 20;
/// Whoever runs the queue does it more often.
const OVERDUE: time::Duration = time::Duration::hours(1);
/// Nothing is sent with the courier that is tried here.
const LIMIT: Duration = Duration::from_secs(1);

impl Round {
    /// The queue and the way out of it.
    pub(super) fn look_at_queue(&mut self) -> Result<(), Failure> {
        let mails = self.directory.queued_mails()?;
        self.look_at_failed(&mails);
        self.look_at_late(&mails);
        self.look_at_key(&mails)?;
        self.look_at_submission(&mails)
    }

    fn look_at_failed(&mut self, mails: &[QueuedMail]) {
        let failed: Vec<&QueuedMail> = mails.iter().filter(|mail| mail.state == MailState::Failed).collect();
        for mail in failed.iter().take(MOST) {
            let open = mail.recipients.iter().filter(|recipient| recipient.state != "sent");
            let to = joined(open.map(|recipient| &recipient.address));
            let why = mail.last_error().unwrap_or("it grew too old");
            let text = format!("what rule \"{}\" sends to {to} has failed: {why}", mail.rule);
            let mend = format!("sealpost queue retry {}, or queue remove", mail.id);
            self.advise(Severity::Problem, format!("mail {}", mail.id), text, mend);
        }
        if failed.len() > MOST {
            let text = format!("{} have failed besides", counted(failed.len() - MOST, "mail"));
            self.advise(Severity::Problem, "queue", text, "sealpost queue list --state failed");
        }
    }

    fn look_at_late(&mut self, mails: &[QueuedMail]) {
        let now = self.now;
        let is_late = |mail: &&QueuedMail| match mail.state {
            MailState::Waiting => mail.next + OVERDUE < now && mail.claimed < now,
            MailState::Held => mail.enqueued + GRACE + OVERDUE < now,
            MailState::Failed => false,
        };
        let late = mails.iter().filter(is_late).count();
        if late > 0 {
            let text =
                format!("{} should have been tried long ago: nobody runs the queue", counted(late, "mail"));
            let mend = "sealpost queue run, every minute (its --help has the lines for a timer)";
            self.advise(Severity::Problem, "queue", text, mend);
        }
    }

    fn look_at_key(&mut self, mails: &[QueuedMail]) -> Result<(), Failure> {
        if mails.is_empty() {
            return Ok(());
        }
        let key = match self.directory.queue_key_in_use() {
            // Gone, or another one: it says what to do.
            Err(error) => {
                self.find("queue.key", error.to_string());
                return Ok(());
            }
            Ok(key) => key,
        };
        let damaged = self.directory.unreadable_mails(key.as_ref())?.len();
        if damaged > 0 {
            let text = format!("{} in it cannot be opened: damaged", counted(damaged, "mail"));
            self.advise(Severity::Problem, "queue", text, "sealpost queue remove --unreadable");
        }
        Ok(())
    }

    fn look_at_submission(&mut self, mails: &[QueuedMail]) -> Result<(), Failure> {
        if self.config.submission.to.is_some() {
            if let Err(failure) = courier::open(&self.config, &self.directory, LIMIT) {
                self.findings.push(Finding::problem("submission", failure.text));
            }
            return Ok(());
        }
        let sending = self.directory.installed_rules()?.into_iter().filter(|set| set.running).find(|set| {
            let rules = RuleSet::from_toml(&set.rules.file, &set.rules.text, set.rules.scope);
            rules.is_ok_and(|rules| rules.sends())
        });
        let mend = "set submission in sealpost.toml";
        if let Some(set) = sending {
            let about = format!("rules {} {}", set.rules.scope.name(), set.rules.holder);
            let text = "they send mail, and nothing says where to: messages that they match wait";
            self.advise(Severity::Problem, about.trim_end(), text, mend);
        }
        if mails.iter().any(|mail| mail.state != MailState::Failed) {
            self.advise(Severity::Problem, "queue", "mail waits in it, and nothing says where to", mend);
        }
        Ok(())
    }
}
