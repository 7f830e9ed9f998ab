//! How much work a path may cost. A hostile heap of certificates ends in an error, and not in hours.

use super::failure::PathFault;
use crate::pki::MINIMUM_RSA_BITS;

/// The limits of one validation, each with what it was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Certificates that are offered between the target and the anchors. The pathological hierarchies of x509-limbo have
    /// 100; no mail carries more than a dozen.
    pub intermediates: usize,
    /// Authorities between the target and the anchor, those not counted that were issued under their own name. The
    /// longest path of PKITS has seven; rustls-webpki and GnuTLS stop at six and sixteen.
    pub path: usize,
    /// Steps of the search, each from one certificate to those that may have issued it. The hardest path of the vectors
    /// takes some 20.
    pub steps: usize,
    /// Signatures that are verified: as many as in rustls-webpki.
    pub signatures: usize,
    /// Names that are compared with constraints: as many as in BoringSSL.
    pub comparisons: usize,
    /// Bits of the RSA keys that sign: fewer are refused.
    pub rsa_bits: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            intermediates: 512,
            path: 10,
            steps: 1000,
            signatures: 100,
            comparisons: 1 << 20,
            rsa_bits: MINIMUM_RSA_BITS,
        }
    }
}

/// What a validation has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Steps of the search.
    pub steps: usize,
    /// Signatures verified.
    pub signatures: usize,
    /// Names compared with constraints.
    pub comparisons: usize,
}

/// The work done, and how much may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub(super) limits: Limits,
    pub(super) work: Work,
}

impl Budget {
    pub(super) fn of(limits: Limits) -> Budget {
        Budget { limits, work: Work::default() }
    }

    /// What may still be done, as the limits of a search inside of this one.
    pub(super) fn left(&self) -> Limits {
        Limits {
            steps: self.limits.steps.saturating_sub(self.work.steps),
            signatures: self.limits.signatures.saturating_sub(self.work.signatures),
            comparisons: self.limits.comparisons.saturating_sub(self.work.comparisons),
            ..self.limits
        }
    }

    /// Work that was done elsewhere within those limits.
    pub(super) fn add(&mut self, work: Work) {
        self.work.steps += work.steps;
        self.work.signatures += work.signatures;
        self.work.comparisons += work.comparisons;
    }

    pub(super) fn step(&mut self) -> Result<(), PathFault> {
        spend(&mut self.work.steps, 1, self.limits.steps, "steps of the search")
    }

    pub(super) fn signature(&mut self) -> Result<(), PathFault> {
        spend(&mut self.work.signatures, 1, self.limits.signatures, "signatures")
    }

    pub(super) fn comparisons(&mut self, count: usize) -> Result<(), PathFault> {
        spend(&mut self.work.comparisons, count, self.limits.comparisons, "comparisons with name constraints")
    }
}

fn spend(done: &mut usize, more: usize, limit: usize, what: &'static str) -> Result<(), PathFault> {
    if done.saturating_add(more) > limit {
        return Err(PathFault::Budget { what, limit });
    }
    *done += more;
    Ok(())
}
