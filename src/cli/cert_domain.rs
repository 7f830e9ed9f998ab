//! `sealpost cert … --domain`

use super::cert::{layout, print};
use super::context::Context;
use super::failure::{Code, Failure};
use super::output::{Output, Table};
use super::words::{self, day};
use super::{filter, keyring};
use crate::crypto::Entropy;
use crate::directory::{CertificateUse, SqliteDirectory};
use crate::engine::{Choice, Clock, Domain};
use crate::mail::Address;
use crate::pki::{
    self, AUTHORITY_LIFETIME, Authority, AuthorityProfile, Certificate, SealingCheck, Subject,
    ValidatedCertificate, Validity, wildcard,
};
use crate::system::{SystemClock, SystemEntropy};
use serde_json::json;
use std::path::PathBuf;
use time::Duration;

/// A domain and the subject of its certificate.
#[derive(clap::Args)]
struct SubjectArgs {
    /// Whose certificate
    #[arg(long, value_name = "NAME")]
    domain: String,
    /// The common name: the domain (default) or one of its aliases
    #[arg(long, value_name = "NAME", conflicts_with = "wildcard")]
    common_name: Option<String>,
    /// The common name is the wildcard of the domain
    #[arg(long)]
    wildcard: bool,
    /// Two letters
    #[arg(long)]
    country: Option<String>,
    /// State or province
    #[arg(long)]
    state: Option<String>,
    /// City
    #[arg(long)]
    locality: Option<String>,
    /// Organization
    #[arg(long)]
    organization: Option<String>,
    /// Organizational unit
    #[arg(long)]
    organizational_unit: Option<String>,
    /// Whom to ask
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    contact: Option<Address>,
}

impl SubjectArgs {
    /// The subject, and all DNS names of the certificate: the common name first, each once.
    fn subject(self, domain: &Domain) -> Result<(Subject, Vec<String>), Failure> {
        let own: Vec<&String> = std::iter::once(&domain.name).chain(&domain.aliases).collect();
        let common_name = match self.common_name {
            Some(name) if !own.iter().any(|own| **own == name.to_ascii_lowercase()) => {
                let text = format!("{name} is no name of the domain {}", domain.name);
                return Err(Failure::new(Code::Usage, text));
            }
            Some(name) => name.to_ascii_lowercase(),
            None if self.wildcard => wildcard(&domain.name),
            None => domain.name.clone(),
        };
        let mut names = vec![common_name.clone()];
        names.extend(own.into_iter().filter(|own| **own != common_name).cloned());
        let subject = Subject {
            common_name,
            country: self.country,
            state: self.state,
            locality: self.locality,
            organization: self.organization,
            organizational_unit: self.organizational_unit,
            contact: self.contact,
        };
        Ok((subject, names))
    }
}

/// Make the domain its own authority: a certificate signed by its own key
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost cert self-sign --domain north.example --organization 'North Ltd' --country NO
  sealpost cert self-sign --domain north.example --refresh
  sealpost cert self-sign --domain north.example --purpose sealing")]
pub(super) struct SelfSign {
    #[command(flatten)]
    subject: SubjectArgs,
    /// How long it is valid
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=36_500))]
    days: Option<i64>,
    /// generic: for all; smime: a special one, only to issue user certificates; sealing: one to be sealed to in the place
    /// of accounts (domain-key)
    #[arg(long, value_parser = words::choice::<CertificateUse>(), default_value = "generic")]
    purpose: CertificateUse,
    /// Renew the validity of the certificate that is there; serial number and names stay
    #[arg(long)]
    refresh: bool,
}

impl SelfSign {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let directory = context.directory()?;
        let domain = directory.domain(&self.subject.domain)?;
        let key = keyring::domain_key(&directory, &domain.name)?;
        let lifetime = self.days.map_or(AUTHORITY_LIFETIME, Duration::days);
        let validity = Validity::lasting(SystemClock.now(), lifetime);
        let seed = SystemEntropy.seed()?;
        let certificate = if self.refresh {
            pki::refresh(&stored(&directory, &domain.name, self.purpose)?, &key, validity, seed)?
        } else {
            let (subject, names) = self.subject.subject(&domain)?;
            let profile = AuthorityProfile { subject: &subject, dns_names: &names, validity };
            match self.purpose {
                CertificateUse::Sealing => pki::self_sign_recipient(&key, &profile, seed)?,
                CertificateUse::Generic | CertificateUse::Smime => pki::self_sign(&key, &profile, seed)?,
            }
        };
        store(&directory, out, &domain.name, self.purpose, &certificate)
    }
}

/// Print a request (PKCS#10) for an outer authority to sign
#[derive(clap::Args)]
#[command(after_help = "Example:
  sealpost cert request --domain north.example --organization 'North Ltd' --country NO > north.csr")]
pub(super) struct Request {
    #[command(flatten)]
    subject: SubjectArgs,
}

impl Request {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let directory = context.directory_for_reading()?;
        let domain = directory.domain(&self.subject.domain)?;
        let key = keyring::domain_key(&directory, &domain.name)?;
        let (subject, names) = self.subject.subject(&domain)?;
        let request = pki::Request::make(&key, &subject, &names, SystemEntropy.seed()?)?.to_pem()?;
        out.line(request.trim_end())?;
        out.json(json!({"domain": domain.name, "request": request}))
    }
}

/// Store the domain's certificate that an outer authority signed
#[derive(clap::Args)]
#[command(after_help = "Example:
  sealpost cert set --domain north.example --file north.pem")]
pub(super) struct Set {
    /// Whose certificate
    #[arg(long, value_name = "NAME")]
    domain: String,
    /// PEM or DER; `-` is standard input. The first certificate in it is taken
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// generic: for all; smime: a special one, only to issue user certificates; sealing: one to be sealed to in the place
    /// of accounts (domain-key)
    #[arg(long, value_parser = words::choice::<CertificateUse>(), default_value = "generic")]
    purpose: CertificateUse,
}

impl Set {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let (certificate, _) = filter::chain(&self.file)?;
        let directory = context.directory()?;
        let key = keyring::domain_key(&directory, &self.domain)?;
        if self.purpose == CertificateUse::Smime {
            Authority::new(&certificate, &key)?;
        }
        store(&directory, out, &self.domain, self.purpose, &certificate)
    }
}

fn stored(
    directory: &SqliteDirectory,
    domain: &str,
    purpose: CertificateUse,
) -> Result<Certificate, Failure> {
    let held = directory.domain_certificates(domain)?;
    let found = held.into_iter().find(|held| held.purpose == purpose).map(|held| held.certificate);
    found.ok_or_else(|| {
        Failure::new(Code::NotFound, format!("{domain} has no {} certificate to refresh", purpose.name()))
            .hint(format!("make one: sealpost cert self-sign --domain {domain} --purpose {}", purpose.name()))
    })
}

fn store(
    directory: &SqliteDirectory,
    out: &mut Output,
    domain: &str,
    purpose: CertificateUse,
    certificate: &Certificate,
) -> Result<(), Failure> {
    if purpose == CertificateUse::Sealing {
        require_sealing(domain, certificate)?;
    }
    directory.set_domain_certificate(domain, purpose, certificate)?;
    let (name, print) = (purpose.name(), certificate.fingerprint());
    let until = day(certificate.not_after());
    out.line(format!("{name} certificate {print} of {domain} stored, valid until {until}"))?;
    out.json(layout(&[("domain", domain.to_owned()), ("purpose", name.to_owned())], certificate)?)
}

/// Whoever says `domain-key` must not find out at the first message that the key cannot be sealed to.
fn require_sealing(domain: &str, certificate: &Certificate) -> Result<(), Failure> {
    let check = SealingCheck {
        addresses: &[],
        at: SystemClock.now(),
        minimum_rsa_bits: pki::MINIMUM_RSA_BITS,
        anchors: None,
        intermediates: &[],
        allow_expired: false,
        allow_not_yet_valid: false,
    };
    ValidatedCertificate::for_sealing(certificate, &check).map(|_| ()).map_err(|reasons| {
        let reasons = words::texts(&reasons).join("; ");
        Failure::new(Code::Data, format!("mail cannot be sealed to this certificate of {domain}: {reasons}"))
    })
}

/// The domain's certificates, and by serial number those that it has issued.
pub(super) fn show_domain(context: &Context, out: &mut Output, domain: &str) -> Result<(), Failure> {
    let directory = context.directory_for_reading()?;
    let mut rows = Vec::new();
    let held = directory.domain_certificates(domain)?;
    if held.is_empty() {
        out.line(format!("{domain} has no certificate: sealpost cert self-sign --domain {domain}"))?;
    }
    for held in held {
        let place = [("purpose", held.purpose.name().to_owned())];
        print(out, &place, &held.certificate)?;
        out.line("")?;
        rows.push(layout(&place, &held.certificate)?);
    }
    let issued = directory.issued(domain)?;
    let mut table = Table::new(&["issued to", "on", "valid until", "serial"], "");
    for one in &issued {
        let until = day(one.certificate.not_after());
        table.row([one.account.clone(), day(one.issued), until, one.certificate.serial()]);
    }
    out.table(&table)?;
    let issued = issued.iter().map(|one| {
        let fingerprint = one.certificate.fingerprint().to_string();
        json!({"account": one.account, "on": day(one.issued), "serial": one.certificate.serial(), "fingerprint": fingerprint})
    });
    out.json(json!({"domain": domain, "certificates": rows, "issued": issued.collect::<Vec<_>>()}))
}

pub(super) fn remove(
    context: &Context,
    out: &mut Output,
    domain: &str,
    purpose: CertificateUse,
) -> Result<(), Failure> {
    context.directory()?.remove_domain_certificate(domain, purpose)?;
    out.line(format!("{} certificate of {domain} removed", purpose.name()))?;
    out.json(json!({"domain": domain, "removed": purpose.name()}))
}
