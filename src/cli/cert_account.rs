//! `sealpost cert … --account`

use super::cert::{layout, print};
use super::cert_folder::from_folder;
use super::cert_message::from_message;
use super::context::Context;
use super::failure::{Code, Failure};
use super::output::{Output, Table};
use super::words::{self, FingerprintPrefix, day};
use super::{authority, filter, fitness, input, key, keyring};
use crate::crypto::Entropy;
use crate::directory::{AddedCertificate, CertificateRecord, SqliteDirectory, VaultKey};
use crate::engine::{Account, CertificateState, Choice, Clock, DomainMode};
use crate::mail::Address;
use crate::pki::{Authority, Certificate, Fingerprint, Reads, USER_LIFETIME, Unfit, UserProfile, Validity};
use crate::system::{SystemClock, SystemEntropy};
use serde_json::json;
use std::path::PathBuf;
use time::Duration;

/// Seal an account's mail to a certificate from now on, beside those that it has
///
/// It is checked first: usage, address, strength, time, and the chain where the site asks for it.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost cert add --account anna@north.example --file anna.pem
  sealpost cert add --account anna@north.example < anna.pem
  sealpost cert add --account anna@north.example --from-message signed.eml
  sealpost cert add --from-folder /srv/certificates --domain north.example")]
pub(super) struct Add {
    /// Whose mail is sealed to it
    #[arg(long, value_name = "ADDRESS", value_parser = words::address, required_unless_present = "from_folder")]
    account: Option<Address>,
    /// PEM or DER: the certificate, after it perhaps those of its authorities; without it or `-`: standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// A message that the account signed, `-` for standard input: the certificate that it shows waits to be accepted
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "from_folder"])]
    from_message: Option<PathBuf>,
    /// PEM and DER files: each certificate waits for the accounts whose addresses it names
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "account"])]
    from_folder: Option<PathBuf>,
    /// With --from-folder: only for accounts of this domain
    #[arg(long, value_name = "NAME", requires = "from_folder")]
    domain: Option<String>,
}

impl Add {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let account = match (&self.from_folder, &self.account) {
            (Some(folder), _) => return from_folder(context, out, folder, self.domain.as_deref()),
            (None, None) => {
                return Err(Failure::new(Code::Usage, "whose certificate is it? --account ADDRESS"));
            }
            (None, Some(account)) => account,
        };
        if let Some(message) = &self.from_message {
            return from_message(context, out, account, message);
        }
        let (certificate, others) = filter::chain(&self.file)?;
        let config = context.config()?;
        let directory = context.directory()?;
        let account = directory.account(account)?;
        let warnings = fitness::require(&account, &certificate, &others, &config, SystemClock.now())?;
        let added = directory.add_certificate(&account.address, &certificate, &input::name(&self.file))?;
        report(out, &account, &certificate, &added, &warnings)
    }
}

/// Issue a certificate of the domain for the account's newest key
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost cert issue --account anna@north.example --name 'Anna Berg'
  sealpost cert issue --account anna@north.example --renew")]
pub(super) struct Issue {
    /// For whom
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Address,
    /// The person's name; the address if it is not given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How long it is valid; never longer than the authority
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=36_500))]
    days: Option<i64>,
    /// Take the newest key even if it has a certificate already; that one is retired
    #[arg(long)]
    renew: bool,
    /// Say in the certificate what the holder's mail programs read: the profile auto goes by it
    #[arg(long, value_name = "CIPHER", default_value = Choice::name(Reads::default()), value_parser = words::choice::<Reads>())]
    reads: Reads,
}

impl Issue {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let config = context.config()?;
        let directory = context.directory()?;
        let account = directory.account(&self.account)?;
        let key = self.choose_key(&directory, &account)?;
        let certificate = self.sign(&directory, &account, &key)?;
        let warnings = fitness::require(&account, &certificate, &[], &config, SystemClock.now())?;
        let added = directory.record_issue(&account.domain.name, &account.address, &certificate)?;
        report(out, &account, &certificate, &added, &warnings)
    }

    /// The newest key without a certificate.
    fn choose_key(&self, directory: &SqliteDirectory, account: &Account) -> Result<VaultKey, Failure> {
        let accepted = account.certificates.iter().filter(|held| held.state != CertificateState::Pending);
        let certified: Vec<Fingerprint> =
            accepted.filter_map(|held| held.certificate.key_fingerprint().ok()).collect();
        let mut keys = keyring::vault_keys(directory, &account.address)?;
        keys.retain(|key| self.renew || !certified.contains(&key.fingerprint));
        let address = &account.address;
        keys.pop().ok_or_else(|| {
            Failure::new(Code::No, format!("every key of {address} has a certificate"))
                .hint("issue another one for the newest key: --renew")
        })
    }

    fn sign(
        &self,
        directory: &SqliteDirectory,
        account: &Account,
        key: &VaultKey,
    ) -> Result<Certificate, Failure> {
        let domain = &account.domain;
        if domain.mode != DomainMode::Enabled {
            let text = format!("{} issues nothing while its mode is {}", domain.name, domain.mode.name());
            return Err(Failure::new(Code::No, text)
                .hint(format!("sealpost domain set {} --mode enabled", domain.name)));
        }
        let issuer_key = keyring::domain_key(directory, &domain.name)?;
        issuer_key.test()?;
        let issuer = issuer(directory, &domain.name)?;
        let addresses = fitness::addresses(account);
        let lifetime = self.days.map_or(USER_LIFETIME, Duration::days);
        let address = account.address.to_string();
        let user = UserProfile {
            common_name: self.name.as_deref().unwrap_or(&address),
            addresses: &addresses,
            validity: Validity::lasting(SystemClock.now(), lifetime),
            reads: self.reads,
        };
        let public = key::public_key(key)?;
        Ok(Authority::new(&issuer, &issuer_key)?.issue(&public, &user, SystemEntropy.seed()?)?)
    }
}

/// The special S/MIME certificate of the domain, or else the generic one.
fn issuer(directory: &SqliteDirectory, domain: &str) -> Result<Certificate, Failure> {
    let held = directory.domain_certificates(domain)?;
    authority::issuer(&held).map(|held| held.certificate.clone()).ok_or_else(|| {
        Failure::new(Code::NotFound, format!("{domain} has no certificate to issue with"))
            .hint(format!("make one: sealpost cert self-sign --domain {domain}"))
    })
}

pub(super) fn report(
    out: &mut Output,
    account: &Account,
    certificate: &Certificate,
    added: &AddedCertificate,
    warnings: &[Unfit],
) -> Result<(), Failure> {
    let address = account.address.to_string();
    let until = day(certificate.not_after());
    out.line(format!("mail for {address} is sealed to {}, valid until {until}", certificate.fingerprint()))?;
    for retired in &added.retired {
        out.line(format!("{retired} is retired: it has the same key"))?;
    }
    for warning in warnings {
        out.line(format!("warning: {warning}"))?;
    }
    let mut value = layout(&[("account", address), ("state", "active".to_owned())], certificate)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("retired".into(), words::texts(&added.retired).into());
        object.insert("warnings".into(), words::texts(warnings).into());
    }
    out.json(value)
}

fn place(record: &CertificateRecord) -> [(&'static str, String); 3] {
    [
        ("state", record.held.state.name().to_owned()),
        ("added", day(record.added)),
        ("source", record.source.clone()),
    ]
}

pub(super) fn show_account(context: &Context, out: &mut Output, account: &Address) -> Result<(), Failure> {
    let records = context.directory_for_reading()?.certificates(account)?;
    if records.is_empty() {
        out.line(none(account))?;
    }
    for (at, record) in records.iter().enumerate() {
        if at > 0 {
            out.line("")?;
        }
        print(out, &place(record), &record.held.certificate)?;
    }
    as_json(out, account, &records)
}

fn none(account: &Address) -> String {
    format!("{account} has no certificate: sealpost cert issue --account {account}, or cert add")
}

pub(super) fn list(context: &Context, out: &mut Output, account: &Address) -> Result<(), Failure> {
    let records = context.directory_for_reading()?.certificates(account)?;
    let mut table = Table::new(&["fingerprint", "state", "key", "valid until", "source"], none(account));
    for record in &records {
        let certificate = &record.held.certificate;
        table.row([
            words::short(certificate.fingerprint()),
            record.held.state.name().to_owned(),
            certificate.key_description(),
            day(certificate.not_after()),
            record.source.clone(),
        ]);
    }
    out.table(&table)?;
    as_json(out, account, &records)
}

fn as_json(out: &mut Output, account: &Address, records: &[CertificateRecord]) -> Result<(), Failure> {
    let rows = records.iter().map(|record| layout(&place(record), &record.held.certificate));
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    out.json(json!({"account": account.to_string(), "certificates": rows}))
}

pub(super) fn retire(
    context: &Context,
    out: &mut Output,
    account: &Address,
    named: Option<&FingerprintPrefix>,
) -> Result<(), Failure> {
    let directory = context.directory()?;
    let mut records = directory.certificates(account)?;
    records.retain(|record| record.held.state == CertificateState::Active);
    let active: Vec<Fingerprint> =
        records.iter().map(|record| record.held.certificate.fingerprint()).collect();
    let chosen = match (named, active.as_slice()) {
        (Some(named), _) => named.among(&active)?,
        (None, [one]) => *one,
        (None, []) => {
            return Err(Failure::new(Code::NotFound, format!("{account} has no active certificate")));
        }
        (None, [first, ..]) => {
            return Err(Failure::new(Code::Usage, format!("{account} has several active certificates"))
                .hint(format!("say which: --fingerprint {first}")));
        }
    };
    directory.retire_certificate(account, chosen)?;
    out.line(format!("{chosen} is retired: nothing is sealed to it any more"))?;
    if active.len() == 1 {
        out.line(format!("{account} has no active certificate now: give it one before mail comes"))?;
    }
    out.json(json!({"account": account.to_string(), "retired": chosen.to_string()}))
}
