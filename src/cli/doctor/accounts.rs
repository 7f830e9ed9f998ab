//! Accounts: asked one by one what a delivery would say, and none of them kept.

use super::{Finding, Round, Severity, vault};
use crate::cli::failure::{Failure, with_sources};
use crate::cli::outlook;
use crate::cli::words::{self, day};
use crate::config::Config;
use crate::directory::SqliteDirectory;
use crate::engine::{
    self, Account, CertificateState, EngineError, HeldCertificate, Prospect, RecipientRole, Refusal,
};
use crate::pki::{Crl, Unfit};
use time::OffsetDateTime;

impl Round {
    pub(super) fn look_at_accounts(&mut self) -> Result<(), Failure> {
        let (lists, config) = (std::mem::take(&mut self.lists), std::mem::take(&mut self.config));
        let vaults = &self.vaults;
        let look = Look { config: &config, lists: &lists, vaults, now: self.now, soon: self.soon };
        let (findings, consents) = (&mut self.findings, &mut self.consents);
        let mut looked = Ok(());
        self.directory.visit_accounts(&mut |account| {
            look.at(&account, findings);
            match vault_of(&account, vaults, config.settings.minimum_rsa_bits) {
                Ok(found) => findings.extend(found),
                Err(failure) => looked = Err(failure),
            }
            if account.overrides.inbox == Some(engine::InboxPolicy::Plain) {
                let text = "inbox = plain: INBOX copies are stored in the clear";
                consents.push(format!("{} says {text}", account.address));
            }
            if account.overrides.attachments == Some(engine::AttachmentPolicy::Plain) {
                let text = "attachments = plain: copied attachments are stored in the clear";
                consents.push(format!("{} says {text}", account.address));
            }
        })?;
        (self.lists, self.config) = (lists, config);
        looked
    }
}

fn vault_of(
    account: &Account,
    vaults: &SqliteDirectory,
    minimum_bits: usize,
) -> Result<Vec<Finding>, Failure> {
    vault::look(account, &vaults.vault_keys(&account.address)?, minimum_bits)
}

/// What is looked with.
struct Look<'a> {
    config: &'a Config,
    lists: &'a [Crl],
    vaults: &'a SqliteDirectory,
    now: OffsetDateTime,
    soon: OffsetDateTime,
}

impl Look<'_> {
    fn at(&self, account: &Account, findings: &mut Vec<Finding>) {
        let about = account.address.to_string();
        let (settings, built_in) = (&self.config.settings, &self.config.trust_bundle);
        match engine::foresee(&[account], settings, self.lists, built_in, self.now) {
            Ok(Some(prospect)) => {
                findings.extend(prospect.warnings.iter().map(|warning| passed(account, &prospect, warning)));
            }
            Ok(None) => findings.push(warning(
                &about,
                "it has no active certificate: mail for it is stored in the clear",
                outlook::first_certificate(self.vaults, &account.address),
            )),
            Err(error) => findings.extend(failed(account, &error, self.vaults)),
        }
        findings.extend(account.certificates.iter().filter_map(|held| self.ending(&about, held)));
        findings.extend(pending(account));
    }

    /// One that has ended is among the warnings or the reasons.
    fn ending(&self, about: &str, held: &HeldCertificate) -> Option<Finding> {
        let end = held.certificate.not_after();
        let ends = held.state == CertificateState::Active && (self.now..self.soon).contains(&end);
        let text =
            || format!("certificate {} ends on {}", words::short(held.certificate.fingerprint()), day(end));
        ends.then(|| warning(about, text(), format!("sealpost cert issue --account {about} --renew")))
    }
}

fn warning(about: &str, text: impl Into<String>, mend: String) -> Finding {
    Finding { severity: Severity::Warning, about: about.to_owned(), text: text.into(), mend: Some(mend) }
}

fn pending(account: &Account) -> Option<Finding> {
    let waits = |held: &&HeldCertificate| held.state == CertificateState::Pending;
    let count = account.certificates.iter().filter(waits).count();
    let address = account.address.to_string();
    let text = || match count {
        1 => "1 certificate waits to be accepted".to_owned(),
        more => format!("{more} certificates wait to be accepted"),
    };
    (count > 0)
        .then(|| warning(&address, text(), format!("sealpost cert pending --domain {}", account.domain.name)))
}

/// What a delivery would let pass.
fn passed(account: &Account, prospect: &Prospect, text: &str) -> Finding {
    let address = account.address.to_string();
    let stands_in = prospect.sealed_to.iter().any(|to| to.role == RecipientRole::DomainKey);
    let ended = |what: &Unfit| matches!(what, Unfit::Expired(_));
    let has_ended = prospect.recipients.iter().any(|one| one.warnings().iter().any(ended));
    let mend = if stands_in {
        format!("sealpost cert issue --account {address}")
    } else if has_ended {
        format!("sealpost cert issue --account {address} --renew, or cert add")
    } else {
        format!("sealpost cert list --account {address}")
    };
    warning(&address, text, mend)
}

/// What a delivery would fail with. Of a domain that is switched off the domain's own finding tells.
fn failed(account: &Account, error: &EngineError, vaults: &SqliteDirectory) -> Option<Finding> {
    let (about, domain) = (account.address.to_string(), &account.domain.name);
    let (text, mend) = match error {
        EngineError::NoCertificate { disabled: true, .. } => return None,
        EngineError::NoCertificate { refusal, .. } => (
            format!("it has no active certificate: {}", fate(*refusal)),
            outlook::first_certificate(vaults, &account.address),
        ),
        EngineError::NoUsableCertificate { refusal, reasons, .. } => {
            (format!("{error}: {}", fate(*refusal)), outlook::mend_of(&about, domain, reasons))
        }
        EngineError::DomainKeyUnfit { first, reason, mend, .. } => (
            format!("{first}, and the key of {domain} cannot stand in ({reason}): {}", fate(Refusal::Defer)),
            mend.clone(),
        ),
        other => (
            format!("{}: {}", with_sources(other), fate(Refusal::Defer)),
            format!("sealpost account show {about}"),
        ),
    };
    Some(Finding { severity: Severity::Problem, about, text, mend: Some(mend) })
}

fn fate(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Defer => "mail for it waits",
        Refusal::Reject => "mail for it is rejected",
    }
}
