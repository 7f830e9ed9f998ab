//! What a person sees of the queue, and does to it.

use super::super::words::{Moment, Word};
use super::super::{AdminError, SqliteDirectory};
use super::keep_identity;
use super::run::LONGEST_WAIT;
use crate::engine::Choice;
use rusqlite::{Connection, OptionalExtension, params};
use time::OffsetDateTime;

/// What a mail waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// Its delivery.
    Held,
    /// The next server.
    Waiting,
    /// A person.
    Failed,
}

impl Choice for MailState {
    const ALL: &'static [MailState] = &[MailState::Held, MailState::Waiting, MailState::Failed];

    fn name(self) -> &'static str {
        match self {
            MailState::Held => "held",
            MailState::Waiting => "waiting",
            MailState::Failed => "failed",
        }
    }
}

/// A recipient of a mail in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedRecipient {
    /// Who.
    pub address: String,
    /// `waiting`, `sent` or `refused`.
    pub state: String,
    /// Why not yet, or never.
    pub error: Option<String>,
}

/// A mail in the queue, as far as it is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMail {
    /// Its row.
    pub id: String,
    /// What it waits for.
    pub state: MailState,
    /// For whom the rule acts; empty: the server.
    pub account: String,
    /// The rule's name.
    pub rule: String,
    /// The action's name.
    pub action: String,
    /// When it was enqueued, or a person asked for it to be tried again.
    pub enqueued: OffsetDateTime,
    /// When it is tried next.
    pub next: OffsetDateTime,
    /// How often it was tried.
    pub attempts: u32,
    /// Somebody sends it until then at the latest.
    pub claimed: OffsetDateTime,
    /// Bytes of its message.
    pub bytes: u64,
    /// In the order of the envelope.
    pub recipients: Vec<QueuedRecipient>,
}

impl QueuedMail {
    /// What was said last of a recipient who has not got it.
    pub fn last_error(&self) -> Option<&str> {
        let open = self.recipients.iter().filter(|recipient| recipient.state != "sent");
        open.filter_map(|recipient| recipient.error.as_deref()).next_back()
    }

    /// Until when somebody sends it, or would if he had not died; nothing if it is free.
    pub fn claimed_until(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let longest = time::Duration::seconds(LONGEST_WAIT);
        let is_claimed = self.state == MailState::Waiting
            && self.claimed >= now
            && self.claimed <= now.saturating_add(longest);
        is_claimed.then_some(self.claimed)
    }
}

impl SqliteDirectory {
    /// Every mail of the queue, the oldest first.
    pub fn queued_mails(&self) -> Result<Vec<QueuedMail>, AdminError> {
        if !self.has_state() {
            return Ok(Vec::new());
        }
        Ok(self.write_state(mails)?)
    }

    /// A mail by its id, or by the first digits of it that no other has.
    pub fn queued_mail(&self, id: &str) -> Result<QueuedMail, AdminError> {
        let all = self.queued_mails()?;
        let mut named = all.into_iter().filter(|mail| mail.id.starts_with(id));
        match (named.next(), named.next()) {
            (Some(mail), None) => Ok(mail),
            (Some(_), Some(_)) => Err(AdminError::SeveralMails(id.to_owned())),
            (None, _) => Err(AdminError::NoMail(id.to_owned())),
        }
    }

    /// Has it tried at once. One that has failed counts as enqueued now.
    pub fn retry_mail(&self, id: &str, at: OffsetDateTime) -> Result<(), AdminError> {
        let now = at.unix_timestamp();
        let found = self.write_state(|file| {
            let sql = "UPDATE queue SET next = ?2 WHERE id = ?1 AND state = 'waiting'";
            if file.execute(sql, params![id, now])? > 0 {
                return Ok(true);
            }
            let sql =
                "UPDATE queue SET state = 'waiting', enqueued = ?2, next = ?2, attempts = 0, claimed = 0
                WHERE id = ?1 AND state = 'failed'";
            let has_failed = file.execute(sql, params![id, now])? > 0;
            if has_failed {
                let sql =
                    "UPDATE queue_recipients SET state = 'waiting' WHERE queue_id = ?1 AND state = 'refused'";
                file.execute(sql, [id])?;
            }
            Ok(has_failed)
        })?;
        if found { Ok(()) } else { Err(AdminError::NoMail(id.to_owned())) }
    }

    /// Takes a mail out of the queue: nobody gets it any more. Not while it is being sent.
    pub fn remove_mail(&self, id: &str, at: OffsetDateTime) -> Result<(), AdminError> {
        let now = at.unix_timestamp();
        self.write_state(|file| {
            let sql = "SELECT claimed FROM queue
                WHERE id = ?1 AND state = 'waiting' AND claimed >= ?2 AND claimed <= ?2 + ?3";
            let claimed = file.query_row(sql, params![id, now, LONGEST_WAIT], |row| row.get::<_, Moment>(0));
            if let Some(Moment(until)) = claimed.optional()? {
                return Ok(Err(AdminError::MailBusy { id: id.to_owned(), until }));
            }
            keep_identity(file, id, now)?;
            let is_gone = file.execute("DELETE FROM queue WHERE id = ?1", [id])? > 0;
            Ok(if is_gone { Ok(()) } else { Err(AdminError::NoMail(id.to_owned())) })
        })?
    }
}

fn mails(file: &rusqlite::Transaction<'_>) -> Result<Vec<QueuedMail>, AdminError> {
    let sql = "SELECT id, state, account, rule, action, enqueued, next, attempts, claimed, bytes
        FROM queue ORDER BY id";
    let mut statement = file.prepare_cached(sql)?;
    let found = statement.query_map([], |row| {
        Ok(QueuedMail {
            id: row.get(0)?,
            state: row.get::<_, Word<MailState>>(1)?.0,
            account: row.get(2)?,
            rule: row.get(3)?,
            action: row.get(4)?,
            enqueued: row.get::<_, Moment>(5)?.0,
            next: row.get::<_, Moment>(6)?.0,
            attempts: row.get(7)?,
            claimed: row.get::<_, Moment>(8)?.0,
            bytes: u64::try_from(row.get::<_, i64>(9)?).unwrap_or(0),
            recipients: Vec::new(),
        })
    })?;
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
    for mail in &mut found {
        mail.recipients = recipients(file, &mail.id)?;
    }
    Ok(found)
}

fn recipients(file: &Connection, id: &str) -> Result<Vec<QueuedRecipient>, AdminError> {
    let sql = "SELECT address, state, error FROM queue_recipients WHERE queue_id = ?1 ORDER BY place";
    let mut statement = file.prepare_cached(sql)?;
    let found = statement.query_map([id], |row| {
        Ok(QueuedRecipient { address: row.get(0)?, state: row.get(1)?, error: row.get(2)? })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}
