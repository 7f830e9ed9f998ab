//! `sealpost account`

use super::context::Context;
use super::failure::Failure;
use super::output::{Output, Table};
use super::words::{self, FingerprintPrefix, counted, own};
use crate::crypto::Profile;
use crate::directory::{AccountChange, NewAccount, Setting, VaultKey};
use crate::engine::{Account, CertificateState, Choice, InboxPolicy};
use crate::mail::Address;
use serde_json::{Value, json};

/// Add, show and change the accounts of the domains
#[derive(clap::Args)]
pub(super) struct AccountCommand {
    #[command(subcommand)]
    verb: AccountVerb,
}

#[derive(clap::Subcommand)]
enum AccountVerb {
    /// Add an account: sealpost account add bob@north.example --alias robert@north.example
    Add {
        /// Its address
        #[arg(value_parser = words::address)]
        address: Address,
        /// Another address of it; repeat it for several
        #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
        alias: Vec<Address>,
    },
    /// List the accounts
    List {
        /// Those of this domain
        #[arg(long, value_name = "NAME")]
        domain: Option<String>,
    },
    /// Show an account: sealpost account show bob@north.example
    Show {
        /// Any of its addresses
        #[arg(value_parser = words::address)]
        address: Address,
    },
    /// Change an account: sealpost account set bob@north.example --profile modern
    Set(Set),
    /// Remove an account; its mail stays
    Remove {
        /// Any of its addresses
        #[arg(value_parser = words::address)]
        address: Address,
        /// The fingerprint of each of its keys, to confirm that it is lost with the account
        #[arg(long, value_name = "FINGERPRINT")]
        forget: Vec<FingerprintPrefix>,
    },
}

#[derive(clap::Args)]
struct Set {
    /// Any of its addresses
    #[arg(value_parser = words::address)]
    address: Address,
    /// Add an address
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    alias: Vec<Address>,
    /// Take an address away
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    remove_alias: Vec<Address>,
    /// How the INBOX copy is stored; plain is a consent to clear text
    #[arg(long, value_parser = words::setting::<InboxPolicy>())]
    inbox: Option<Setting<InboxPolicy>>,
    /// Which algorithms
    #[arg(long, value_parser = words::setting::<Profile>())]
    profile: Option<Setting<Profile>>,
}

impl AccountCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            AccountVerb::Add { address, alias } => add(context, out, NewAccount { address, aliases: alias }),
            AccountVerb::List { domain } => list(context, out, domain.as_deref()),
            AccountVerb::Show { address } => show(context, out, &address),
            AccountVerb::Set(verb) => verb.run(context, out),
            AccountVerb::Remove { address, forget } => remove(context, out, &address, &forget),
        }
    }
}

impl Set {
    fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let change = AccountChange {
            add_aliases: self.alias,
            remove_aliases: self.remove_alias,
            inbox: self.inbox.unwrap_or_default(),
            profile: self.profile.unwrap_or_default(),
        };
        let address = context.directory()?.set_account(&self.address, &change)?;
        show(context, out, &address)
    }
}

fn add(context: &Context, out: &mut Output, new: NewAccount) -> Result<(), Failure> {
    let address = context.directory()?.add_account(&new)?;
    out.line(format!("account {address} added; mail for it waits until it has a certificate"))?;
    out.json(json!({"account": address.to_string()}))
}

fn list(context: &Context, out: &mut Output, domain: Option<&str>) -> Result<(), Failure> {
    let directory = context.directory_for_reading()?;
    let accounts = directory.all_accounts(domain)?;
    let mut table = Table::new(&["account", "aliases", "sealed to"]);
    let mut rows = Vec::new();
    for account in &accounts {
        let aliases: Vec<String> = account.aliases.iter().map(Address::to_string).collect();
        let certificates = counted(active(account).count(), "certificate");
        table.row([account.address.to_string(), aliases.join(" "), certificates]);
        rows.push(layout(account, &directory.vault_keys(&account.address)?));
    }
    out.table(&table)?;
    out.json(json!({"accounts": rows}))
}

fn show(context: &Context, out: &mut Output, address: &Address) -> Result<(), Failure> {
    let directory = context.directory_for_reading()?;
    let account = directory.account(address)?;
    let keys = directory.vault_keys(address)?;
    let mut table = Table::new(&["account", &account.address.to_string()]);
    let aliases: Vec<String> = account.aliases.iter().map(Address::to_string).collect();
    let rows = [
        ("aliases", aliases.join(" ")),
        ("inbox", own(account.overrides.inbox)),
        ("profile", own(account.overrides.profile)),
        ("sealed to", counted(active(&account).count(), "certificate")),
        ("retired", counted(account.certificates.len() - active(&account).count(), "certificate")),
        ("vault", counted(keys.len(), "key")),
    ];
    rows.into_iter().for_each(|(key, value)| table.row([key.to_owned(), value]));
    out.table(&table)?;
    out.json(layout(&account, &keys))
}

/// The certificates that are sealed to.
fn active(account: &Account) -> impl Iterator<Item = &crate::pki::Certificate> {
    let held = account.certificates.iter();
    held.filter(|held| held.state == CertificateState::Active).map(|held| &held.certificate)
}

fn layout(account: &Account, keys: &[VaultKey]) -> Value {
    json!({
        "account": account.address.to_string(),
        "domain": account.domain.name,
        "aliases": account.aliases.iter().map(Address::to_string).collect::<Vec<_>>(),
        "inbox": account.overrides.inbox.map(Choice::name),
        "profile": account.overrides.profile.map(Choice::name),
        "active_certificates": active(account).map(|one| one.fingerprint().to_string()).collect::<Vec<_>>(),
        "keys": keys.iter().map(|key| key.fingerprint.to_string()).collect::<Vec<_>>(),
    })
}

fn remove(
    context: &Context,
    out: &mut Output,
    address: &Address,
    forget: &[FingerprintPrefix],
) -> Result<(), Failure> {
    let directory = context.directory()?;
    let held: Vec<_> = directory.vault_keys(address)?.iter().map(|key| key.fingerprint).collect();
    directory.remove_account(address, &words::forgotten(forget, &held)?)?;
    out.line(format!("account {address} removed; its mail stays where it is"))?;
    out.json(json!({"removed": address.to_string()}))
}
