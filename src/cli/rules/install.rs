//! `sealpost rules install`

use super::advice;
use super::holder::{self, Holder};
use super::owner::{self, Wish};
use super::text::RuleFile;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::{programs, words};
use crate::directory::{NewRules, RuleChange, RuleHolder, SqliteDirectory};
use crate::engine::InboxPolicy;
use crate::rules::{RuleSet, ScopeKind, Warning};
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

impl Install {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let holder = RuleHolder::from(self.holder);
        let RuleFile { rules, toml: text } = RuleFile::read(&self.file, holder.scope())?;
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let directory = match self.dry_run {
            true => context.directory_for_reading()?,
            false => context.directory()?,
        };
        let after = match self.wish.asked() {
            owner::Asked::Administrator => None,
            owner::Asked::Owner => Some(owner::check(context, &directory, &holder, &rules)?),
        };
        let warnings = warnings(context, &directory, &holder, &rules)?;
        let change = RuleChange::Installed;
        let (by, asked) = (&system::user_name(), self.wish.asked());
        let new = NewRules { file: &name, text: &text, change, by, asked, after };
        let version = match self.dry_run {
            true => None,
            false => Some(directory.change_rules(&holder, &new)?),
        };
        for warning in &warnings {
            out.line(advice(&self.file, warning))?;
        }
        let count = rules.rules().count();
        let counted = words::counted(count, "rule");
        out.line(match version {
            Some(version) => format!("{name}: {counted} installed for {holder} (version {version})"),
            None => {
                format!("{name}: {counted} would be installed for {holder}; nothing was done (--dry-run)")
            }
        })?;
        out.json(json!({
            "file": name, "scope": holder.scope().name(), "holder": holder::name(&holder), "rules": count,
            "version": version, "warnings": warnings,
        }))
    }
}

/// What is odd about the file, and what is odd where it is installed.
fn warnings(
    context: &Context,
    directory: &SqliteDirectory,
    holder: &RuleHolder,
    rules: &RuleSet,
) -> Result<Vec<Warning>, Failure> {
    let mut warnings = rules.warnings();
    warnings.extend(programs::advice(context, rules));
    if inbox(context, directory, holder)? == InboxPolicy::Plain && holder.scope() != ScopeKind::Server {
        warnings.extend(rules.clear_inbox_warnings());
        warnings.sort_by_key(|warning| warning.line);
    }
    Ok(warnings)
}

/// How the INBOX copy is stored there. While the configuration is wrong, the site is taken to say what it says by default.
fn inbox(
    context: &Context,
    directory: &SqliteDirectory,
    holder: &RuleHolder,
) -> Result<InboxPolicy, Failure> {
    let own = match holder {
        RuleHolder::Server => None,
        RuleHolder::Domain(name) => directory.domain(name)?.overrides.inbox,
        RuleHolder::Account(address) => {
            let account = directory.account(address)?;
            account.overrides.inbox.or(account.domain.overrides.inbox)
        }
    };
    let site = || context.config().map(|config| config.settings.inbox).unwrap_or_default();
    Ok(own.unwrap_or_else(site))
}
