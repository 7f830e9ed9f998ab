//! Rule files in either text, and where a text goes that a command makes.

use crate::cli::failure::{Code, Failure};
use crate::cli::input;
use crate::cli::output::Output;
use crate::rules::{Color, RuleFaults, RuleSet, ScopeKind, Syntax};
use crate::store;
use clap::Args;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A rule file that was read.
pub(super) struct RuleFile {
    /// Its rules.
    pub(super) rules: RuleSet,
    /// As TOML, which is what the directory keeps.
    pub(super) toml: String,
}

impl RuleFile {
    /// Reads a text that was read from the file; its first character that is no space and in no comment tells which it is.
    pub(super) fn of(file: &Path, text: String, scope: ScopeKind) -> Result<RuleFile, Failure> {
        let rules =
            RuleSet::from_text(&input::name(file), &text, scope).map_err(|faults| refused(&faults))?;
        let toml = match Syntax::of(&text) {
            Syntax::Toml => text,
            Syntax::Array => toml(&rules, file, scope)?,
        };
        Ok(RuleFile { rules, toml })
    }
}

/// Every fault, as the reason of a failure.
pub(super) fn refused(faults: &RuleFaults) -> Failure {
    Failure::rendered(Code::Data, faults.rendered(Color::Never))
}

/// The rules as TOML, which is read again before anybody has it.
pub(super) fn toml(rules: &RuleSet, file: &Path, scope: ScopeKind) -> Result<String, Failure> {
    let text = rules.to_toml();
    checked(RuleSet::from_toml(&input::name(file), &text, scope), rules, file).map(|()| text)
}

/// The rules as array text, which is read again before anybody has it.
pub(super) fn array(rules: &RuleSet, file: &Path, scope: ScopeKind) -> Result<String, Failure> {
    let text = rules.to_array();
    checked(RuleSet::from_array(&input::name(file), &text, scope), rules, file).map(|()| text)
}

/// What is written may be longer than what was read, and so too long.
fn checked(again: Result<RuleSet, RuleFaults>, rules: &RuleSet, file: &Path) -> Result<(), Failure> {
    let name = input::name(file);
    match again {
        Ok(again) if again == *rules => Ok(()),
        Ok(_) => Err(Failure::new(Code::Internal, format!("the other text of {name} says something else"))),
        Err(faults) => {
            let text = format!("the other text of {name} would not be read again");
            Err(Failure::new(Code::Data, text).hint(faults.rendered(Color::Never)))
        }
    }
}

/// Where a text goes.
#[derive(Args)]
pub(super) struct Target {
    /// Write to this file, and not to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Take the place of a file that is there
    #[arg(long, requires = "output")]
    force: bool,
}

impl Target {
    /// The file's name, if it is a file.
    pub(super) fn file(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    /// Writes all of it or nothing. JSON holds the text itself unless it goes to a file.
    pub(super) fn write(&self, text: &str, out: &mut Output) -> Result<(), Failure> {
        match &self.output {
            Some(file) => self.fill(file, text),
            None if out.is_json() => Ok(()),
            None => out.bytes(text.as_bytes()),
        }
    }

    fn fill(&self, file: &Path, text: &str) -> Result<(), Failure> {
        if !self.force {
            reserve(file)?;
        }
        let written = store::replace_file(file, text.as_bytes());
        written.map_err(|error| {
            if !self.force {
                let _ = std::fs::remove_file(file);
            }
            error.into()
        })
    }
}

/// Makes the file, unless there is one of that name.
fn reserve(file: &Path) -> Result<(), Failure> {
    match OpenOptions::new().write(true).create_new(true).open(file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Failure::new(Code::No, format!("{} is there already", file.display()))
                .hint("--force takes its place"))
        }
        Err(error) => Err(Failure::io("create", file.display(), &error)),
    }
}
