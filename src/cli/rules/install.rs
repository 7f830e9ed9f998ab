//! `sealpost rules install`

use super::advice::warnings;
use super::holder::{self, Holder};
use super::owner::{self, Wish};
use super::text::RuleFile;
use super::{Installing, advice, read_text};
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::cli::output::Output;
use crate::cli::words;
use crate::directory::{InstalledSet, NewRules, RuleChange, RuleHolder, SqliteDirectory};
use crate::system;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Install a rule file for the site, a domain or an account
///
/// It takes the place of the file that runs there; that one stays in the history (rules list --history, rules rollback). A
/// wrong file is refused with every fault and changes nothing. Deliveries see the old rules or the new ones. Array text of
/// CommuniGate Pro (a file that begins with ( or {) is turned into TOML, which is what is kept.
///
/// --by-owner is for what a site offers to the owners of accounts: then rules-allowed of the account, its domain or the
/// site says which actions the file may hold. What an administrator installs is never limited.
#[derive(Args)]
#[command(group = holder::exactly_one(), after_help = "Examples:
  sealpost rules install archive.toml --server
  sealpost rules install payroll.toml --domain north.example
  sealpost rules install lists.toml --account anna@north.example
  sealpost rules install mine.toml --account anna@north.example --by-owner --dry-run")]
pub(super) struct Install {
    /// The rule file
    file: PathBuf,
    #[command(flatten)]
    holder: Holder,
    #[command(flatten)]
    wish: Wish,
    /// Check all of it and install nothing
    #[arg(long)]
    dry_run: bool,
}

/// What became of the file.
enum Done {
    Installed(u32),
    Nothing,
    RunsAlready(u32),
}

impl Install {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let holder = RuleHolder::from(self.holder);
        let written = read_text(&self.file)?;
        let RuleFile { rules, toml } = RuleFile::of(&self.file, written.clone(), holder.scope())?;
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let count = rules.rules().count();
        if count == 0 {
            let end = format!("sealpost rules remove {}", holder::options(&holder));
            return Err(Failure::new(
                Code::Data,
                format!("{name} holds no rule; to end the rules there: {end}"),
            ));
        }
        let directory = match self.dry_run {
            true => context.directory_for_reading()?,
            false => context.directory()?,
        };
        let after = match self.wish.asked() {
            owner::Asked::Administrator => None,
            owner::Asked::Owner => Some(owner::check(context, &directory, &holder, &rules)?),
        };
        let new = Installing { rules: &rules, text: &written };
        let warnings = warnings(context, &directory, &holder, &new)?;
        let change = RuleChange::Installed;
        let (by, asked) = (&system::user_name(), self.wish.asked());
        let new = NewRules { file: &name, text: &toml, change, by, asked, after };
        let done = match running_version(&directory, &holder, &new)? {
            Some(version) => Done::RunsAlready(version),
            None if self.dry_run => Done::Nothing,
            None => Done::Installed(directory.change_rules(&holder, &new)?),
        };
        for warning in &warnings {
            out.line(advice(&self.file, warning))?;
        }
        let counted = words::counted(count, "rule");
        out.line(match done {
            Done::Installed(version) => {
                format!("{name}: {counted} installed for {holder} (version {version})")
            }
            Done::RunsAlready(version) => {
                format!("{name}: runs already for {holder} (version {version})")
            }
            Done::Nothing => {
                format!("{name}: {counted} would be installed for {holder}; nothing was done (--dry-run)")
            }
        })?;
        out.json(json!({
            "file": name, "scope": holder.scope().name(), "holder": holder::name(&holder), "rules": count,
            "version": done.version(), "warnings": warnings,
        }))
    }
}

impl Done {
    /// What runs by this file.
    fn version(&self) -> Option<u32> {
        match self {
            Done::Installed(version) | Done::RunsAlready(version) => Some(*version),
            Done::Nothing => None,
        }
    }
}

/// The version that runs and says the same on the same wish: another one would only hide what ran before it.
fn running_version(
    directory: &SqliteDirectory,
    holder: &RuleHolder,
    new: &NewRules<'_>,
) -> Result<Option<u32>, Failure> {
    let is_same = |set: &InstalledSet| set.running && set.rules.text == new.text && set.asked == new.asked;
    let history = directory.rule_history(holder)?;
    Ok(history.iter().find(|set| is_same(set)).map(|set| set.version))
}
