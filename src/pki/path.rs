//! Does a certificate chain to an authority that is trusted (RFC 5280 6)? Behind one trait, so that the validator can
//! be changed without anybody noticing. Everything is passed in, and everything is counted.

mod alone;
mod chain;
mod constraints;
mod distinguished;
mod failure;
#[cfg(test)]
pub(crate) mod forge;
mod limits;
mod node;
mod policies;
mod search;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub(crate) use alone::UNDERSTOOD;
pub(crate) use distinguished::CanonicalName;
pub use distinguished::NameSet;
pub use failure::{LocatedFault, PathFailure, PathFault, Place};
pub use limits::{Limits, Work};
pub use policies::{Explicit, Leave, PolicyCheck};

use super::revocation::{RevocationPolicy, RevocationStatus, check as lists};
use super::{Certificate, Crl};
use const_oid::ObjectIdentifier;
use time::OffsetDateTime;

/// What a path is made of, and what it must stand up to.
#[derive(Debug, Clone, Copy)]
pub struct PathCheck<'a> {
    /// Where it may end. Their own time and extensions are looked at as well.
    pub anchors: &'a [Certificate],
    /// What may lie between; nothing is believed of them.
    pub intermediates: &'a [Certificate],
    /// The moment of the check.
    pub at: OffsetDateTime,
    /// The extended key usage for which every certificate of the path must be allowed; nothing: any.
    pub usage: Option<ObjectIdentifier>,
    /// What is asked of the certificate policies.
    pub policies: &'a PolicyCheck,
    /// What was taken back.
    pub revocation: RevocationSources<'a>,
}

/// The lists at hand and what they are asked for.
#[derive(Debug, Clone, Copy)]
pub struct RevocationSources<'a> {
    /// Of any authority, in any order.
    pub crls: &'a [Crl],
    /// The moment for which they are asked: not always that of the path.
    pub at: OffsetDateTime,
    /// What if they cannot clear a certificate?
    pub policy: RevocationPolicy,
    /// Who answers for them.
    pub origin: ListOrigin<'a>,
}

/// Where revocation lists come from.
#[derive(Debug, Clone, Copy)]
pub enum ListOrigin<'a> {
    /// From anywhere: what an authorised issuer of the path has signed counts, and nothing else.
    Anywhere,
    /// Kept by whoever asks, who checked their signatures when he took them. What they name is taken back, whoever of the path
    /// signed them; to clear a certificate of a path they must be signed by an authorised issuer of it, as all others.
    Kept {
        /// What these issued needs no list: whoever asks has his own record of it.
        recorded: &'a [&'a [Certificate]],
    },
}

impl RevocationSources<'_> {
    /// Does anybody want to know?
    fn is_asked(&self) -> bool {
        !self.crls.is_empty() || self.policy == RevocationPolicy::Hard || self.is_kept()
    }

    fn is_kept(&self) -> bool {
        matches!(self.origin, ListOrigin::Kept { .. })
    }

    /// Is no list needed: did it sign itself, or is there another record of it?
    fn spares(&self, certificate: &Certificate) -> bool {
        let ListOrigin::Kept { recorded } = self.origin else { return false };
        let mut issuers = recorded.iter().copied().flatten();
        certificate.is_signed_by(certificate) || issuers.any(|issuer| certificate.is_signed_by(issuer))
    }

    /// What kept lists mean for a certificate that is trusted for itself: nothing, a warning, or a fault.
    pub(crate) fn judge(&self, certificate: &Certificate) -> Result<Option<String>, LocatedFault> {
        let status = lists::check_kept(certificate, self.crls, self.at);
        let judged = chain::judged(certificate, &status, self);
        judged.map_err(|fault| LocatedFault::at(Place::Target, certificate, fault))
    }
}

/// A valid path.
#[derive(Debug, Clone)]
pub struct ValidPath {
    /// Target first, anchor last; one if the target itself is trusted.
    pub certificates: Vec<Certificate>,
    /// What the lists say of each of them; nothing is said of the anchor, unless it is the target.
    pub revocation: Vec<RevocationStatus>,
    /// The certificate policies that are valid for it; empty if there are none, and none were required.
    pub policies: Vec<ObjectIdentifier>,
    /// What was let pass, in words.
    pub warnings: Vec<String>,
    /// What it cost to find it.
    pub work: Work,
}

/// Builds and checks a path from a certificate to an anchor.
pub trait PathValidator {
    /// The first valid path, or the nearest failure.
    fn validate(&self, target: &Certificate, check: &PathCheck<'_>) -> Result<ValidPath, PathFailure>;
}

/// Path validation by RFC 5280, with the policies of RFC 9618 and the constraints that an anchor puts on itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rfc5280 {
    /// How much work one path may cost.
    pub limits: Limits,
}

impl PathValidator for Rfc5280 {
    fn validate(&self, target: &Certificate, check: &PathCheck<'_>) -> Result<ValidPath, PathFailure> {
        search::run(target, check, self.limits)
    }
}
