//! `sealpost cert … --account`

use super::cert_fields::{layout, print};
use super::cert_folder::from_folder;
use super::cert_message::from_message;
use super::cert_revoke::say_which;
use super::context::Context;
use super::failure::{Code, Failure};
use super::fitness::Fitness;
use super::issuer::Issued;
use super::output::{Output, Table, with};
use super::words::{self, FingerprintPrefix, day};
use super::{filter, input};
use crate::directory::CertificateRecord;
use crate::engine::{Account, CertificateState, Choice};
use crate::mail::Address;
use crate::pki::Fingerprint;
use serde_json::{Value, json};
use std::path::PathBuf;

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
        let warnings = Fitness::of(&directory, &config)?.require(&account, &certificate, &others)?;
        let added = directory.add_certificate(&account.address, &certificate, &input::name(&self.file))?;
        report(out, &account, &Issued { certificate, added, warnings })
    }
}

/// What is sealed to from now on.
pub(super) fn report(out: &mut Output, account: &Account, issued: &Issued) -> Result<(), Failure> {
    let address = account.address.to_string();
    let until = day(issued.certificate.not_after());
    let print = issued.certificate.fingerprint();
    let others = beside(account, issued);
    let besides = if others.is_empty() {
        String::new()
    } else {
        format!(", besides {}", words::texts(others.iter().map(words::short)).join(" and "))
    };
    out.line(format!("mail for {address} is sealed to {print}, valid until {until}{besides}"))?;
    for other in &others {
        let retire =
            format!("sealpost cert retire --account {address} --fingerprint {}", words::short(other));
        out.line(format!("to end {}: {retire}", words::short(other)))?;
    }
    for (retired, reason) in issued.added.replaced() {
        out.line(format!("{retired} is retired: {reason}"))?;
    }
    for warning in &issued.warnings {
        out.line(format!("warning: {warning}"))?;
    }
    out.json(value(account, issued)?)
}

/// What mail for the account is sealed to besides.
fn beside(account: &Account, issued: &Issued) -> Vec<Fingerprint> {
    let gone: Vec<Fingerprint> = issued.added.replaced().map(|(print, _)| print).collect();
    let held = account.certificates.iter();
    let active = held.filter(|held| held.state == CertificateState::Active && held.revoked.is_none());
    let active = active.map(|held| held.certificate.fingerprint());
    active.filter(|print| *print != issued.certificate.fingerprint() && !gone.contains(print)).collect()
}

/// The same for programs.
pub(super) fn value(account: &Account, issued: &Issued) -> Result<Value, Failure> {
    let place = [("account", account.address.to_string()), ("state", "active".to_owned())];
    let retired = words::texts(issued.added.replaced().map(|(print, _)| print));
    let warnings = words::texts(&issued.warnings);
    Ok(with(
        layout(&place, &issued.certificate)?,
        [("retired", retired.into()), ("warnings", warnings.into())],
    ))
}

fn place(record: &CertificateRecord) -> Vec<(&'static str, String)> {
    let mut place = vec![
        ("state", record.held.state.name().to_owned()),
        ("added", day(record.added)),
        ("source", record.source.clone()),
    ];
    if let Some(revoked) = record.held.revoked {
        place.push(("revoked", format!("{} ({})", day(revoked.at), revoked.reason.name())));
    }
    place
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
            state(record),
            certificate.key_description(),
            day(certificate.not_after()),
            record.source.clone(),
        ]);
    }
    out.table(&table)?;
    as_json(out, account, &records)
}

/// What was taken back is still there, and nothing is sealed to it.
fn state(record: &CertificateRecord) -> String {
    let state = record.held.state.name();
    if record.held.revoked.is_some() { format!("{state}, revoked") } else { state.to_owned() }
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
    let records = directory.certificates(account)?;
    let those = |state| {
        let those = records.iter().filter(move |record| record.held.state == state);
        those.map(|record| record.held.certificate.fingerprint()).collect::<Vec<Fingerprint>>()
    };
    let (active, retired) = (those(CertificateState::Active), those(CertificateState::Retired));
    let chosen = match (named, active.as_slice()) {
        (Some(named), _)
            if retired.iter().any(|one| named.names(*one)) && !active.iter().any(|one| named.names(*one)) =>
        {
            let print = named.among(&retired)?;
            return Err(Failure::new(
                Code::No,
                format!("{print} is retired already: nothing is sealed to it"),
            ));
        }
        (Some(named), _) => named.among(&active)?,
        (None, [one]) => *one,
        (None, []) => {
            return Err(Failure::new(Code::NotFound, format!("{account} has no active certificate")));
        }
        (None, [_, ..]) => {
            return Err(Failure::new(Code::Usage, format!("{account} has several active certificates"))
                .hint(say_which(active)));
        }
    };
    directory.retire_certificate(account, chosen)?;
    out.line(format!("{chosen} is retired: nothing is sealed to it any more"))?;
    if active.len() == 1 {
        out.line(format!("{account} has no active certificate now: give it one before mail comes"))?;
    }
    out.json(json!({"account": account.to_string(), "retired": chosen.to_string()}))
}
