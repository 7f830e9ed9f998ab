//! How a command ends: exit codes after sysexits(3), and the error that a person or a script reads.

use super::output;
use crate::crypto::EntropyError;
use crate::engine::StoreError;
use clap::error::ErrorKind;
use serde_json::json;
use std::error::Error;
use std::io;
use std::process::ExitCode;

/// How a command ended. [`TABLE`] says what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Done = 0,
    No = 1,
    Usage = 64,
    Data = 65,
    NotFound = 66,
    Unavailable = 69,
    Internal = 70,
    Io = 74,
    TryAgain = 75,
    NoPermission = 77,
    Config = 78,
}

/// Every exit code of all verbs but `deliver`, with its name in JSON and its meaning.
pub(super) const TABLE: &[(Code, &str, &str)] = &[
    (Code::Done, "done", "done"),
    (Code::No, "no", "the answer is no, or some items failed"),
    (Code::Usage, "usage", "the command line is wrong"),
    (Code::Data, "data", "the input is broken"),
    (Code::NotFound, "not-found", "what was named does not exist"),
    (Code::Unavailable, "unavailable", "a needed program or server is missing"),
    (Code::Internal, "internal", "a fault of sealpost itself; please report it"),
    (Code::Io, "io", "a file could not be read or written"),
    (Code::TryAgain, "try-again", "busy or out of something; try again"),
    (Code::NoPermission, "no-permission", "wrong password, locked, or not yours"),
    (Code::Config, "config", "the configuration is wrong"),
];

/// The table as a person reads it under `--help`.
pub(super) fn exit_code_help() -> String {
    let rows = TABLE.iter().map(|(code, _, meaning)| format!("  {:<3} {meaning}", *code as u8));
    let lines: Vec<String> =
        std::iter::once("Exit codes (deliver has its own, see its help):".to_owned()).chain(rows).collect();
    lines.join("\n")
}

impl Code {
    fn name(self) -> &'static str {
        TABLE.iter().find(|(code, ..)| *code == self).map_or("", |(_, name, _)| name)
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> ExitCode {
        ExitCode::from(code as u8)
    }
}

/// Why a command did not do what was asked: what happened, to what, and what to do.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: Code,
    pub(super) text: String,
    pub(super) hint: Option<String>,
    /// Already laid out for a person (clap, rule faults): printed as it is.
    rendered: bool,
}

impl Failure {
    pub(super) fn new(code: Code, text: impl Into<String>) -> Failure {
        Failure { code, text: text.into(), hint: None, rendered: false }
    }

    /// The same once more.
    pub(super) fn again(&self) -> Failure {
        Failure { code: self.code, text: self.text.clone(), hint: self.hint.clone(), rendered: self.rendered }
    }

    /// Adds what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// An error whose text has its own layout.
    pub(super) fn rendered(code: Code, text: impl Into<String>) -> Failure {
        Failure { code, text: text.into(), hint: None, rendered: true }
    }

    /// A file that could not be read or written.
    pub(super) fn io(doing: &str, path: impl std::fmt::Display, error: &io::Error) -> Failure {
        let code = if error.kind() == io::ErrorKind::NotFound { Code::NotFound } else { Code::Io };
        Failure::new(code, format!("cannot {doing} {path}: {error}"))
    }

    /// `--help` and `--version` come here too: they are printed to standard output and are no failure.
    pub(super) fn from_clap(error: clap::Error) -> Failure {
        let text = error.render().to_string();
        if !error.use_stderr() {
            return Failure::rendered(Code::Done, text);
        }
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Failure::rendered(Code::Usage, text);
        }
        // Clap counts an option among the needed ones if the environment gives it.
        let text = text.replace(" --root <DIR>", "");
        let (what, advice) = text.split_once("\n\n").unwrap_or((&text, ""));
        let advice = advice.lines().map(str::trim).filter(|line| !line.is_empty());
        let failure = Failure::new(Code::Usage, what.strip_prefix("error: ").unwrap_or(what));
        failure.hint(advice.collect::<Vec<_>>().join("\n"))
    }

    /// What happened and what to do, for a line among others.
    pub(super) fn in_one_line(&self) -> String {
        let hint = self.hint.iter().map(|hint| format!("; {}", hint.replace('\n', "; ")));
        std::iter::once(self.text.clone()).chain(hint).collect()
    }

    /// Prints the failure and gives the exit code.
    pub(super) fn report(self, as_json: bool) -> ExitCode {
        if self.code == Code::Done {
            return match output::print(self.text.as_bytes()) {
                Ok(()) => Code::Done.into(),
                Err(failure) => failure.report(as_json),
            };
        }
        output::write_quietly(&mut io::stderr(), self.layout(as_json).as_bytes());
        self.code.into()
    }

    fn layout(&self, as_json: bool) -> String {
        let text = without_error_numbers(self.text.trim_end());
        if as_json {
            let error = json!({"code": self.code.name(), "text": text, "hint": self.hint});
            return format!("{}\n", json!({"v": 1, "error": error}));
        }
        let head = if self.rendered { format!("{text}\n") } else { format!("sealpost: {text}\n") };
        let hint = self.hint.iter().flat_map(|hint| hint.lines()).map(|line| format!("  {line}\n"));
        std::iter::once(head).chain(hint).collect()
    }
}

/// The system's number of an error is no help beside its words.
pub(super) fn without_error_numbers(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(')').map_or(part, |(_, rest)| rest))
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        let code = if matches!(error, StoreError::NoMailbox { .. }) { Code::NotFound } else { Code::Io };
        Failure::new(code, with_sources(&error))
    }
}

impl From<EntropyError> for Failure {
    fn from(error: EntropyError) -> Failure {
        Failure::new(Code::TryAgain, error.to_string())
    }
}

/// The error and what caused it, on one line.
pub(super) fn with_sources(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_and_what_to_do() {
        let failure = Failure::new(Code::NotFound, "there is no domain south.example")
            .hint("see: sealpost domain list");
        assert_eq!(
            failure.layout(false),
            "sealpost: there is no domain south.example\n  see: sealpost domain list\n"
        );
        assert_eq!(
            failure.layout(true),
            "{\"error\":{\"code\":\"not-found\",\"hint\":\"see: sealpost domain list\",\"text\":\"there is no domain south.example\"},\"v\":1}\n"
        );
    }

    #[test]
    fn the_number_of_a_system_error_is_left_out() {
        let text = "cannot read x: No such file (os error 2): and then (os error 13)";
        assert_eq!(without_error_numbers(text), "cannot read x: No such file: and then");
    }

    #[test]
    fn every_code_has_its_row() {
        let codes: Vec<u8> = TABLE.iter().map(|(code, ..)| *code as u8).collect();
        assert_eq!(codes, [0, 1, 64, 65, 66, 69, 70, 74, 75, 77, 78]);
    }
}
