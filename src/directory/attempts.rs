//! Wrong Secure Mail passwords, counted in `state.sqlite`: each makes the next wait longer.
//!
//! An attempt is counted before the password is tried, and taken back if it was right: a process that dies in between,
//! or is killed, has tried. Attempts at one account come one after the other, over all processes, so that many at once
//! cannot pass the limit together, and right ones at once do not count each other as wrong.

use super::lookup::known_account;
use super::{AdminError, SqliteDirectory};
use crate::engine::DirectoryError;
use crate::mail::Address;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// So many wrong passwords cost nothing: people mistype.
const FREE: u32 = 3;

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// An attempt derives one key for each vault key, in less than a second each.
const PATIENCE: Duration = Duration::from_secs(60);

/// Holds nothing; parts of it are locked.
const TURNS: &str = "unlock.lock";

/// May a password be tried?
pub enum Unlocking {
    /// Yes, this one.
    Attempt(UnlockAttempt),
    /// Too many wrong ones came before.
    Locked {
        /// How many.
        wrong: u32,
        /// Until the next may be tried.
        left: Duration,
    },
}

/// A password that may be tried now, and counts as wrong unless [`SqliteDirectory::unlocked`] is told otherwise. As
/// long as it is there, nobody else tries one for the account.
pub struct UnlockAttempt {
    account: String,
    _turn: File,
}

impl SqliteDirectory {
    /// Asks whether a password for the keys of this account may be tried now, and counts it.
    pub fn begin_unlock(&self, account: &Address, now: OffsetDateTime) -> Result<Unlocking, AdminError> {
        let account = self.read(|at| known_account(at, account))?;
        let turn = self.take_turn(&account)?;
        let now = i64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX);
        let refused = self.write_state(|at| {
            let (wrong, last) = failures(at, &account)?;
            if last > now {
                restart_wait(at, &account, now)?;
            }
            let left = remaining(wrong, now.saturating_sub(last));
            if left.is_zero() {
                let sql = "INSERT INTO failed_unlocks (account_id, count, last) VALUES (?1, 1, ?2)
                    ON CONFLICT (account_id) DO UPDATE SET count = count + 1, last = ?2";
                at.execute(sql, params![account, now])?;
            }
            Ok((wrong, left))
        })?;
        match refused {
            (_, left) if left.is_zero() => Ok(Unlocking::Attempt(UnlockAttempt { account, _turn: turn })),
            (wrong, left) => Ok(Unlocking::Locked { wrong, left }),
        }
    }

    /// The password was right: what was wrong before is forgotten.
    pub fn unlocked(&self, attempt: UnlockAttempt) -> Result<(), AdminError> {
        self.forget_failures(&attempt.account)?;
        Ok(())
    }

    /// Lets the next password be tried at once. Gives the number of wrong ones in a row.
    pub fn clear_failed_unlocks(&self, account: &Address) -> Result<u32, AdminError> {
        let account = self.read(|at| known_account(at, account))?;
        self.forget_failures(&account)
    }

    fn forget_failures(&self, account: &str) -> Result<u32, AdminError> {
        Ok(self.write_state(|at| {
            let (wrong, _) = failures(at, account)?;
            at.execute("DELETE FROM failed_unlocks WHERE account_id = ?1", [account])?;
            Ok(wrong)
        })?)
    }

    /// Waits until nobody else tries a password for this account. The lock goes with the file, whoever dies when.
    fn take_turn(&self, account: &str) -> Result<File, AdminError> {
        let path = self.root().join(TURNS);
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let failed = |source| AdminError::Io { doing: "open", path: path.clone(), source };
        let (file, mut lock) = (opened.map_err(failed)?, exclusive(account));
        let end = Instant::now() + PATIENCE;
        loop {
            lock.l_pid = 0;
            match fcntl(&file, FcntlArg::F_OFD_SETLK(&lock)) {
                Ok(_) => return Ok(file),
                Err(nix::Error::EAGAIN | nix::Error::EACCES | nix::Error::EINTR) => {}
                Err(error) => return Err(failed(error.into())),
            }
            if Instant::now() > end {
                return Err(DirectoryError::Busy.into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// One octet of the file that stands for the account; that two accounts share one does not happen, and would do no
/// more than let one wait for the other.
#[expect(clippy::cast_possible_truncation, reason = "small constants of the system")]
fn exclusive(account: &str) -> libc::flock {
    let place =
        Sha256::digest(account).iter().take(7).fold(0_i64, |place, octet| place << 8 | i64::from(*octet));
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: place,
        l_len: 1,
        l_pid: 0,
    }
}

/// Wrong ones in a row, and when the last one came, in milliseconds since 1970.
fn failures(at: &Connection, account: &str) -> rusqlite::Result<(u32, i64)> {
    let sql = "SELECT count, last FROM failed_unlocks WHERE account_id = ?1";
    let found = at.query_row(sql, [account], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.unwrap_or_default())
}

/// The clock went back: the wait counts from now on, and not from a moment that is still to come.
fn restart_wait(at: &Connection, account: &str, now: i64) -> rusqlite::Result<()> {
    at.execute("UPDATE failed_unlocks SET last = ?2 WHERE account_id = ?1", params![account, now])?;
    Ok(())
}

/// After three wrong ones a second, then twice as long each time.
fn delay(wrong: u32) -> Duration {
    match wrong.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(doublings) => Duration::from_secs(1_u64.checked_shl(doublings).unwrap_or(u64::MAX)).min(LONGEST),
    }
}

/// So many milliseconds after the last one; fewer than none are none, so that the wait is the whole delay at most.
fn remaining(wrong: u32, milliseconds: i64) -> Duration {
    delay(wrong).saturating_sub(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{NewAccount, NewDomain};
    use time::macros::datetime;

    #[test]
    fn the_delay_doubles_up_to_a_quarter_of_an_hour() {
        let seconds: Vec<u64> = (0..16).map(|wrong| delay(wrong).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!([delay(66), delay(67), delay(u32::MAX)], [LONGEST; 3]);
    }

    #[test]
    fn what_is_left_shrinks_with_time_and_is_the_delay_at_most() {
        assert_eq!(remaining(2, 0), Duration::ZERO);
        assert_eq!(remaining(5, 0), Duration::from_secs(4));
        assert_eq!(remaining(5, 1_500), Duration::from_millis(2_500));
        assert_eq!(remaining(5, 4_000), Duration::ZERO);
        assert_eq!(remaining(5, -1_000_000), Duration::from_secs(4));
        assert_eq!(remaining(5, i64::MAX), Duration::ZERO);
    }

    /// Three wrong ones while the clock was a year ahead cost one second of the right one, once.
    #[test]
    fn after_the_clock_is_put_back_the_wait_counts_from_the_next_attempt_on() {
        let folder = tempfile::tempdir().unwrap();
        let directory = SqliteDirectory::create(&folder.path().join("store")).unwrap();
        directory.add_domain(&NewDomain { name: "north.example".into(), ..NewDomain::default() }).unwrap();
        let bob = Address::parse("bob@north.example").unwrap();
        directory.add_account(&NewAccount { address: bob.clone(), aliases: Vec::new() }).unwrap();
        let left = |now| match directory.begin_unlock(&bob, now).unwrap() {
            Unlocking::Attempt(_) => None,
            Unlocking::Locked { left, .. } => Some(left.as_millis()),
        };
        let ahead = datetime!(2027-11-25 12:00 UTC);
        assert_eq!([left(ahead), left(ahead), left(ahead)], [None; 3]);
        let right = datetime!(2026-11-25 12:00 UTC);
        assert_eq!(left(right), Some(1000));
        assert_eq!(left(right + time::Duration::milliseconds(400)), Some(600));
        assert_eq!(left(right + time::Duration::SECOND), None);
    }
}
