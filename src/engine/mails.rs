//! The mail that rules send: who gets what in whose name, or why nobody gets anything. Nothing is sent here.

mod author;
mod guards;
mod marks;
mod pass_on;
mod reply;
mod silence;
mod unsent;

use super::deliver::Case;
use super::execute::call;
use super::plan::Effect;
use super::{Engine, EngineError, OutgoingMail, ReplyKey, Request};
use crate::crypto::SecretBytes;
use crate::mail::{Address, Message};
use crate::pki::Fingerprint;
use crate::rules::{Action, ReplyKind};
use author::Author;
use guards::Guards;
use rand::Rng;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt;
use time::OffsetDateTime;
use unsent::Unsent;

/// A mail that a rule would send, or would send if there were no reason against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedMailReport {
    /// For whom the rule acts; absent: the server.
    pub account: Option<String>,
    /// The rule's name.
    pub rule: String,
    /// The action's name.
    pub action: &'static str,
    /// Return path; empty: the null sender.
    pub sender: String,
    /// Who gets it; empty if that is not known because nobody does.
    pub recipients: Vec<String>,
    /// Its subject: words of the message, for the person who asks and for no log.
    pub subject: Option<String>,
    /// Bytes; 0 if it is not sent.
    pub size: u64,
    /// Why it is not sent.
    pub not_sent: Option<String>,
}

/// One line: `Reply with of rule "Away": to carol@far.example, from <>, subject "Auto: pay"`.
impl fmt::Display for PlannedMailReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} of rule \"{}\": ", self.action, self.rule)?;
        if !self.recipients.is_empty() {
            write!(out, "to {}", self.recipients.join(", "))?;
        }
        match (&self.not_sent, self.recipients.is_empty()) {
            (Some(reason), true) => return write!(out, "not sent: {reason}"),
            (Some(reason), false) => return write!(out, ", not sent: {reason}"),
            (None, _) => write!(out, ", from <{}>", self.sender)?,
        }
        match &self.subject {
            Some(subject) => write!(out, ", subject \"{}\"", crate::mail::printable(subject)),
            None => Ok(()),
        }
    }
}

/// What the effects of one delivery send.
#[derive(Default)]
pub(super) struct Mails {
    /// To enqueue.
    pub(super) mails: Vec<OutgoingMail>,
    /// One for each mail, and for each that is not sent.
    pub(super) reports: Vec<PlannedMailReport>,
}

impl Mails {
    /// For the log: what is not sent and why, without a word of the message.
    pub(super) fn warnings(&self) -> Vec<String> {
        let told = |report: &PlannedMailReport| {
            let reason = report.not_sent.as_ref()?;
            let (action, rule) = (report.action, &report.rule);
            Some(format!("rule \"{rule}\": {action}: not sent: {reason}"))
        };
        self.reports.iter().filter_map(told).collect()
    }
}

/// Makes the mails of all effects, and asks once for all who was answered already.
pub(super) fn mails(
    engine: &Engine<'_>,
    request: &Request<'_>,
    case: &Case<'_>,
    effects: &[Effect<'_>],
    at: OffsetDateTime,
) -> Result<Mails, EngineError> {
    if !effects.iter().any(|effect| sends(&effect.action)) {
        return Ok(Mails::default());
    }
    let original = Message::new(case.message);
    let call =
        effects.iter().any(|effect| effect.acting.is_none()).then(|| call(request)).transpose()?.flatten();
    let mut drafts = Vec::new();
    for effect in effects.iter().filter(|effect| sends(&effect.action)) {
        let edited = effect.edits.apply(&original);
        let author = Author::new(engine, request, case, effect.acting)?;
        let message = Message::new(&edited);
        let sending = Sending { engine, request, effect, message: &message, author, call: &call, at };
        match &effect.action {
            Action::PassOn(how, to) => drafts.extend(sending.pass_on(*how, to)?),
            Action::Reply(kind, text) => drafts.push(sending.reply(*kind, text)?),
            _ => {}
        }
    }
    once_an_interval(engine, &mut drafts, at)?;
    let (reports, mails): (Vec<_>, Vec<_>) =
        drafts.into_iter().map(|draft| (draft.report, draft.mail)).unzip();
    Ok(Mails { mails: mails.into_iter().flatten().collect(), reports })
}

/// Will a mail leave that sends the message on?
pub(super) fn leaves(
    engine: &Engine<'_>,
    request: &Request<'_>,
    case: &Case<'_>,
    effect: &Effect<'_>,
) -> Result<bool, EngineError> {
    let Action::PassOn(_, to) = &effect.action else { return Ok(false) };
    let edited = effect.edits.apply(&Message::new(case.message));
    let author = Author::new(engine, request, case, effect.acting)?;
    let hop_limit = engine.settings.outgoing.hop_limit;
    Ok(Guards { message: &Message::new(&edited), author: &author, hop_limit }.lets_pass(to))
}

fn sends(action: &Action) -> bool {
    matches!(action, Action::PassOn(..) | Action::Reply(..))
}

/// Takes back the replies to those who were answered within the interval, or in this very delivery (RFC 3834 2).
fn once_an_interval(
    engine: &Engine<'_>,
    drafts: &mut [Draft],
    at: OffsetDateTime,
) -> Result<(), EngineError> {
    let interval = engine.settings.outgoing.reply_interval;
    let asked: Vec<ReplyKey> = drafts.iter().filter_map(Draft::key).cloned().collect();
    if asked.is_empty() {
        return Ok(());
    }
    let answered = match interval.is_zero() {
        true => vec![false; asked.len()],
        false => engine.outbox.answered(&asked, at - interval)?,
    };
    let mut answered = answered.into_iter();
    let mut now: Vec<(ReplyKey, &'static str)> = Vec::new();
    for draft in drafts {
        let Some(key) = draft.key().cloned() else { continue };
        // An answer that is missing is no leave to write twice.
        let before = answered.next().unwrap_or(true);
        match now.iter().find(|(known, _)| *known == key).map(|(_, action)| *action) {
            Some(action) => draft.take_back(&draft.already(action)),
            None if before => draft.take_back(&draft.answered()),
            None => now.push((key, draft.report.action)),
        }
    }
    Ok(())
}

/// A mail, or the reason why there is none.
struct Draft {
    report: PlannedMailReport,
    mail: Option<OutgoingMail>,
}

impl Draft {
    fn key(&self) -> Option<&ReplyKey> {
        self.mail.as_ref()?.replies_to.as_ref()
    }

    fn reacts(&self) -> bool {
        self.report.action == ReplyKind::React.name()
    }

    /// The reason if another mail of this delivery does the same.
    fn already(&self, action: &'static str) -> Unsent {
        if self.reacts() { Unsent::ReactsAlready(action) } else { Unsent::AnswersAlready(action) }
    }

    /// The reason if one of an earlier delivery did.
    fn answered(&self) -> Unsent {
        if self.reacts() { Unsent::Reacted } else { Unsent::Answered }
    }

    fn take_back(&mut self, reason: &Unsent) {
        self.mail = None;
        self.report.size = 0;
        self.report.not_sent = Some(reason.to_string());
    }
}

/// One action on its way to a mail.
struct Sending<'s> {
    engine: &'s Engine<'s>,
    request: &'s Request<'s>,
    effect: &'s Effect<'s>,
    /// As the rules before left it.
    message: &'s Message<'s>,
    author: Author,
    call: &'s Option<String>,
    at: OffsetDateTime,
}

/// A mail before it has its place in the queue.
struct Written {
    sender: String,
    recipients: Vec<Address>,
    subject: String,
    bytes: Vec<u8>,
    replies_to: Option<ReplyKey>,
}

impl Sending<'_> {
    fn action(&self) -> &'static str {
        match &self.effect.action {
            Action::PassOn(how, _) => how.name(),
            Action::Reply(kind, _) => kind.name(),
            _ => "",
        }
    }

    fn account(&self) -> Option<Address> {
        self.effect.acting.map(|acting| acting.address.clone())
    }

    fn draft(&self, written: Written) -> Draft {
        let report = PlannedMailReport {
            sender: written.sender.clone(),
            recipients: written.recipients.iter().map(Address::to_string).collect(),
            subject: Some(written.subject),
            size: written.bytes.len() as u64,
            not_sent: None,
            ..self.blank()
        };
        let mail = OutgoingMail {
            identity: self.identity(&written.recipients),
            sender: written.sender,
            recipients: written.recipients,
            message: SecretBytes::new(written.bytes),
            account: self.account(),
            rule: self.effect.rule.clone(),
            action: self.action(),
            replies_to: written.replies_to,
        };
        Draft { report, mail: Some(mail) }
    }

    fn unsent(&self, recipients: &[Address], reason: &Unsent) -> Draft {
        let recipients = recipients.iter().map(Address::to_string).collect();
        let report = PlannedMailReport { recipients, not_sent: Some(reason.to_string()), ..self.blank() };
        Draft { report, mail: None }
    }

    fn blank(&self) -> PlannedMailReport {
        PlannedMailReport {
            account: self.account().map(|account| account.to_string()),
            rule: self.effect.rule.clone(),
            action: self.action(),
            sender: String::new(),
            recipients: Vec::new(),
            subject: None,
            size: 0,
            not_sent: None,
        }
    }

    /// Rules of the server run at each call, and an MTA calls once for each recipient and again after each doubt: what they
    /// send is known by the call, like their copies.
    fn identity(&self, recipients: &[Address]) -> Option<String> {
        let call = self.call.as_ref().filter(|_| self.effect.acting.is_none())?;
        let mut folded: Vec<String> = recipients.iter().map(Address::folded).collect();
        folded.sort_unstable();
        let mut digest = Sha256::new();
        for part in [call.as_str(), &self.effect.rule, self.action()]
            .into_iter()
            .chain(folded.iter().map(String::as_str))
        {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Some(Fingerprint(digest.finalize().into()).to_string())
    }

    /// 128 bits in hexadecimal, for names that nobody else has.
    fn unique(&self) -> Result<String, EngineError> {
        let mut bytes = [0; 16];
        self.engine.entropy.seed()?.into_rng().fill_bytes(&mut bytes);
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn guards(&self) -> Guards<'_> {
        let hop_limit = self.engine.settings.outgoing.hop_limit;
        Guards { message: self.message, author: &self.author, hop_limit }
    }
}
