//! Programs outside that rules call.

use crate::mail::Address;
use crate::rules::{Answer, Envelope};

/// A command that a rule runs over a message.
pub struct CommandRun<'m> {
    /// As it stands in the rule.
    pub command: &'m str,
    /// For whom the rule acts; absent: the server.
    pub account: Option<&'m Address>,
    /// The message as the rules before left it.
    pub message: &'m [u8],
    /// Return path and recipients.
    pub envelope: &'m Envelope,
}

/// A helper could not be asked, or failed. Always a doubt: 75.
#[derive(Debug, thiserror::Error)]
#[error("{helper}: {reason}")]
pub struct HelperError {
    /// The command or the filter.
    pub helper: String,
    /// What happened, and what to do.
    pub reason: String,
}

/// Runs commands and asks filters. Only what the site lists.
pub trait Helpers: Send + Sync {
    /// Runs the command to its end; anything but success is an error.
    fn execute(&self, run: &CommandRun<'_>) -> Result<(), HelperError>;
    /// Asks a filter about the message.
    fn ask(&self, filter: &str, message: &[u8], envelope: &Envelope) -> Result<Answer, HelperError>;
}

/// For whoever runs no program.
#[derive(Debug, Clone, Copy)]
pub struct NoHelpers;

impl Helpers for NoHelpers {
    fn execute(&self, run: &CommandRun<'_>) -> Result<(), HelperError> {
        Err(none(run.command))
    }

    fn ask(&self, filter: &str, _message: &[u8], _envelope: &Envelope) -> Result<Answer, HelperError> {
        Err(none(filter))
    }
}

fn none(helper: &str) -> HelperError {
    HelperError { helper: helper.to_owned(), reason: "this site runs no programs".into() }
}
