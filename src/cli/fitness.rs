//! May an account's mail be sealed to a certificate? Asked when one is added or issued, and by the doctor.

use super::failure::{Code, Failure};
use super::words;
use crate::config::Config;
use crate::directory::{AdminError, SqliteDirectory};
use crate::engine::{
    Account, CertificateState, Clock, CrlPolicy, Expired, Trust, check_chain, kept, recorded,
};
use crate::pki::validated::{self, Unfit, ValidatedCertificate};
use crate::pki::{Certificate, Crl, SealingCheck};
use crate::smime;
use crate::system::SystemClock;
use std::borrow::Cow;
use time::OffsetDateTime;

/// The certificates that the account's mail is sealed to.
pub(super) fn active(account: &Account) -> impl Iterator<Item = &Certificate> {
    let held = account.certificates.iter();
    held.filter(|held| held.state == CertificateState::Active).map(|held| &held.certificate)
}

/// What a certificate is judged by: the configuration, and the revocation lists that the site was given.
pub(super) struct Fitness<'a> {
    config: &'a Config,
    lists: Cow<'a, [Crl]>,
    /// Where our own domains keep what they took back; not asked where the account tells it.
    register: Option<&'a SqliteDirectory>,
    now: OffsetDateTime,
}

impl<'a> Fitness<'a> {
    /// Reads the lists.
    pub(super) fn of(directory: &'a SqliteDirectory, config: &'a Config) -> Result<Fitness<'a>, AdminError> {
        let (lists, register) = (lists(directory)?.into(), Some(directory));
        Ok(Fitness { config, lists, register, now: SystemClock.now() })
    }

    /// By lists that were read before.
    pub(super) fn by(config: &'a Config, lists: &'a [Crl]) -> Fitness<'a> {
        Fitness { config, lists: lists.into(), register: None, now: SystemClock.now() }
    }

    /// Was it taken back, as far as the lists and our own register tell?
    pub(super) fn taken_back(&self, certificate: &Certificate) -> Option<Unfit> {
        if let Ok(Some(unfit)) = self.taken_back_here(certificate) {
            return Some(unfit);
        }
        validated::taken_back(certificate, kept(&self.lists, &[], CrlPolicy::Soft, self.now))
    }

    fn taken_back_here(&self, certificate: &Certificate) -> Result<Option<Unfit>, AdminError> {
        let Some(register) = self.register else { return Ok(None) };
        Ok(register.issued_revocation(certificate.fingerprint())?.map(Unfit::Revoked))
    }

    /// Every reason why the account's mail cannot be sealed to the certificate; or the warnings.
    pub(super) fn check(
        &self,
        account: &Account,
        certificate: &Certificate,
        intermediates: &[Certificate],
    ) -> Result<Vec<Unfit>, Vec<String>> {
        let settings = &self.config.settings;
        let policy = settings.certificate_policy(&account.domain);
        let (addresses, own) = (account.addresses(), recorded(&account.domain));
        let check = SealingCheck {
            intermediates,
            allow_expired: policy.expired == Expired::Seal,
            allow_not_yet_valid: policy.not_yet_valid == Expired::Seal,
            revocation: Some(kept(&self.lists, &own, policy.crl, self.now)),
            ..SealingCheck::by_itself(&addresses, self.now, settings.minimum_rsa_bits)
        };
        let judged = match policy.trust {
            Trust::Pinned => ValidatedCertificate::for_sealing(certificate, &check),
            Trust::Chain => check_chain(account, certificate, &check, &self.config.trust_bundle)
                .map_err(|error| vec![error.to_string()])?,
        };
        let here = self.taken_back_here(certificate).map_err(|error| vec![error.to_string()])?;
        let validated = match (here, judged) {
            (None, judged) => judged.map_err(|reasons| words::texts(&reasons))?,
            (Some(here), judged) => {
                let reasons = judged.err().into_iter().flatten();
                return Err(words::texts(std::iter::once(here).chain(reasons)));
            }
        };
        let beside: Vec<&Certificate> = active(account).filter(|held| *held != certificate).collect();
        match smime::refusal(settings.form(account, None, None), certificate, &beside) {
            Some(refusal) => Err(vec![refusal.to_string()]),
            None => Ok(validated.warnings().to_vec()),
        }
    }

    /// The same as an error that lists every reason.
    pub(super) fn require(
        &self,
        account: &Account,
        certificate: &Certificate,
        intermediates: &[Certificate],
    ) -> Result<Vec<Unfit>, Failure> {
        self.check(account, certificate, intermediates).map_err(|reasons| {
            let text = format!(
                "mail for {} cannot be sealed to the certificate {}: {}",
                account.address,
                certificate.fingerprint(),
                reasons.join("; ")
            );
            Failure::new(Code::Data, text)
        })
    }
}

/// The revocation lists that the site was given.
pub(super) fn lists(directory: &SqliteDirectory) -> Result<Vec<Crl>, AdminError> {
    Ok(directory.crls()?.into_iter().map(|held| held.crl).collect())
}
