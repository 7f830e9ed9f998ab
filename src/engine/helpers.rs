//! Programs outside that rules call.

use crate::mail::Address;
use crate::rules::{Answer, Command, Envelope};
use std::path::PathBuf;
use std::time::Duration;

/// A command that a rule runs over a message.
pub struct CommandRun<'m> {
    /// What to run, with which arguments.
    pub command: &'m Command,
    /// For whom the rule acts; absent: the server.
    pub account: Option<&'m Address>,
    /// The message as the rules before left it.
    pub message: &'m [u8],
    /// Return path and recipients.
    pub envelope: &'m Envelope,
    /// It is ended after this, if its own limit is longer.
    pub most: Option<Duration>,
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
    /// Would [`Helpers::execute`] start the command? Looks and runs nothing.
    fn may_run(&self, command: &Command, envelope: &Envelope) -> Result<(), HelperError>;
    /// Runs the command to its end; anything but success is an error.
    fn execute(&self, run: &CommandRun<'_>) -> Result<(), HelperError>;
    /// Asks a filter about the message.
    fn ask(&self, filter: &str, message: &[u8], envelope: &Envelope) -> Result<Answer, HelperError>;
}

/// What the site lets rules run. Made by `config`, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HelperSettings {
    /// Programs that `Execute` may run, by their absolute paths.
    pub execute: Vec<PathBuf>,
    /// A command that runs for longer is ended, and has failed.
    pub execute_timeout: Duration,
    /// What `ExternalFilter` may ask.
    pub filters: Vec<FilterSetting>,
    /// A filter that thinks for longer is ended, and has failed.
    pub filter_timeout: Duration,
}

/// A filter that stays and is asked about many messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterSetting {
    /// As rules name it.
    pub name: String,
    /// An absolute path.
    pub program: PathBuf,
    /// What it is started with.
    pub arguments: Vec<String>,
}

impl HelperSettings {
    /// May rules run this program?
    pub fn lists(&self, program: &str) -> bool {
        self.execute.iter().any(|listed| listed.as_os_str() == program)
    }

    /// The filter of this name.
    pub fn filter(&self, name: &str) -> Option<&FilterSetting> {
        self.filters.iter().find(|filter| filter.name == name)
    }
}

/// For whoever runs no program.
#[derive(Debug, Clone, Copy)]
pub struct NoHelpers;

impl Helpers for NoHelpers {
    fn may_run(&self, command: &Command, _envelope: &Envelope) -> Result<(), HelperError> {
        Err(none(command.program()))
    }

    fn execute(&self, run: &CommandRun<'_>) -> Result<(), HelperError> {
        Err(none(run.command.program()))
    }

    fn ask(&self, filter: &str, _message: &[u8], _envelope: &Envelope) -> Result<Answer, HelperError> {
        Err(none(filter))
    }
}

fn none(helper: &str) -> HelperError {
    HelperError { helper: helper.to_owned(), reason: "this site runs no programs".into() }
}
