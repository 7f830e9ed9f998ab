//! What Postfix is asked about addresses and domains, and what its answers mean for accounts.

use super::super::Finding;
use super::addresses::Fates;
use super::aliases::Rewriting;
use super::ask::Settings;
use super::{Looked, Site, lists, problem};
use crate::cli::failure::Failure;
use crate::directory::SqliteDirectory;
use crate::engine::{Directory, Route};
use crate::mail::Address;
use crate::system::{User, as_owner};
use std::collections::{BTreeMap, BTreeSet};

impl Site {
    /// Where mail for each address goes, if it comes to `virtual_transport` at all. What could not be asked is said, and nothing is
    /// guessed from the rest.
    pub(super) fn look_at_addresses(&self, settings: &Settings, looked: &mut Looked) -> Result<(), Failure> {
        let (names, mut unasked) = (self.names(), Vec::new());
        let mut held = |list: &str| {
            lists::held(settings.of(list), &names).map_err(|why| unasked.push(cannot_ask(list, &why))).ok()
        };
        let (local, listed) = (held("mydestination").unwrap_or_default(), held("virtual_mailbox_domains"));
        let addresses = self.accounts.iter().flat_map(|one| &one.addresses).map(Address::to_string);
        let asked = rewriting(settings).ask(&addresses.collect::<Vec<_>>());
        // By default these domains are what stands in the maps.
        let asked = match asked {
            Ok(entries) => held("virtual_alias_domains").map(|aliased| (entries, aliased)),
            Err(why) => {
                unasked.push(cannot_ask("virtual_alias_maps", &why));
                None
            }
        };
        looked.findings.extend(unasked);
        let accounts = if asked.is_some() { self.accounts.as_slice() } else { &[] };
        if let (Some(listed), Some((_, aliased))) = (listed, &asked) {
            let is_known =
                |name: &&String| [&listed, aliased, &local].iter().any(|list| list.contains(*name));
            let missing = names.iter().filter(|name| !is_known(name));
            let text = |name| format!("main.cf does not name {name} in virtual_mailbox_domains");
            looked.findings.extend(missing.map(text).map(problem));
        }
        let (entries, aliased) = asked.unwrap_or_default();
        let fates = Fates { entries, aliased, local };
        let (findings, notes) = fates.judge(accounts, &self.accounts_behind(&fates.ends(accounts))?);
        looked.findings.extend(findings);
        looked.consents.extend(notes);
        Ok(())
    }

    /// The accounts of ours to which addresses lead.
    fn accounts_behind(&self, addresses: &BTreeSet<String>) -> Result<BTreeMap<String, Address>, Failure> {
        let parsed = |text: &String| Some((text.clone(), Address::parse(text).ok()?));
        let (texts, addresses): (Vec<String>, Vec<Address>) = addresses.iter().filter_map(parsed).unzip();
        let routes = as_owner(&self.root, || {
            let directory = SqliteDirectory::open_for_reading(&self.root)?;
            Ok::<_, Failure>(directory.routes(&addresses, self.delimiter)?)
        })??;
        let account = |(text, route)| match route {
            Route::Account(account) => Some((text, account)),
            Route::UnknownUser | Route::UnknownDomain => None,
        };
        Ok(texts.into_iter().zip(routes).filter_map(account).collect())
    }
}

fn cannot_ask(setting: &str, why: &str) -> Finding {
    let mend = if User::current().is_root() {
        "Postfix takes no mail until it answers; postmap -q ADDRESS MAP asks again"
    } else {
        "sudo sealpost doctor --postfix, if only root may"
    };
    let text = format!("{setting} cannot be asked where mail goes ({why})");
    problem(text).with_mend(mend)
}

fn rewriting(settings: &Settings) -> Rewriting {
    Rewriting {
        maps: settings.of("virtual_alias_maps").to_owned(),
        origin: origin(settings.of("myorigin")),
        delimiters: settings.of("recipient_delimiter").to_owned(),
    }
}

/// A name, or a file that has it in its first line.
fn origin(setting: &str) -> String {
    let file = Some(setting).filter(|setting| setting.starts_with('/'));
    let text = file.and_then(|file| std::fs::read_to_string(file).ok());
    text.as_deref().unwrap_or(setting).lines().next().unwrap_or_default().trim().to_owned()
}
