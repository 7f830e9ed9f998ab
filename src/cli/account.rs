//! `sealpost account`

use super::context::Context;
use super::failure::{Code, Failure};
use super::fitness::active;
use super::holder::Holder;
use super::loss::{Consent, Extent};
use super::output::{Output, Table};
use super::preference::PreferenceCommand;
use super::words::{self, counted, own};
use super::{mailboxes, orphans, recovery};
use crate::crypto::{Classical, Profile};
use crate::directory::{AccountChange, MailState, NewAccount, Setting, SqliteDirectory, VaultKey};
use crate::engine::{Account, AttachmentPolicy, CertificateState, Choice, InboxPolicy, Recovery};
use crate::mail::{Address, MailboxName};
use crate::pki::Certificate;
use crate::rules::RulesAllowed;
use serde_json::{Value, json};

/// Add, show and change the accounts of the domains
#[derive(clap::Args)]
pub(super) struct AccountCommand {
    #[command(subcommand)]
    verb: AccountVerb,
}

#[derive(clap::Subcommand)]
enum AccountVerb {
    /// Add an account
    #[command(after_help = "Examples:
  sealpost account add anna@north.example
  sealpost account add anna@north.example --alias ann@north.example --alias berg@north.example")]
    Add {
        /// Its address
        #[arg(value_parser = words::address)]
        address: Address,
        /// Another address of it; repeat it for several
        #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
        alias: Vec<Address>,
    },
    /// List the accounts: how many certificates their mail is sealed to, retired ones, keys in the vault, aliases
    #[command(after_help = "Examples:
  sealpost account list
  sealpost account list --domain north.example --json")]
    List {
        /// Those of this domain
        #[arg(long, value_name = "NAME")]
        domain: Option<String>,
    },
    /// Show an account
    #[command(after_help = "Example:
  sealpost account show anna@north.example")]
    Show {
        /// Any of its addresses
        #[arg(value_parser = words::address)]
        address: Address,
    },
    Set(Set),
    Preference(PreferenceCommand),
    /// Let the next Secure Mail password be tried at once, after too many wrong ones
    ///
    /// It opens nothing: whoever tries needs the right password all the same.
    #[command(after_help = "Example:
  sealpost account unlock anna@north.example")]
    Unlock {
        /// Any of its addresses
        #[arg(value_parser = words::address)]
        address: Address,
    },
    /// Remove an account; its mail stays
    ///
    /// Every key must be named, and how many of its messages can never be opened again then; without --forget both are
    /// shown and nothing is done.
    #[command(after_help = "Examples:
  sealpost account remove anna@north.example
  sealpost account remove anna@north.example --forget 04bfb3e1c60fdbe7 --messages 3")]
    Remove {
        /// Any of its addresses
        #[arg(value_parser = words::address)]
        address: Address,
        #[command(flatten)]
        consent: Consent,
    },
}

/// Change an account; what is not named stays as it is
///
/// `inherit` takes a setting of its own back: then that of the domain holds, or else that of the site.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost account set anna@north.example --profile modern
  sealpost account set anna@north.example --profile post-quantum --also-classical yes
  sealpost account set anna@north.example --alias berg@north.example --remove-alias ann@north.example
  sealpost account set anna@north.example --recovery yes
  sealpost account set anna@north.example --rules-allowed all-but-exec
  sealpost account set robot@north.example --inbox plain --attachments plain")]
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
    /// With the profile post-quantum: may RSA and EC keys stand beside ML-KEM? They can be broken later
    #[arg(long, value_parser = words::setting::<Classical>())]
    also_classical: Option<Setting<Classical>>,
    /// Is the domain's recovery certificate a further recipient of its mail?
    #[arg(long, value_parser = words::setting::<Recovery>())]
    recovery: Option<Setting<Recovery>>,
    /// Which rules its owner may install (rules install --by-owner)
    #[arg(long, value_parser = words::setting::<RulesAllowed>())]
    rules_allowed: Option<Setting<RulesAllowed>>,
    /// How the files are stored that rules copy out of messages; plain is a consent to clear text
    #[arg(long, value_parser = words::setting::<AttachmentPolicy>())]
    attachments: Option<Setting<AttachmentPolicy>>,
}

impl AccountCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            AccountVerb::Add { address, alias } => add(context, out, NewAccount { address, aliases: alias }),
            AccountVerb::List { domain } => list(context, out, domain.as_deref()),
            AccountVerb::Show { address } => show(context, out, &address),
            AccountVerb::Set(verb) => verb.run(context, out),
            AccountVerb::Preference(verb) => verb.run(context, out),
            AccountVerb::Unlock { address } => unlock(context, out, &address),
            AccountVerb::Remove { address, consent } => remove(context, out, &address, &consent),
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
            also_classical: self.also_classical.unwrap_or_default(),
            recovery: self.recovery.unwrap_or_default(),
            rules_allowed: self.rules_allowed.unwrap_or_default(),
            attachments: self.attachments.unwrap_or_default(),
        };
        let address = context.directory()?.set_account(&self.address, &change)?;
        show(context, out, &address)
    }
}

/// Bytes of a name in a folder (Linux's NAME_MAX).
const LONGEST_NAME: usize = 255;

/// Odd characters take three bytes in the name of the account's folder. One that is too long would let mail wait for ever.
fn refuse_long_name(context: &Context, address: &Address) -> Result<(), Failure> {
    let folder = context.store(&context.config()?)?.folder(address, &MailboxName::inbox());
    if folder.iter().all(|name| name.len() <= LONGEST_NAME) {
        return Ok(());
    }
    Err(Failure::new(Code::No, format!("the name of {address} is too long for a folder of this store")))
}

fn add(context: &Context, out: &mut Output, new: NewAccount) -> Result<(), Failure> {
    refuse_long_name(context, &new.address)?;
    let address = context.directory()?.add_account(&new)?;
    out.line(format!("account {address} added; it has no certificate yet: sealpost key generate and cert issue, or cert add"))?;
    out.json(json!({"account": address.to_string()}))
}

fn list(context: &Context, out: &mut Output, domain: Option<&str>) -> Result<(), Failure> {
    let directory = context.directory_for_reading()?;
    let accounts = directory.all_accounts(domain)?;
    let mut table = Table::new(
        &["account", "certificates", "retired", "keys", "aliases"],
        "there is no account yet: sealpost account add ADDRESS",
    );
    let mut rows = Vec::new();
    for account in &accounts {
        let keys = directory.vault_keys(&account.address)?;
        let counts = [active(account).count(), retired(account), keys.len(), account.aliases.len()];
        table.row([account.address.to_string()].into_iter().chain(words::texts(counts)));
        rows.push(layout(account, &keys));
    }
    out.table(&table)?;
    out.json(json!({"accounts": rows}))
}

fn show(context: &Context, out: &mut Output, address: &Address) -> Result<(), Failure> {
    let directory = context.directory_for_reading()?;
    let account = directory.account(address)?;
    let keys = directory.vault_keys(address)?;
    let table = Table::fields([
        ("account", account.address.to_string()),
        ("aliases", words::joined(&account.aliases)),
        ("inbox", own(account.overrides.inbox)),
        ("attachments", own(account.overrides.attachments)),
        ("profile", own(account.overrides.profile)),
        ("also-classical", own(account.overrides.also_classical)),
        ("recovery", recovery(&account)),
        ("rules-allowed", own(account.overrides.rules_allowed)),
        ("sealed to", counted(active(&account).count(), "certificate")),
        ("retired", counted(retired(&account), "certificate")),
        ("pending", counted(pending(&account).count(), "certificate")),
        ("vault", counted(keys.len(), "key")),
    ]);
    out.table(&table)?;
    out.json(layout(&account, &keys))
}

/// Can somebody else open what is sealed to the account from now on, and who said so?
fn recovery(account: &Account) -> String {
    let said = if account.overrides.recovery.is_some() { "its own" } else { "by its domain" };
    match (account.recovery(), &account.domain.recovery) {
        (Recovery::No, _) => "no".to_owned(),
        (Recovery::Yes, Some(held)) => format!("yes ({said}): {}", recovery::describe(held)),
        (Recovery::Yes, None) => {
            format!("yes ({said}), but {} has no recovery certificate", account.domain.name)
        }
    }
}

fn retired(account: &Account) -> usize {
    account.certificates.iter().filter(|held| held.state == CertificateState::Retired).count()
}

fn pending(account: &Account) -> impl Iterator<Item = &Certificate> {
    let held = account.certificates.iter();
    held.filter(|held| held.state == CertificateState::Pending).map(|held| &held.certificate)
}

fn layout(account: &Account, keys: &[VaultKey]) -> Value {
    json!({
        "account": account.address.to_string(),
        "domain": account.domain.name,
        "aliases": words::texts(&account.aliases),
        "inbox": account.overrides.inbox.map(Choice::name),
        "attachments": account.overrides.attachments.map(Choice::name),
        "profile": account.overrides.profile.map(Choice::name),
        "also_classical": account.overrides.also_classical.map(Choice::name),
        "rules_allowed": account.overrides.rules_allowed.map(Choice::name),
        "recovery": account.recovery().name(),
        "recovery_certificate": account.domain.recovery.as_ref()
            .filter(|_| account.recovery() == Recovery::Yes).map(|held| held.fingerprint().to_string()),
        "active_certificates": words::texts(active(account).map(Certificate::fingerprint)),
        "pending_certificates": words::texts(pending(account).map(Certificate::fingerprint)),
        "keys": words::texts(keys.iter().map(|key| key.fingerprint)),
    })
}

fn unlock(context: &Context, out: &mut Output, address: &Address) -> Result<(), Failure> {
    let wrong = context.directory()?.clear_failed_unlocks(address)?;
    out.line(match wrong {
        0 => format!("no wrong password was given for {address}"),
        _ => format!("{} for {address} forgotten: the next may be tried at once", counted_wrong(wrong)),
    })?;
    out.json(json!({"account": address.to_string(), "forgotten": wrong}))
}

fn counted_wrong(wrong: u32) -> String {
    counted(usize::try_from(wrong).unwrap_or(usize::MAX), "wrong password")
}

fn remove(context: &Context, out: &mut Output, address: &Address, consent: &Consent) -> Result<(), Failure> {
    let directory = context.directory()?;
    let held: Vec<_> = directory.vault_keys(address)?.iter().map(|key| key.fingerprint).collect();
    let holder = Holder::Account(address.clone());
    let lost = consent.confirm(context, &directory, out, (&holder, &held), Extent::Holder)?;
    let account = directory.account(address)?;
    let domain = &account.domain.name;
    let is_its = |one: &Certificate| account.certificates.iter().any(|held| held.certificate == *one);
    let mut valid = orphans::living(&directory, domain)?;
    valid.retain(|one| is_its(&one.certificate));
    let queued = queued(&directory, &account)?;
    let stored_there = mailboxes::storing_there(&directory, &account)?;
    directory.remove_account(address, &lost.forgotten)?;
    out.line(format!("account {address} removed; its mail stays where it is"))?;
    for stored in &stored_there {
        out.line(format!("warning: {stored}: mail that this rule is for waits from now on"))?;
    }
    if queued > 0 {
        let it =
            if queued == 1 { "waits in the queue and still goes" } else { "wait in the queue and still go" };
        out.line(format!("{} of it {it}: sealpost queue list", counted(queued, "mail")))?;
    }
    let valid: Vec<String> = valid.iter().map(|one| one.certificate.serial()).collect();
    if !valid.is_empty() {
        out.line(format!(
            "still valid of it: {} that {domain} issued; to take it back:",
            counted(valid.len(), "certificate")
        ))?;
    }
    for serial in &valid {
        out.line(format!(
            "  sealpost cert revoke --domain {domain} --serial {serial} --reason affiliation-changed"
        ))?;
    }
    out.json(json!({"removed": address.to_string(), "messages": lost.messages, "still_valid": valid, "queued": queued,
        "rules": stored_there}))
}

/// Mails that its rules sent and that are not there yet. Those that have failed go only if somebody wants them to.
fn queued(directory: &SqliteDirectory, account: &Account) -> Result<usize, Failure> {
    let address = account.address.to_string();
    let mails = directory.queued_mails()?;
    Ok(mails.iter().filter(|mail| mail.account == address && mail.state != MailState::Failed).count())
}
