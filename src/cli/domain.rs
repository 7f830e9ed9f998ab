//! `sealpost domain`

use super::context::Context;
use super::effective::Effective;
use super::failure::Failure;
use super::holder::Holder;
use super::loss::{Consent, Extent};
use super::output::{Output, Table};
use super::recovery;
use super::words::{self, counted};
use super::{authority, domain_mode, key_domain};
use crate::config::Config;
use crate::crypto::{Classical, Profile};
use crate::directory::{DomainChange, NewDomain, Setting};
use crate::engine::{
    AttachmentPolicy, Choice, CrlPolicy, Domain, DomainMode, Expired, InboxPolicy, MissingCertificate,
    Recovery, Trust, Unusable,
};
use crate::mail::Address;
use crate::pki::Certificate;
use crate::rules::RulesAllowed;
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
  sealpost domain set north.example --unusable domain-key --expired defer --crl hard
  sealpost domain set north.example --expired inherit
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
    /// What becomes of mail for an account without a certificate; domain-key lets the administrator read it, plain is a
    /// consent to clear text
    #[arg(long, value_parser = words::setting::<MissingCertificate>())]
    missing_certificate: Option<Setting<MissingCertificate>>,
    /// Which certificates are believed: what the directory holds (pinned), or what chains to a trusted authority
    #[arg(long, value_parser = words::setting::<Trust>())]
    trust: Option<Setting<Trust>>,
    /// A certificate past its end and right otherwise
    #[arg(long, value_parser = words::setting::<Expired>())]
    expired: Option<Setting<Expired>>,
    /// A certificate before its begin and right otherwise
    #[arg(long, value_parser = words::setting::<Expired>())]
    not_yet_valid: Option<Setting<Expired>>,
    /// An account whose certificates are revoked, of wrong usage or address, broken or too weak; domain-key lets the
    /// administrator read its mail
    #[arg(long, value_parser = words::setting::<Unusable>())]
    unusable: Option<Setting<Unusable>>,
    /// A certificate whose revocation list is missing or old: sealed to with a warning (soft), or not (hard)
    #[arg(long, value_parser = words::setting::<CrlPolicy>())]
    crl: Option<Setting<CrlPolicy>>,
    /// Is the recovery certificate a further recipient of the mail of all accounts that say nothing?
    #[arg(long, value_parser = words::setting::<Recovery>())]
    recovery: Option<Setting<Recovery>>,
    /// Which rules the owners of accounts that say nothing may install (rules install --by-owner)
    #[arg(long, value_parser = words::setting::<RulesAllowed>())]
    rules_allowed: Option<Setting<RulesAllowed>>,
    /// How the files are stored that rules copy out of messages; plain is a consent to clear text
    #[arg(long, value_parser = words::setting::<AttachmentPolicy>())]
    attachments: Option<Setting<AttachmentPolicy>>,
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
            trust: self.trust.unwrap_or_default(),
            expired: self.expired.unwrap_or_default(),
            not_yet_valid: self.not_yet_valid.unwrap_or_default(),
            unusable: self.unusable.unwrap_or_default(),
            crl: self.crl.unwrap_or_default(),
            recovery: self.recovery.unwrap_or_default(),
            rules_allowed: self.rules_allowed.unwrap_or_default(),
            attachments: self.attachments.unwrap_or_default(),
        };
        let name = context.directory()?.set_domain(&self.name, &change)?;
        show(context, out, &name)
    }
}

fn list(context: &Context, out: &mut Output) -> Result<(), Failure> {
    let domains = context.directory_for_reading()?.domains()?;
    let config = context.config().ok();
    let mut table = Table::new(
        &["domain", "mode", "certificates", "catch-all", "aliases"],
        "there is no domain yet: sealpost domain add NAME",
    );
    for domain in &domains {
        table.row([
            domain.name.clone(),
            domain.mode.name().to_owned(),
            certificates(domain).count().to_string(),
            domain.catch_all.as_ref().map_or("-".to_owned(), Address::to_string),
            domain.aliases.join(" "),
        ]);
    }
    out.table(&table)?;
    out.json(
        json!({"domains": domains.iter().map(|domain| layout(domain, config.as_ref())).collect::<Vec<_>>()}),
    )
}

fn show(context: &Context, out: &mut Output, name: &str) -> Result<(), Failure> {
    let domain = context.directory_for_reading()?.domain(name)?;
    let config = context.config().ok();
    let first = [
        ("domain", domain.name.clone()),
        ("aliases", domain.aliases.join(" ")),
        ("mode", domain_mode::explained(domain.mode)),
        ("catch-all", domain.catch_all.as_ref().map_or_else(String::new, Address::to_string)),
    ];
    let settings = settings(&domain, config.as_ref());
    let last = [
        ("recovery by", domain.recovery.as_ref().map_or_else(String::new, recovery::describe)),
        ("certificates", certificates(&domain).count().to_string()),
        ("chain", counted(domain.trust.chain.len(), "certificate")),
        ("trusted", counted(domain.trust.domain.len(), "certificate")),
        ("replaced authorities", authority::retired_words(&domain.trust.retired)),
    ];
    let settings = settings.iter().map(|setting| (setting.name, setting.text()));
    out.table(&Table::fields(first.into_iter().chain(settings).chain(last)))?;
    out.json(layout(&domain, config.as_ref()))
}

fn certificates(domain: &Domain) -> impl Iterator<Item = &Certificate> {
    domain.authorities.iter().chain(&domain.sealing)
}

/// All that a domain may say otherwise than the site.
fn settings(domain: &Domain, config: Option<&Config>) -> Vec<Effective> {
    let own = &domain.overrides;
    vec![
        Effective::new("inbox", own.inbox, config, |site| site.settings.inbox),
        Effective::new("attachments", own.attachments, config, |site| site.settings.attachments),
        Effective::new("profile", own.profile, config, |site| site.settings.profile),
        Effective::new("also-classical", own.also_classical, config, |site| site.settings.also_classical),
        Effective::new("trust", own.trust, config, |site| site.settings.certificates.trust),
        Effective::new("expired", own.expired, config, |site| site.settings.certificates.expired),
        Effective::new("not-yet-valid", own.not_yet_valid, config, |site| {
            site.settings.certificates.not_yet_valid
        }),
        Effective::new("unusable", own.unusable, config, |site| site.settings.certificates.unusable),
        Effective::new("crl", own.crl, config, |site| site.settings.certificates.crl),
        Effective::new("missing-certificate", own.missing_certificate, config, |site| {
            site.settings.certificates.missing_certificate
        }),
        Effective::of_domains("recovery", own.recovery),
        Effective::new("rules-allowed", own.rules_allowed, config, |site| site.settings.rules_allowed),
    ]
}

fn layout(domain: &Domain, config: Option<&Config>) -> Value {
    let own = &domain.overrides;
    let effective = settings(domain, config);
    let effective = effective.iter().map(|setting| (setting.name.replace('-', "_"), setting.layout()));
    json!({
        "domain": domain.name,
        "aliases": domain.aliases,
        "mode": domain.mode.name(),
        "catch_all": domain.catch_all.as_ref().map(Address::to_string),
        "inbox": own.inbox.map(Choice::name),
        "attachments": own.attachments.map(Choice::name),
        "profile": own.profile.map(Choice::name),
        "also_classical": own.also_classical.map(Choice::name),
        "missing_certificate": own.missing_certificate.map(Choice::name),
        "rules_allowed": own.rules_allowed.map(Choice::name),
        "effective": effective.collect::<serde_json::Map<_, _>>(),
        "recovery_certificate": domain.recovery.as_ref().map(|held| held.fingerprint().to_string()),
        "certificates": words::texts(certificates(domain).map(Certificate::fingerprint)),
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
    out.line(format!(
        "mail to addresses of {name} is taken no more; to take it as before: sealpost domain set {new} --alias {name}"
    ))?;
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
