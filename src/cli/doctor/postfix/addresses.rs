//! Does mail for each address of each account come here, after all that Postfix makes of it?

use super::super::Finding;
use super::ABOUT;
use super::aliases::{Entries, Entry};
use crate::cli::words::counted;
use crate::mail::Address;
use std::collections::{BTreeMap, BTreeSet};

/// Of each kind.
const MOST: usize = 20;

/// An account, and every address of it.
pub(super) struct Reachable {
    pub(super) account: Address,
    pub(super) addresses: Vec<Address>,
}

/// What Postfix does with addresses.
#[derive(Default)]
pub(super) struct Fates {
    pub(super) entries: Entries,
    /// Our names of domains that are `virtual_alias_domains`: nobody is there but whom the maps send elsewhere.
    pub(super) aliased: BTreeSet<String>,
    /// Our names of domains in `mydestination`.
    pub(super) local: BTreeSet<String>,
}

/// What an entry does to addresses of ours.
#[derive(Default)]
struct Affected {
    addresses: Vec<String>,
    /// To whom else their mail goes.
    ends: BTreeSet<String>,
    /// Those of them who are accounts of ours.
    accounts: BTreeSet<String>,
}

/// Everything that was seen, each thing by what does it.
#[derive(Default)]
struct Seen {
    /// Mail does not come to its account.
    astray: BTreeMap<(String, String), Affected>,
    /// It does, and goes elsewhere too.
    copied: BTreeMap<(String, String), Affected>,
    /// Nobody is there, by name of the domain.
    refused: BTreeMap<String, Vec<String>>,
}

impl Fates {
    /// Every address to which mail for these accounts goes in the end.
    pub(super) fn ends(&self, accounts: &[Reachable]) -> BTreeSet<String> {
        let names = accounts.iter().flat_map(|one| &one.addresses);
        names.flat_map(|name| self.entries.ends(&name.to_string())).collect()
    }

    /// What keeps mail from its account, and to whom it goes besides. `ours` are our accounts behind [`Fates::ends`].
    pub(super) fn judge(
        &self,
        accounts: &[Reachable],
        ours: &BTreeMap<String, Address>,
    ) -> (Vec<Finding>, Vec<String>) {
        let mut seen = Seen::default();
        for one in accounts {
            for address in &one.addresses {
                self.see(&mut seen, &one.account, address, ours);
            }
        }
        let local = self.local.iter().map(|name| {
            let text = "mydestination names it: Postfix hands mail for it to users of the machine";
            Finding::problem(name, text).with_mend(format!("take {name} out of mydestination"))
        });
        let refused = seen.refused.iter().map(|(name, addresses)| refused(name, addresses));
        let astray = seen.astray.iter().take(MOST).map(|(by, affected)| astray(by, affected));
        let mut found: Vec<Finding> = local.chain(refused).chain(astray).collect();
        if let Some(more) = beyond(seen.astray.len()) {
            let text = format!("{more} more lines of virtual_alias_maps keep mail from accounts");
            found.push(Finding::problem(ABOUT, text).with_mend("mend these, and ask again"));
        }
        (found, copied(&seen.copied))
    }

    fn see(&self, seen: &mut Seen, account: &Address, address: &Address, ours: &BTreeMap<String, Address>) {
        let name = address.to_string();
        if self.local.contains(address.domain()) {
            return;
        }
        let Some(entry) = self.entries.of(&name) else {
            if self.aliased.contains(address.domain()) {
                seen.refused.entry(address.domain().to_owned()).or_default().push(name);
            }
            return;
        };
        let ends = self.entries.ends(&name);
        let comes = |end: &&String| ours.get(*end) == Some(account) && !self.is_elsewhere(end);
        let (own, others): (Vec<&String>, Vec<&String>) = ends.iter().partition(comes);
        let into = match (own.is_empty(), others.is_empty()) {
            (true, _) => &mut seen.astray,
            (false, false) => &mut seen.copied,
            (false, true) => return,
        };
        let Entry { key, says, .. } = entry;
        let affected = into.entry((key.clone(), says.clone())).or_default();
        affected.addresses.push(name);
        let reached = others.iter().filter(|end| !self.is_elsewhere(end)).filter_map(|end| ours.get(*end));
        affected.accounts.extend(reached.map(Address::to_string));
        affected.ends.extend(others.into_iter().cloned());
    }

    fn is_elsewhere(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.aliased.contains(domain) || self.local.contains(domain)
    }
}

/// How many are not told.
fn beyond(count: usize) -> Option<usize> {
    count.checked_sub(MOST).filter(|more| *more > 0)
}

/// `bob@north.example and 2 more`
fn some(addresses: &[String]) -> String {
    let first = addresses.first().map_or("", String::as_str);
    match addresses.len().saturating_sub(1) {
        0 => first.to_owned(),
        more => format!("{first} and {more} more"),
    }
}

fn refused(name: &str, addresses: &[String]) -> Finding {
    let text = format!(
        "it is one of Postfix's virtual_alias_domains: mail for {} is refused as for unknown users",
        some(addresses)
    );
    let mend = format!(
        "take {name} out of virtual_alias_domains; where main.cf does not set it, out of virtual_alias_maps"
    );
    Finding::problem(name, text).with_mend(mend)
}

fn astray((key, says): &(String, String), affected: &Affected) -> Finding {
    let where_to = match (&affected.accounts, affected.ends.is_empty()) {
        (_, true) => "goes round in circles".to_owned(),
        (accounts, _) if accounts.is_empty() => "does not come here".to_owned(),
        (accounts, _) => {
            let all: Vec<String> = accounts.iter().cloned().collect();
            format!("goes to the account {} instead", some(&all))
        }
    };
    let whom = some(&affected.addresses);
    let text = format!("virtual_alias_maps says \"{key} {says}\": mail for {whom} {where_to}");
    match key.strip_prefix('@') {
        Some(domain) => {
            let mend = format!(
                "take {key} out of virtual_alias_maps, or give each account a line that leads to itself"
            );
            Finding::problem(domain, text).with_mend(mend)
        }
        None => {
            let mend = format!("take {key} out of virtual_alias_maps, or add {whom} to what it says");
            Finding::problem(whom, text).with_mend(mend)
        }
    }
}

/// Somebody wrote so.
fn copied(entries: &BTreeMap<(String, String), Affected>) -> Vec<String> {
    let note = |((key, says), affected): (&(String, String), &Affected)| {
        let ends: Vec<String> = affected.ends.iter().cloned().collect();
        let (whom, to) = (some(&affected.addresses), some(&ends));
        format!("virtual_alias_maps says \"{key} {says}\": mail for {whom} goes to {to} too")
    };
    let mut notes: Vec<String> = entries.iter().take(MOST).map(note).collect();
    if let Some(more) = beyond(entries.len()) {
        notes.push(format!("virtual_alias_maps sends copies by {} besides", counted(more, "line")));
    }
    notes
}
