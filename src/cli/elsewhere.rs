//! Certificates that nobody at this site made: what becomes of them, whatever brings them.

use super::fitness::Fitness;
use crate::config::Config;
use crate::directory::{AdminError, Offered, SqliteDirectory};
use crate::engine::{Account, CertificateSource, CertificateState, Clock, DomainMode, Offer, without_chain};
use crate::mail::Address;
use crate::pki::{Certificate, SealingCheck, Unfit, ValidatedCertificate};
use crate::system::SystemClock;

/// What the directory calls a certificate of a signed message whose signer chains to a trusted authority.
const SIGNED_MAIL: &str = "signed mail";
/// The same where nobody vouches for the signer: anybody may have sent it.
const UNVOUCHED_MAIL: &str = "signed mail, signer not vouched for";

/// A certificate for an account, and where it comes from.
pub(super) struct Incoming<'a> {
    pub(super) account: &'a Account,
    pub(super) certificate: &'a Certificate,
    pub(super) source: CertificateSource,
    /// As lists show it.
    pub(super) origin: String,
    /// Who signed it, if somebody did.
    signer: Option<&'a Certificate>,
    /// May a trusted source decide?
    vouched: bool,
}

impl<'a> Incoming<'a> {
    /// Out of a folder or a directory server, which an administrator chose.
    pub(super) fn new(
        account: &'a Account,
        certificate: &'a Certificate,
        source: CertificateSource,
        origin: String,
    ) -> Incoming<'a> {
        Incoming { account, certificate, source, origin, signer: None, vouched: true }
    }

    /// Out of a signed message. From is nobody's word: only a chain to a trusted authority binds the key to the address.
    pub(super) fn by_mail(account: &'a Account, offer: &'a Offer) -> Incoming<'a> {
        let vouched = offer.untrusted.is_none();
        let origin = if vouched { SIGNED_MAIL } else { UNVOUCHED_MAIL }.to_owned();
        Incoming {
            account,
            certificate: &offer.certificate,
            source: CertificateSource::Mail,
            origin,
            signer: Some(&offer.signer),
            vouched,
        }
    }

    /// Stores it: it waits, or is active at once if the site trusts its source and `cert add` would take it.
    pub(super) fn take(&self, directory: &SqliteDirectory, config: &Config) -> Result<Offered, AdminError> {
        let fitness = Fitness::of(directory, config)?;
        let mut brought = self.signer.into_iter().chain([self.certificate]);
        if brought.any(|one| fitness.taken_back(one).is_some()) {
            return Ok(Offered::Revoked);
        }
        directory.offer_certificate(
            &self.account.address,
            self.certificate,
            &self.origin,
            self.wanted(config, &fitness),
        )
    }

    fn wanted(&self, config: &Config, fitness: &Fitness<'_>) -> CertificateState {
        let trusted = self.vouched && config.trusted_sources.contains(&self.source);
        // The certificates around it are not kept, so the chain must hold without them.
        let fit = || fitness.check(self.account, self.certificate, &[]).is_ok();
        if trusted && self.account.domain.mode == DomainMode::Enabled && fit() {
            CertificateState::Active
        } else {
            CertificateState::Pending
        }
    }
}

/// Why a certificate is not worth waiting for: it can never be sealed to for this account, or not now. Nothing is let pass.
pub(super) fn unfit(account: &Account, certificate: &Certificate, config: &Config) -> Vec<Unfit> {
    let addresses = account.addresses();
    let judged = ValidatedCertificate::for_sealing(certificate, &check(&addresses, config));
    judged.err().unwrap_or_default()
}

/// Why it does not chain to anything that is trusted for the account; nothing if it does.
pub(super) fn untrusted(account: &Account, certificate: &Certificate, config: &Config) -> Option<String> {
    let addresses = account.addresses();
    let check = check(&addresses, config);
    let why = without_chain(account, certificate, &check, &config.trust_bundle)?;
    Some(match why {
        Unfit::Untrusted(why) => why,
        other => other.to_string(),
    })
}

fn check<'a>(addresses: &'a [Address], config: &Config) -> SealingCheck<'a> {
    SealingCheck::by_itself(addresses, SystemClock.now(), config.settings.minimum_rsa_bits)
}

/// What became of it, in words.
pub(super) fn describe(offered: &Offered) -> &'static str {
    match offered {
        Offered::Active(_) => "active",
        Offered::Pending => "waits",
        Offered::Held(CertificateState::Active) => "already active",
        Offered::Held(CertificateState::Retired) => "already there, retired",
        Offered::Held(CertificateState::Pending) => "already waits",
        Offered::Refused => "was refused before",
        Offered::Revoked => "was revoked",
        Offered::Full => "too many wait already",
    }
}
