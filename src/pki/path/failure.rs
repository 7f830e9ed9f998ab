//! Why there is no valid path: which certificate, which rule, in words.

use super::super::revocation::RevocationReason;
use super::super::{Certificate, PkiError};
use std::fmt;
use time::OffsetDateTime;

/// Where a certificate stands in its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The one that was asked about.
    Target,
    /// Between it and the anchor.
    Issuer,
    /// Where the path ends.
    Anchor,
}

/// The nearest failure: of the paths that were found, the one with the fewest faults.
#[derive(Debug, Clone)]
pub struct PathFailure {
    /// Target first, as far as the path went.
    pub path: Vec<Certificate>,
    /// What is wrong with it, the fault next to the anchor first. Never empty.
    pub faults: Vec<LocatedFault>,
}

impl PathFailure {
    /// Is it about the target by itself: its time, its usage, its form?
    pub fn is_about_the_target(&self) -> bool {
        self.faults.iter().all(LocatedFault::is_about_the_target)
    }
}

impl fmt::Display for PathFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.faults.first() {
            Some(first) => first.fmt(out),
            None => out.write_str("no valid path was found"),
        }
    }
}

impl std::error::Error for PathFailure {}

/// A fault and the certificate that has it.
#[derive(Debug, Clone)]
pub struct LocatedFault {
    /// Where the certificate stands.
    pub place: Place,
    /// Its subject.
    pub subject: String,
    /// What is wrong.
    pub fault: PathFault,
}

impl LocatedFault {
    /// Is it about the target by itself?
    pub(crate) fn is_about_the_target(&self) -> bool {
        self.place == Place::Target && self.fault.is_local()
    }

    pub(super) fn at(place: Place, certificate: &Certificate, fault: PathFault) -> LocatedFault {
        LocatedFault { place, subject: certificate.subject(), fault }
    }
}

impl fmt::Display for LocatedFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.fault, self.place) {
            (PathFault::NoAnchors, _) => out.write_str("no authority is trusted"),
            (PathFault::NoIssuer { issuer }, Place::Target) => {
                write!(out, "no trusted authority issued it; its issuer is {issuer}")
            }
            (PathFault::NoIssuer { issuer }, _) => {
                write!(out, "no trusted authority issued {}; its issuer is {issuer}", self.subject)
            }
            (PathFault::Budget { .. }, _) => self.fault.fmt(out),
            (fault, Place::Target) => write!(out, "it {fault}"),
            (fault, Place::Issuer) => write!(out, "the issuer's certificate {} {fault}", self.subject),
            (fault, Place::Anchor) => write!(out, "the trusted certificate {} {fault}", self.subject),
        }
    }
}

/// What is wrong with a certificate of a path, said of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathFault {
    /// There is nothing where a path could end.
    #[error("cannot chain to anything: no authority is trusted")]
    NoAnchors,
    /// Nobody of that name is here.
    #[error("has no trusted issuer; its issuer is {issuer}")]
    NoIssuer {
        /// The name.
        issuer: String,
    },
    /// The one of that name did not sign it.
    #[error("was not signed by the key of {issuer} that is here")]
    WrongSignature {
        /// The name.
        issuer: String,
    },
    /// The signature is of a kind that policy refuses, or its key is.
    #[error("has a signature that is refused: {0}")]
    RefusedSignature(String),
    /// A structure that does not hold (RFC 5280 4).
    #[error("is broken: {0}")]
    Broken(String),
    /// RFC 5280 4.2.
    #[error("has the unknown critical extension {0}")]
    UnknownCritical(String),
    /// Past its end.
    #[error("ended on {}", .0.date())]
    Ended(OffsetDateTime),
    /// Before its begin.
    #[error("begins on {}", .0.date())]
    NotYetValid(OffsetDateTime),
    /// RFC 5280 6.1.4 k, n.
    #[error("may not sign certificates: {0}")]
    NotAnAuthority(&'static str),
    /// RFC 5280 6.1.4 m.
    #[error("allows {allowed} authorities below it, and there are {found}")]
    PathLength {
        /// pathLenConstraint.
        allowed: usize,
        /// Authorities that were not issued under their own name.
        found: usize,
    },
    /// RFC 5280 4.2.1.12.
    #[error("may not be used for {0}")]
    WrongUsage(String),
    /// RFC 5280 6.1.3 b, c.
    #[error("names {name}, which {authority} may not issue for")]
    NameConstraint {
        /// The name.
        name: String,
        /// The subject of the one that has the constraint.
        authority: String,
    },
    /// RFC 5280 6.1.3 f.
    #[error("has no valid certificate policy")]
    NoValidPolicy,
    /// On a list.
    #[error("was revoked on {}{}", .at.date(), because(*.reason))]
    Revoked {
        /// When.
        at: OffsetDateTime,
        /// Why.
        reason: RevocationReason,
    },
    /// certificateHold: it may come back.
    #[error("is on hold since {}", .0.date())]
    OnHold(OffsetDateTime),
    /// No list answers, and an answer is required; or what there is cannot be understood.
    #[error("may be revoked: {0}")]
    RevocationUnknown(String),
    /// More work than a path may cost.
    #[error("the certificates are too complicated: more than {limit} {what}")]
    Budget {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
}

impl PathFault {
    /// Can it be told without the rest of the path?
    pub(super) fn is_local(&self) -> bool {
        use PathFault::{Broken, Ended, NotYetValid, UnknownCritical, WrongUsage};
        matches!(self, Broken(_) | UnknownCritical(_) | Ended(_) | NotYetValid(_) | WrongUsage(_))
    }
}

impl From<PkiError> for PathFault {
    fn from(error: PkiError) -> PathFault {
        PathFault::Broken(error.to_string())
    }
}

fn because(reason: RevocationReason) -> String {
    match reason {
        RevocationReason::Unspecified => String::new(),
        reason => format!(" ({})", reason.name()),
    }
}
