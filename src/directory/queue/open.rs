//! Opening what lies in the queue, as far as a person may see it.

use super::super::{AdminError, SqliteDirectory};
use super::key::{self, QueueKey};
use super::list::QueuedMail;
use super::row::{self, OpenedMail};
use rusqlite::OptionalExtension;

impl SqliteDirectory {
    /// The key of the queue, if there is one.
    pub fn queue_key(&self) -> Result<Option<QueueKey>, AdminError> {
        key::load(self.root())
    }

    /// The same; an error while there is mail in the queue that was sealed under another one. The key is read after the mail
    /// is there to be seen: it was made before the first mail was kept under it, perhaps just now by another process.
    pub fn queue_key_in_use(&self) -> Result<Option<QueueKey>, AdminError> {
        if !self.has_state() {
            return self.queue_key();
        }
        let (key, other) = self.write_state(|at| {
            let key = self.queue_key();
            let other = key.as_ref().map_or(Ok(None), |key| key::under_another(at, key.as_ref()))?;
            Ok((key, other))
        })?;
        let key = key?;
        match other {
            Some(other) => Err(key::refusal(self.root(), key.as_ref(), other)),
            None => Ok(key),
        }
    }

    /// Those that this key does not open (absent: all of them): sealed under another one, or damaged.
    pub fn unreadable_mails(&self, key: Option<&QueueKey>) -> Result<Vec<QueuedMail>, AdminError> {
        let mails = self.queued_mails()?;
        let Some(key) = key else { return Ok(mails) };
        let mut closed = Vec::new();
        for mail in mails {
            if self.open_queued(&mail.id, key)?.is_some_and(|opened| opened.is_err()) {
                closed.push(mail);
            }
        }
        Ok(closed)
    }

    /// The return path of a mail, empty for the null sender; or why it cannot be read. Nothing if the mail is gone.
    pub fn queued_sender(
        &self,
        id: &str,
        key: &QueueKey,
    ) -> Result<Option<Result<String, String>>, AdminError> {
        let opened = self.open_queued(id, key)?;
        Ok(opened.map(|opened| opened.map(|mail| mail.sender)))
    }

    fn open_queued(
        &self,
        id: &str,
        key: &QueueKey,
    ) -> Result<Option<Result<OpenedMail, String>>, AdminError> {
        let sql = "SELECT key_id, sealed FROM queue WHERE id = ?1";
        let found: Option<(String, Vec<u8>)> = self.write_state(|file| {
            Ok(file.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
        })?;
        Ok(found.map(|(key_id, sealed)| row::open(key, id, (&key_id, &sealed))))
    }
}
