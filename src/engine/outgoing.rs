//! Mail that leaves the site: what it is, where it waits, who carries it.

use crate::crypto::SecretBytes;
use crate::mail::{Address, MailboxName};
use time::OffsetDateTime;

/// A mail that a rule sends. No `Debug`: it holds what a message says.
pub struct OutgoingMail {
    /// Return path; empty: the null sender.
    pub sender: String,
    /// At least one.
    pub recipients: Vec<Address>,
    /// Header and body with CR LF.
    pub message: SecretBytes,
    /// For whom the rule acts; absent: the server.
    pub account: Option<Address>,
    /// The rule's name.
    pub rule: String,
    /// The action's name.
    pub action: &'static str,
    /// A reply is recorded under this, so that its sender gets one in an interval.
    pub replies_to: Option<ReplyKey>,
    /// Known by this however often the MTA hands the message over: it is sent once. Absent: each call sends.
    pub identity: Option<String>,
}

/// Who was answered by whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReplyKey {
    /// The account that answers; absent: the server.
    pub account: Option<Address>,
    /// Empty for an answer to the sender, whichever rule it is of. Of what goes to others: the rule's name, the action and the
    /// others, a line each.
    pub rule: String,
    /// Who is answered, lower-case.
    pub sender: String,
}

/// A copy that the same delivery makes visible: if it is there, the delivery took place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyName {
    /// Whose mailbox.
    pub owner: Address,
    /// Which one.
    pub mailbox: MailboxName,
    /// The base name in it.
    pub name: String,
}

/// Mails that were enqueued and wait for the word to go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held(pub Vec<String>);

/// The queue did not answer. Always a doubt: 75.
#[derive(Debug, thiserror::Error)]
#[error("the queue of outgoing mail failed: {0}")]
pub struct OutboxError(pub String);

/// Where outgoing mail waits, durably and sealed under the site's queue key.
pub trait Outbox: Send + Sync {
    /// Would [`Outbox::hold`] take these mails? Looks and makes nothing.
    fn may_send(&self, mails: &[OutgoingMail]) -> Result<(), OutboxError>;
    /// Was each of these answered at this time or later?
    fn answered(&self, asked: &[ReplyKey], since: OffsetDateTime) -> Result<Vec<bool>, OutboxError>;
    /// Enqueues mails that are not sent before [`Outbox::release`]. If that never comes, because the process died, they are
    /// released when the last of `copies` is found in its mailbox, and dropped when it is not.
    fn hold(
        &self,
        mails: Vec<OutgoingMail>,
        copies: &[CopyName],
        at: OffsetDateTime,
    ) -> Result<Held, OutboxError>;
    /// They may go: all of them, durably, with their replies recorded. Not so a reply whose sender was answered by another
    /// delivery since `answered_since` (absent: each message is answered): it is dropped.
    fn release(
        &self,
        held: &Held,
        at: OffsetDateTime,
        answered_since: Option<OffsetDateTime>,
    ) -> Result<(), OutboxError>;
    /// The delivery was given up before anything became visible: they are forgotten.
    fn withdraw(&self, held: &Held) -> Result<(), OutboxError>;
}

/// What became of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// Taken over by the next server.
    Sent,
    /// Not now: why.
    Later(String),
    /// Never: why.
    Refused(String),
}

/// Hands mail to the next server: SMTP submission, LMTP, or a program like sendmail.
pub trait Courier: Send + Sync {
    /// Tries to send; one answer for each recipient, in their order. What is in doubt is [`Carried::Later`].
    fn carry(&self, sender: &str, recipients: &[Address], message: &[u8]) -> Vec<Carried>;
}

/// A queue for whoever sends nothing: it answers nobody and takes no mail.
#[derive(Debug, Clone, Copy)]
pub struct NoOutbox;

impl Outbox for NoOutbox {
    fn may_send(&self, mails: &[OutgoingMail]) -> Result<(), OutboxError> {
        match mails {
            [] => Ok(()),
            _ => Err(OutboxError("this site sends no mail".into())),
        }
    }

    fn answered(&self, asked: &[ReplyKey], _since: OffsetDateTime) -> Result<Vec<bool>, OutboxError> {
        Ok(vec![false; asked.len()])
    }

    fn hold(&self, mails: Vec<OutgoingMail>, _: &[CopyName], _: OffsetDateTime) -> Result<Held, OutboxError> {
        self.may_send(&mails).map(|()| Held::default())
    }

    fn release(&self, _: &Held, _: OffsetDateTime, _: Option<OffsetDateTime>) -> Result<(), OutboxError> {
        Ok(())
    }

    fn withdraw(&self, _held: &Held) -> Result<(), OutboxError> {
        Ok(())
    }
}
