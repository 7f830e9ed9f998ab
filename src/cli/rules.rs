//! `sealpost rules`: check, install and list the rule files of the site.

mod advice;
mod change;
mod export;
mod history;
mod holder;
mod import;
mod install;
mod named;
mod owner;
mod test;
mod text;
mod word;

use super::context::Context;
use super::explain::Explain;
use super::failure::{Code, Failure};
use super::input;
use super::output::Output;
use super::words;
use crate::rules::{Color, RuleFaults, RuleSet, ScopeKind, Warning};
use clap::{Args, Subcommand};
use named::{named, named_scope, scope};
use serde_json::json;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Check, install and explain mail rules
#[derive(Args)]
pub(super) struct Rules {
    #[command(subcommand)]
    verb: RulesVerb,
}

#[derive(Subcommand)]
enum RulesVerb {
    Check(Check),
    Install(install::Install),
    List(history::List),
    Show(history::Show),
    Remove(change::Remove),
    Rollback(change::Rollback),
    Import(import::Import),
    Export(export::Export),
    Explain(Explain),
    Test(test::Test),
    Words(word::Words),
}

impl Rules {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            RulesVerb::Check(verb) => verb.run(out),
            RulesVerb::Install(verb) => verb.run(context, out),
            RulesVerb::List(verb) => verb.run(context, out),
            RulesVerb::Show(verb) => verb.run(context, out),
            RulesVerb::Remove(verb) => verb.run(context, out),
            RulesVerb::Rollback(verb) => verb.run(context, out),
            RulesVerb::Import(verb) => verb.run(out),
            RulesVerb::Export(verb) => verb.run(context, out),
            RulesVerb::Explain(verb) => verb.run(context, out),
            RulesVerb::Test(verb) => verb.run(context, out),
            RulesVerb::Words(verb) => verb.run(out),
        }
    }
}

/// Check rule files: every fault with its place, and what is legal and surely not meant
///
/// A file is TOML, or the array text of CommuniGate Pro if it begins with ( or {. It is checked for the scope that a line
/// `# scope: server`, `domain` or `account` in it names (`// scope: …` in array text), else for accounts.
#[derive(Args)]
#[command(after_help = "Examples:
  sealpost rules check rules/*.toml
  sealpost rules check --scope domain payroll.toml")]
struct Check {
    /// The rule files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Check for this scope, whatever the files say
    #[arg(long, value_name = "SCOPE", value_parser = scope)]
    scope: Option<ScopeKind>,
}

impl Check {
    fn run(self, out: &mut Output) -> Result<(), Failure> {
        let mut wrong = 0;
        for file in &self.files {
            let text = read_text(file)?;
            let named = named(&text);
            let scope = self.scope.or(named.scope.map(|(_, scope)| scope)).unwrap_or(ScopeKind::Account);
            match RuleSet::from_text(&file.display().to_string(), &text, scope) {
                Ok(rules) => show_good(file, scope, (&rules, named.odd), out)?,
                Err(faults) => {
                    wrong += 1;
                    named.odd.iter().try_for_each(|odd| out.line(advice(file, odd)))?;
                    show_faults(file, &faults, out)?;
                }
            }
        }
        match wrong {
            0 => Ok(()),
            _ => Err(Failure::new(Code::No, format!("{wrong} of {} rule files wrong", self.files.len()))),
        }
    }
}

fn show_good(
    file: &Path,
    scope: ScopeKind,
    (rules, mut warnings): (&RuleSet, Vec<Warning>),
    out: &mut Output,
) -> Result<(), Failure> {
    let count = rules.rules().count();
    warnings.extend(rules.warnings());
    warnings.sort_by_key(|warning| warning.line);
    let rules_counted = words::counted(count, "rule");
    out.line(format!("{}: {rules_counted}, right for scope {}", file.display(), scope.name()))?;
    for warning in &warnings {
        out.line(advice(file, warning))?;
    }
    out.json(json!({"file": file, "scope": scope.name(), "rules": count, "warnings": warnings, "faults": []}))
}

/// Rules on their way in, with the text that they were read from.
struct Installing<'a> {
    rules: &'a RuleSet,
    text: &'a str,
}

fn advice(file: &Path, warning: &Warning) -> String {
    let rule = if warning.rule.is_empty() { String::new() } else { format!("rule \"{}\": ", warning.rule) };
    format!("{}:{}: warning: {rule}{}", file.display(), warning.line, warning.text)
}

fn show_faults(file: &Path, faults: &RuleFaults, out: &mut Output) -> Result<(), Failure> {
    let color = if std::io::stdout().is_terminal() { Color::Always } else { Color::Never };
    out.line(faults.rendered(color).trim_end())?;
    out.json(json!({"file": file, "faults": faults.faults()}))
}

fn read_text(file: &Path) -> Result<String, Failure> {
    let bytes = input::file(file)?;
    let text = std::str::from_utf8(bytes.expose());
    text.map(str::to_owned)
        .map_err(|_| Failure::new(Code::Data, format!("{} is not UTF-8 text", input::name(file))))
}
