//! `sealpost rules`: check, install and list the rule files of the site.

use super::context::Context;
use super::explain::Explain;
use super::failure::{Code, Failure};
use super::input;
use super::output::{Output, Table};
use super::{programs, words};
use crate::directory::{InstalledSet, RuleHolder};
use crate::mail::Address;
use crate::rules::{Color, RuleFaults, RuleSet, ScopeKind, Warning};
use crate::system;
use clap::{Args, Subcommand};
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
    Install(Install),
    /// List the rule files that run
    #[command(after_help = "Example:
  sealpost rules list")]
    List,
    Explain(Explain),
}

impl Rules {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            RulesVerb::Check(verb) => verb.run(out),
            RulesVerb::Install(verb) => verb.run(context, out),
            RulesVerb::List => list(context, out),
            RulesVerb::Explain(verb) => verb.run(context, out),
        }
    }
}

/// Check rule files: every fault with its place, and what is legal and surely not meant
///
/// A file is checked for the scope that a line `# scope: server`, `domain` or `account` in it names, else for accounts.
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

fn scope(word: &str) -> Result<ScopeKind, String> {
    let scopes = [ScopeKind::Server, ScopeKind::Domain, ScopeKind::Account];
    scopes
        .into_iter()
        .find(|scope| scope.name() == word)
        .ok_or_else(|| "the scopes are server, domain, account".into())
}

impl Check {
    fn run(self, out: &mut Output) -> Result<(), Failure> {
        let mut wrong = 0;
        for file in &self.files {
            let text = read_text(file)?;
            let scope = self.scope.or_else(|| named_scope(&text)).unwrap_or(ScopeKind::Account);
            match RuleSet::from_toml(&file.display().to_string(), &text, scope) {
                Ok(rules) => show_good(file, scope, &rules, out)?,
                Err(faults) => {
                    wrong += 1;
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

fn named_scope(text: &str) -> Option<ScopeKind> {
    let words = text.lines().filter_map(|line| line.strip_prefix("# scope:"));
    words.filter_map(|word| scope(word.trim()).ok()).next()
}

fn show_good(file: &Path, scope: ScopeKind, rules: &RuleSet, out: &mut Output) -> Result<(), Failure> {
    let (count, warnings) = (rules.rules().count(), rules.warnings());
    let rules_counted = words::counted(count, "rule");
    out.line(format!("{}: {rules_counted}, right for scope {}", file.display(), scope.name()))?;
    for warning in &warnings {
        out.line(advice(file, warning))?;
    }
    out.json(json!({"file": file, "scope": scope.name(), "rules": count, "warnings": warnings, "faults": []}))
}

fn advice(file: &Path, warning: &Warning) -> String {
    format!("{}:{}: warning: rule \"{}\": {}", file.display(), warning.line, warning.rule, warning.text)
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

/// Install a rule file for the site, a domain or an account
///
/// It takes the place of the file that runs there. A wrong file is refused with every fault and changes nothing. An
/// empty file ends the rules there.
#[derive(Args)]
#[command(after_help = "Examples:
  sealpost rules install archive.toml --server
  sealpost rules install payroll.toml --domain north.example
  sealpost rules install lists.toml --account anna@north.example")]
struct Install {
    /// The rule file
    file: PathBuf,
    #[command(flatten)]
    holder: Holder,
}

/// For whom a rule file is.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Holder {
    /// For the whole site
    #[arg(long)]
    server: bool,
    /// For every account of a domain
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// For one account
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Option<Address>,
}

impl From<Holder> for RuleHolder {
    fn from(holder: Holder) -> RuleHolder {
        match (holder.domain, holder.account) {
            (Some(domain), _) => RuleHolder::Domain(domain),
            (None, Some(account)) => RuleHolder::Account(account),
            (None, None) => RuleHolder::Server,
        }
    }
}

impl Install {
    fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let text = read_text(&self.file)?;
        let file = self.file.display().to_string();
        let holder = RuleHolder::from(self.holder);
        let rules = RuleSet::from_toml(&file, &text, holder.scope())
            .map_err(|faults| Failure::rendered(Code::Data, faults.rendered(Color::Never)))?;
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        context.directory()?.install_rules(&holder, &name, &text, &system::user_name())?;
        for warning in rules.warnings().into_iter().chain(programs::advice(context, &rules)) {
            out.line(advice(&self.file, &warning))?;
        }
        let count = rules.rules().count();
        let counted = words::counted(count, "rule");
        out.line(format!(
            "{name}: {counted} installed for {}",
            describe(holder.scope(), &holder_name(&holder))
        ))?;
        out.json(json!({"file": name, "scope": holder.scope().name(), "holder": holder_name(&holder), "rules": count}))
    }
}

fn holder_name(holder: &RuleHolder) -> String {
    match holder {
        RuleHolder::Server => String::new(),
        RuleHolder::Domain(name) => name.clone(),
        RuleHolder::Account(address) => address.to_string(),
    }
}

fn describe(scope: ScopeKind, holder: &str) -> String {
    format!("{} {holder}", scope.name()).trim_end().to_owned()
}

fn list(context: &Context, out: &mut Output) -> Result<(), Failure> {
    let sets = context.directory_for_reading()?.installed_rules()?;
    let running: Vec<&InstalledSet> = sets.iter().filter(|set| set.running).collect();
    let mut table = Table::new(
        &["for", "file", "rules", "installed", "by"],
        "no rules are installed: each message is sealed into the INBOX",
    );
    let mut rows = Vec::new();
    for set in &running {
        let rules = RuleSet::from_toml(&set.rules.file, &set.rules.text, set.rules.scope);
        let count = rules.map_or("broken".into(), |rules| rules.rules().count().to_string());
        let holder = describe(set.rules.scope, &set.rules.holder);
        table.row([
            holder,
            set.rules.file.clone(),
            count,
            words::day(set.installed),
            set.installed_by.clone(),
        ]);
        rows.push(
            json!({"scope": set.rules.scope.name(), "holder": set.rules.holder, "file": set.rules.file,
            "installed": words::day(set.installed), "by": set.installed_by}),
        );
    }
    out.table(&table)?;
    out.json(json!({"rules": rows}))
}
