//! The owners of mailboxes that rules name.

use super::programs::Verdicts;
use super::{Account, Engine, EngineError, Route, addressee};
use crate::mail::{Address, MailboxRef, Owner};
use crate::rules::{Action, Step, Verdict};
use std::collections::HashMap;

/// Accounts by the address under which a rule names them.
pub(super) struct Owners(HashMap<Address, Account>);

impl Owners {
    /// Looks up everybody whom the verdicts name, in one batch.
    pub(super) fn load(
        engine: &Engine<'_>,
        verdicts: &Verdicts,
        server_domain: Option<&str>,
        acting: &[&Account],
    ) -> Result<Owners, EngineError> {
        let mut asked = Vec::new();
        name_all(&verdicts.server, server_domain, &mut asked)?;
        for (verdict, account) in verdicts.accounts.iter().zip(acting) {
            name_all(verdict, Some(&account.domain.name), &mut asked)?;
        }
        asked.sort_by_cached_key(|(address, _)| address.folded());
        asked.dedup_by(|one, other| one.0 == other.0);
        look_up(engine, &asked)
    }

    /// All of them.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.0.values()
    }

    /// The owner that the reference names.
    pub(super) fn of(
        &self,
        mailbox: &MailboxRef,
        owner: &Owner,
        domain: Option<&str>,
        rule: &str,
    ) -> Result<&Account, EngineError> {
        let address = address_of(mailbox, owner, domain, rule)?;
        self.0.get(&address).ok_or_else(|| unknown(rule, &address))
    }
}

fn unknown(rule: &str, owner: &Address) -> EngineError {
    EngineError::UnknownOwner { rule: rule.into(), owner: owner.to_string() }
}

/// The owners that one verdict names, each with the rule that does.
fn name_all(
    verdict: &Verdict,
    domain: Option<&str>,
    asked: &mut Vec<(Address, String)>,
) -> Result<(), EngineError> {
    for step in &verdict.steps {
        if let Some((mailbox, owner)) = owner_in(step) {
            asked.push((address_of(mailbox, owner, domain, &step.rule)?, step.rule.clone()));
        }
    }
    Ok(())
}

fn owner_in(step: &Step) -> Option<(&MailboxRef, &Owner)> {
    match &step.action {
        Action::StoreEncrypted(mailbox, _) | Action::Store(mailbox) => {
            mailbox.owner.as_ref().map(|owner| (mailbox, owner))
        }
        _ => None,
    }
}

fn address_of(
    mailbox: &MailboxRef,
    owner: &Owner,
    domain: Option<&str>,
    rule: &str,
) -> Result<Address, EngineError> {
    match (owner, domain) {
        (Owner::Full(address), _) => Ok(address.clone()),
        (Owner::Local(local), Some(domain)) => Address::parse(&format!("{local}@{domain}"))
            .map_err(|_| EngineError::UnknownOwner { rule: rule.into(), owner: format!("{local}@{domain}") }),
        (Owner::Local(local), None) => Err(EngineError::OwnerlessMailbox {
            rule: rule.into(),
            mailbox: format!("~{local}/{}", mailbox.name.as_str()),
        }),
    }
}

fn look_up(engine: &Engine<'_>, asked: &[(Address, String)]) -> Result<Owners, EngineError> {
    if asked.is_empty() {
        return Ok(Owners(HashMap::new()));
    }
    let addresses: Vec<Address> = asked.iter().map(|(address, _)| address.clone()).collect();
    let routes = engine.directory.routes(&addresses, None)?;
    let mut targets = Vec::with_capacity(asked.len());
    for (at, (address, rule)) in asked.iter().enumerate() {
        match routes.get(at) {
            Some(Route::Account(account)) => targets.push(account.clone()),
            _ => return Err(unknown(rule, address)),
        }
    }
    let accounts = addressee::accounts(engine, &targets)?;
    let pairs = asked.iter().zip(accounts);
    let named = pairs.map(|((address, rule), account)| {
        if is_name_of(address, &account) {
            Ok((address.clone(), account))
        } else {
            Err(unknown(rule, address))
        }
    });
    Ok(Owners(named.collect::<Result<_, _>>()?))
}

/// A catch-all leads mail to an account, and is no name of it: a misspelt `~owner` must not seal to somebody else.
fn is_name_of(address: &Address, account: &Account) -> bool {
    let in_main_domain = || {
        let domain = &account.domain;
        domain.aliases.iter().any(|alias| alias == address.domain())
            && address.local().eq_ignore_ascii_case(account.address.local())
    };
    *address == account.address || account.aliases.contains(address) || in_main_domain()
}
