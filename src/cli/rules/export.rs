//! `sealpost rules export`

use super::holder::{self, Holder};
use super::text::{self, RuleFile, Target};
use super::{named_scope, read_text, scope};
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::cli::input;
use crate::cli::output::Output;
use crate::directory::RuleHolder;
use crate::rules::{RuleSet, ScopeKind};
use clap::{ArgGroup, Args};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Write rules as the array text of CommuniGate Pro
///
/// The rules of a file, or those that run for the site, a domain or an account. Reading the array text again gives the same
/// rules. With --toml it is TOML.
#[derive(Args)]
#[command(group = source(), after_help = "Examples:
  sealpost rules export payroll.toml
  sealpost rules export --account anna@north.example --output anna.txt
  sealpost rules export account.settings --toml")]
pub(super) struct Export {
    /// A rule file in either text
    file: Option<PathBuf>,
    #[command(flatten)]
    holder: Holder,
    /// For this scope, whatever a line `# scope: …` in the file says; else for an account
    #[arg(long, value_name = "SCOPE", value_parser = scope, requires = "file")]
    scope: Option<ScopeKind>,
    /// TOML, and no array text
    #[arg(long)]
    toml: bool,
    #[command(flatten)]
    target: Target,
}

/// A file or a holder.
fn source() -> ArgGroup {
    ArgGroup::new("source").args(["file", "server", "domain", "account"]).required(true).multiple(false)
}

/// Rules, where they came from, and their TOML.
struct Source {
    name: PathBuf,
    scope: ScopeKind,
    holder: Option<RuleHolder>,
    file: RuleFile,
}

impl Export {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let source = match &self.file {
            Some(file) => of_file(file, self.scope)?,
            None => installed(context, RuleHolder::from(self.holder))?,
        };
        let text = match self.toml {
            true => source.file.toml,
            false => text::array(&source.file.rules, &source.name, source.scope)?,
        };
        self.target.write(&text, out)?;
        let shown = self.target.file().is_none().then_some(&text);
        out.json(json!({
            "file": source.name, "scope": source.scope.name(), "holder": source.holder.as_ref().map(holder::name),
            "rules": source.file.rules.rules().count(), "output": self.target.file(), "text": shown,
        }))
    }
}

fn of_file(file: &Path, scope: Option<ScopeKind>) -> Result<Source, Failure> {
    let text = read_text(file)?;
    let scope = scope.or_else(|| named_scope(&text)).unwrap_or(ScopeKind::Account);
    let rules = RuleFile::of(file, text, scope)?;
    Ok(Source { name: PathBuf::from(input::name(file)), scope, holder: None, file: rules })
}

fn installed(context: &Context, holder: RuleHolder) -> Result<Source, Failure> {
    let history = context.directory_for_reading()?.rule_history(&holder)?;
    let Some(set) = history.into_iter().find(|set| set.running) else {
        let see = format!("see: sealpost rules list --history {}", holder::options(&holder));
        return Err(Failure::new(Code::NotFound, format!("no rules run for {holder}")).hint(see));
    };
    let (file, toml, scope) = (set.rules.file, set.rules.text, set.rules.scope);
    let rules = RuleSet::from_toml(&file, &toml, scope).map_err(|faults| text::refused(&faults))?;
    Ok(Source { name: PathBuf::from(file), scope, holder: Some(holder), file: RuleFile { rules, toml } })
}
