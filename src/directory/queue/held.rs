//! Mails whose delivery died between holding and releasing them.

use super::super::{AdminError, SqliteDirectory};
use super::{log_release, release_row, row};
use crate::engine::{CopyName, StoreError};
use rusqlite::{OptionalExtension, params};
use std::time::Duration;
use time::OffsetDateTime;

/// What became of a mail that was held for too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldEnd {
    /// Its delivery took place: it goes, unless another attempt has sent the same.
    Released,
    /// Nothing of its delivery is there, and whoever handed the message over was not told that it is delivered: it is
    /// gone, and comes again with the message.
    Dropped,
    /// The store did not answer: why. It stays.
    Unknown(String),
}

/// A mail that was held for too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldMail {
    /// Its row.
    pub id: String,
    /// For whom the rule acts; empty: the server.
    pub account: String,
    /// The rule's name.
    pub rule: String,
    /// What became of it.
    pub end: HeldEnd,
}

impl SqliteDirectory {
    /// Decides about every mail that is held for longer than any delivery takes; `holds` asks the store for a copy. A reply is
    /// dropped if its sender was answered since `answered_since`.
    pub fn settle_held(
        &self,
        at: OffsetDateTime,
        grace: Duration,
        answered_since: Option<OffsetDateTime>,
        holds: &dyn Fn(&CopyName) -> Result<bool, StoreError>,
    ) -> Result<Vec<HeldMail>, AdminError> {
        if !self.has_state() {
            return Ok(Vec::new());
        }
        let now = at.unix_timestamp();
        let grace = i64::try_from(grace.as_secs()).unwrap_or(i64::MAX);
        let mut ended = Vec::new();
        for (mut mail, witness) in self.abandoned(now.saturating_sub(grace))? {
            mail.end = self.end_of(&mail.id, &witness, (at, answered_since), holds)?;
            ended.push(mail);
        }
        Ok(ended)
    }

    fn abandoned(&self, before: i64) -> Result<Vec<(HeldMail, String)>, AdminError> {
        Ok(self.write_state(|file| {
            let sql = "SELECT id, account, rule, witness FROM queue
                WHERE state = 'held' AND enqueued < ?1 ORDER BY id";
            let mut statement = file.prepare_cached(sql)?;
            let found = statement.query_map([before], |row| {
                let (id, account, rule) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok((HeldMail { id, account, rule, end: HeldEnd::Dropped }, row.get(3)?))
            })?;
            Ok(found.collect::<Result<_, _>>()?)
        })?)
    }

    fn end_of(
        &self,
        id: &str,
        witness: &str,
        (at, answered_since): (OffsetDateTime, Option<OffsetDateTime>),
        holds: &dyn Fn(&CopyName) -> Result<bool, StoreError>,
    ) -> Result<HeldEnd, AdminError> {
        let is_there = match row::read_witness(witness) {
            Some(copy) => holds(&copy),
            None if witness.is_empty() => Ok(false),
            None => return Ok(HeldEnd::Unknown("its row does not say which copy it waits for".to_owned())),
        };
        match is_there {
            Err(error) => Ok(HeldEnd::Unknown(error.to_string())),
            Ok(true) => {
                let end = self.write_state(|file| {
                    still_held(file, id)?.map(|()| release_row(file, id, at, answered_since)).transpose()
                })?;
                end.into_iter().for_each(|end| log_release(id, end));
                Ok(HeldEnd::Released)
            }
            Ok(false) => {
                let sql = "DELETE FROM queue WHERE id = ?1 AND state = 'held'";
                self.write_state(|file| Ok(file.execute(sql, params![id])?))?;
                Ok(HeldEnd::Dropped)
            }
        }
    }
}

/// Nothing if somebody else has decided meanwhile.
fn still_held(file: &rusqlite::Connection, id: &str) -> Result<Option<()>, AdminError> {
    let sql = "SELECT 1 FROM queue WHERE id = ?1 AND state = 'held'";
    Ok(file.query_row(sql, [id], |_| Ok(())).optional()?)
}
