//! `sealpost cert renew`

use super::cert_account::{report, value};
use super::cert_issue::same_again;
use super::context::Context;
use super::failure::{Code, Failure, without_error_numbers};
use super::issuer::{Issued, Issuer, Order, Wish};
use super::output::{Output, Table};
use super::progress;
use super::report::{Outcome, Report};
use super::words::{self, counted, day};
use crate::config::MOST_ISSUE_DAYS;
use crate::directory::{AdminError, Follows, SqliteDirectory};
use crate::engine::{Account, CertificateState, Clock, HeldCertificate};
use crate::mail::Address;
use crate::pki::{Certificate, Fingerprint};
use crate::system::SystemClock;
use serde_json::json;
use std::collections::HashSet;
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// Days before its end in which a certificate is renewed with its domain.
const WITHIN: u32 = 30;

/// Issue certificates again for the same keys, with a new serial number and validity; the ones before are retired
///
/// Of an account: each active certificate that its domain issued. Of a domain: those of all its accounts that end within so
/// many days, or that an authority issued which was replaced since. Nobody's password is needed, and mail sealed to a
/// key is opened by it as before.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost cert renew --account anna@north.example
  sealpost cert renew --domain north.example --within 30 --report renewed.csv")]
#[command(group(clap::ArgGroup::new("whose").required(true).args(["account", "domain"])))]
pub(super) struct Renew {
    /// Those of this account
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Option<Address>,
    /// Those of all accounts of this domain
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// Only those that end within so many days; 30 for a domain, if it is not given
    #[arg(long, value_name = "DAYS")]
    within: Option<u32>,
    /// How long the new ones are valid, if not as the configuration says (issue-days)
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=MOST_ISSUE_DAYS as i64))]
    days: Option<u32>,
    /// Add a line for each account to this CSV file: address, outcome, fingerprint or reason. A second run with the same
    /// file passes over what the first one renewed
    #[arg(long, value_name = "FILE", requires = "domain")]
    report: Option<PathBuf>,
}

/// One run over accounts of a domain.
struct Run<'d> {
    issuer: Issuer<'d>,
    /// What the domain has issued.
    ours: HashSet<Fingerprint>,
    days: Option<u32>,
    /// A certificate that ends before this moment is renewed.
    before: Option<OffsetDateTime>,
}

impl Renew {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let mut report = Report::open(self.report.as_deref())?;
        let directory = context.directory()?;
        match &self.account {
            Some(address) => {
                let account = directory.account(address)?;
                let run = self.begin(context, &directory, &account.domain.name)?;
                run.one(&account, out)
            }
            None => {
                let run = self.begin(context, &directory, self.domain.as_deref().unwrap_or_default())?;
                run.all(&directory, &mut report, out)
            }
        }
    }

    fn begin<'d>(
        &self,
        context: &Context,
        directory: &'d SqliteDirectory,
        domain: &str,
    ) -> Result<Run<'d>, Failure> {
        let issued = directory.issued(domain)?;
        let within = self.within.or(self.domain.as_ref().map(|_| WITHIN));
        Ok(Run {
            issuer: Issuer::open(directory, context.config()?, domain)?,
            ours: issued.iter().map(|one| one.certificate.fingerprint()).collect(),
            days: self.days,
            before: within.map(|days| SystemClock.now().saturating_add(Duration::days(days.into()))),
        })
    }
}

impl Run<'_> {
    fn one(&self, account: &Account, out: &mut Output) -> Result<(), Failure> {
        let ours: Vec<&HeldCertificate> = self.ours(account).collect();
        if ours.is_empty() {
            let text = format!(
                "{} has no active certificate that {} issued",
                account.address, self.issuer.domain.name
            );
            return Err(Failure::new(Code::NotFound, text)
                .hint(format!("see: sealpost cert list --account {}", account.address)));
        }
        let due: Vec<&HeldCertificate> =
            ours.into_iter().filter(|held| self.is_due(&held.certificate)).collect();
        if due.is_empty() {
            out.line(format!("no certificate of {} ends so soon", account.address))?;
        }
        let mut rows = Vec::new();
        for held in due {
            let issued = self.renew(account, held)?;
            if out.is_text() {
                report(out, account, &issued)?;
            }
            rows.push(value(account, &issued)?);
        }
        out.json(json!({"account": account.address.to_string(), "renewed": rows}))
    }

    fn all(&self, directory: &SqliteDirectory, file: &mut Report, out: &mut Output) -> Result<(), Failure> {
        let accounts = directory.all_accounts(Some(&self.issuer.domain.name))?;
        let bar = progress::bar(out, accounts.len());
        let (mut rows, mut passed_over) = (Vec::new(), 0);
        for account in &accounts {
            for held in self.ours(account).filter(|held| self.is_due(&held.certificate)) {
                if self.is_fresh(&held.certificate) && file.has_issued(held.certificate.fingerprint()) {
                    passed_over += 1;
                    continue;
                }
                let (outcome, detail) = self.told(account, held);
                file.add(&account.address.to_string(), outcome, &detail)?;
                rows.push((account.address.to_string(), outcome, detail));
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        let mut table = Table::new(&["account", "outcome", "certificate or reason"], "");
        rows.iter().for_each(|(address, outcome, detail)| {
            table.row([address.clone(), said(*outcome).to_owned(), detail.clone()]);
        });
        out.table(&table)?;
        self.conclude(&rows, passed_over, out)
    }

    fn conclude(
        &self,
        rows: &[(String, Outcome, String)],
        passed_over: usize,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let count = |wanted| rows.iter().filter(|(_, outcome, _)| *outcome == wanted).count();
        let (renewed, failed) = (count(Outcome::Issued), count(Outcome::Failed));
        let last = self.before.map_or(String::new(), |before| format!(" that end before {}", day(before)));
        out.line(match (rows.len(), renewed) {
            (_, renewed) if passed_over > 0 => format!(
                "{} renewed, {} of an earlier run passed over",
                counted(renewed, "certificate"),
                counted(passed_over, "certificate")
            ),
            (0, _) => format!(
                "{} has no certificates{last} or that a replaced authority issued",
                self.issuer.domain.name
            ),
            (_, renewed) => format!("{} renewed", counted(renewed, "certificate")),
        })?;
        let rows = rows.iter().map(|(address, outcome, detail)| {
            json!({"account": address, "outcome": said(*outcome), "detail": detail})
        });
        out.json(json!({
            "domain": self.issuer.domain.name, "certificates": rows.collect::<Vec<_>>(), "done_before": passed_over,
        }))?;
        match failed {
            0 => Ok(()),
            failed => Err(Failure::new(
                Code::No,
                format!("{} could not be renewed", counted(failed, "certificate")),
            )),
        }
    }

    fn told(&self, account: &Account, held: &HeldCertificate) -> (Outcome, String) {
        if let Some(revoked) = held.revoked {
            let detail = format!(
                "it was revoked on {} ({}): it is left alone",
                day(revoked.at),
                revoked.reason.name()
            );
            return (Outcome::Skipped, detail);
        }
        match self.renew(account, held) {
            Ok(issued) => (Outcome::Issued, issued.certificate.fingerprint().to_string()),
            Err(failure) => (Outcome::Failed, without_error_numbers(&failure.text)),
        }
    }

    /// The active certificates that the domain issued.
    fn ours<'a>(&'a self, account: &'a Account) -> impl Iterator<Item = &'a HeldCertificate> {
        let active = account.certificates.iter().filter(|held| held.state == CertificateState::Active);
        active.filter(|held| self.ours.contains(&held.certificate.fingerprint()))
    }

    fn is_due(&self, certificate: &Certificate) -> bool {
        self.before.is_none_or(|before| certificate.not_after() < before) || !self.is_of_today(certificate)
    }

    /// Half of its time is still to come: an earlier run with the same report has done what there is to do. Later the report
    /// of years ago must keep nobody from a new one.
    fn is_fresh(&self, certificate: &Certificate) -> bool {
        let (begin, end) = (certificate.not_before(), certificate.not_after());
        self.is_of_today(certificate) && SystemClock.now() < begin + (end - begin) / 2
    }

    /// Is it of the authority that issues today?
    fn is_of_today(&self, certificate: &Certificate) -> bool {
        certificate.is_signed_by(&self.issuer.certificate)
    }

    fn renew(&self, account: &Account, held: &HeldCertificate) -> Result<Issued, Failure> {
        let old = &held.certificate;
        if let Some(revoked) = held.revoked {
            let (certificate, at, reason) = (old.fingerprint(), revoked.at, revoked.reason.name());
            return Err(AdminError::Revoked { certificate, at, reason }.into());
        }
        let end = self.issuer.certificate.not_after();
        if self.is_of_today(old) && old.not_after() >= end {
            let text = format!(
                "{} cannot be renewed: it ends with its authority, on {}",
                old.fingerprint(),
                day(end)
            );
            return Err(Failure::new(Code::No, text)
                .hint(format!("renew the authority first: {}", self.issuer.renewal())));
        }
        let (name, reads) = same_again(old);
        let wish = Wish { name: name.as_deref(), days: self.days, reads };
        let key = old.public_key()?;
        let follows = Follows::Predecessor(old.fingerprint());
        self.issuer.issue(&Order { account, key: &key, follows, made: None }, &wish)
    }
}

fn said(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Issued => "renewed",
        Outcome::Skipped => "skipped",
        Outcome::Failed => "failed",
    }
}
