//! Mailboxes that rules name and cannot store into: mail that such a rule is for waits.

use super::failure::Failure;
use super::words::{counted, texts};
use crate::directory::{AdminError, InstalledSet, RuleHolder, SqliteDirectory};
use crate::engine::{Account, Directory, Mailstore};
use crate::mail::{Address, MailboxName, MailboxRef, Owner};
use crate::rules::{RuleSet, ScopeKind, Stored, Warning};
use crate::store::MaildirStore;
use std::collections::BTreeSet;

/// Accounts that one text names; of more it says how many there are.
const NAMED: usize = 3;

/// A mailbox that a rule cannot store into.
pub(super) struct Unusable {
    /// Where the action stands.
    line: usize,
    rule: String,
    /// What keeps mail waiting.
    text: String,
    /// The command that mends it.
    pub(super) mend: String,
}

impl Unusable {
    /// With the rule's name, for who does not see the file.
    pub(super) fn finding(&self) -> String {
        format!("rule \"{}\": {}", self.rule, self.text)
    }
}

/// The same beside other remarks on a file.
impl From<Unusable> for Warning {
    fn from(unusable: Unusable) -> Warning {
        let Unusable { line, rule, text, mend } = unusable;
        Warning { line, rule, text: format!("{text}: {mend}") }
    }
}

/// What is asked about the mailboxes.
pub(super) struct Mailboxes<'a> {
    pub(super) directory: &'a SqliteDirectory,
    pub(super) store: &'a MaildirStore,
    /// May a rule create a mailbox in the acting account?
    pub(super) may_create: bool,
}

/// For whom rules act.
enum Actors {
    Server,
    Accounts(Vec<Account>),
}

impl Mailboxes<'_> {
    /// The mailboxes that these rules of the holder cannot store into, in the order of the file.
    pub(super) fn unusable(&self, holder: &RuleHolder, rules: &RuleSet) -> Result<Vec<Unusable>, Failure> {
        let actors = self.actors(holder)?;
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        for stored in rules.stores() {
            if seen.insert((stored.rule, stored.mailbox.to_string())) {
                let faults = self.faults(&actors, &stored)?.into_iter();
                let rule = stored.rule;
                found.extend(faults.map(|Fault { text, mend }| Unusable {
                    line: stored.line,
                    rule: rule.to_owned(),
                    text: format!("mail waits, because {text}"),
                    mend,
                }));
            }
        }
        Ok(found)
    }

    fn actors(&self, holder: &RuleHolder) -> Result<Actors, Failure> {
        Ok(match holder {
            RuleHolder::Server => Actors::Server,
            RuleHolder::Domain(name) => Actors::Accounts(self.directory.all_accounts(Some(name))?),
            RuleHolder::Account(address) => Actors::Accounts(vec![self.directory.account(address)?]),
        })
    }

    fn faults(&self, actors: &Actors, stored: &Stored<'_>) -> Result<Vec<Fault>, Failure> {
        let name = &stored.mailbox.name;
        match (&stored.mailbox.owner, actors) {
            (None, Actors::Server) => Ok(Vec::new()),
            (None, Actors::Accounts(accounts)) => self.own(accounts, name),
            (Some(Owner::Full(address)), _) => self.of_others(address, name, actors),
            (Some(Owner::Local(local)), Actors::Accounts(accounts)) => {
                let domain = accounts.first().map(|account| account.domain.name.as_str());
                match domain.and_then(|domain| at(local, domain)) {
                    Some(address) => self.of_others(&address, name, actors),
                    None => Ok(Vec::new()),
                }
            }
            (Some(Owner::Local(local)), Actors::Server) => self.of_server(local, stored),
        }
    }

    /// `~owner` of the server's rules is somebody else in each domain. Conditions may say that the rule is for the others.
    fn of_server(&self, local: &str, stored: &Stored<'_>) -> Result<Vec<Fault>, Failure> {
        let (mut known, mut lacking) = (Vec::new(), Vec::new());
        for domain in self.directory.domains()? {
            let Some(address) = at(local, &domain.name) else { continue };
            match self.account(&address)? {
                Some(_) => known.push(address),
                None if !self.directory.has_no_account(&domain.name)? => lacking.push(address),
                None => (),
            }
        }
        if !known.is_empty() && !stored.is_for_all {
            lacking.clear();
        }
        let mut faults = Vec::new();
        for address in known.iter().chain(&lacking) {
            faults.extend(self.of_others(address, &stored.mailbox.name, &Actors::Server)?);
        }
        Ok(faults)
    }

    /// Mailboxes of the acting accounts themselves.
    fn own(&self, accounts: &[Account], name: &MailboxName) -> Result<Vec<Fault>, Failure> {
        if name.is_inbox() || self.may_create {
            return Ok(Vec::new());
        }
        let mut lacking = Vec::new();
        for account in accounts {
            if !self.store.exists(&account.address, name)? {
                lacking.push(account.address.clone());
            }
        }
        let Some(first) = lacking.first() else { return Ok(Vec::new()) };
        let whose = listed(&lacking);
        let text = format!(
            "there is no mailbox {name} of {whose}, and create-mailboxes is false: a rule makes none"
        );
        Ok(vec![Fault { text, mend: make(first, name, first) }])
    }

    fn of_others(
        &self,
        address: &Address,
        name: &MailboxName,
        actors: &Actors,
    ) -> Result<Vec<Fault>, Failure> {
        let Some(owner) = self.account(address)? else {
            let text = format!("there is no account {address}");
            return Ok(vec![Fault { text, mend: format!("sealpost account add {address}") }]);
        };
        let owner = owner.address;
        let strangers: Vec<Address> = match actors {
            Actors::Server => Vec::new(),
            Actors::Accounts(accounts) => {
                let all = accounts.iter().map(|account| account.address.clone());
                all.filter(|actor| *actor != owner).collect()
            }
        };
        // The only one who stores there is the owner: as if the rule named no owner.
        if let (Actors::Accounts(accounts), []) = (actors, strangers.as_slice()) {
            return self.own(accounts, name);
        }
        let without_right = self.without_right(&owner, name, strangers)?;
        let is_there = name.is_inbox() || self.store.exists(&owner, name)?;
        Ok(Vec::from_iter(fault(&owner, name, &without_right, is_there)))
    }

    fn without_right(
        &self,
        owner: &Address,
        name: &MailboxName,
        mut actors: Vec<Address>,
    ) -> Result<Vec<Address>, Failure> {
        let asked: Vec<_> = actors.iter().map(|actor| (owner.clone(), name.clone(), actor.clone())).collect();
        let mut may = self.directory.may_insert(&asked).map_err(AdminError::from)?.into_iter();
        actors.retain(|_| may.next() != Some(true));
        Ok(actors)
    }

    fn account(&self, address: &Address) -> Result<Option<Account>, Failure> {
        let mut found = self.directory.accounts(std::slice::from_ref(address)).map_err(AdminError::from)?;
        Ok(found.pop().flatten())
    }
}

struct Fault {
    text: String,
    mend: String,
}

fn fault(owner: &Address, name: &MailboxName, strangers: &[Address], is_there: bool) -> Option<Fault> {
    let place = format!("~{owner}/{name}");
    match (strangers.first(), is_there) {
        (None, true) => None,
        (None, false) => {
            let text = format!("{owner} has no mailbox {name}, and a rule makes none for somebody else");
            Some(Fault { text, mend: make(owner, name, owner) })
        }
        (Some(first), true) => {
            let text = format!("{} may not store in {place}", listed(strangers));
            Some(Fault { text, mend: format!("sealpost acl grant --mailbox '{place}' --account {first}") })
        }
        (Some(first), false) => {
            let who = listed(strangers);
            let text = format!("{owner} has no mailbox {name}, and {who} may not store in it");
            Some(Fault { text, mend: make(owner, name, first) })
        }
    }
}

/// The command that makes a mailbox; the owner may store there anyhow.
fn make(owner: &Address, name: &MailboxName, actor: &Address) -> String {
    format!("sealpost acl grant --mailbox '~{owner}/{name}' --account {actor} --create")
}

/// `a, b, c and 4 more accounts`
fn listed(accounts: &[Address]) -> String {
    let named = texts(accounts.iter().take(NAMED)).join(", ");
    match accounts.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {}", counted(more, "more account")),
    }
}

fn at(local: &str, domain: &str) -> Option<Address> {
    Address::parse(&format!("{local}@{domain}")).ok()
}

/// For whom an installed set is.
pub(super) fn holder(set: &InstalledSet) -> Option<RuleHolder> {
    let holder = &set.rules.holder;
    Some(match set.rules.scope {
        ScopeKind::Server => RuleHolder::Server,
        ScopeKind::Domain => RuleHolder::Domain(holder.clone()),
        ScopeKind::Account => RuleHolder::Account(Address::parse(holder).ok()?),
    })
}

/// What stores in the mailboxes of an account and is not its own: a line each.
pub(super) fn storing_there(directory: &SqliteDirectory, account: &Account) -> Result<Vec<String>, Failure> {
    let mut told = Vec::new();
    for set in directory.installed_rules()?.into_iter().filter(|set| set.running) {
        let Some(holder) = holder(&set).filter(|holder| *holder != own_rules(account)) else { continue };
        let Ok(rules) = RuleSet::from_toml(&set.rules.file, &set.rules.text, set.rules.scope) else {
            continue;
        };
        let its = rules.stores().filter(|stored| is_of(account, stored.mailbox, &holder));
        told.extend(
            its.map(|stored| format!("rule \"{}\" of {holder} stores in {}", stored.rule, stored.mailbox)),
        );
    }
    Ok(told)
}

fn own_rules(account: &Account) -> RuleHolder {
    RuleHolder::Account(account.address.clone())
}

fn is_of(account: &Account, mailbox: &MailboxRef, holder: &RuleHolder) -> bool {
    let named = match &mailbox.owner {
        None => None,
        Some(Owner::Full(address)) => Some(address.clone()),
        Some(Owner::Local(local)) => match holder {
            RuleHolder::Server => at(local, account.address.domain()),
            RuleHolder::Domain(name) => at(local, name),
            RuleHolder::Account(address) => at(local, address.domain()),
        },
    };
    named.is_some_and(|named| account.addresses().contains(&named))
}
