//! The certificates of accounts that may be sealed to, by the site's policy.

use super::{
    Account, BuiltIn, CertificateState, DomainMode, EngineError, Expired, MissingCertificate, Refusal,
    Settings, Trust, Unusable, check_chain,
};
use crate::pki::{Certificate, SealingCheck, Unfit, ValidatedCertificate};
use time::OffsetDateTime;

/// Validates at one time by one policy.
pub(super) struct Certificates<'a> {
    /// The policy.
    pub(super) settings: &'a Settings,
    /// The time.
    pub(super) at: OffsetDateTime,
    /// Whom everybody trusts.
    pub(super) built_in: &'a dyn BuiltIn,
}

/// What the accounts of one copy have to offer.
pub(super) enum Fit {
    /// At least one usable certificate of each account.
    Seal(Vec<Reader>),
    /// None of them has any, and the policy of all of them is a clear copy.
    Plain,
}

/// An account that a copy is sealed to.
pub(super) struct Reader {
    /// Its address, for reports.
    pub(super) address: String,
    /// All that may be sealed to.
    pub(super) usable: Vec<ValidatedCertificate>,
    /// All active ones: a message that is sealed to one of them already stays as it is.
    pub(super) active: Vec<Certificate>,
}

impl Certificates<'_> {
    /// The certificates for a copy that all these accounts shall read. An account with none fails the copy, also when
    /// another has one.
    pub(super) fn fit(&self, accounts: &[&Account]) -> Result<Fit, EngineError> {
        // A domain that is switched off has no missing certificates: it has some that must not be used now.
        let consents = |account: &&Account| {
            held(account).next().is_none() && self.missing(account) == MissingCertificate::Plain
        };
        if !accounts.is_empty() && accounts.iter().all(consents) {
            return Ok(Fit::Plain);
        }
        let readers = accounts.iter().map(|account| self.reader(account)).collect::<Result<_, _>>()?;
        Ok(Fit::Seal(readers))
    }

    fn reader(&self, account: &Account) -> Result<Reader, EngineError> {
        let active = active(account);
        if active.is_empty() {
            return Err(self.none(account));
        }
        let usable = self.usable(account, &active)?;
        let active = active.into_iter().cloned().collect();
        Ok(Reader { address: account.address.to_string(), usable, active })
    }

    fn missing(&self, account: &Account) -> MissingCertificate {
        account.domain.overrides.missing_certificate.unwrap_or(self.settings.missing_certificate)
    }

    /// `plain` for one account of several is no consent for the others: the sender tries again.
    fn none(&self, account: &Account) -> EngineError {
        let refusal = match self.missing(account) {
            MissingCertificate::Reject => Refusal::Reject,
            MissingCertificate::Defer | MissingCertificate::Plain => Refusal::Defer,
        };
        let disabled = account.domain.mode != DomainMode::Enabled;
        EngineError::NoCertificate { account: account.address.clone(), disabled, refusal }
    }

    fn usable(
        &self,
        account: &Account,
        active: &[&Certificate],
    ) -> Result<Vec<ValidatedCertificate>, EngineError> {
        let addresses: Vec<_> = std::iter::once(&account.address).chain(&account.aliases).cloned().collect();
        let check = SealingCheck {
            addresses: &addresses,
            at: self.at,
            minimum_rsa_bits: self.settings.minimum_rsa_bits,
            anchors: None,
            intermediates: &[],
            allow_expired: self.settings.expired == Expired::Seal,
            allow_not_yet_valid: self.settings.not_yet_valid == Expired::Seal,
        };
        let mut usable = Vec::new();
        let mut newest = None;
        for certificate in active {
            let judged = match self.settings.trust {
                Trust::Pinned => ValidatedCertificate::for_sealing(certificate, &check),
                Trust::Chain => check_chain(account, certificate, &check, self.built_in)?,
            };
            match judged {
                Ok(validated) => usable.push(validated),
                Err(reasons) => newest = Some((*certificate, reasons)),
            }
        }
        match newest {
            Some((certificate, reasons)) if usable.is_empty() => {
                Err(self.unfit(account, active.len(), certificate, reasons))
            }
            _ => Ok(usable),
        }
    }

    fn unfit(
        &self,
        account: &Account,
        count: usize,
        certificate: &Certificate,
        reasons: Vec<Unfit>,
    ) -> EngineError {
        let only_time =
            reasons.iter().all(|reason| matches!(reason, Unfit::Expired(_) | Unfit::NotYetValid(_)));
        // A certificate outside its time is right otherwise: `expired` and `not-yet-valid` say defer, never reject.
        let refusal = match self.settings.unusable {
            Unusable::Reject if !only_time => Refusal::Reject,
            Unusable::Reject | Unusable::Defer => Refusal::Defer,
        };
        let (account, certificate) = (account.address.clone(), certificate.fingerprint());
        EngineError::NoUsableCertificate { account, count, certificate, reasons, refusal }
    }
}

/// Oldest first; none in a domain whose certificates may not be used.
fn active(account: &Account) -> Vec<&Certificate> {
    let enabled = account.domain.mode == DomainMode::Enabled;
    held(account).filter(|_| enabled).collect()
}

fn held(account: &Account) -> impl Iterator<Item = &Certificate> {
    let active = account.certificates.iter().filter(|held| held.state == CertificateState::Active);
    active.map(|held| &held.certificate)
}
