//! `sealpost cert revoke` and `cert release`

use super::context::Context;
use super::failure::{Code, Failure};
use super::moment::moment;
use super::output::Output;
use super::words::{self, FingerprintPrefix, day};
use crate::directory::{CertificateRecord, IssuedCertificate, SqliteDirectory};
use crate::engine::{Account, CertificateState, Clock};
use crate::mail::Address;
use crate::pki::{Fingerprint, Revocation, RevocationReason};
use crate::system::SystemClock;
use serde_json::json;
use time::OffsetDateTime;

/// Which certificate: of an account, or by its serial number, when the account is gone.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["account", "serial"])))]
struct Which {
    /// A certificate of this account
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Option<Address>,
    /// Which one of the account; not needed if there is only one
    #[arg(long, value_name = "FINGERPRINT", requires = "account")]
    fingerprint: Option<FingerprintPrefix>,
    /// The one with this serial number, as `cert issued` shows it
    #[arg(long, value_name = "SERIAL", requires = "domain")]
    serial: Option<String>,
    /// The domain that issued it
    #[arg(long, value_name = "NAME", requires = "serial")]
    domain: Option<String>,
}

/// Take a certificate back: nothing is sealed to it any more, and the domain's revocation list says so
///
/// The other certificates of the same key go with it, unless it was merely superseded. One that is on hold can come back
/// (cert release) or be revoked for good; every other revocation stays. Sign a list afterwards, so that others learn it:
/// sealpost crl sign.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost cert revoke --account anna@north.example --reason key-compromise
  sealpost cert revoke --account anna@north.example --reason certificate-hold
  sealpost cert revoke --domain north.example --serial 01A4F2 --reason affiliation-changed --at 2026-11-25")]
pub(super) struct Revoke {
    #[command(flatten)]
    which: Which,
    /// Why
    #[arg(long, value_name = "REASON", value_parser = words::choice::<RevocationReason>())]
    reason: RevocationReason,
    /// From when on: a day or a moment (RFC 3339); now, if it is not given
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<OffsetDateTime>,
}

/// Let a certificate that was on hold be used again
#[derive(clap::Args)]
#[command(after_help = "Example:
  sealpost cert release --account anna@north.example")]
pub(super) struct Release {
    #[command(flatten)]
    which: Which,
}

impl Revoke {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        require_reason(self.reason)?;
        let now = SystemClock.now();
        if self.at.is_some_and(|at| at > now) {
            return Err(Failure::new(
                Code::Usage,
                "--at lies in the future: a certificate is revoked from now or an earlier moment on",
            ));
        }
        let directory = context.directory()?;
        let (domain, serial) = self.which.find(&directory, |record| {
            let revoked = record.held.revoked.map(|revoked| revoked.reason);
            matches!(revoked, None | Some(RevocationReason::CertificateHold))
                && record.held.state == CertificateState::Active
        })?;
        let revocation = Revocation { at: self.at.unwrap_or(now), reason: self.reason };
        let revoked = directory.revoke_certificate(&domain, &serial, revocation)?;
        for one in &revoked {
            let (print, serial) = (one.certificate.fingerprint(), one.certificate.serial());
            let from = one.revoked.map_or(revocation.at, |revoked| revoked.at);
            let reason = self.reason.name();
            out.line(format!(
                "{print} of {} is revoked from {} on ({reason}); serial {serial}",
                one.account,
                day(from)
            ))?;
        }
        what_next(out, &directory, &domain, &revoked, self.reason)?;
        out.json(json!({"domain": domain, "reason": self.reason.name(), "revoked": rows(&revoked)}))
    }
}

impl Release {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let directory = context.directory()?;
        let (domain, serial) = self.which.find(&directory, |record| {
            record.held.revoked.is_some_and(|held| held.reason == RevocationReason::CertificateHold)
        })?;
        let released = directory.release_certificate(&domain, &serial)?;
        for one in &released {
            out.line(format!("{} of {} is on hold no more", one.certificate.fingerprint(), one.account))?;
        }
        out.line(tell_others(&domain))?;
        out.json(json!({"domain": domain, "released": rows(&released)}))
    }
}

/// Reasons that say nothing of a person's certificate.
fn require_reason(reason: RevocationReason) -> Result<(), Failure> {
    let name = reason.name();
    match reason {
        RevocationReason::RemoveFromCrl => {
            Err(Failure::new(Code::Usage, format!("{name} takes nothing back: it ends a hold"))
                .hint("sealpost cert release"))
        }
        RevocationReason::CaCompromise | RevocationReason::AaCompromise => {
            let text = format!("{name} is said of an authority and not of a person's certificate");
            Err(Failure::new(Code::Usage, text)
                .hint("somebody else may have the person's key: key-compromise"))
        }
        _ => Ok(()),
    }
}

impl Which {
    /// Domain and serial number of the one that is meant; among those that may be, where no fingerprint says which.
    fn find(
        &self,
        directory: &SqliteDirectory,
        may_be: impl Fn(&CertificateRecord) -> bool,
    ) -> Result<(String, String), Failure> {
        let Some(address) = &self.account else {
            let serial = self.serial.as_deref().unwrap_or_default().replace(':', "").to_ascii_uppercase();
            let domain = directory.domain(self.domain.as_deref().unwrap_or_default())?;
            return Ok((domain.name, serial));
        };
        let account = directory.account(address)?;
        let records = directory.certificates(address)?;
        let chosen = choose(&account, &records, self.fingerprint.as_ref(), may_be)?;
        require_issued(directory, &account, chosen)?;
        Ok((account.domain.name, chosen.held.certificate.serial()))
    }
}

/// Whoever makes a certificate chooses its serial number: one of somebody else must not take back ours.
fn require_issued(
    directory: &SqliteDirectory,
    account: &Account,
    record: &CertificateRecord,
) -> Result<(), Failure> {
    let (domain, certificate) = (&account.domain.name, &record.held.certificate);
    if directory.issued(domain)?.iter().any(|one| one.certificate == *certificate) {
        return Ok(());
    }
    let print = certificate.fingerprint();
    let text = format!(
        "{print} of {} was not issued by {domain}, which can take back only its own",
        account.address
    );
    let verb = match record.held.state {
        CertificateState::Active => "to seal to it no more: sealpost cert retire",
        CertificateState::Pending => "to take it out of those that wait: sealpost cert refuse",
        CertificateState::Retired => return Err(Failure::new(Code::NotFound, text)),
    };
    let hint = format!("{verb} --account {} --fingerprint {}", account.address, words::short(print));
    Err(Failure::new(Code::NotFound, text).hint(hint))
}

fn choose<'r>(
    account: &Account,
    records: &'r [CertificateRecord],
    named: Option<&FingerprintPrefix>,
    may_be: impl Fn(&CertificateRecord) -> bool,
) -> Result<&'r CertificateRecord, Failure> {
    let print = |record: &CertificateRecord| record.held.certificate.fingerprint();
    if let Some(named) = named {
        let held: Vec<Fingerprint> = records.iter().map(print).collect();
        let chosen = named.among(&held)?;
        let found = records.iter().find(|record| print(record) == chosen);
        return found.ok_or_else(|| {
            Failure::new(Code::NotFound, format!("{} has no such certificate", account.address))
        });
    }
    let mut left = records.iter().filter(|record| may_be(record));
    match (left.next(), left.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => {
            let text = format!("{} has no certificate of which that can be said", account.address);
            Err(Failure::new(Code::NotFound, text)
                .hint(format!("see: sealpost cert list --account {}", account.address)))
        }
        (Some(first), Some(_)) => {
            let text = format!("{} has several certificates of which that can be said", account.address);
            Err(Failure::new(Code::Usage, text).hint(format!("say which: --fingerprint {}", print(first))))
        }
    }
}

/// What becomes of the mail, and what to do.
fn what_next(
    out: &mut Output,
    directory: &SqliteDirectory,
    domain: &str,
    revoked: &[IssuedCertificate],
    reason: RevocationReason,
) -> Result<(), Failure> {
    let account = revoked.first().and_then(|one| Address::parse(&one.account).ok());
    let account = account.and_then(|address| directory.account(&address).ok());
    if let Some(account) = account
        && !account
            .certificates
            .iter()
            .any(|held| held.state == CertificateState::Active && held.revoked.is_none())
    {
        let address = &account.address;
        out.line(format!(
            "{address} has no other certificate: what becomes of its mail, the configuration says"
        ))?;
        if reason == RevocationReason::CertificateHold {
            out.line(format!("to let it be used again: sealpost cert release --account {address}"))?;
        } else {
            out.line(format!(
                "a new key and certificate: sealpost key generate --account {address}, then sealpost cert issue --account {address}"
            ))?;
        }
    }
    out.line(tell_others(domain))
}

fn tell_others(domain: &str) -> String {
    format!("to tell others: sealpost crl sign --domain {domain}")
}

fn rows(certificates: &[IssuedCertificate]) -> Vec<serde_json::Value> {
    let row = |one: &IssuedCertificate| {
        json!({
            "account": one.account,
            "fingerprint": one.certificate.fingerprint().to_string(),
            "serial": one.certificate.serial(),
            "from": one.revoked.map(|revoked| day(revoked.at)),
        })
    };
    certificates.iter().map(row).collect()
}
