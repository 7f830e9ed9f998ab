//! `sealpost rules remove` and `rollback`

use super::holder::{self, Holder};
use super::owner::{self, Asked, Wish};
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::cli::output::Output;
use crate::cli::words;
use crate::directory::{InstalledSet, NewRules, RuleChange, RuleHolder, SqliteDirectory};
use crate::rules::{Color, RuleSet};
use crate::system;
use clap::Args;
use serde_json::json;

/// End the rules of the site, a domain or an account
///
/// What ran stays in the history, and rules rollback brings it back.
#[derive(Args)]
#[command(group = holder::exactly_one(), after_help = "Examples:
  sealpost rules remove --account anna@north.example
  sealpost rules remove --server")]
pub(super) struct Remove {
    #[command(flatten)]
    holder: Holder,
    #[command(flatten)]
    wish: Wish,
}

impl Remove {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let directory = context.directory()?;
        let holder = RuleHolder::from(self.holder);
        let nothing = nothing(&holder)?;
        let after = permitted(context, &directory, &holder, self.wish.asked(), &nothing)?;
        let (change, by, asked) = (RuleChange::Removed, &system::user_name(), self.wish.asked());
        let new = NewRules { file: "", text: "", change, by, asked, after };
        let version = directory.change_rules(&holder, &new)?;
        out.line(format!("no rules run for {holder} any more (version {version})"))?;
        out.line(format!("to bring them back: sealpost rules rollback {}", holder::options(&holder)))?;
        out.json(json!({"scope": holder.scope().name(), "holder": holder::name(&holder), "version": version}))
    }
}

fn nothing(holder: &RuleHolder) -> Result<RuleSet, Failure> {
    RuleSet::from_toml("", "", holder.scope())
        .map_err(|faults| Failure::new(Code::Internal, faults.to_string()))
}

fn permitted(
    context: &Context,
    directory: &SqliteDirectory,
    holder: &RuleHolder,
    asked: Asked,
    rules: &RuleSet,
) -> Result<Option<u32>, Failure> {
    match asked {
        Asked::Administrator => Ok(None),
        Asked::Owner => owner::check(context, directory, holder, rules).map(Some),
    }
}

/// Bring an earlier version of the rules back
///
/// Its text is installed anew, as a version of its own. Without --to it is the one before what runs now; called again, the
/// one before that. A text that is not right any more is refused with every fault and changes nothing.
#[derive(Args)]
#[command(group = holder::exactly_one(), after_help = "Examples:
  sealpost rules rollback --account anna@north.example
  sealpost rules rollback --domain north.example --to 3")]
pub(super) struct Rollback {
    #[command(flatten)]
    holder: Holder,
    #[command(flatten)]
    wish: Wish,
    /// The version to bring back (rules list --history)
    #[arg(long, value_name = "VERSION")]
    to: Option<u32>,
}

impl Rollback {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let directory = context.directory()?;
        let holder = RuleHolder::from(self.holder);
        let history = directory.rule_history(&holder)?;
        let old = target(&history, &holder, self.to)?;
        let rules = compile_again(old, &holder)?;
        permitted(context, &directory, &holder, self.wish.asked(), &rules)?;
        let (file, text) = (old.rules.file.as_str(), old.rules.text.as_str());
        let (by, asked) = (&system::user_name(), self.wish.asked());
        let after = history.last().map(|set| set.version);
        let new = NewRules { file, text, change: RuleChange::RolledBack(old.version), by, asked, after };
        let version = directory.change_rules(&holder, &new)?;
        let count = rules.rules().count();
        let (counted, was) = (words::counted(count, "rule"), old.version);
        out.line(format!(
            "{file}: {counted} of version {was} installed again for {holder} (version {version})"
        ))?;
        out.json(json!({
            "scope": holder.scope().name(), "holder": holder::name(&holder), "version": version, "restores": was,
            "file": file, "rules": count,
        }))
    }
}

/// The version that was named, or the one before what runs.
fn target<'h>(
    history: &'h [InstalledSet],
    holder: &RuleHolder,
    named: Option<u32>,
) -> Result<&'h InstalledSet, Failure> {
    let see = format!("see: sealpost rules list --history {}", holder::options(holder));
    let Some(version) = named else {
        return before_running(history)
            .ok_or_else(|| Failure::new(Code::NotFound, format!("{holder} has no earlier rules")).hint(see));
    };
    match history.iter().find(|set| set.version == version) {
        None => Err(Failure::new(Code::NotFound, format!("{holder} has no version {version}")).hint(see)),
        Some(set) if set.change == RuleChange::Removed => {
            let text = format!("version {version} for {holder} holds no rules: with it they were ended");
            Err(Failure::new(Code::No, text).hint(see))
        }
        Some(set) if set.running => {
            Err(Failure::new(Code::No, format!("version {version} runs for {holder} already")).hint(see))
        }
        Some(set) => Ok(set),
    }
}

/// What was brought back counts as the version that it came from, so that one rollback after the other goes back further.
fn before_running(history: &[InstalledSet]) -> Option<&InstalledSet> {
    let newest = history.last()?;
    let place = match newest.change {
        RuleChange::RolledBack(version) => version,
        RuleChange::Installed | RuleChange::Removed => newest.version,
    };
    let is_text = |set: &&InstalledSet| set.change != RuleChange::Removed && set.version < place;
    history.iter().rev().find(is_text)
}

/// What was right when it was installed need not be right for this sealpost.
fn compile_again(old: &InstalledSet, holder: &RuleHolder) -> Result<RuleSet, Failure> {
    let file = format!("{} (version {})", old.rules.file, old.version);
    RuleSet::from_toml(&file, &old.rules.text, holder.scope()).map_err(|faults| {
        let text = format!("version {} for {holder} is not right any more; nothing was changed", old.version);
        Failure::rendered(Code::Data, format!("{}\n\nsealpost: {text}", faults.rendered(Color::Never)))
    })
}
