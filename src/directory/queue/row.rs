//! What a row of the queue holds. Sender, recipients and message are under the queue key; beside them lies in the clear
//! what the log says of a mail too: account, rule, and the addresses of the recipients with what became of each.

use super::super::{AdminError, id};
use super::key::QueueKey;
use crate::crypto::{Entropy, SecretBytes};
use crate::engine::{CopyName, DirectoryError, OutgoingMail, ReplyKey};
use crate::mail::{Address, MailboxName};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

/// In front of the head: its length.
const LENGTH: usize = 4;

/// What stands in front of the message.
#[derive(Serialize, Deserialize)]
struct Head {
    sender: String,
    recipients: Vec<String>,
}

/// What the ciphertext is bound to: the row, and this layout of it.
fn place(id: &str) -> Vec<u8> {
    format!("sealpost queue 1 {id}").into_bytes()
}

/// A mail that is sealed and not yet in the table.
pub(super) struct NewRow {
    pub(super) id: String,
    pub(super) identity: Option<String>,
    account: String,
    rule: String,
    action: &'static str,
    reply_to: Option<String>,
    recipients: Vec<String>,
    bytes: usize,
    key_id: String,
    sealed: SecretBytes,
}

impl NewRow {
    pub(super) fn seal(
        key: &QueueKey,
        mail: OutgoingMail,
        reply_to: Option<String>,
        entropy: &dyn Entropy,
    ) -> Result<NewRow, AdminError> {
        let failed = |why: String| AdminError::from(DirectoryError::Failed(why));
        let id = id::fresh()?;
        let recipients: Vec<String> = mail.recipients.iter().map(Address::to_string).collect();
        let head = Head { sender: mail.sender, recipients };
        let text = serde_json::to_vec(&head).map_err(|error| failed(error.to_string()))?;
        let length = u32::try_from(text.len()).map_err(|error| failed(error.to_string()))?.to_be_bytes();
        let seed = entropy.seed().map_err(|error| failed(error.to_string()))?;
        let parts = [length.as_slice(), &text, mail.message.expose()];
        let sealed = key.key.seal(&parts, &place(&id), seed).map_err(|error| failed(error.to_string()))?;
        Ok(NewRow {
            id,
            identity: mail.identity,
            account: mail.account.map(|account| account.to_string()).unwrap_or_default(),
            rule: mail.rule,
            action: mail.action,
            reply_to,
            recipients: head.recipients,
            bytes: mail.message.expose().len(),
            key_id: key.id().to_owned(),
            sealed,
        })
    }

    pub(super) fn insert(&self, at: &Connection, witness: &str, enqueued: i64) -> Result<(), AdminError> {
        let sql =
            "INSERT INTO queue (id, state, account, rule, action, enqueued, next, attempts, claimed, witness,
            reply_to, identity, bytes, key_id, sealed)
            VALUES (?1, 'held', ?2, ?3, ?4, ?5, ?5, 0, 0, ?6, ?7, ?8, ?9, ?10, ?11)";
        let bytes = i64::try_from(self.bytes).unwrap_or(i64::MAX);
        let row = params![
            self.id,
            self.account,
            self.rule,
            self.action,
            enqueued,
            witness,
            self.reply_to,
            self.identity,
            bytes,
            self.key_id,
            self.sealed.expose()
        ];
        at.execute(sql, row)?;
        let sql =
            "INSERT INTO queue_recipients (queue_id, place, address, state) VALUES (?1, ?2, ?3, 'waiting')";
        for (place, address) in (0_i64..).zip(&self.recipients) {
            at.execute(sql, params![self.id, place, address])?;
        }
        Ok(())
    }
}

/// A mail out of the queue. No `Debug`: it holds what a message says.
pub struct OpenedMail {
    /// Return path; empty: the null sender.
    pub sender: String,
    /// All that it ever had.
    pub recipients: Vec<Address>,
    /// Header and body.
    pub message: SecretBytes,
}

/// Opens what lies in the row of this id, sealed under the key of that one.
pub(super) fn open(key: &QueueKey, id: &str, (key_id, sealed): (&str, &[u8])) -> Result<OpenedMail, String> {
    if key_id != key.id() {
        return Err(format!("it was sealed under the key {key_id}, and queue.key is {}", key.id()));
    }
    let damaged = |_| "it is damaged".to_owned();
    let mut opened = key.key.open(sealed, &place(id)).map_err(damaged)?;
    let broken = || "what it holds is no mail".to_owned();
    let (length, rest) = opened.expose().split_first_chunk::<LENGTH>().ok_or_else(broken)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| broken())?;
    let head: Head =
        rest.get(..length).and_then(|text| serde_json::from_slice(text).ok()).ok_or_else(broken)?;
    let recipients = head.recipients.iter().map(|text| Address::parse(text));
    let recipients = recipients.collect::<Result<Vec<_>, _>>().map_err(|_| broken())?;
    opened.remove(std::slice::from_ref(&(0..LENGTH + length)));
    Ok(OpenedMail { sender: head.sender, recipients, message: opened })
}

#[derive(Serialize, Deserialize)]
struct Witness {
    owner: String,
    mailbox: String,
    name: String,
}

/// A copy as the column holds it.
pub(super) fn witness_text(copy: &CopyName) -> String {
    let witness = Witness {
        owner: copy.owner.to_string(),
        mailbox: copy.mailbox.as_str().to_owned(),
        name: copy.name.clone(),
    };
    serde_json::to_string(&witness).unwrap_or_default()
}

/// The copy that the column names.
pub(super) fn read_witness(text: &str) -> Option<CopyName> {
    let witness: Witness = serde_json::from_str(text).ok()?;
    let (owner, mailbox) = (Address::parse(&witness.owner).ok()?, MailboxName::parse(&witness.mailbox).ok()?);
    Some(CopyName { owner, mailbox, name: witness.name })
}

/// Who was answered by which rule, as the column holds it.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredReply {
    /// The id of the account; empty: the server.
    pub(super) account: String,
    pub(super) rule: String,
    pub(super) sender: String,
}

pub(super) fn reply_text(account: &str, key: &ReplyKey) -> String {
    let reply = StoredReply { account: account.into(), rule: key.rule.clone(), sender: key.sender.clone() };
    serde_json::to_string(&reply).unwrap_or_default()
}

pub(super) fn read_reply(text: &str) -> Option<StoredReply> {
    serde_json::from_str(text).ok()
}
