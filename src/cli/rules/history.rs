//! `sealpost rules list` and `show`

use super::holder::{self, Holder};
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::cli::output::{Output, Table};
use crate::cli::words;
use crate::directory::{Asked, InstalledSet, RuleChange, RuleHolder};
use crate::rules::RuleSet;
use clap::Args;
use serde_json::{Value, json};

/// List the rules that run: for whom, how many, since when and by whom
///
/// Times are UTC.
#[derive(Args)]
#[command(group = holder::at_most_one(), after_help = "Examples:
  sealpost rules list
  sealpost rules list --history --account anna@north.example")]
pub(super) struct List {
    #[command(flatten)]
    holder: Holder,
    /// All versions, those of the past too
    #[arg(long)]
    history: bool,
}

impl List {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let directory = context.directory_for_reading()?;
        let holder = self.holder.named();
        let empty = match &holder {
            None => "no rules are installed: each message is sealed into the INBOX".to_owned(),
            Some(holder) => format!("no rules are installed for {holder}"),
        };
        let mut sets = match &holder {
            None => directory.installed_rules()?,
            Some(holder) => directory.rule_history(holder)?,
        };
        sets.retain(|set| self.history || set.running);
        out.table(&if self.history { all(&sets, empty) } else { running(&sets, empty) })?;
        out.json(json!({"rules": sets.iter().map(layout).collect::<Vec<_>>()}))
    }
}

fn running(sets: &[InstalledSet], empty: String) -> Table {
    let mut table = Table::new(&["for", "version", "rules", "installed", "by", "as", "file"], empty);
    for set in sets {
        let [version, rules, when, by, asked] = cells(set);
        table.row([describe(set), version, rules, when, by, asked, set.rules.file.clone()]);
    }
    table
}

fn all(sets: &[InstalledSet], empty: String) -> Table {
    let mut table =
        Table::new(&["for", "version", "runs", "change", "rules", "when", "by", "as", "file"], empty);
    for set in sets {
        let [version, rules, when, by, asked] = cells(set);
        let runs = if set.running { "yes" } else { "-" };
        let file = if set.rules.file.is_empty() { "-" } else { &set.rules.file };
        let (runs, file) = (runs.to_owned(), file.to_owned());
        table.row([describe(set), version, runs, change(set.change), rules, when, by, asked, file]);
    }
    table
}

/// Version, number of rules, when, by whom, as what.
fn cells(set: &InstalledSet) -> [String; 5] {
    let count = match (count(set), set.change) {
        (_, RuleChange::Removed) => "-".to_owned(),
        (None, _) => "broken".to_owned(),
        (Some(count), _) => count.to_string(),
    };
    let by = set.installed_by.clone();
    [set.version.to_string(), count, words::minute(set.installed), by, asked(set.asked).to_owned()]
}

/// The number of its rules; nothing if it is wrong by now.
fn count(set: &InstalledSet) -> Option<usize> {
    let rules = RuleSet::from_toml(&set.rules.file, &set.rules.text, set.rules.scope);
    rules.ok().map(|rules| rules.rules().count())
}

fn asked(asked: Asked) -> &'static str {
    match asked {
        Asked::Administrator => "administrator",
        Asked::Owner => "owner",
    }
}

fn change(change: RuleChange) -> String {
    match change {
        RuleChange::Installed => "install".to_owned(),
        RuleChange::Removed => "remove".to_owned(),
        RuleChange::RolledBack(version) => format!("rollback to {version}"),
    }
}

/// `account anna@north.example`
fn describe(set: &InstalledSet) -> String {
    format!("{} {}", set.rules.scope.name(), set.rules.holder).trim_end().to_owned()
}

fn layout(set: &InstalledSet) -> Value {
    let (change, restores) = match set.change {
        RuleChange::Installed => ("install", None),
        RuleChange::Removed => ("remove", None),
        RuleChange::RolledBack(version) => ("rollback", Some(version)),
    };
    json!({
        "scope": set.rules.scope.name(),
        "holder": set.rules.holder,
        "version": set.version,
        "running": set.running,
        "change": change,
        "restores": restores,
        "rules": count(set),
        "installed": words::instant(set.installed),
        "by": set.installed_by,
        "as": asked(set.asked),
        "file": set.rules.file,
    })
}

/// Show rules as they were installed
///
/// Without --version those that run.
#[derive(Args)]
#[command(group = holder::exactly_one(), after_help = "Examples:
  sealpost rules show --account anna@north.example
  sealpost rules show --domain north.example --version 2 > payroll.toml")]
pub(super) struct Show {
    #[command(flatten)]
    holder: Holder,
    /// This version (rules list --history)
    #[arg(long, value_name = "VERSION")]
    version: Option<u32>,
}

impl Show {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let holder = RuleHolder::from(self.holder);
        let history = context.directory_for_reading()?.rule_history(&holder)?;
        let wanted = |set: &&InstalledSet| match self.version {
            Some(version) => set.version == version,
            None => set.running,
        };
        let Some(set) = history.iter().find(wanted) else {
            let text = match self.version {
                Some(version) => format!("{holder} has no version {version}"),
                None => format!("no rules run for {holder}"),
            };
            let see = format!("see: sealpost rules list --history {}", holder::options(&holder));
            return Err(Failure::new(Code::NotFound, text).hint(see));
        };
        if out.is_json() {
            return out.json(crate::cli::output::with(layout(set), [("text", json!(set.rules.text))]));
        }
        out.bytes(set.rules.text.as_bytes())
    }
}
