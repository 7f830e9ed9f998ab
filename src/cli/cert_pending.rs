//! `sealpost cert pending`, `cert accept` and `cert refuse`

use super::cert_account::report;
use super::cert_fields::layout;
use super::context::Context;
use super::elsewhere;
use super::failure::{Code, Failure};
use super::fitness::Fitness;
use super::issuer::Issued;
use super::output::{Output, Table};
use super::words::{self, FingerprintPrefix, day};
use crate::config::Config;
use crate::directory::{PendingCertificate, SqliteDirectory};
use crate::engine::{Account, CertificateState};
use crate::mail::{Address, printable};
use crate::pki::{Certificate, Fingerprint};
use serde_json::json;

/// List the certificates that wait to be accepted
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost cert pending
  sealpost cert pending --domain north.example --json")]
pub(super) struct Pending {
    /// Only those of this domain's accounts
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
}

impl Pending {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let config = context.config()?;
        let directory = context.directory_for_reading()?;
        let waiting = directory.pending_certificates(self.domain.as_deref())?;
        let headings = ["account", "fingerprint", "subject", "issuer", "ends", "source", "chain"];
        let mut table = Table::new(&headings, "no certificate waits");
        let mut rows = Vec::new();
        for PendingCertificate { account, record } in &waiting {
            let certificate = &record.held.certificate;
            let chain = chain(&directory.account(account)?, certificate, &config);
            table.row([
                account.to_string(),
                words::short(certificate.fingerprint()),
                printable(&certificate.subject()),
                printable(&certificate.issuer()),
                day(certificate.not_after()),
                record.source.clone(),
                chain.clone(),
            ]);
            let place = [
                ("account", account.to_string()),
                ("added", day(record.added)),
                ("source", record.source.clone()),
                ("chain", chain),
            ];
            rows.push(layout(&place, certificate)?);
        }
        out.table(&table)?;
        out.json(json!({"pending": rows}))
    }
}

fn chain(account: &Account, certificate: &Certificate, config: &Config) -> String {
    match elsewhere::untrusted(account, certificate, config) {
        None => "holds".to_owned(),
        Some(why) => printable(&why),
    }
}

/// Which certificate that waits.
#[derive(clap::Args)]
struct Which {
    /// Whose
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Address,
    /// Which one; the first digits are enough
    #[arg(long, value_name = "FINGERPRINT")]
    fingerprint: FingerprintPrefix,
}

/// Seal an account's mail to a certificate that waits
///
/// It is checked again as `cert add` does: usage, address, strength, time, and the chain where the site asks for it.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sealpost cert accept --account anna@north.example --fingerprint eade47b097cd3af7")]
pub(super) struct Accept {
    #[command(flatten)]
    which: Which,
}

/// Remove a certificate that waits; it does not come back unless it is added by hand
#[derive(clap::Args)]
#[command(after_help = "Example:
  sealpost cert refuse --account anna@north.example --fingerprint eade47b097cd3af7")]
pub(super) struct Refuse {
    #[command(flatten)]
    which: Which,
}

impl Which {
    fn waiting(&self, directory: &SqliteDirectory) -> Result<(Account, Certificate), Failure> {
        let account = directory.account(&self.account)?;
        let held = account.certificates.iter().filter(|held| held.state == CertificateState::Pending);
        let waiting: Vec<Certificate> = held.map(|held| held.certificate.clone()).collect();
        let named: Vec<Fingerprint> = waiting.iter().map(Certificate::fingerprint).collect();
        if named.is_empty() {
            let text = format!("no certificate of {} waits", account.address);
            return Err(Failure::new(Code::NotFound, text).hint("see: sealpost cert pending"));
        }
        let chosen = self.fingerprint.among(&named)?;
        let certificate = waiting.into_iter().find(|one| one.fingerprint() == chosen);
        certificate
            .map(|certificate| (account, certificate))
            .ok_or_else(|| Failure::new(Code::NotFound, "it does not wait any more"))
    }
}

impl Accept {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let config = context.config()?;
        let directory = context.directory()?;
        let (account, certificate) = self.which.waiting(&directory)?;
        let fitness = Fitness::of(&directory, &config)?;
        if let Some(reason) = fitness.taken_back(&certificate) {
            let text = format!("{} is not accepted: {reason}", certificate.fingerprint());
            return Err(Failure::new(Code::Data, text).hint("sealpost cert refuse removes it"));
        }
        let warnings = fitness.require(&account, &certificate, &[])?;
        let added = directory.accept_certificate(&account.address, certificate.fingerprint())?;
        report(out, &account, &Issued { certificate, added, warnings })
    }
}

impl Refuse {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        context.become_owner()?;
        let directory = context.directory()?;
        let (account, certificate) = self.which.waiting(&directory)?;
        let (address, fingerprint) = (&account.address, certificate.fingerprint());
        directory.refuse_certificate(address, fingerprint)?;
        out.line(format!(
            "{fingerprint} of {address} is refused: it does not wait any more and does not come back"
        ))?;
        out.json(json!({"account": address.to_string(), "refused": fingerprint.to_string()}))
    }
}
