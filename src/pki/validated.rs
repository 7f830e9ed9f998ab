//! The proof that a certificate may be sealed to.

use super::Certificate;
use crate::mail::Address;
use time::OffsetDateTime;

/// What a certificate is checked against before anything is sealed to it (RFC 8550, RFC 8551, RFC 5280).
#[derive(Debug, Clone, Copy)]
pub struct SealingCheck<'a> {
    /// One of them must be in the certificate (account address and aliases); empty: any.
    pub addresses: &'a [Address],
    /// The time of the check.
    pub at: OffsetDateTime,
    /// Smaller RSA keys are too weak.
    pub minimum_rsa_bits: usize,
    /// It must chain to one of these; absent: it is trusted because the caller holds it (pinned).
    pub anchors: Option<&'a [Certificate]>,
    /// Intermediates that may help to build the chain.
    pub intermediates: &'a [Certificate],
    /// Let an ended certificate pass, with a warning; its path is checked at its last valid moment.
    pub allow_expired: bool,
    /// Let a certificate pass whose time has not begun, with a warning; its path is checked at its first valid moment.
    pub allow_not_yet_valid: bool,
}

/// One reason why a certificate is unfit (or, let pass, a warning).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// Past its end.
    #[error("it ended on {0}")]
    Expired(OffsetDateTime),
    /// Before its begin.
    #[error("it begins on {0}")]
    NotYetValid(OffsetDateTime),
    /// keyUsage or extKeyUsage forbid it.
    #[error("it may not be used to encrypt mail: {0}")]
    WrongUsage(String),
    /// None of the addresses is in it.
    #[error("it names {found} and not {wanted}")]
    WrongAddress {
        /// What it names.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// Too few bits.
    #[error("its key is too weak: {bits} bits, at least {minimum} are required")]
    TooWeak {
        /// Of the modulus.
        bits: usize,
        /// Required.
        minimum: usize,
    },
    /// No path to an anchor; the nearest failure in words.
    #[error("it does not chain to a trusted authority: {0}")]
    Untrusted(String),
    /// A key that we cannot use, an unknown critical extension, a structure that does not hold.
    #[error("it cannot be used: {0}")]
    Broken(String),
}

/// A certificate that was checked for sealing, for an address, at a time. Made only here; sealing takes nothing else.
#[derive(Debug, Clone)]
pub struct ValidatedCertificate {
    certificate: Certificate,
    warnings: Vec<Unfit>,
}

impl ValidatedCertificate {
    /// Checks it; every reason is listed.
    pub fn for_sealing(
        certificate: &Certificate,
        check: &SealingCheck<'_>,
    ) -> Result<ValidatedCertificate, Vec<Unfit>> {
        todo!("{certificate:?} {check:?}")
    }
    /// What was checked.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
    /// What was let pass.
    pub fn warnings(&self) -> &[Unfit] {
        &self.warnings
    }
}
