//! Mail on its way out, in `state.sqlite`: [`Outbox`] for deliveries, and what whoever runs the queue needs.
//!
//! A row is `held` until its delivery has made its copies visible, then `waiting`, and goes when every recipient was
//! taken over by the next server; `failed` waits for a person. Two attempts at one delivery have two rows: which of them
//! is sent is decided when they are released, so that neither waits for the other.

mod held;
mod key;
mod list;
mod marks;
mod open;
mod row;
mod run;

pub use held::{HeldEnd, HeldMail};
pub use key::QueueKey;
pub use list::{MailState, QueuedMail, QueuedRecipient};
pub use row::OpenedMail;
pub use run::{ClaimedMail, Settled};

use super::lookup::account_id;
use super::schema::File;
use super::{AdminError, SqliteDirectory, words};
use crate::crypto::Entropy;
use crate::engine::{CopyName, Held, Outbox, OutboxError, OutgoingMail, ReplyKey, Submission};
use row::NewRow;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::{Mutex, PoisonError};
use time::OffsetDateTime;

/// After this long an MTA has given a message up, and its identity is forgotten.
const IDENTITY_SECONDS: i64 = 30 * 24 * 60 * 60;
/// Longer than any interval of replies.
const REPLY_SECONDS: i64 = 400 * 24 * 60 * 60;

/// The queue as deliveries see it. Opens and makes nothing before there is a mail to send.
pub struct SqliteOutbox<'d> {
    directory: &'d SqliteDirectory,
    entropy: &'d dyn Entropy,
    submission: Option<&'d Submission>,
    released: Mutex<Vec<String>>,
}

impl<'d> SqliteOutbox<'d> {
    /// Over the directory. Without a submission no mail is taken: it would wait for ever.
    pub fn new(
        directory: &'d SqliteDirectory,
        entropy: &'d dyn Entropy,
        submission: Option<&'d Submission>,
    ) -> SqliteOutbox<'d> {
        SqliteOutbox { directory, entropy, submission, released: Mutex::default() }
    }

    /// The mails that were released through this value, each told once.
    pub fn take_released(&self) -> Vec<String> {
        std::mem::take(&mut *self.released.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn enqueue(
        &self,
        mails: Vec<OutgoingMail>,
        copies: &[CopyName],
        at: OffsetDateTime,
    ) -> Result<Held, AdminError> {
        let key = match self.directory.queue_key_in_use()? {
            Some(key) => key,
            None => key::make(self.directory.root(), self.entropy)?,
        };
        let witness = copies.last().map(row::witness_text).unwrap_or_default();
        let sealed = mails.into_iter().map(|mail| {
            let reply_to = mail.replies_to.as_ref().map(|key| self.reply_text(key)).transpose()?;
            NewRow::seal(&key, mail, reply_to, self.entropy)
        });
        let rows = sealed.collect::<Result<Vec<_>, AdminError>>()?;
        let at = at.unix_timestamp();
        let kept = self.directory.write_state(|file| {
            if let Some(other) = key::under_another(file, Some(&key))? {
                return Err(key::refusal(self.directory.root(), Some(&key), other));
            }
            file.execute("DELETE FROM sent_identities WHERE at < ?1", [at - IDENTITY_SECONDS])?;
            let mut kept = Vec::with_capacity(rows.len());
            for row in &rows {
                if !is_settled(file, row.identity.as_deref(), at)? {
                    row.insert(file, &witness, at)?;
                    kept.push(row.id.clone());
                }
            }
            Ok(kept)
        })?;
        Ok(Held(kept))
    }

    /// The account by its id, which stays when its domain is renamed.
    fn reply_text(&self, key: &ReplyKey) -> Result<String, AdminError> {
        Ok(row::reply_text(&self.account_of(key)?, key))
    }

    fn account_of(&self, key: &ReplyKey) -> Result<String, AdminError> {
        let Some(address) = &key.account else { return Ok(String::new()) };
        let id = self.directory.read(|at| account_id(at, address))?;
        Ok(id.unwrap_or_else(|| address.to_string()))
    }

    fn asked(&self, asked: &[ReplyKey], since: i64) -> Result<Vec<bool>, AdminError> {
        let accounts: Vec<String> =
            asked.iter().map(|key| self.account_of(key)).collect::<Result<_, AdminError>>()?;
        let keys = accounts.iter().zip(asked);
        Ok(self.directory.write_state(|at| {
            keys.map(|(account, key)| was_answered(at, account, &key.rule, &key.sender, since)).collect()
        })?)
    }
}

impl Outbox for SqliteOutbox<'_> {
    fn may_send(&self, mails: &[OutgoingMail]) -> Result<(), OutboxError> {
        let Some(first) = mails.first() else { return Ok(()) };
        if self.submission.is_none() {
            let rule = &first.rule;
            return Err(OutboxError(format!(
                "rule \"{rule}\" sends mail, and submission is not set in sealpost.toml"
            )));
        }
        key::load(self.directory.root()).map(drop).map_err(failed)
    }

    fn answered(&self, asked: &[ReplyKey], since: OffsetDateTime) -> Result<Vec<bool>, OutboxError> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        self.asked(asked, since.unix_timestamp()).map_err(failed)
    }

    fn hold(
        &self,
        mails: Vec<OutgoingMail>,
        copies: &[CopyName],
        at: OffsetDateTime,
    ) -> Result<Held, OutboxError> {
        if mails.is_empty() {
            return Ok(Held::default());
        }
        self.may_send(&mails)?;
        self.enqueue(mails, copies, at).map_err(failed)
    }

    fn release(
        &self,
        held: &Held,
        at: OffsetDateTime,
        answered_since: Option<OffsetDateTime>,
    ) -> Result<(), OutboxError> {
        if held.0.is_empty() {
            return Ok(());
        }
        let ends = self.directory.write_state(|file| {
            let release = |id: &String| Ok((id.clone(), release_row(file, id, at, answered_since)?));
            held.0.iter().map(release).collect::<Result<Vec<_>, AdminError>>()
        });
        let ends = ends.map_err(|error| OutboxError(error.to_string()))?;
        ends.iter().for_each(|(id, end)| log_release(id, *end));
        let go = ends.into_iter().filter(|(_, end)| *end == ReleaseEnd::Goes).map(|(id, _)| id);
        self.released.lock().unwrap_or_else(PoisonError::into_inner).extend(go);
        Ok(())
    }

    fn withdraw(&self, held: &Held) -> Result<(), OutboxError> {
        if held.0.is_empty() {
            return Ok(());
        }
        let withdrawn = self.directory.write_state(|file| {
            let sql = "DELETE FROM queue WHERE id = ?1 AND state = 'held'";
            held.0.iter().try_for_each(|id| file.execute(sql, [id]).map(drop))?;
            Ok(())
        });
        withdrawn.map_err(|error| OutboxError(error.to_string()))
    }
}

fn failed(error: AdminError) -> OutboxError {
    OutboxError(error.to_string())
}

/// Was a mail of this identity released, sent, or taken away by a person? One that is only held may belong to an attempt
/// that died: it counts for nothing.
fn is_settled(at: &Connection, identity: Option<&str>, now: i64) -> Result<bool, AdminError> {
    let Some(identity) = identity else { return Ok(false) };
    let sql = "SELECT EXISTS (SELECT 1 FROM queue WHERE identity = ?1 AND state <> 'held')
        OR EXISTS (SELECT 1 FROM sent_identities WHERE identity = ?1 AND at >= ?2)";
    Ok(at.query_row(sql, params![identity, now - IDENTITY_SECONDS], |row| row.get(0))?)
}

fn was_answered(
    at: &Connection,
    account: &str,
    rule: &str,
    sender: &str,
    since: i64,
) -> Result<bool, AdminError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM replies
        WHERE account = ?1 AND rule = ?2 AND sender = ?3 AND sent >= ?4)";
    Ok(at.query_row(sql, params![account, rule, sender, since], |row| row.get(0))?)
}

/// What became of a mail that may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReleaseEnd {
    /// It waits to be sent.
    Goes,
    /// It was decided about before.
    Before,
    /// Another attempt at the same delivery was faster: it is gone.
    Doubled,
    /// Another delivery has answered the same sender since: it is gone.
    Answered,
}

fn log_release(mail: &str, end: ReleaseEnd) {
    match end {
        ReleaseEnd::Goes | ReleaseEnd::Before => {}
        ReleaseEnd::Doubled => tracing::info!(mail, "not sent: another attempt at the delivery has sent it"),
        ReleaseEnd::Answered => tracing::info!(mail, "not sent: its sender was answered meanwhile"),
    }
}

/// Lets a held mail go, and records the reply that it is. Of two deliveries that asked at once whether a sender was
/// answered, the one that comes here first answers.
fn release_row(
    file: &Connection,
    id: &str,
    at: OffsetDateTime,
    answered_since: Option<OffsetDateTime>,
) -> Result<ReleaseEnd, AdminError> {
    type Found = (String, Option<String>, Option<String>);
    let sql = "SELECT state, identity, reply_to FROM queue WHERE id = ?1";
    let found: Option<Found> =
        file.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let Some((state, identity, reply)) = found else { return Err(AdminError::NoMail(id.into())) };
    if state != "held" {
        return Ok(ReleaseEnd::Before);
    }
    let reply = reply.as_deref().and_then(row::read_reply);
    let at = at.unix_timestamp();
    let answered = match (&reply, answered_since) {
        (Some(reply), Some(since)) => {
            was_answered(file, &reply.account, &reply.rule, &reply.sender, since.unix_timestamp())?
        }
        _ => false,
    };
    let is_doubled = is_settled(file, identity.as_deref(), at)?;
    if answered || is_doubled {
        file.execute("DELETE FROM queue WHERE id = ?1", [id])?;
        return Ok(if is_doubled { ReleaseEnd::Doubled } else { ReleaseEnd::Answered });
    }
    let sql = "UPDATE queue SET state = 'waiting', next = ?2, witness = '' WHERE id = ?1";
    file.execute(sql, params![id, at])?;
    if let Some(reply) = reply {
        record_reply(file, &reply, at)?;
    }
    Ok(ReleaseEnd::Goes)
}

/// By the later of both clocks, so that an attempt that asked before finds it.
fn record_reply(file: &Connection, reply: &row::StoredReply, at: i64) -> Result<(), AdminError> {
    let sent = at.max(words::now());
    file.execute("DELETE FROM replies WHERE sent < ?1", [sent - REPLY_SECONDS])?;
    let sql = "INSERT INTO replies (account, rule, sender, sent) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (account, rule, sender) DO UPDATE SET sent = ?4";
    file.execute(sql, params![reply.account, reply.rule, reply.sender, sent])?;
    Ok(())
}

/// It is done with: the same mail is not sent once more.
fn keep_identity(at: &Connection, id: &str, now: i64) -> Result<(), AdminError> {
    let sql = "INSERT INTO sent_identities (identity, at)
        SELECT identity, ?2 FROM queue WHERE id = ?1 AND identity IS NOT NULL
        ON CONFLICT (identity) DO UPDATE SET at = ?2";
    at.execute(sql, params![id, now])?;
    Ok(())
}

impl SqliteDirectory {
    /// Is there a `state.sqlite`? What only looks makes none.
    pub(super) fn has_state(&self) -> bool {
        self.root().join(File::State.name()).exists()
    }

    /// What `state.sqlite` remembers of an account that is gone. Nobody finds it any more, so that it may stay where this
    /// fails. Mail that the account sent still goes.
    pub(super) fn forget_state_of(&self, account: &str) {
        if !self.has_state() {
            return;
        }
        let forgotten = self.write_state(|at| {
            at.execute("DELETE FROM datasets WHERE account_id = ?1", [account])?;
            at.execute("DELETE FROM replies WHERE account = ?1", [account])?;
            at.execute("DELETE FROM failed_unlocks WHERE account_id = ?1", [account])?;
            Ok(())
        });
        if let Err(error) = forgotten {
            tracing::warn!(account, %error, "datasets and replies of a removed account stay behind");
        }
    }
}

#[cfg(test)]
mod tests;
