//! `sealpost recovery`

use super::cert_fields::{layout, print};
use super::context::Context;
use super::failure::{Code, Failure};
use super::output::{Output, with};
use super::words::{self, day};
use super::{filter, input};
use crate::config::Config;
use crate::directory::RecoveryCertificate;
use crate::engine::{Clock, Domain, Recovery};
use crate::pki::{Certificate, SealingCheck, ValidatedCertificate};
use crate::smime;
use crate::system::SystemClock;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Set, show and remove a domain's recovery certificate, a further recipient of its accounts' mail
///
/// Whoever has its key can open what is sealed from now on to the accounts that have it, and nothing else. No account has
/// it unless its domain or the account itself says so: sealpost domain set NAME --recovery yes, sealpost account set
/// ADDRESS --recovery yes. `account show`, `inspect` and the field Sealpost-Sealed name it.
#[derive(clap::Args)]
pub(super) struct RecoveryCommand {
    #[command(subcommand)]
    verb: RecoveryVerb,
}

#[derive(clap::Subcommand)]
enum RecoveryVerb {
    /// Set it; it takes the place of the one before
    #[command(after_help = "Examples:
  sealpost recovery set --domain north.example --file recovery.pem
  sealpost recovery set --domain north.example --file - < recovery.pem")]
    Set {
        /// Whose
        #[arg(long, value_name = "NAME")]
        domain: String,
        /// PEM or DER; `-` is standard input
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Show it
    #[command(after_help = "Example:
  sealpost recovery show --domain north.example")]
    Show {
        /// Whose
        #[arg(long, value_name = "NAME")]
        domain: String,
    },
    /// Remove it; what is sealed to it stays so
    #[command(after_help = "Example:
  sealpost recovery remove --domain north.example")]
    Remove {
        /// Whose
        #[arg(long, value_name = "NAME")]
        domain: String,
    },
}

impl RecoveryCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            RecoveryVerb::Set { domain, file } => set(context, out, &domain, &file),
            RecoveryVerb::Show { domain } => show(context, out, &domain),
            RecoveryVerb::Remove { domain } => remove(context, out, &domain),
        }
    }
}

/// In one cell of a table.
pub(super) fn describe(certificate: &Certificate) -> String {
    let print = words::short(certificate.fingerprint());
    format!("certificate {print}, valid until {}", day(certificate.not_after()))
}

fn set(context: &Context, out: &mut Output, name: &str, file: &Path) -> Result<(), Failure> {
    let (certificate, _) = filter::chain(file)?;
    let config = context.config()?;
    let directory = context.directory()?;
    let domain = directory.domain(name)?;
    check(&domain, &certificate, &config).map_err(|reasons| {
        let text = format!(
            "nothing is stored: the certificate in {} cannot be the recovery certificate of {}: {}",
            input::name(file),
            domain.name,
            reasons.join("; ")
        );
        Failure::new(Code::Data, text)
    })?;
    let before = directory.set_recovery(&domain.name, &certificate)?;
    let (print, until) = (certificate.fingerprint(), day(certificate.not_after()));
    out.line(format!("recovery certificate {print} of {} stored, valid until {until}", domain.name))?;
    if let Some(before) = &before {
        out.line(format!(
            "it takes the place of {}: keep that key for mail that is sealed to it",
            before.fingerprint()
        ))?;
    }
    advise(out, &domain)?;
    let place = [("domain", domain.name.clone())];
    let replaced = json!(before.map(|before| before.fingerprint().to_string()));
    out.json(with(layout(&place, &certificate)?, [("replaced", replaced)]))
}

/// Off by default: a certificate alone makes nobody's mail readable.
fn advise(out: &mut Output, domain: &Domain) -> Result<(), Failure> {
    let name = &domain.name;
    match domain.overrides.recovery.unwrap_or_default() {
        Recovery::Yes => out.line(format!("mail for accounts of {name} is sealed to it from now on")),
        Recovery::No => {
            out.line(
                "mail is sealed to it for accounts that say so: sealpost account set ADDRESS --recovery yes",
            )?;
            out.line(format!("or for all of {name}: sealpost domain set {name} --recovery yes"))
        }
    }
}

/// Every reason why mail cannot be sealed to it. It names no account, and nobody has to vouch for it.
pub(super) fn check(domain: &Domain, certificate: &Certificate, config: &Config) -> Result<(), Vec<String>> {
    let check = SealingCheck::by_itself(&[], SystemClock.now(), config.settings.minimum_rsa_bits);
    ValidatedCertificate::for_sealing(certificate, &check).map_err(|reasons| words::texts(&reasons))?;
    match smime::refusal(config.settings.form_of_domain(domain), certificate, &[]) {
        None | Some(smime::SealError::NothingPostQuantum { .. }) => Ok(()),
        Some(refusal) => Err(vec![refusal.to_string()]),
    }
}

fn held(context: &Context, name: &str) -> Result<RecoveryCertificate, Failure> {
    context.directory_for_reading()?.recovery(name)?.ok_or_else(|| none(name))
}

fn none(name: &str) -> Failure {
    Failure::new(Code::NotFound, format!("{name} has no recovery certificate"))
        .hint(format!("set one: sealpost recovery set --domain {name} --file FILE"))
}

fn show(context: &Context, out: &mut Output, name: &str) -> Result<(), Failure> {
    let held = held(context, name)?;
    let place = [("domain", name.to_owned()), ("added", day(held.added))];
    print(out, &place, &held.certificate)?;
    out.json(layout(&place, &held.certificate)?)
}

fn remove(context: &Context, out: &mut Output, name: &str) -> Result<(), Failure> {
    let removed = context.directory()?.remove_recovery(name)?.ok_or_else(|| none(name))?;
    let print = removed.fingerprint();
    out.line(format!("recovery certificate {print} of {name} removed: nothing is sealed to it any more"))?;
    out.line("what is sealed to it stays so: keep its key")?;
    out.json(json!({"domain": name, "removed": print.to_string()}))
}
