//! What is odd about rules where they are installed.

use super::Installing;
use super::named::named;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::mailboxes::Mailboxes;
use crate::cli::programs;
use crate::config::Config;
use crate::directory::{AdminError, RuleHolder, SqliteDirectory};
use crate::engine::{Account, Directory, InboxPolicy};
use crate::mail::Address;
use crate::rules::{RuleSet, ScopeKind, Sent, Warning};

/// What is odd about the file, and what is odd where it is installed, in the order of the file.
pub(super) fn warnings(
    context: &Context,
    directory: &SqliteDirectory,
    holder: &RuleHolder,
    new: &Installing<'_>,
) -> Result<Vec<Warning>, Failure> {
    let rules = new.rules;
    let mut warnings = rules.warnings();
    warnings.extend(other_scope(new.text, holder.scope()));
    warnings.extend(programs::advice(context, rules));
    if inbox(context, directory, holder)? == InboxPolicy::Plain && holder.scope() != ScopeKind::Server {
        warnings.extend(rules.clear_inbox_warnings());
    }
    // Settings that cannot be read are the doctor's.
    if let Ok(config) = context.config() {
        warnings.extend(mailboxes(context, &config, directory, (holder, rules))?);
        warnings.extend(unsent(&config, rules));
        if let RuleHolder::Account(address) = holder {
            let account = directory.account(address)?;
            warnings.extend(rules.mails().filter_map(|sent| foreign_author(&account, &config, &sent)));
        }
    }
    if let RuleHolder::Account(address) = holder {
        warnings.extend(behind_the_domain(directory, address, rules)?);
    }
    warnings.sort_by_key(|warning| warning.line);
    Ok(warnings)
}

/// The line `# scope: …` says something else than the command.
fn other_scope(text: &str, scope: ScopeKind) -> Vec<Warning> {
    let named = named(text);
    let mut warnings = named.odd;
    if let Some((line, said)) = named.scope.filter(|(_, said)| *said != scope) {
        let text = format!(
            "the file says that it is for scope {}; it is installed for scope {}",
            said.name(),
            scope.name()
        );
        warnings.push(Warning { line, rule: String::new(), text });
    }
    warnings
}

fn mailboxes(
    context: &Context,
    config: &Config,
    directory: &SqliteDirectory,
    (holder, rules): (&RuleHolder, &RuleSet),
) -> Result<Vec<Warning>, Failure> {
    let may_create = config.settings.create_mailboxes;
    let mailboxes = Mailboxes { directory, store: &context.store(config)?, may_create };
    Ok(mailboxes.unusable(holder, rules)?.into_iter().map(Warning::from).collect())
}

/// Mail that has nowhere to go keeps the message waiting that it comes from.
fn unsent(config: &Config, rules: &RuleSet) -> Vec<Warning> {
    if config.submission.to.is_some() {
        return Vec::new();
    }
    let told = |sent: Sent<'_>| {
        let text = format!(
            "mail waits, because \"{}\" sends and the site says nowhere to: set `submission` in sealpost.toml",
            sent.action
        );
        Warning { line: sent.line, rule: sent.rule.to_owned(), text }
    };
    rules.mails().map(told).collect()
}

/// An account sends in its own name only.
fn foreign_author(account: &Account, config: &Config, sent: &Sent<'_>) -> Option<Warning> {
    let from = sent.from.as_ref().filter(|from| !may_be_its(account, config, from))?;
    let text = format!(
        "\"{}\" is never sent: its From is {from}, which is no address of {}",
        sent.action, account.address
    );
    Some(Warning { line: sent.line, rule: sent.rule.to_owned(), text })
}

/// One of its addresses, with a detail or without; who catches all of a domain may be anybody there.
fn may_be_its(account: &Account, config: &Config, from: &Address) -> bool {
    let delimiter = config.settings.recipient_delimiter;
    let plain = delimiter.and_then(|delimiter| from.without_detail(delimiter));
    let domain = &account.domain;
    let catches = domain.catch_all.as_ref() == Some(&account.address)
        && (from.domain() == domain.name || domain.aliases.iter().any(|name| name == from.domain()));
    catches || account.addresses().iter().any(|own| own == from || Some(own) == plain.as_ref())
}

/// Rules behind one of the domain's that ends all rules.
fn behind_the_domain(
    directory: &SqliteDirectory,
    address: &Address,
    rules: &RuleSet,
) -> Result<Vec<Warning>, Failure> {
    let mut warnings = Vec::new();
    for set in directory.rules(std::slice::from_ref(address)).map_err(AdminError::from)? {
        if let (ScopeKind::Domain, Ok(before)) =
            (set.scope, RuleSet::from_toml(&set.file, &set.text, set.scope))
        {
            warnings.extend(rules.unreachable_behind(&before, &format!("domain {}", set.holder)));
        }
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
