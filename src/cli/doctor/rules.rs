//! Installed rules: are they right, and may their owners still have them?

use super::{Finding, Round, Severity};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::mailboxes::{self, Mailboxes};
use crate::directory::{Asked, InstalledSet};
use crate::mail::Address;
use crate::rules::{Forbidden, RuleSet, RulesAllowed};

impl Round {
    pub(super) fn look_at_rules(&mut self, context: &Context) -> Result<(), Failure> {
        let installed = self.directory.installed_rules()?;
        for set in installed.iter().filter(|set| set.running) {
            let rules = &set.rules;
            match RuleSet::from_toml(&rules.file, &rules.text, rules.scope) {
                Err(faults) => self.find(about(set), faults.to_string()),
                Ok(compiled) => {
                    self.look_at_calls(&about(set), &compiled);
                    self.look_at_mailboxes(context, set, &compiled)?;
                    if set.asked == Asked::Owner {
                        self.look_at_owners(set, &compiled)?;
                    }
                    self.look_at_datasets(set, &compiled)?;
                }
            }
        }
        Ok(())
    }

    /// Where the configuration is wrong nobody knows in which folder mailboxes are, which is told already.
    fn look_at_mailboxes(
        &mut self,
        context: &Context,
        set: &InstalledSet,
        rules: &RuleSet,
    ) -> Result<(), Failure> {
        let (Ok(config), Some(holder)) = (context.config(), mailboxes::holder(set)) else { return Ok(()) };
        let may_create = config.settings.create_mailboxes;
        let (directory, store) = (&self.directory, &context.store(&config)?);
        let unusable = Mailboxes { directory, store, may_create }.unusable(&holder, rules)?;
        for one in unusable {
            self.advise(Severity::Problem, about(set), one.finding(), one.mend);
        }
        Ok(())
    }

    /// A dataset without a member is not there, and a condition that asks for it is surely not meant so. Rules of a domain
    /// ask for that of each account: one that has it is enough.
    fn look_at_datasets(&mut self, set: &InstalledSet, rules: &RuleSet) -> Result<(), Failure> {
        let account = Address::parse(&set.rules.holder).ok();
        for name in rules.datasets_of_others() {
            if !self.directory.has_dataset(account.as_ref(), &name)? {
                let whose = account.as_ref().map_or_else(|| "ADDRESS".to_owned(), Address::to_string);
                let text = format!("conditions ask for the dataset #{name}, which has no member");
                let mend = format!("sealpost dataset add --account {whose} '{name}' MEMBER");
                self.advise(Severity::Warning, about(set), text, mend);
            }
        }
        Ok(())
    }

    /// What an owner installed goes on when he may have less.
    fn look_at_owners(&mut self, set: &InstalledSet, rules: &RuleSet) -> Result<(), Failure> {
        let Ok(address) = Address::parse(&set.rules.holder) else { return Ok(()) };
        let account = self.directory.account(&address)?;
        let allowed = self.config.settings.rules_allowed(&account);
        let forbidden = rules.forbidden(allowed);
        self.findings.extend(not_permitted(set, allowed, &forbidden));
        Ok(())
    }
}

fn about(set: &InstalledSet) -> String {
    format!("rules {} {}", set.rules.scope.name(), set.rules.holder).trim_end().to_owned()
}

fn not_permitted(set: &InstalledSet, allowed: RulesAllowed, forbidden: &[Forbidden]) -> Option<Finding> {
    let widest = forbidden.iter().map(|one| one.needs).max()?;
    let mut actions: Vec<String> = forbidden.iter().map(|one| format!("\"{}\"", one.action)).collect();
    actions.sort();
    actions.dedup();
    let text = format!(
        "the owner installed them (version {}), and rules-allowed is {} by now, which does not permit {}: they go on",
        set.version,
        allowed.name(),
        actions.join(", ")
    );
    let holder = &set.rules.holder;
    let mend = format!(
        "sealpost rules remove --account {holder}, or account set {holder} --rules-allowed {}",
        widest.name()
    );
    Some(Finding { severity: Severity::Warning, about: about(set), text, mend: Some(mend) })
}
