//! `sealpost cert revoke` and `cert release`

use super::context::Context;
use super::failure::{Code, Failure};
use super::moment::moment;
use super::output::Output;
use super::words::{self, FingerprintPrefix, day, short};
use crate::directory::{AdminError, IssuedCertificate, SqliteDirectory};
use crate::engine::{Account, CertificateState, Clock, HeldCertificate};
use crate::mail::Address;
use crate::pki::{Certificate, Fingerprint, Revocation, RevocationReason};
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
        let (domain, serial) = self.which.find(&directory, to_revoke)?;
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
        let (domain, serial) = self.which.find(&directory, to_release)?;
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
    /// Domain and serial number of the one that is meant; where no fingerprint says which, as `choose` does among all.
    fn find(
        &self,
        directory: &SqliteDirectory,
        choose: impl Fn(&Address, &[HeldCertificate]) -> Result<Certificate, Failure>,
    ) -> Result<(String, String), Failure> {
        let Some(address) = &self.account else {
            let serial = self.serial.as_deref().unwrap_or_default().replace(':', "").to_ascii_uppercase();
            let domain = directory.domain(self.domain.as_deref().unwrap_or_default())?;
            return Ok((domain.name, serial));
        };
        let account = directory.account(address)?;
        let accepted = account.certificates.iter().filter(|held| held.state != CertificateState::Pending);
        let accepted: Vec<HeldCertificate> = accepted.cloned().collect();
        let chosen = match &self.fingerprint {
            Some(named) => one_named(named, &account.certificates)?,
            None if accepted.is_empty() => return Err(nothing(&account.address, "certificate")),
            None => choose(&account.address, &accepted)?,
        };
        if let Some(held) = account.certificates.iter().find(|held| held.certificate == chosen) {
            require_issued(directory, &account, held)?;
        }
        Ok((account.domain.name, chosen.serial()))
    }
}

/// Whoever makes a certificate chooses its serial number: one of somebody else must not take back ours.
fn require_issued(
    directory: &SqliteDirectory,
    account: &Account,
    held: &HeldCertificate,
) -> Result<(), Failure> {
    let (domain, certificate) = (&account.domain.name, &held.certificate);
    if directory.issued(domain)?.iter().any(|one| one.certificate == *certificate) {
        return Ok(());
    }
    let print = certificate.fingerprint();
    let text = format!(
        "{print} of {} was not issued by {domain}, which can take back only its own",
        account.address
    );
    let verb = match held.state {
        CertificateState::Active => "to seal to it no more: sealpost cert retire",
        CertificateState::Pending => "to take it out of those that wait: sealpost cert refuse",
        CertificateState::Retired => return Err(Failure::new(Code::NotFound, text)),
    };
    let hint = format!("{verb} --account {} --fingerprint {}", account.address, short(print));
    Err(Failure::new(Code::NotFound, text).hint(hint))
}

fn one_named(named: &FingerprintPrefix, held: &[HeldCertificate]) -> Result<Certificate, Failure> {
    let prints: Vec<Fingerprint> = held.iter().map(|held| held.certificate.fingerprint()).collect();
    let chosen = named.among(&prints)?;
    let found = held.iter().find(|held| held.certificate.fingerprint() == chosen);
    found
        .map(|held| held.certificate.clone())
        .ok_or_else(|| AdminError::NoCertificate(chosen.to_string()).into())
}

fn nothing(account: &Address, what: &str) -> Failure {
    Failure::new(Code::NotFound, format!("{account} has no {what}"))
        .hint(format!("see: sealpost cert list --account {account}"))
}

fn is_on_hold(held: &HeldCertificate) -> bool {
    held.revoked.is_some_and(|revoked| revoked.reason == RevocationReason::CertificateHold)
}

/// The active one, unless it was revoked for good.
fn to_revoke(account: &Address, all: &[HeldCertificate]) -> Result<Certificate, Failure> {
    let active: Vec<_> = all.iter().filter(|held| held.state == CertificateState::Active).collect();
    let open: Vec<_> =
        active.iter().copied().filter(|held| held.revoked.is_none() || is_on_hold(held)).collect();
    match (open.as_slice(), active.last()) {
        ([one], _) => Ok(one.certificate.clone()),
        ([_, ..], _) => {
            Err(several(account, "active certificates", open.iter().map(|held| &held.certificate)))
        }
        ([], Some(revoked)) => Err(as_it_is(revoked)),
        ([], None) => Err(only_retired(account, all)),
    }
}

/// Who stole the key of a retired certificate can still sign with it.
fn only_retired(account: &Address, all: &[HeldCertificate]) -> Failure {
    let now = SystemClock.now();
    let valid = all.iter().filter(|held| held.revoked.is_none() && held.certificate.not_after() >= now);
    let valid: Vec<Fingerprint> = valid.map(|held| held.certificate.fingerprint()).collect();
    if valid.is_empty() {
        return all
            .last()
            .filter(|held| held.revoked.is_some())
            .map_or_else(|| nothing(account, "active certificate"), as_it_is);
    }
    let text = format!("{account} has no active certificate, but retired ones that are still valid");
    Failure::new(Code::Usage, text).hint(say_which(valid))
}

/// Those on hold, if they have one key: they are released together.
fn to_release(account: &Address, all: &[HeldCertificate]) -> Result<Certificate, Failure> {
    let on_hold: Vec<&Certificate> =
        all.iter().filter(|held| is_on_hold(held)).map(|held| &held.certificate).collect();
    let Some(newest) = on_hold.last() else {
        let active = all.iter().rfind(|held| held.state == CertificateState::Active);
        return Err(active.or(all.last()).map_or_else(|| nothing(account, "certificate"), as_it_is));
    };
    let key = newest.key_fingerprint()?;
    if on_hold.iter().any(|one| one.key_fingerprint().is_ok_and(|of| of != key)) {
        return Err(several(account, "certificates on hold", on_hold.iter().copied()));
    }
    Ok((*newest).clone())
}

/// Why nothing can be done with this one.
fn as_it_is(held: &HeldCertificate) -> Failure {
    let certificate = held.certificate.fingerprint();
    let error = match held.revoked {
        None => AdminError::NotHeld(certificate),
        Some(revoked) => AdminError::Revoked { certificate, at: revoked.at, reason: revoked.reason.name() },
    };
    error.into()
}

fn several<'c>(account: &Address, what: &str, all: impl Iterator<Item = &'c Certificate>) -> Failure {
    let text = format!("{account} has several {what}");
    Failure::new(Code::Usage, text).hint(say_which(all.map(Certificate::fingerprint)))
}

/// The options of which one is to be chosen.
pub(super) fn say_which(all: impl IntoIterator<Item = Fingerprint>) -> String {
    let options = all.into_iter().map(|print| format!("--fingerprint {}", short(print)));
    format!("say which: {}", options.collect::<Vec<_>>().join(" or "))
}

/// What becomes of the mail, and what to do.
fn what_next(
    out: &mut Output,
    directory: &SqliteDirectory,
    domain: &str,
    revoked: &[IssuedCertificate],
    reason: RevocationReason,
) -> Result<(), Failure> {
    let mut accounts: Vec<&str> = Vec::new();
    for one in revoked {
        if !accounts.contains(&one.account.as_str()) {
            accounts.push(&one.account);
        }
    }
    for account in accounts.into_iter().filter_map(|account| Address::parse(account).ok()) {
        if let Ok(account) = directory.account(&account)
            && !account.certificates.iter().any(is_in_use)
        {
            left_without(out, &account.address, reason)?;
        }
    }
    out.line(tell_others(domain))
}

fn is_in_use(held: &HeldCertificate) -> bool {
    held.state == CertificateState::Active && held.revoked.is_none()
}

fn left_without(out: &mut Output, address: &Address, reason: RevocationReason) -> Result<(), Failure> {
    out.line(format!(
        "{address} has no other certificate: what becomes of its mail, the configuration says"
    ))?;
    out.line(match reason {
        RevocationReason::CertificateHold => {
            format!("to let it be used again: sealpost cert release --account {address}")
        }
        _ => format!(
            "a new key and certificate: sealpost key generate --account {address}, then sealpost cert issue --account {address}"
        ),
    })
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
