//! `sealpost cert show`

use super::cert_account::show_account;
use super::cert_domain::show_domain;
use super::context::Context;
use super::failure::{Code, Failure};
use super::holder::{Holder, HolderArgs};
use super::new_file::NewFile;
use super::output::Output;
use super::{authority, words};
use crate::directory::{CertificateUse, DomainCertificate};
use crate::engine::{CertificateState, Choice};
use crate::mail::Address;
use crate::pki::Certificate;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Show the certificates of a domain, and what it has issued; or those of an account
///
/// A domain's certificate is written to a file (PEM) for others to trust: the one that issues, unless another is asked for.
/// Of an account those are written that its mail is sealed to.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost cert show --domain north.example
  sealpost cert show --domain north.example --output north-authority.pem
  sealpost cert show --account anna@north.example --json
  sealpost cert show --account anna@north.example --output anna.pem")]
pub(super) struct Show {
    #[command(flatten)]
    holder: HolderArgs,
    /// Write the domain's certificate, or the account's active ones (PEM), to this new file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// With --output: which one of the domain
    #[arg(long, requires = "output", conflicts_with = "account", value_parser = words::choice::<CertificateUse>())]
    purpose: Option<CertificateUse>,
}

impl Show {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match (self.holder.into(), self.output) {
            (Holder::Account(address), None) => show_account(context, out, &address),
            (Holder::Account(address), Some(path)) => write_active(context, out, &address, &path),
            (Holder::Domain(name), None) => show_domain(context, out, &name),
            (Holder::Domain(name), Some(path)) => write(context, out, &name, self.purpose, &path),
        }
    }
}

fn write(
    context: &Context,
    out: &mut Output,
    domain: &str,
    purpose: Option<CertificateUse>,
    path: &Path,
) -> Result<(), Failure> {
    let file = NewFile::create(path)?;
    let held = context.directory_for_reading()?.domain_certificates(domain)?;
    let DomainCertificate { certificate, purpose, .. } = chosen(&held, domain, purpose)?;
    file.write(certificate.to_pem()?.as_bytes())?;
    let (name, print, file) =
        (purpose.name(), certificate.fingerprint().to_string(), path.display().to_string());
    out.line(format!("{name} certificate {print} of {domain} is written to {file}"))?;
    out.json(json!({"domain": domain, "purpose": name, "fingerprint": print, "file": file}))
}

/// Those that mail for the account is sealed to, for who writes to it.
fn write_active(context: &Context, out: &mut Output, account: &Address, path: &Path) -> Result<(), Failure> {
    let file = NewFile::create(path)?;
    let records = context.directory_for_reading()?.certificates(account)?;
    let held = records.iter().map(|record| &record.held);
    let active = held.filter(|held| held.state == CertificateState::Active && held.revoked.is_none());
    let active: Vec<&Certificate> = active.map(|held| &held.certificate).collect();
    if active.is_empty() {
        let text = format!("{account} has no active certificate to write");
        return Err(
            Failure::new(Code::NotFound, text).hint(format!("see: sealpost cert list --account {account}"))
        );
    }
    let pem: Vec<String> = active.iter().map(|one| one.to_pem()).collect::<Result<_, _>>()?;
    file.write(pem.concat().as_bytes())?;
    let (prints, file) =
        (words::texts(active.iter().map(|one| one.fingerprint())), path.display().to_string());
    out.line(format!("{} of {account} written to {file}", words::counted(prints.len(), "certificate")))?;
    out.json(json!({"account": account.to_string(), "fingerprints": prints, "file": file}))
}

/// The one for that purpose, or else the one that issues.
fn chosen<'h>(
    held: &'h [DomainCertificate],
    domain: &str,
    purpose: Option<CertificateUse>,
) -> Result<&'h DomainCertificate, Failure> {
    let found = match purpose {
        Some(purpose) => held.iter().find(|held| held.purpose == purpose),
        None => authority::issuer(held),
    };
    found.ok_or_else(|| {
        let kind = purpose.map(|purpose| format!("{} ", purpose.name())).unwrap_or_default();
        let text = format!("{domain} has no {kind}certificate to write");
        Failure::new(Code::NotFound, text).hint(format!("see: sealpost cert show --domain {domain}"))
    })
}
