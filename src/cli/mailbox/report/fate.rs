//! How a run ends, and the command with it.

use super::tally::{Count, Tally};
use super::{Begun, counted};
use crate::cli::failure::{Code, Failure, with_sources};
use crate::mailbox::RunError;

/// How it ends, apart from the messages.
#[derive(Default)]
pub(super) struct Fate {
    /// Somebody stopped it.
    pub(super) stopped: bool,
    /// Accounts that were not worked on to the end.
    pub(super) accounts_failed: u64,
    /// Mailboxes that were not worked on.
    pub(super) mailboxes_failed: u64,
    /// The mailbox that is meant is not there.
    pub(super) without_mailbox: usize,
    /// Why the only account failed, or none of them has the mailbox.
    pub(super) only: Option<Failure>,
    /// Standard output takes no more.
    pub(super) unsaid: Option<Failure>,
}

impl Fate {
    /// With the numbers of what began so.
    pub(super) fn ending(self, total: &Tally, begun: &Begun) -> Result<(), Failure> {
        if let Some(failure) = self.unsaid {
            return Err(failure);
        }
        if self.stopped {
            return Err(Failure::new(Code::TryAgain, "stopped; the same command goes on where it was"));
        }
        if let Some(failure) = self.only {
            return Err(failure);
        }
        let failed = [
            (total.of(Count::Failed), ["message", "messages"]),
            (self.mailboxes_failed, ["mailbox", "mailboxes"]),
            (self.accounts_failed, ["account", "accounts"]),
        ];
        let failed = failed.into_iter().filter(|(number, _)| *number > 0);
        let counted_as = |(number, [one, many]): (u64, [&str; 2])| {
            format!("{number} {}", if number == 1 { one } else { many })
        };
        let failed: Vec<String> = failed.map(counted_as).collect();
        if !failed.is_empty() && begun.dry_run {
            return Err(Failure::new(Code::No, format!("{} would fail", failed.join(" and ")))
                .hint("nothing was done: mend it before the run, which passes over what fails"));
        }
        if !failed.is_empty() {
            return Err(Failure::new(Code::No, format!("{} failed", failed.join(" and ")))
                .hint("mend it and run the same command again: what is done is passed over"));
        }
        match begun.missing.len() {
            0 => Ok(()),
            missing => {
                Err(Failure::new(Code::NotFound, format!("{} not found", counted(missing as u64, "message")))
                    .hint("see the names: sealpost mailbox inspect"))
            }
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        let code = match error {
            RunError::Store(error) => return error.into(),
            RunError::Directory(error) => return error.into(),
            RunError::NoMailbox { .. } => Code::NotFound,
            RunError::Busy(_) => Code::TryAgain,
            RunError::NoWork(_) => Code::No,
            _ => Code::Io,
        };
        Failure::new(code, with_sources(&error))
    }
}
