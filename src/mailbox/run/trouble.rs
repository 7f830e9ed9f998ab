//! A disk that says no, again and again.

use super::RunError;
use super::batch::reason;
use crate::engine::StoreError;
use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// After so many failures in a row there is no sense in asking again.
const FAILURES: usize = 20;

/// How often the disk said no since it last said yes, and what it said. A disk that is full or read-only is so for all mailboxes
/// of an account; what else is wrong (a folder that may not be written, say) is wrong with the one in which it is met.
#[derive(Default)]
pub(super) struct Trouble(Mutex<Rows>);

#[derive(Default)]
struct Rows {
    disk: Row,
    /// By name. One that is given up stays so.
    mailboxes: BTreeMap<String, Row>,
}

#[derive(Default)]
struct Row {
    failures: usize,
    last: String,
}

/// A mailbox in which nothing could be written. What was not looked at there stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// Which.
    pub mailbox: String,
    /// So many messages in a row failed.
    pub failures: usize,
    /// Why the last one.
    pub last: String,
}

impl fmt::Display for GivenUp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GivenUp { mailbox, failures, last } = self;
        write!(
            out,
            "{mailbox} was given up: {failures} messages in a row could not be written there, the last because: {last}"
        )
    }
}

/// All in one line.
pub(super) fn listed(mailboxes: &[GivenUp]) -> String {
    mailboxes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Trouble {
    /// Takes notice of what became of a message in a mailbox.
    pub(super) fn heed(&self, mailbox: &str, error: Option<&StoreError>) {
        let mut rows = self.rows();
        match error {
            None => rows.ease(mailbox),
            Some(error) if is_of_the_disk(error) => rows.disk.add(error),
            Some(error) => rows.mailboxes.entry(mailbox.to_owned()).or_default().add(error),
        }
    }

    /// May the disk be asked again?
    pub(super) fn check(&self) -> Result<(), RunError> {
        match &self.rows().disk {
            row if !row.is_over() => Ok(()),
            Row { failures, last } => Err(RunError::GaveUp { failures: *failures, last: last.clone() }),
        }
    }

    /// Is there no sense in asking again in this mailbox?
    pub(super) fn has_given_up(&self, mailbox: &str) -> bool {
        let rows = self.rows();
        rows.disk.is_over() || rows.mailboxes.get(mailbox).is_some_and(Row::is_over)
    }

    /// The mailboxes that were given up.
    pub(super) fn given_up(&self) -> Vec<GivenUp> {
        let rows = self.rows();
        let over = rows.mailboxes.iter().filter(|(_, row)| row.is_over());
        over.map(|(mailbox, row)| GivenUp {
            mailbox: mailbox.clone(),
            failures: row.failures,
            last: row.last.clone(),
        })
        .collect()
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn ease(&mut self, mailbox: &str) {
        self.disk = Row::default();
        if self.mailboxes.get(mailbox).is_some_and(|row| !row.is_over()) {
            self.mailboxes.remove(mailbox);
        }
    }
}

impl Row {
    fn add(&mut self, error: &StoreError) {
        self.failures += 1;
        self.last = reason(error);
    }

    fn is_over(&self) -> bool {
        self.failures >= FAILURES
    }
}

fn is_of_the_disk(error: &StoreError) -> bool {
    use ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let StoreError::Io { source, .. } = error else { return false };
    matches!(source.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(number: i32) -> StoreError {
        let source = std::io::Error::from_raw_os_error(number);
        StoreError::Io { doing: "create", path: "mail/tmp/1".into(), source }
    }

    fn after(number: i32, failures: usize) -> Trouble {
        let trouble = Trouble::default();
        (0..failures).for_each(|_| trouble.heed("Archive", Some(&error(number))));
        trouble
    }

    #[test]
    fn a_full_disk_is_full_for_every_mailbox() {
        use nix::libc::{EDQUOT, ENOSPC, EROFS};
        for number in [ENOSPC, EDQUOT, EROFS] {
            assert!(after(number, 19).check().is_ok());
            let full = after(number, 20);
            let error = full.check().unwrap_err().to_string();
            assert!(error.starts_with("20 messages in a row could not be written, the last because: "));
            assert!(full.has_given_up("Archive") && full.has_given_up("INBOX"));
            assert_eq!(full.given_up(), []);
            full.heed("INBOX", None);
            assert!(full.check().is_ok(), "there is room again");
        }
    }

    #[test]
    fn a_mailbox_that_takes_nothing_is_given_up_alone() {
        use nix::libc::{EACCES, EIO, ENOTDIR, EPERM};
        for number in [EACCES, EPERM, ENOTDIR, EIO] {
            assert!(!after(number, 19).has_given_up("Archive"));
            let trouble = after(number, 20);
            assert!(trouble.has_given_up("Archive") && !trouble.has_given_up("INBOX"));
            assert!(trouble.check().is_ok());
            trouble.heed("INBOX", None);
            trouble.heed("Archive", None);
            assert!(trouble.has_given_up("Archive"), "for good");
            let told = listed(&trouble.given_up());
            let begin = "Archive was given up: 20 messages in a row could not be written there, the last because: cannot create mail/tmp/1: ";
            assert!(told.starts_with(begin), "{told}");
        }
    }

    #[test]
    fn in_a_row_is_without_a_success_in_between() {
        let trouble = after(nix::libc::EACCES, 19);
        trouble.heed("Archive", None);
        trouble.heed("Archive", Some(&error(nix::libc::EACCES)));
        assert!(!trouble.has_given_up("Archive"));
    }
}
