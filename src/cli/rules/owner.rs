//! What the owners of accounts may do with rules.

use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::config::{Config, Origin};
pub(super) use crate::directory::Asked;
use crate::directory::{InstalledSet, RuleHolder, SqliteDirectory};
use crate::engine::Account;
use crate::rules::{Forbidden, RuleSet, RulesAllowed};
use clap::Args;

/// On whose wish rules are changed.
#[derive(Args)]
#[group(skip)]
pub(super) struct Wish {
    /// The owner of the account asks for it: rules-allowed says what he may have
    #[arg(long, requires = "account")]
    by_owner: bool,
}

impl Wish {
    pub(super) fn asked(&self) -> Asked {
        if self.by_owner { Asked::Owner } else { Asked::Administrator }
    }
}

/// May the owner have these rules in the place of what runs? Gives the newest version that the answer hangs on.
pub(super) fn check(
    context: &Context,
    directory: &SqliteDirectory,
    holder: &RuleHolder,
    rules: &RuleSet,
) -> Result<u32, Failure> {
    let RuleHolder::Account(address) = holder else {
        return Err(Failure::new(Code::Usage, "only an account has an owner: --account ADDRESS"));
    };
    let account = directory.account(address)?;
    let limit = Limit::of(&account, &context.config()?);
    limit.permit(rules)?;
    let history = directory.rule_history(holder)?;
    if let Some(running) = history.iter().find(|set| set.running) {
        limit.permit_replacing(running)?;
    }
    Ok(history.last().map_or(0, |set| set.version))
}

/// What holds for an account, and who said so.
struct Limit<'a> {
    account: &'a Account,
    allowed: RulesAllowed,
    origin: &'static str,
}

impl<'a> Limit<'a> {
    fn of(account: &'a Account, config: &Config) -> Limit<'a> {
        let entry = config.entries().iter().find(|entry| entry.key == "rules-allowed");
        let is_default = entry.is_none_or(|entry| entry.origin == Origin::Default);
        let own = (account.overrides.rules_allowed, account.domain.overrides.rules_allowed);
        let origin = match own {
            (Some(_), _) => "its own",
            (None, Some(_)) => "its domain's",
            (None, None) if is_default => "default",
            (None, None) => "the site's",
        };
        Limit { account, allowed: config.settings.rules_allowed(account), origin }
    }

    fn permit(&self, rules: &RuleSet) -> Result<(), Failure> {
        let forbidden = rules.forbidden(self.allowed);
        let address = &self.account.address;
        if self.allowed == RulesAllowed::None {
            let text = format!("the owner of {address} may not change his rules: {}", self.said());
            return Err(self.refused(text, &forbidden));
        }
        if forbidden.is_empty() {
            return Ok(());
        }
        let text = format!("the owner of {address} may not install these rules: {}", self.said());
        Err(self.refused(text, &forbidden))
    }

    /// What an administrator set and the owner could not have set himself stays until an administrator ends it.
    fn permit_replacing(&self, running: &InstalledSet) -> Result<(), Failure> {
        let set = &running.rules;
        let forbidden = match RuleSet::from_toml(&set.file, &set.text, set.scope) {
            Ok(rules) if running.asked == Asked::Administrator => rules.forbidden(self.allowed),
            _ => Vec::new(),
        };
        if forbidden.is_empty() {
            return Ok(());
        }
        let address = &self.account.address;
        let text = format!(
            "what runs for {address} was installed by an administrator (version {}, {}), and its owner may not have \
             it himself, so that he may not replace it: {}",
            running.version,
            running.installed_by,
            self.said()
        );
        let failure = self.refused(text, &forbidden);
        let end = format!("to end it: sealpost rules remove --account {address}");
        let hint = failure.hint.clone().map_or(end.clone(), |hint| format!("{hint}\n{end}"));
        Err(failure.hint(hint))
    }

    fn said(&self) -> String {
        format!("rules-allowed is {} ({})", self.allowed.name(), self.origin)
    }

    /// Names each action, and the command that permits all of them.
    fn refused(&self, text: String, forbidden: &[Forbidden]) -> Failure {
        let told = |one: &Forbidden| {
            let (rule, line, action) = (&one.rule, one.line, one.action);
            format!("rule \"{rule}\", line {line}: \"{action}\" needs {}", one.needs.name())
        };
        let widest = forbidden.iter().map(|one| one.needs).max().unwrap_or(RulesAllowed::FilterOnly);
        let (address, word) = (&self.account.address, widest.name());
        let command = format!("to allow it: sealpost account set {address} --rules-allowed {word}");
        let lines: Vec<String> = forbidden.iter().map(told).chain([command]).collect();
        Failure::new(Code::NoPermission, text).hint(lines.join("\n"))
    }
}
