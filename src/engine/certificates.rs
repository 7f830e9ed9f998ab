//! The certificates of accounts that may be sealed to, by the policy of site and domain.

use super::anchors::{kept, recorded};
use super::judgements::{Judgement, Judgements, Whose};
use super::{
    Account, BuiltIn, BuiltInError, CertificatePolicy, CertificateState, CrlPolicy, Domain, DomainMode,
    EngineError, Expired, HeldCertificate, MissingCertificate, RecipientRole, Recovery, Refusal,
    SealedToReport, Settings, Trust, Unusable, check_chain,
};
use crate::mail::Address;
use crate::pki::{Certificate, Crl, RevocationReason, SealingCheck, Unfit, ValidatedCertificate};
use crate::smime;
use std::convert::Infallible;
use time::OffsetDateTime;

/// Validates at one time by one policy.
pub(super) struct Certificates<'a> {
    /// The policy, where a domain has none of its own.
    pub(super) settings: &'a Settings,
    /// The time.
    pub(super) at: OffsetDateTime,
    /// The revocation lists that are at hand.
    pub(super) lists: &'a [Crl],
    /// Whom everybody trusts.
    pub(super) built_in: &'a dyn BuiltIn,
    /// What was found out before, if that is kept.
    pub(super) judged: Option<&'a Judgements>,
}

/// What the accounts of one copy have to offer.
pub(super) enum Fit {
    /// At least one usable certificate of each account, or one that stands in.
    Seal(Vec<Reader>),
    /// None of them has any, and the policy of all of them is a clear copy.
    Plain,
}

/// Somebody whom a copy is sealed to.
pub(super) struct Reader {
    /// As what.
    pub(super) role: RecipientRole,
    /// The account's address; of a recovery certificate: the domain.
    pub(super) address: String,
    /// All that may be sealed to.
    pub(super) usable: Vec<ValidatedCertificate>,
    /// All active ones: a message that is sealed to one of them already stays as it is.
    pub(super) active: Vec<Certificate>,
    /// What was let pass, and what was left out.
    pub(super) warnings: Vec<String>,
}

/// What becomes of mail for an account that cannot be sealed to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Refused(Refusal),
    DomainKey,
}

impl Fate {
    /// The refusal that an error carries; one that is not to be refused is deferred where nothing stands in.
    fn refusal(self) -> Refusal {
        match self {
            Fate::Refused(refusal) => refusal,
            Fate::DomainKey => Refusal::Defer,
        }
    }
}

/// Why an account's own certificates are not sealed to, and what becomes of its mail.
struct Lack {
    error: EngineError,
    fate: Fate,
}

/// Nobody knows yet whom everybody trusts: a doubt.
impl From<BuiltInError> for Box<Lack> {
    fn from(error: BuiltInError) -> Box<Lack> {
        Box::new(Lack { error: error.into(), fate: Fate::Refused(Refusal::Defer) })
    }
}

impl Certificates<'_> {
    /// The certificates for a copy that all these accounts shall read. An account with none fails the copy, also when
    /// another has one.
    pub(super) fn fit(&self, accounts: &[&Account], form: smime::Form) -> Result<Fit, EngineError> {
        // A domain that is switched off has no missing certificates: it has some that must not be used now.
        let consents = |account: &&Account| {
            held(account).next().is_none()
                && self.policy(&account.domain).missing_certificate == MissingCertificate::Plain
        };
        if !accounts.is_empty() && accounts.iter().all(consents) {
            return Ok(Fit::Plain);
        }
        let mut readers: Vec<Reader> =
            accounts.iter().map(|account| self.reader(account)).collect::<Result<_, _>>()?;
        for account in accounts {
            self.add_recovery(account, form, &mut readers);
        }
        Ok(Fit::Seal(readers))
    }

    fn policy(&self, domain: &Domain) -> CertificatePolicy {
        self.settings.certificate_policy(domain)
    }

    fn reader(&self, account: &Account) -> Result<Reader, EngineError> {
        match self.own(account) {
            Ok(reader) => Ok(reader),
            Err(lack) if lack.fate == Fate::DomainKey => self.stand_in(account, &lack.error),
            Err(lack) => Err(lack.error),
        }
    }

    /// The account's own certificates.
    fn own(&self, account: &Account) -> Result<Reader, Box<Lack>> {
        let active = active(account);
        if active.is_empty() {
            return Err(self.none(account));
        }
        let mut usable = Vec::new();
        let mut unfit = Vec::new();
        let mut warnings = Vec::new();
        for held in &active {
            let certificate = &held.certificate;
            let named = |what: &Unfit| certificate_of(certificate, &account.address, what);
            match self.judge(account, held)? {
                Ok(validated) => {
                    warnings.extend(validated.warnings().iter().map(named));
                    usable.push(validated);
                }
                Err(reasons) => unfit.push((certificate, reasons)),
            }
        }
        if usable.is_empty() {
            return Err(self.unfit(account, unfit));
        }
        let left_out = |(certificate, reasons): &(&Certificate, Vec<Unfit>)| {
            certificate_of(certificate, &account.address, &format!("left out, because {}", words(reasons)))
        };
        warnings.extend(unfit.iter().map(left_out));
        // A sender who encrypted to a key that was taken back is not believed to have reached the account.
        let is_gone = |certificate: &Certificate| {
            unfit.iter().any(|(one, reasons)| *one == certificate && reasons.iter().any(Unfit::is_gone))
        };
        let active = active.into_iter().map(|held| &held.certificate).filter(|one| !is_gone(one));
        let active = active.cloned().collect();
        let (role, address) = (RecipientRole::Account, account.address.to_string());
        Ok(Reader { role, address, usable, active, warnings })
    }

    fn judge(&self, account: &Account, held: &HeldCertificate) -> Result<Judgement, BuiltInError> {
        let whose = || Whose::Account(account.address.clone());
        self.kept(whose, &held.certificate, || self.judge_anew(account, held))
    }

    /// What was found out before, as long as it holds; else what is found out now.
    fn kept<E>(
        &self,
        whose: impl FnOnce() -> Whose,
        certificate: &Certificate,
        judge: impl FnOnce() -> Result<Judgement, E>,
    ) -> Result<Judgement, E> {
        match self.judged {
            None => judge(),
            Some(judged) => judged.of((whose(), certificate.fingerprint()), self.at, judge),
        }
    }

    fn judge_anew(&self, account: &Account, held: &HeldCertificate) -> Result<Judgement, BuiltInError> {
        let (policy, addresses) = (self.policy(&account.domain), account.addresses());
        let own = recorded(&account.domain);
        let revoked = held.revoked.filter(|revoked| revoked.reason != RevocationReason::RemoveFromCrl);
        // What our own record takes back is not looked for in lists.
        let asked = revoked.is_none().then(|| kept(self.lists, &own, policy.crl, self.at));
        let check = SealingCheck { revocation: asked, ..self.check(&addresses, policy) };
        let certificate = &held.certificate;
        let validated = match policy.trust {
            Trust::Pinned => ValidatedCertificate::for_sealing(certificate, &check),
            Trust::Chain => check_chain(account, certificate, &check, self.built_in)?,
        };
        let Some(revoked) = revoked else { return Ok(validated) };
        let reasons = validated.err().into_iter().flatten();
        Ok(Err(std::iter::once(Unfit::Revoked(revoked)).chain(reasons).collect()))
    }

    /// Asks no lists.
    fn check<'c>(&self, addresses: &'c [Address], policy: CertificatePolicy) -> SealingCheck<'c> {
        SealingCheck {
            allow_expired: policy.expired == Expired::Seal,
            allow_not_yet_valid: policy.not_yet_valid == Expired::Seal,
            ..SealingCheck::by_itself(addresses, self.at, self.settings.minimum_rsa_bits)
        }
    }

    /// `plain` for one account of several is no consent for the others: the sender tries again.
    fn none(&self, account: &Account) -> Box<Lack> {
        // Certificates that are there and may not be used now, because somebody switched their domain off, are no missing ones.
        let waits = held(account).next().is_some();
        let fate = match self.policy(&account.domain).missing_certificate {
            MissingCertificate::Reject if waits => Fate::Refused(Refusal::Defer),
            MissingCertificate::Reject => Fate::Refused(Refusal::Reject),
            MissingCertificate::Defer | MissingCertificate::Plain => Fate::Refused(Refusal::Defer),
            MissingCertificate::DomainKey => Fate::DomainKey,
        };
        let disabled = account.domain.mode != DomainMode::Enabled;
        let (account, refusal) = (account.address.clone(), fate.refusal());
        Box::new(Lack { error: EngineError::NoCertificate { account, disabled, refusal }, fate })
    }

    /// The newest is named. While one of them may be used again by itself (a time, a list that is missing, a hold), everything
    /// is deferred and nothing is refused.
    fn unfit(&self, account: &Account, unfit: Vec<(&Certificate, Vec<Unfit>)>) -> Box<Lack> {
        let count = unfit.len();
        let waits =
            |reasons: &[Unfit]| reasons.iter().any(Unfit::is_hold) || reasons.iter().all(Unfit::is_passing);
        let one_waits = unfit.iter().any(|(_, reasons)| waits(reasons));
        let Some((certificate, reasons)) = unfit.into_iter().next_back() else { return self.none(account) };
        let fate = match self.policy(&account.domain).unusable {
            _ if one_waits => Fate::Refused(Refusal::Defer),
            Unusable::Defer => Fate::Refused(Refusal::Defer),
            Unusable::Reject => Fate::Refused(Refusal::Reject),
            Unusable::DomainKey => Fate::DomainKey,
        };
        let (account, certificate) = (account.address.clone(), certificate.fingerprint());
        let refusal = fate.refusal();
        let error = EngineError::NoUsableCertificate { account, count, certificate, reasons, refusal };
        Box::new(Lack { error, fate })
    }

    /// The key of the account's domain in the place of the account's own, which `why` says is not to be had.
    fn stand_in(&self, account: &Account, why: &EngineError) -> Result<Reader, EngineError> {
        let domain = &account.domain;
        let refused = |reason: String, mend: &str| {
            let name = domain.name.clone();
            let mend = mend.replace("NAME", &name);
            Err(EngineError::DomainKeyUnfit { domain: name, reason, mend, first: why.to_string() })
        };
        if domain.mode != DomainMode::Enabled {
            let reason = format!("the mode of the domain is {}", super::Choice::name(domain.mode));
            return refused(reason, "sealpost domain set NAME --mode enabled");
        }
        let validated = match self.domain_key(domain) {
            Ok(fitting) => fitting,
            Err(reason) => {
                return refused(reason, "sealpost cert self-sign --domain NAME --purpose sealing");
            }
        };
        let certificate = validated.certificate().clone();
        let mut warnings = vec![format!("sealed to the key of {} instead: {why}", domain.name)];
        warnings
            .extend(validated.warnings().iter().map(|what| certificate_of(&certificate, &domain.name, what)));
        let (role, address) = (RecipientRole::DomainKey, account.address.to_string());
        Ok(Reader { role, address, usable: vec![validated], active: vec![certificate], warnings })
    }

    /// The first certificate by which the key of the domain may be sealed to, or why there is none.
    pub(super) fn domain_key(&self, domain: &Domain) -> Result<ValidatedCertificate, String> {
        let mut reasons = "it has no certificate".to_owned();
        for (at, certificate) in domain.sealing_candidates().enumerate() {
            let whose = || Whose::DomainKey(domain.name.clone());
            match self.judge_of_domain(domain, certificate, self.policy(domain), whose) {
                Ok(fitting) => return Ok(fitting),
                Err(unfit) if at == 0 => reasons = words(&unfit),
                Err(_) => {}
            }
        }
        Err(reasons)
    }

    /// For a certificate that an administrator holds: it names no mailbox, and nobody has to vouch for it.
    fn judge_of_domain(
        &self,
        domain: &Domain,
        certificate: &Certificate,
        policy: CertificatePolicy,
        whose: impl FnOnce() -> Whose,
    ) -> Judgement {
        let judged = self.kept(whose, certificate, || {
            let own = recorded(domain);
            let asked = Some(kept(self.lists, &own, policy.crl, self.at));
            let check = SealingCheck { revocation: asked, ..self.check(&[], policy) };
            Ok::<_, Infallible>(ValidatedCertificate::for_sealing(certificate, &check))
        });
        judged.unwrap_or_else(|never| match never {})
    }

    /// A recovery certificate that cannot be used is left out with a warning: mail that its owner can open is neither lost nor
    /// late for it.
    fn add_recovery(&self, account: &Account, form: smime::Form, readers: &mut Vec<Reader>) {
        let domain = &account.domain;
        let is_there =
            |reader: &Reader| reader.role == RecipientRole::Recovery && reader.address == domain.name;
        if readers.iter().any(is_there) {
            return;
        }
        let servable = |reader: Reader| match refusal(&reader, form, readers) {
            None => Ok(reader),
            Some(refusal) => Err(format!("{} is left out: {refusal}", recovery_of(domain))),
        };
        match self.recovery(account).map(|found| found.and_then(servable)) {
            None => {}
            Some(Ok(reader)) => readers.push(reader),
            Some(Err(reason)) => {
                let warning = format!("nobody but {} can open this copy: {reason}", account.address);
                readers.iter_mut().take(1).for_each(|first| first.warnings.push(warning.clone()));
            }
        }
    }

    /// The recovery certificate of an account that has it, or why it cannot be used. One that has ended still can: its key
    /// is kept for such a day.
    pub(super) fn recovery(&self, account: &Account) -> Option<Result<Reader, String>> {
        let domain = &account.domain;
        match (account.recovery(), &domain.recovery) {
            (Recovery::No, _) => None,
            (Recovery::Yes, None) => Some(Err(format!("{} has no recovery certificate", domain.name))),
            (Recovery::Yes, Some(certificate)) => Some(self.judge_recovery(domain, certificate)),
        }
    }

    fn judge_recovery(&self, domain: &Domain, certificate: &Certificate) -> Result<Reader, String> {
        let lenient = CertificatePolicy {
            expired: Expired::Seal,
            not_yet_valid: Expired::Seal,
            crl: CrlPolicy::Soft,
            ..self.policy(domain)
        };
        let name = recovery_of(domain);
        let validated = self
            .judge_of_domain(domain, certificate, lenient, || Whose::Recovery(domain.name.clone()))
            .map_err(|reasons| format!("{name} is left out: {}", words(&reasons)))?;
        Ok(Reader {
            role: RecipientRole::Recovery,
            address: domain.name.clone(),
            warnings: validated.warnings().iter().map(|what| format!("{name}: {what}")).collect(),
            usable: vec![validated],
            active: vec![certificate.clone()],
        })
    }
}

fn recovery_of(domain: &Domain) -> String {
    format!("the recovery certificate of {}", domain.name)
}

/// Why the profile of the others cannot serve one more.
fn refusal(reader: &Reader, form: smime::Form, others: &[Reader]) -> Option<smime::SealError> {
    let others: Vec<&Certificate> =
        others.iter().flat_map(|other| &other.usable).map(ValidatedCertificate::certificate).collect();
    let own = reader.usable.iter().map(ValidatedCertificate::certificate);
    own.filter_map(|certificate| smime::refusal(form, certificate, &others)).next()
}

impl Reader {
    /// For reports: each certificate of it that a copy is sealed to.
    pub(super) fn reports(&self) -> impl Iterator<Item = SealedToReport> {
        self.usable.iter().map(|validated| self.report(validated.certificate()))
    }

    /// The same for one certificate.
    pub(super) fn report(&self, certificate: &Certificate) -> SealedToReport {
        let certificate = certificate.fingerprint().to_string();
        SealedToReport { address: self.address.clone(), role: self.role, certificate }
    }

    /// What the sealed message says of it, if it is not the account itself.
    pub(super) fn marked(&self) -> Option<smime::Marked<'_>> {
        match self.role {
            RecipientRole::Account => None,
            RecipientRole::DomainKey => {
                Some(smime::Marked::DomainKey(self.address.rsplit_once('@').map_or("", |(_, domain)| domain)))
            }
            RecipientRole::Recovery => Some(smime::Marked::Recovery(&self.address)),
        }
    }
}

fn words(reasons: &[Unfit]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn certificate_of(certificate: &Certificate, whose: &impl ToString, what: &impl ToString) -> String {
    format!("certificate {} of {}: {}", certificate.fingerprint(), whose.to_string(), what.to_string())
}

/// Oldest first; none in a domain whose certificates may not be used.
fn active(account: &Account) -> Vec<&HeldCertificate> {
    let enabled = account.domain.mode == DomainMode::Enabled;
    held(account).filter(|_| enabled).collect()
}

fn held(account: &Account) -> impl Iterator<Item = &HeldCertificate> {
    account.certificates.iter().filter(|held| held.state == CertificateState::Active)
}
