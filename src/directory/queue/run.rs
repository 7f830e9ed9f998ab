//! Taking mails that are due, one at a time, and recording what became of them.

use super::super::words::Moment;
use super::super::{AdminError, SqliteDirectory};
use super::keep_identity;
use super::key::QueueKey;
use super::row::{self, OpenedMail};
use crate::engine::Carried;
use rusqlite::{Connection, OptionalExtension, params};
use std::time::Duration;
use time::OffsetDateTime;

/// After the first attempt; twice as long after each further one.
const FIRST_WAIT: i64 = 5 * 60;
/// The longest time between two attempts. What claims to be due later was written by a clock that was put back since.
pub(super) const LONGEST_WAIT: i64 = 4 * 60 * 60;

/// May be sent at ?2, by whoever names it (?1) or nobody; ?3 is the longest wait.
const DUE: &str = "state = 'waiting' AND (?1 IS NULL OR id = ?1)
    AND NOT (next > ?2 AND next <= ?2 + ?3) AND NOT (claimed >= ?2 AND claimed <= ?2 + ?3)";

/// A mail that nobody else sends until the lease is over.
pub struct ClaimedMail {
    /// Its row.
    pub id: String,
    /// For whom the rule acts; empty: the server.
    pub account: String,
    /// The rule's name.
    pub rule: String,
    /// Attempts, this one counted.
    pub attempts: u32,
    lease: i64,
    enqueued: i64,
    /// The recipients who have not got it yet: their places among all of them.
    places: Vec<usize>,
    key_id: String,
    sealed: Vec<u8>,
}

impl ClaimedMail {
    /// Opens it; or why it cannot be.
    pub fn open(&self, key: &QueueKey) -> Result<OpenedMail, String> {
        let mail = row::open(key, &self.id, (&self.key_id, &self.sealed))?;
        match self.places.iter().all(|place| *place < mail.recipients.len()) {
            true => Ok(mail),
            false => Err("its recipients do not belong to it".to_owned()),
        }
    }

    /// Where those stand who have not got it yet.
    pub fn places(&self) -> &[usize] {
        &self.places
    }
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Every recipient has it: it is gone from the queue.
    Sent,
    /// It is tried again.
    Waiting(OffsetDateTime),
    /// A recipient was refused, or it is too old: it waits for a person.
    Failed,
    /// It had failed, and its return path is empty: nobody is to be told of its end, and it is gone.
    GivenUp,
    /// The lease was over before: what became of it is recorded, and somebody else decides.
    Taken,
}

impl SqliteDirectory {
    /// Takes a mail that is due (the one that is named, or the one that waits longest) for the time of the lease.
    pub fn claim_mail(
        &self,
        named: Option<&str>,
        at: OffsetDateTime,
        lease: Duration,
    ) -> Result<Option<ClaimedMail>, AdminError> {
        if !self.has_state() {
            return Ok(None);
        }
        let now = at.unix_timestamp();
        let until = now.saturating_add(i64::try_from(lease.as_secs()).unwrap_or(LONGEST_WAIT)).max(now + 1);
        Ok(self.write_state(|file| claim(file, named, now, until))?)
    }

    /// How many mails can be claimed now.
    pub fn due_mails(&self, at: OffsetDateTime) -> Result<usize, AdminError> {
        if !self.has_state() {
            return Ok(0);
        }
        let sql = format!("SELECT count(*) FROM queue WHERE {DUE}");
        let due = params![None::<&str>, at.unix_timestamp(), LONGEST_WAIT];
        let due = self.write_state(|file| Ok(file.query_row(&sql, due, |row| row.get::<_, i64>(0))?))?;
        Ok(usize::try_from(due).unwrap_or(0))
    }

    /// Until when each mail is claimed that nobody else may touch.
    pub fn claims(&self, at: OffsetDateTime) -> Result<Vec<OffsetDateTime>, AdminError> {
        if !self.has_state() {
            return Ok(Vec::new());
        }
        let sql =
            "SELECT claimed FROM queue WHERE state = 'waiting' AND claimed >= ?1 AND claimed <= ?1 + ?2";
        let claims = self.write_state(|file| {
            let mut claims = file.prepare_cached(sql)?;
            let found =
                claims.query_map([at.unix_timestamp(), LONGEST_WAIT], |row| row.get::<_, Moment>(0))?;
            Ok(found.map(|until| until.map(|until| until.0)).collect::<Result<_, _>>()?)
        })?;
        Ok(claims)
    }

    /// Records what became of the recipients of a claimed mail, in the order of its places.
    pub fn settle_mail(
        &self,
        mail: &ClaimedMail,
        outcomes: &[Carried],
        at: OffsetDateTime,
        lifetime: Duration,
    ) -> Result<Settled, AdminError> {
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        Ok(self.write_state(|file| {
            for (place, outcome) in mail.places.iter().zip(outcomes) {
                record(file, &mail.id, *place, outcome)?;
            }
            decide(file, mail, at.unix_timestamp(), lifetime)
        })?)
    }

    /// Takes a mail that has failed out of the queue, unless a person has it tried again.
    pub fn give_up_mail(&self, mail: &ClaimedMail, at: OffsetDateTime) -> Result<Settled, AdminError> {
        Ok(self.write_state(|file| {
            let sql = "SELECT EXISTS (SELECT 1 FROM queue WHERE id = ?1 AND state = 'failed')";
            if !file.query_row(sql, [&mail.id], |row| row.get::<_, bool>(0))? {
                return Ok(Settled::Taken);
            }
            keep_identity(file, &mail.id, at.unix_timestamp())?;
            file.execute("DELETE FROM queue WHERE id = ?1", [&mail.id])?;
            Ok(Settled::GivenUp)
        })?)
    }

    /// A mail that cannot be opened is kept, and waits for a person.
    pub fn fail_mail(&self, mail: &ClaimedMail, why: &str) -> Result<Settled, AdminError> {
        Ok(self.write_state(|file| {
            let sql = "UPDATE queue_recipients SET error = ?2 WHERE queue_id = ?1 AND state = 'waiting'";
            file.execute(sql, params![mail.id, why])?;
            let sql = "UPDATE queue SET state = 'failed', claimed = 0 WHERE id = ?1 AND claimed = ?2";
            let ours = file.execute(sql, params![mail.id, mail.lease])? > 0;
            Ok(if ours { Settled::Failed } else { Settled::Taken })
        })?)
    }
}

fn claim(
    file: &Connection,
    named: Option<&str>,
    now: i64,
    until: i64,
) -> Result<Option<ClaimedMail>, AdminError> {
    let columns = "id, account, rule, attempts + 1, enqueued, key_id, sealed";
    let sql = format!("SELECT {columns} FROM queue WHERE {DUE} ORDER BY next, id LIMIT 1");
    let read = |row: &rusqlite::Row<'_>| {
        Ok(ClaimedMail {
            id: row.get(0)?,
            account: row.get(1)?,
            rule: row.get(2)?,
            attempts: row.get(3)?,
            lease: until,
            enqueued: row.get(4)?,
            places: Vec::new(),
            key_id: row.get(5)?,
            sealed: row.get(6)?,
        })
    };
    let Some(mut mail) = file.query_row(&sql, params![named, now, LONGEST_WAIT], read).optional()? else {
        return Ok(None);
    };
    let sql = "UPDATE queue SET claimed = ?2, attempts = attempts + 1 WHERE id = ?1";
    file.execute(sql, params![mail.id, until])?;
    let sql = "SELECT place FROM queue_recipients WHERE queue_id = ?1 AND state = 'waiting' ORDER BY place";
    let mut statement = file.prepare_cached(sql)?;
    let places = statement.query_map([&mail.id], |row| row.get::<_, u32>(0))?;
    mail.places = places.map(|place| place.map(|place| place as usize)).collect::<Result<_, _>>()?;
    Ok(Some(mail))
}

fn record(file: &Connection, id: &str, place: usize, outcome: &Carried) -> Result<(), AdminError> {
    let (state, error) = match outcome {
        Carried::Sent => ("sent", None),
        Carried::Later(why) => ("waiting", Some(why)),
        Carried::Refused(why) => ("refused", Some(why)),
    };
    let sql = "UPDATE queue_recipients SET state = ?3, error = ?4
        WHERE queue_id = ?1 AND place = ?2 AND state <> 'sent'";
    let place = i64::try_from(place).unwrap_or(-1);
    file.execute(sql, params![id, place, state, error])?;
    Ok(())
}

fn decide(file: &Connection, mail: &ClaimedMail, now: i64, lifetime: i64) -> Result<Settled, AdminError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM queue WHERE id = ?1 AND state = 'waiting' AND claimed = ?2)";
    if !file.query_row(sql, params![mail.id, mail.lease], |row| row.get::<_, bool>(0))? {
        return Ok(Settled::Taken);
    }
    let sql = "SELECT count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'refused')
        FROM queue_recipients WHERE queue_id = ?1";
    let (waiting, refused): (i64, i64) =
        file.query_row(sql, [&mail.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if waiting == 0 && refused == 0 {
        keep_identity(file, &mail.id, now)?;
        file.execute("DELETE FROM queue WHERE id = ?1", [&mail.id])?;
        return Ok(Settled::Sent);
    }
    if waiting == 0 || now.saturating_sub(mail.enqueued) >= lifetime {
        file.execute("UPDATE queue SET state = 'failed', claimed = 0 WHERE id = ?1", [&mail.id])?;
        return Ok(Settled::Failed);
    }
    let next = now.saturating_add(wait(mail.attempts));
    file.execute("UPDATE queue SET next = ?2, claimed = 0 WHERE id = ?1", params![mail.id, next])?;
    Ok(Settled::Waiting(OffsetDateTime::from_unix_timestamp(next).unwrap_or(OffsetDateTime::UNIX_EPOCH)))
}

/// In seconds, after so many attempts.
fn wait(attempts: u32) -> i64 {
    let doublings = attempts.saturating_sub(1);
    1_i64
        .checked_shl(doublings)
        .and_then(|times| FIRST_WAIT.checked_mul(times))
        .unwrap_or(LONGEST_WAIT)
        .clamp(FIRST_WAIT, LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_five_minutes_to_four_hours() {
        let minutes: Vec<i64> = (1..=9).map(|attempts| wait(attempts) / 60).collect();
        assert_eq!(minutes, [5, 10, 20, 40, 80, 160, 240, 240, 240]);
        assert_eq!(
            [wait(0), wait(63), wait(64), wait(65), wait(u32::MAX)].map(|wait| wait / 60),
            [5, 240, 240, 240, 240]
        );
    }
}
