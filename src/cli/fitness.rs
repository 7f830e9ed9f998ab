//! May an account's mail be sealed to a certificate? Asked when one is added or issued, and by the doctor.

use super::failure::{Code, Failure};
use super::words;
use crate::config::Config;
use crate::engine::{Account, CertificateState, Expired, Trust, check_chain};
use crate::mail::Address;
use crate::pki::{Certificate, SealingCheck, Unfit, ValidatedCertificate};
use crate::smime;
use time::OffsetDateTime;

/// Every address of the account, its main one first.
pub(super) fn addresses(account: &Account) -> Vec<Address> {
    account.addresses()
}

/// The certificates that the account's mail is sealed to.
pub(super) fn active(account: &Account) -> impl Iterator<Item = &Certificate> {
    let held = account.certificates.iter();
    held.filter(|held| held.state == CertificateState::Active).map(|held| &held.certificate)
}

/// Every reason why the account's mail cannot be sealed to the certificate; or the warnings.
pub(super) fn check(
    account: &Account,
    certificate: &Certificate,
    intermediates: &[Certificate],
    config: &Config,
    now: OffsetDateTime,
) -> Result<Vec<Unfit>, Vec<String>> {
    let settings = &config.settings;
    let policy = settings.certificate_policy(&account.domain);
    let addresses = addresses(account);
    let check = SealingCheck {
        addresses: &addresses,
        at: now,
        minimum_rsa_bits: settings.minimum_rsa_bits,
        anchors: None,
        intermediates,
        allow_expired: policy.expired == Expired::Seal,
        allow_not_yet_valid: policy.not_yet_valid == Expired::Seal,
    };
    let judged = match policy.trust {
        Trust::Pinned => ValidatedCertificate::for_sealing(certificate, &check),
        Trust::Chain => check_chain(account, certificate, &check, &config.trust_bundle)
            .map_err(|error| vec![error.to_string()])?,
    };
    let validated = judged.map_err(|reasons| words::texts(&reasons))?;
    let beside: Vec<&Certificate> = active(account).filter(|held| *held != certificate).collect();
    match smime::refusal(settings.form(account, None, None), certificate, &beside) {
        Some(refusal) => Err(vec![refusal.to_string()]),
        None => Ok(validated.warnings().to_vec()),
    }
}

/// The same as an error that lists every reason.
pub(super) fn require(
    account: &Account,
    certificate: &Certificate,
    intermediates: &[Certificate],
    config: &Config,
    now: OffsetDateTime,
) -> Result<Vec<Unfit>, Failure> {
    check(account, certificate, intermediates, config, now).map_err(|reasons| {
        let text = format!(
            "mail for {} cannot be sealed to the certificate {}: {}",
            account.address,
            certificate.fingerprint(),
            reasons.join("; ")
        );
        Failure::new(Code::Data, text)
    })
}
