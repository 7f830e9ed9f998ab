//! May an account's mail be sealed to a certificate? Asked when one is added or issued, and by the doctor.

use super::failure::{Code, Failure};
use crate::config::Config;
use crate::crypto::Profile;
use crate::engine::{Account, CertificateState, Choice, Expired, Settings, Trust};
use crate::mail::Address;
use crate::pki::{Certificate, KeyType, PublicKey, SealingCheck, Unfit, ValidatedCertificate};
use time::OffsetDateTime;

/// Every address of the account, its main one first.
pub(super) fn addresses(account: &Account) -> Vec<Address> {
    std::iter::once(&account.address).chain(&account.aliases).cloned().collect()
}

/// The certificates that the account's mail is sealed to.
pub(super) fn active(account: &Account) -> impl Iterator<Item = &Certificate> {
    let held = account.certificates.iter();
    held.filter(|held| held.state == CertificateState::Active).map(|held| &held.certificate)
}

/// The account's profile, its domain's, or the site's: the nearest wins.
pub(super) fn profile(account: &Account, settings: &Settings) -> Profile {
    account.overrides.profile.or(account.domain.overrides.profile).unwrap_or(settings.profile)
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
    let addresses = addresses(account);
    let anchors = (settings.trust == Trust::Chain).then_some(account.domain.authorities.as_slice());
    let check = SealingCheck {
        addresses: &addresses,
        at: now,
        minimum_rsa_bits: settings.minimum_rsa_bits,
        anchors,
        intermediates,
        allow_expired: settings.expired == Expired::Seal,
        allow_not_yet_valid: settings.not_yet_valid == Expired::Seal,
    };
    let validated = ValidatedCertificate::for_sealing(certificate, &check);
    let served = certificate.public_key().ok().and_then(|key| unserved(profile(account, settings), &key));
    match (validated, served) {
        (Ok(validated), None) => Ok(validated.warnings().to_vec()),
        (Ok(_), Some(reason)) => Err(vec![reason]),
        (Err(reasons), served) => Err(reasons.iter().map(Unfit::to_string).chain(served).collect()),
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

/// Refuses to make a key that no certificate of the account could use.
pub(super) fn require_type(account: &Account, settings: &Settings, kind: KeyType) -> Result<(), Failure> {
    match (kind, profile(account, settings)) {
        (KeyType::EcP256, profile) => Err(Failure::new(Code::No, elliptic(profile))),
        _ => Ok(()),
    }
}

/// Refuses to take a key that no certificate of the account could use.
pub(super) fn require_key(account: &Account, settings: &Settings, key: &PublicKey) -> Result<(), Failure> {
    match unserved(profile(account, settings), key) {
        Some(reason) => Err(Failure::new(Code::No, reason)),
        None => Ok(()),
    }
}

/// Why the profile has no place for such a key.
fn unserved(profile: Profile, key: &PublicKey) -> Option<String> {
    match key {
        PublicKey::EcP256(_) => Some(elliptic(profile)),
        PublicKey::Rsa(_) => None,
    }
}

fn elliptic(profile: Profile) -> String {
    let others: Vec<&str> = Profile::ALL.iter().map(|profile| Choice::name(*profile)).collect();
    format!(
        "the profile {} cannot serve EC keys, and no other one can yet ({}): take an RSA key",
        Choice::name(profile),
        others.join(", ")
    )
}
