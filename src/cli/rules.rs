//! `sealpost rules`

use super::context::Context;
use super::failure::{Code, Failure};
use super::input;
use super::output::{Output, Table};
use super::words::{self, counted, day};
use crate::directory::{InstalledSet, RuleHolder};
use crate::mail::Address;
use crate::rules::{RuleFaults, RuleSet, ScopeKind};
use crate::system;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Check, install and list rule files
#[derive(clap::Args)]
pub(super) struct RulesCommand {
    #[command(subcommand)]
    verb: RulesVerb,
}

#[derive(clap::Subcommand)]
enum RulesVerb {
    /// Are the files right? All that is wrong is shown at once: sealpost rules check seal.toml
    Check {
        /// TOML rule files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// For whom they are meant; without it a file is right if it is right for anybody
        #[arg(long, value_enum)]
        scope: Option<ScopeWord>,
    },
    /// Install a file in the place of what runs there: sealpost rules install seal.toml --domain north.example
    Install(Install),
    /// List what runs
    List {
        /// And what ran before
        #[arg(long)]
        history: bool,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ScopeWord {
    Server,
    Domain,
    Account,
}

impl From<ScopeWord> for ScopeKind {
    fn from(word: ScopeWord) -> ScopeKind {
        match word {
            ScopeWord::Server => ScopeKind::Server,
            ScopeWord::Domain => ScopeKind::Domain,
            ScopeWord::Account => ScopeKind::Account,
        }
    }
}

#[derive(clap::Args)]
struct Install {
    /// A TOML rule file; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    holder: HolderArgs,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct HolderArgs {
    /// Once per message, before it is routed
    #[arg(long)]
    server: bool,
    /// For each account of this domain
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// For this account
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Option<Address>,
}

impl From<HolderArgs> for RuleHolder {
    fn from(args: HolderArgs) -> RuleHolder {
        match (args.domain, args.account) {
            (Some(domain), _) => RuleHolder::Domain(domain),
            (None, Some(account)) => RuleHolder::Account(account),
            (None, None) => RuleHolder::Server,
        }
    }
}

impl RulesCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            RulesVerb::Check { files, scope } => check(out, &files, scope),
            RulesVerb::Install(verb) => verb.run(context, out),
            RulesVerb::List { history } => list(context, out, history),
        }
    }
}

/// The text of a rule file.
fn text(path: &Path) -> Result<String, Failure> {
    let bytes = input::file(path)?;
    let text = std::str::from_utf8(bytes.expose()).map(str::to_owned);
    text.map_err(|error| Failure::new(Code::Data, format!("{} is no UTF-8: {error}", path.display())))
}

fn check(out: &mut Output, files: &[PathBuf], scope: Option<ScopeWord>) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for path in files {
        let file = path.display().to_string();
        let text = text(path)?;
        match right_for(&file, &text, scope) {
            Ok((scopes, set)) => {
                out.line(format!("{file}: {}, right for {}", counted(set.rules().count(), "rule"), scopes.join(", ")))?;
                for warning in set.warnings() {
                    out.line(format!("{file}:{}: warning: {}: {}", warning.line, warning.rule, warning.text))?;
                }
                out.json(json!({"file": file, "ok": true, "scopes": scopes, "warnings": set.warnings()}))?;
            }
            Err(faults) => {
                out.json(json!({"file": file, "ok": false, "faults": faults.to_string()}))?;
                wrong.push(faults.to_string());
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure::rendered(Code::Data, wrong.join("\n"))) }
}

/// The scopes that the file may be installed in; or what is wrong with it in the scope that minds least.
fn right_for(
    file: &str,
    text: &str,
    scope: Option<ScopeWord>,
) -> Result<(Vec<&'static str>, RuleSet), RuleFaults> {
    let all = [ScopeKind::Account, ScopeKind::Domain, ScopeKind::Server];
    let asked = scope.map_or(all.to_vec(), |scope| vec![scope.into()]);
    let (mut right, mut set, mut faults): (Vec<&str>, Option<RuleSet>, Option<RuleFaults>) =
        (Vec::new(), None, None);
    for scope in asked {
        match RuleSet::from_toml(file, text, scope) {
            Ok(read) => {
                right.push(scope.name());
                set.get_or_insert(read);
            }
            Err(found) if faults.as_ref().is_none_or(|least| found.faults().len() < least.faults().len()) => {
                faults = Some(found);
            }
            Err(_) => (),
        }
    }
    match (set, faults) {
        (None, Some(faults)) => Err(faults),
        (Some(set), _) => Ok((right, set)),
        (None, None) => RuleSet::from_toml(file, text, ScopeKind::Account).map(|set| (right, set)),
    }
}

impl Install {
    fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let text = text(&self.file)?;
        let holder = RuleHolder::from(self.holder);
        let shown = self.file.display().to_string();
        let set = RuleSet::from_toml(&shown, &text, holder.scope())
            .map_err(|faults| Failure::rendered(Code::Data, faults.to_string()))?;
        let name = self.file.file_name().map_or(shown.clone(), |name| name.to_string_lossy().into_owned());
        context.directory()?.install_rules(&holder, &name, &text, &system::user_name())?;
        let count = set.rules().count();
        out.line(format!("{shown} installed for {}: {}", holder.scope().name(), counted(count, "rule")))?;
        for warning in set.warnings() {
            out.line(format!("{shown}:{}: warning: {}: {}", warning.line, warning.rule, warning.text))?;
        }
        out.json(json!({
            "file": name,
            "scope": holder.scope().name(),
            "rules": count,
            "warnings": set.warnings(),
        }))
    }
}

fn list(context: &Context, out: &mut Output, history: bool) -> Result<(), Failure> {
    let mut sets = context.directory_for_reading()?.installed_rules()?;
    sets.retain(|set| history || set.running);
    let mut table = Table::new(&["scope", "for", "file", "rules", "installed", "by", "runs"]);
    for set in &sets {
        table.row([
            set.rules.scope.name().to_owned(),
            set.rules.holder.clone(),
            set.rules.file.clone(),
            count(set).map_or_else(|| "broken".to_owned(), |count| count.to_string()),
            day(set.installed),
            set.installed_by.clone(),
            if set.running { "yes" } else { "no" }.to_owned(),
        ]);
    }
    out.table(&table)?;
    out.json(json!({"rule_files": sets.iter().map(layout).collect::<Vec<_>>()}))
}

fn count(set: &InstalledSet) -> Option<usize> {
    let read = RuleSet::from_toml(&set.rules.file, &set.rules.text, set.rules.scope);
    Some(read.ok()?.rules().count())
}

fn layout(set: &InstalledSet) -> Value {
    json!({
        "scope": set.rules.scope.name(),
        "holder": set.rules.holder,
        "file": set.rules.file,
        "rules": count(set),
        "text": set.rules.text,
        "installed": day(set.installed),
        "installed_by": set.installed_by,
        "running": set.running,
    })
}
