//! Why a certificate may not be sealed to, each reason with its evidence.

use super::super::{Revocation, RevocationReason};
use time::OffsetDateTime;

/// One reason why a certificate is unfit (or, let pass, a warning).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// Past its end.
    #[error("it ended on {}", .0.date())]
    Expired(OffsetDateTime),
    /// Before its begin.
    #[error("it begins on {}", .0.date())]
    NotYetValid(OffsetDateTime),
    /// keyUsage or extKeyUsage forbid it.
    #[error("it may not be used to encrypt mail: {0}")]
    WrongUsage(String),
    /// keyUsage forbids it.
    #[error("it may not be used to sign: its keyUsage lacks digitalSignature")]
    MayNotSign,
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
    /// Its issuer took it back, for good or for a while.
    #[error("{}", revoked(.0))]
    Revoked(Revocation),
    /// The certificate of an issuer of it was taken back, for good or for a while.
    #[error("the certificate of its issuer {issuer}: {}", revoked(.revocation))]
    RevokedIssuer {
        /// Its subject.
        issuer: String,
        /// When and why.
        revocation: Revocation,
    },
    /// A revocation list should clear it, and none does: there is none, it is old, it is not understood. Why, in words.
    #[error("{0}")]
    Uncleared(String),
    /// A key that we cannot use, an unknown critical extension, a structure that does not hold.
    #[error("it cannot be used: {0}")]
    Broken(String),
}

fn revoked(revocation: &Revocation) -> String {
    let (day, reason) = (revocation.at.date(), revocation.reason.name());
    match revocation.reason {
        RevocationReason::CertificateHold => format!("it is on hold since {day}"),
        RevocationReason::Unspecified => format!("it was revoked on {day}"),
        _ => format!("it was revoked on {day} ({reason})"),
    }
}

impl Unfit {
    /// May it pass by itself, or with a list that comes? A sender who tries again can be served then.
    pub fn is_passing(&self) -> bool {
        match self {
            Unfit::Expired(_) | Unfit::NotYetValid(_) | Unfit::Uncleared(_) => true,
            Unfit::Revoked(_) | Unfit::RevokedIssuer { .. } => self.is_hold(),
            Unfit::WrongUsage(_)
            | Unfit::MayNotSign
            | Unfit::WrongAddress { .. }
            | Unfit::TooWeak { .. }
            | Unfit::Untrusted(_)
            | Unfit::Broken(_) => false,
        }
    }

    /// Did somebody take it, or its issuer's, back for good?
    pub fn is_gone(&self) -> bool {
        matches!(self, Unfit::Revoked(_) | Unfit::RevokedIssuer { .. }) && !self.is_hold()
    }

    /// Did somebody take it, or its issuer's, back for a while?
    pub fn is_hold(&self) -> bool {
        let (Unfit::Revoked(revocation) | Unfit::RevokedIssuer { revocation, .. }) = self else {
            return false;
        };
        revocation.reason == RevocationReason::CertificateHold
    }
}
