//! `sealpost cert … --domain`

use super::cert_fields::{layout, print};
use super::context::Context;
use super::failure::{Code, Failure};
use super::orphans::{Consent, Instead};
use super::output::{Output, Table, with};
use super::words::{self, counted, day};
use super::{authority, filter, input, keyring};
use crate::crypto::Entropy;
use crate::directory::{CertificateUse, SqliteDirectory};
use crate::engine::{Choice, Clock, Domain};
use crate::mail::Address;
use crate::pki::{
    self, AUTHORITY_LIFETIME, Authority, AuthorityProfile, Certificate, PkiError, SealingCheck, Subject,
    TLS_LIFETIME, UnlockedKey, ValidatedCertificate, Validity, wildcard,
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
    fn subject(&self, domain: &Domain) -> Result<(Subject, Vec<String>), Failure> {
        let own: Vec<&String> = std::iter::once(&domain.name).chain(&domain.aliases).collect();
        let common_name = match &self.common_name {
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
            country: self.country.clone(),
            state: self.state.clone(),
            locality: self.locality.clone(),
            organization: self.organization.clone(),
            organizational_unit: self.organizational_unit.clone(),
            contact: self.contact.clone(),
        };
        Ok((subject, names))
    }
}

/// Make the domain its own authority: a certificate signed by its own key
///
/// It issues the certificates of the accounts, unless there is a special one for that (--purpose smime) or it is for TLS
/// only (--end-entity).
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost cert self-sign --domain north.example --organization 'North Ltd' --country NO
  sealpost cert self-sign --domain north.example --wildcard --end-entity
  sealpost cert self-sign --domain north.example --purpose smime --common-name north.example
  sealpost cert self-sign --domain north.example --purpose sealing
  sealpost cert self-sign --domain north.example --refresh")]
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
    /// For TLS only: it signs no other certificates
    #[arg(long, conflicts_with = "refresh")]
    end_entity: bool,
    /// Renew the validity of the certificate that is there; serial number and names stay
    #[arg(long, conflicts_with_all = NAMES)]
    refresh: bool,
    /// Also where valid certificates name the authority that is replaced
    #[arg(long)]
    anyway: bool,
}

/// What a certificate is made with, and a refreshed one has already.
const NAMES: [&str; 8] = [
    "common_name",
    "wildcard",
    "country",
    "state",
    "locality",
    "organization",
    "organizational_unit",
    "contact",
];

impl SelfSign {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let directory = context.directory()?;
        let domain = directory.domain(&self.subject.domain)?;
        let key = keyring::domain_key(&directory, &domain.name)?;
        let purpose = self.purpose;
        let certificate = if self.refresh {
            let old = stored(&directory, &domain.name, purpose)?;
            let is_for_tls = purpose == CertificateUse::Generic && !old.may_sign_certificates();
            let validity = validity(self.days, !is_for_tls);
            let refreshed = pki::refresh(&old, &key, validity, SystemEntropy.seed()?);
            refreshed.map_err(|error| not_refreshed(error, &domain.name))?
        } else {
            self.sign(&domain, &key)?
        };
        let consent = Consent { anyway: self.anyway, instead: Instead::Refresh };
        store(&directory, out, &domain.name, purpose, &certificate, &consent)
    }

    fn sign(&self, domain: &Domain, key: &UnlockedKey) -> Result<Certificate, Failure> {
        if self.end_entity && self.purpose != CertificateUse::Generic {
            let text = "--end-entity makes a certificate for TLS, and that is the generic one";
            return Err(Failure::new(Code::Usage, text));
        }
        let validity = validity(self.days, !self.end_entity);
        let (subject, names) = self.subject.subject(domain)?;
        let profile = AuthorityProfile { subject: &subject, dns_names: &names, validity };
        let sign = match self.purpose {
            CertificateUse::Sealing => pki::self_sign_recipient,
            CertificateUse::Generic if self.end_entity => pki::self_sign_for_tls,
            CertificateUse::Generic | CertificateUse::Smime => pki::self_sign,
        };
        Ok(sign(key, &profile, SystemEntropy.seed()?)?)
    }
}

fn not_refreshed(error: PkiError, domain: &str) -> Failure {
    let is_outer = matches!(error, PkiError::OuterCertificate { .. });
    let failure = Failure::from(error);
    if !is_outer {
        return failure;
    }
    failure.hint(format!(
        "send it a new request: sealpost cert request --domain {domain}\n\
         and set what it signs: sealpost cert set --domain {domain} --file FILE"
    ))
}

/// From now on, as long as somebody said or as is usual.
fn validity(days: Option<i64>, lasts_long: bool) -> Validity {
    let usual = if lasts_long { AUTHORITY_LIFETIME } else { TLS_LIFETIME };
    Validity::lasting(SystemClock.now(), days.map_or(usual, Duration::days))
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
#[command(after_help = "Examples:
  sealpost cert set --domain north.example --file north.pem
  sealpost cert set --domain north.example --file - < north.der")]
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
    /// Also where valid certificates name the authority that is replaced
    #[arg(long)]
    anyway: bool,
}

impl Set {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let (certificate, others) = filter::chain(&self.file)?;
        let directory = context.directory()?;
        let key = keyring::domain_key(&directory, &self.domain)?;
        self.require_first(&key, &certificate, &others)?;
        if self.purpose == CertificateUse::Smime {
            Authority::new(&certificate, &key)?;
        }
        if !others.is_empty() {
            let (more, domain, file) =
                (counted(others.len(), "more certificate"), &self.domain, input::name(&self.file));
            out.note(&format!(
                "{more} in {file}: to store the chain, sealpost chain set --domain {domain} --file {file}"
            ));
        }
        let consent = Consent { anyway: self.anyway, instead: Instead::Nothing };
        store(&directory, out, &self.domain, self.purpose, &certificate, &consent)
    }

    /// Some authorities put themselves in front.
    fn require_first(
        &self,
        key: &UnlockedKey,
        first: &Certificate,
        others: &[Certificate],
    ) -> Result<(), Failure> {
        let own = key.fingerprint()?;
        let is_ours = |one: &Certificate| one.key_fingerprint().is_ok_and(|of| of == own);
        let place = (2..).zip(others).find(|(_, one)| is_ours(one)).map(|(place, _)| place);
        let (false, Some(place)) = (is_ours(first), place) else { return Ok(()) };
        let (file, subject, domain) = (input::name(&self.file), first.subject(), &self.domain);
        let text = format!("{file}: certificate 1 ({subject}) is not of the key of {domain}");
        Err(Failure::new(Code::Data, text).hint(format!("certificate {place} is yours: put it first")))
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
    consent: &Consent,
) -> Result<(), Failure> {
    if purpose == CertificateUse::Sealing {
        require_sealing(domain, certificate)?;
    }
    let orphans = consent.to_orphans(directory, domain, purpose, Some(certificate))?;
    directory.set_domain_certificate(domain, purpose, certificate)?;
    let (name, print) = (purpose.name(), certificate.fingerprint());
    let until = day(certificate.not_after());
    out.line(format!("{name} certificate {print} of {domain} stored, valid until {until}"))?;
    let mut warnings = authority::chain_warnings(directory, domain)?;
    warnings.extend(orphans);
    if certificate.not_after() < SystemClock.now() {
        warnings.push(format!("the certificate ended on {until}"));
    }
    out.warnings(&warnings);
    let place = [("domain", domain.to_owned()), ("purpose", name.to_owned())];
    out.json(with(layout(&place, certificate)?, [("warnings", warnings.into())]))
}

/// Whoever says `domain-key` must not find out at the first message that the key cannot be sealed to.
fn require_sealing(domain: &str, certificate: &Certificate) -> Result<(), Failure> {
    let check = SealingCheck::by_itself(&[], SystemClock.now(), pki::MINIMUM_RSA_BITS);
    ValidatedCertificate::for_sealing(certificate, &check).map(|_| ()).map_err(|reasons| {
        let reasons = words::texts(&reasons).join("; ");
        Failure::new(Code::Data, format!("mail cannot be sealed to this certificate of {domain}: {reasons}"))
    })
}

/// The domain's certificates, and by serial number those that it has issued.
pub(super) fn show_domain(context: &Context, out: &mut Output, domain: &str) -> Result<(), Failure> {
    let directory = context.directory_for_reading()?;
    let mut rows = Vec::new();
    let all = directory.domain_certificates(domain)?;
    let mode = directory.domain(domain)?.mode;
    if all.is_empty() {
        out.line(format!("{domain} has no certificate: sealpost cert self-sign --domain {domain}"))?;
    }
    for held in &all {
        let (role, issues) = authority::role(held, &all, mode);
        let place = [("purpose", held.purpose.name().to_owned()), ("role", role)];
        print(out, &place, &held.certificate)?;
        out.line("")?;
        rows.push(with(layout(&place, &held.certificate)?, [("issues", issues.into())]));
    }
    let retired = directory.retired_authorities(domain)?;
    authority::print_retired(out, &retired)?;
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
    out.json(json!({
        "domain": domain, "certificates": rows, "retired": authority::retired_json(&retired),
        "issued": issued.collect::<Vec<_>>(),
    }))
}

/// Remove a certificate of a domain; its key stays
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost cert remove --domain north.example --purpose smime
  sealpost cert remove --domain north.example --anyway")]
pub(super) struct Remove {
    /// Whose
    #[arg(long, value_name = "NAME")]
    domain: String,
    /// Which one
    #[arg(long, value_parser = words::choice::<CertificateUse>(), default_value = "generic")]
    purpose: CertificateUse,
    /// Also where valid certificates name it as their authority
    #[arg(long)]
    anyway: bool,
}

impl Remove {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let Remove { domain, purpose, anyway } = self;
        let directory = context.directory()?;
        let consent = Consent { anyway, instead: Instead::Nothing };
        let warning = consent.to_orphans(&directory, &domain, purpose, None)?;
        directory.remove_domain_certificate(&domain, purpose)?;
        out.line(format!("{} certificate of {domain} removed", purpose.name()))?;
        warning.iter().for_each(|warning| out.note(&format!("warning: {warning}")));
        let warnings: Vec<String> = warning.into_iter().collect();
        out.json(json!({"domain": domain, "removed": purpose.name(), "warnings": warnings}))
    }
}
