//! `sealpost domain`

use super::context::Context;
use super::failure::Failure;
use super::holder::Holder;
use super::loss::{Consent, Extent};
use super::output::{Output, Table};
use super::words::{self, counted, own};
use super::{authority, domain_mode, key_domain};
use crate::crypto::{Classical, Profile};
use crate::directory::{DomainChange, NewDomain, Setting};
use crate::engine::{Choice, Domain, DomainMode, InboxPolicy, MissingCertificate};
use crate::mail::Address;
use crate::pki::Certificate;
use serde_json::{Value, json};

/// Add, show and change the domains whose mail is sealed
#[derive(clap::Args)]
pub(super) struct DomainCommand {
    #[command(subcommand)]
    verb: DomainVerb,
}

#[derive(clap::Subcommand)]
enum DomainVerb {
    Add(Add),
    /// List the domains
    #[command(after_help = "Example:
  sealpost domain list")]
    List,
    /// Show a domain
    #[command(after_help = "Example:
  sealpost domain show north.example")]
    Show {
        /// Any of its names
        name: String,
    },
    Set(Box<Set>),
    /// Give a domain another main name; its accounts go with it
    #[command(after_help = "Example:
  sealpost domain rename north.example south.example")]
    Rename {
        /// Its name
        name: String,
        /// Its new name
        new: String,
    },
    /// Remove a domain that has no accounts any more
    #[command(after_help = "Examples:
  sealpost domain remove north.example
  sealpost domain remove north.example --forget 7e255b918935e66f")]
    Remove {
        /// Its name
        name: String,
        #[command(flatten)]
        consent: Consent,
    },
}

/// Add a domain whose mail is sealed
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost domain add north.example
  sealpost domain add north.example --alias north.test --alias north.invalid")]
struct Add {
    /// Its main name
    name: String,
    /// Another name of it; repeat it for several
    #[arg(long, value_name = "NAME")]
    alias: Vec<String>,
    /// May its keys and certificates be used?
    #[arg(long, value_parser = domain_mode::parser(), default_value = "enabled")]
    mode: DomainMode,
}

/// Change a domain; what is not named stays as it is
///
/// `inherit` takes a setting of its own back: then that of the site holds (sealpost config show).
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost domain set north.example --mode disabled
  sealpost domain set north.example --profile modern --missing-certificate defer
  sealpost domain set north.example --catch-all postmaster@north.example")]
struct Set {
    /// Any of its names
    name: String,
    /// Add a name
    #[arg(long, value_name = "NAME")]
    alias: Vec<String>,
    /// Take a name away
    #[arg(long, value_name = "NAME")]
    remove_alias: Vec<String>,
    /// May its keys and certificates be used?
    #[arg(long, value_parser = domain_mode::parser())]
    mode: Option<DomainMode>,
    /// Who gets mail for unknown local parts; empty: nobody
    #[arg(long, value_name = "ADDRESS", value_parser = catch_all)]
    catch_all: Option<Setting<Address>>,
    /// How the INBOX copy is stored; plain is a consent to clear text
    #[arg(long, value_parser = words::setting::<InboxPolicy>())]
    inbox: Option<Setting<InboxPolicy>>,
    /// Which algorithms
    #[arg(long, value_parser = words::setting::<Profile>())]
    profile: Option<Setting<Profile>>,
    /// With the profile post-quantum: may RSA and EC keys stand beside ML-KEM? They can be broken later
    #[arg(long, value_parser = words::setting::<Classical>())]
    also_classical: Option<Setting<Classical>>,
    /// What becomes of mail for an account without a certificate; plain is a consent to clear text
    #[arg(long, value_parser = words::setting::<MissingCertificate>())]
    missing_certificate: Option<Setting<MissingCertificate>>,
}

fn catch_all(text: &str) -> Result<Setting<Address>, String> {
    if text.is_empty() { Ok(Setting::Inherit) } else { words::address(text).map(Setting::Own) }
}

impl DomainCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            DomainVerb::Add(verb) => verb.run(context, out),
            DomainVerb::List => list(context, out),
            DomainVerb::Show { name } => show(context, out, &name),
            DomainVerb::Set(verb) => verb.run(context, out),
            DomainVerb::Rename { name, new } => rename(context, out, &name, &new),
            DomainVerb::Remove { name, consent } => remove(context, out, &name, &consent),
        }
    }
}

impl Add {
    fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let new = NewDomain { name: self.name, aliases: self.alias, mode: self.mode };
        let name = context.directory()?.add_domain(&new)?;
        out.line(format!("domain {name} added"))?;
        out.json(json!({"domain": name}))
    }
}

impl Set {
    fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let change = DomainChange {
            mode: self.mode,
            add_aliases: self.alias,
            remove_aliases: self.remove_alias,
            catch_all: self.catch_all.unwrap_or_default(),
            inbox: self.inbox.unwrap_or_default(),
            profile: self.profile.unwrap_or_default(),
            also_classical: self.also_classical.unwrap_or_default(),
            missing_certificate: self.missing_certificate.unwrap_or_default(),
        };
        let name = context.directory()?.set_domain(&self.name, &change)?;
        show(context, out, &name)
    }
}

fn list(context: &Context, out: &mut Output) -> Result<(), Failure> {
    let domains = context.directory_for_reading()?.domains()?;
    let mut table = Table::new(
        &["domain", "mode", "certificates", "catch-all", "aliases"],
        "there is no domain yet: sealpost domain add NAME",
    );
    for domain in &domains {
        table.row([
            domain.name.clone(),
            domain.mode.name().to_owned(),
            domain.authorities.len().to_string(),
            domain.catch_all.as_ref().map_or("-".to_owned(), Address::to_string),
            domain.aliases.join(" "),
        ]);
    }
    out.table(&table)?;
    out.json(json!({"domains": domains.iter().map(layout).collect::<Vec<_>>()}))
}

fn show(context: &Context, out: &mut Output, name: &str) -> Result<(), Failure> {
    let domain = context.directory_for_reading()?.domain(name)?;
    let overrides = &domain.overrides;
    let table = Table::fields([
        ("domain", domain.name.clone()),
        ("aliases", domain.aliases.join(" ")),
        ("mode", domain_mode::explained(domain.mode)),
        ("catch-all", domain.catch_all.as_ref().map_or_else(String::new, Address::to_string)),
        ("inbox", own(overrides.inbox)),
        ("profile", own(overrides.profile)),
        ("also-classical", own(overrides.also_classical)),
        ("missing-certificate", own(overrides.missing_certificate)),
        ("certificates", domain.authorities.len().to_string()),
        ("chain", counted(domain.trust.chain.len(), "certificate")),
        ("trusted", counted(domain.trust.domain.len(), "certificate")),
        ("replaced authorities", authority::retired_words(&domain.trust.retired)),
    ]);
    out.table(&table)?;
    out.json(layout(&domain))
}

fn layout(domain: &Domain) -> Value {
    let overrides = &domain.overrides;
    json!({
        "domain": domain.name,
        "aliases": domain.aliases,
        "mode": domain.mode.name(),
        "catch_all": domain.catch_all.as_ref().map(Address::to_string),
        "inbox": overrides.inbox.map(Choice::name),
        "profile": overrides.profile.map(Choice::name),
        "also_classical": overrides.also_classical.map(Choice::name),
        "missing_certificate": overrides.missing_certificate.map(Choice::name),
        "certificates": words::texts(domain.authorities.iter().map(Certificate::fingerprint)),
        "chain": words::texts(domain.trust.chain.iter().map(Certificate::fingerprint)),
        "trusted": words::texts(domain.trust.domain.iter().map(Certificate::fingerprint)),
        "replaced_authorities": words::texts(domain.trust.retired.iter().map(Certificate::fingerprint)),
    })
}

fn rename(context: &Context, out: &mut Output, name: &str, new: &str) -> Result<(), Failure> {
    let directory = context.directory()?;
    let Domain { name, authorities, .. } = directory.domain(name)?;
    let new = directory.rename_domain(&name, new)?;
    out.line(format!("domain {name} is now {new}"))?;
    out.line(format!("mail stored so far stays in the folder of {name}: move it to that of {new}"))?;
    if !authorities.is_empty() {
        out.line(
            "its certificates stay as they are, with the old name in them: what they issued stays valid",
        )?;
        out.line(format!(
            "for TLS under the new name: sealpost cert self-sign --domain {new} (or cert request, and cert set)"
        ))?;
    }
    out.line(
        "certificates of its accounts hold the old addresses: sealpost doctor names those that are unfit now",
    )?;
    let unchanged = words::texts(authorities.iter().map(Certificate::fingerprint));
    out.json(json!({"domain": new, "was": name, "unchanged_certificates": unchanged}))
}

fn remove(context: &Context, out: &mut Output, name: &str, consent: &Consent) -> Result<(), Failure> {
    let directory = context.directory()?;
    let held = key_domain::keys(&directory, name)?;
    let holder = Holder::Domain(name.to_owned());
    let lost = consent.confirm(context, &directory, out, (&holder, &held), Extent::Holder)?;
    directory.remove_domain(name, &lost.forgotten)?;
    out.line(format!("domain {name} removed; its mail stays where it is"))?;
    out.json(json!({"removed": name, "messages": lost.messages}))
}
