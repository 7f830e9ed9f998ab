//! The rules for a whole path (RFC 5280 6.1), whose names fit together and whose signatures hold already.

use super::constraints::{self, Constraints};
use super::failure::{LocatedFault, PathFault, Place};
use super::limits::{Budget, Work};
use super::node::Node;
use super::policies::Policies;
use super::{PathCheck, RevocationSources, ValidPath};
use crate::pki::revocation::check as lists;
use crate::pki::{Certificate, RevocationPolicy, RevocationStatus};
use const_oid::ObjectIdentifier;

/// The path, if it is valid; else everything that is wrong with it, from the anchor down. An error where it costs too much.
pub(super) fn check(
    path: &[&Node<'_>],
    check: &PathCheck<'_>,
    signers: &[&Certificate],
    budget: &mut Budget,
) -> Result<Result<ValidPath, Vec<LocatedFault>>, PathFault> {
    let mut faults = alone(path);
    faults.extend(lengths(path));
    faults.extend(names(path, budget)?);
    let policies = match policies(path, check) {
        Ok(policies) => policies,
        Err(fault) => {
            faults.extend(fault);
            Vec::new()
        }
    };
    let mut warnings = Vec::new();
    let revocation = revocation(path, check, signers, budget.limits.rsa_bits);
    for (node, status) in path.iter().zip(&revocation) {
        match judged(node.certificate, status, &check.revocation) {
            Ok(None) => {}
            Ok(Some(warning)) => warnings.push(warning),
            Err(fault) => faults.push(LocatedFault::at(node.place, node.certificate, fault)),
        }
    }
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let certificates = path.iter().map(|node| node.certificate.clone()).collect();
    Ok(Ok(ValidPath { certificates, revocation, policies, warnings, work: Work::default() }))
}

/// What each of them has by itself.
pub(super) fn alone(path: &[&Node<'_>]) -> Vec<LocatedFault> {
    let each = path.iter().rev().flat_map(|node| {
        let located = |fault: &PathFault| LocatedFault::at(node.place, node.certificate, fault.clone());
        node.faults.iter().map(located)
    });
    each.collect()
}

/// RFC 5280 6.1.4 l and m: below an authority no more stand than it allows. The target is no authority here, whatever it is
/// elsewhere.
fn lengths(path: &[&Node<'_>]) -> Vec<LocatedFault> {
    let mut faults = Vec::new();
    let mut below = 0;
    for node in path.iter().skip(1) {
        let constraints = node.certificate.basic_constraints().ok().flatten();
        let allowed = constraints.and_then(|constraints| constraints.path_len_constraint);
        if let Some(allowed) = allowed.map(usize::from).filter(|allowed| below > *allowed) {
            let fault = PathFault::PathLength { allowed, found: below };
            faults.push(LocatedFault::at(node.place, node.certificate, fault));
        }
        below += usize::from(!node.is_self_issued());
    }
    faults.reverse();
    faults
}

/// RFC 5280 6.1.3 b and c. Those that were issued under their own name are free of constraints, but for the last.
fn names(path: &[&Node<'_>], budget: &mut Budget) -> Result<Vec<LocatedFault>, PathFault> {
    let mut above: Vec<Constraints> = Vec::new();
    let mut faults = Vec::new();
    for (at, node) in path.iter().enumerate().rev() {
        if at == 0 || !node.is_self_issued() {
            match constraints::check(node.certificate, &above, budget) {
                Ok(()) => {}
                Err(fault @ PathFault::Budget { .. }) => return Err(fault),
                Err(fault) => faults.push(LocatedFault::at(node.place, node.certificate, fault)),
            }
        }
        match Constraints::of(node.certificate) {
            Ok(found) => above.extend(found),
            Err(fault) => faults.push(LocatedFault::at(node.place, node.certificate, fault)),
        }
    }
    Ok(faults)
}

/// RFC 5280 6.1.3 d to f, 6.1.4 a to j, 6.1.5.
fn policies(
    path: &[&Node<'_>],
    check: &PathCheck<'_>,
) -> Result<Vec<ObjectIdentifier>, Option<LocatedFault>> {
    let Some((target, above)) = path.split_first() else { return Err(None) };
    let Some((anchor, between)) = above.split_last() else { return Ok(Vec::new()) };
    let broken = |node: &Node<'_>, error: crate::pki::PkiError| {
        // What cannot be read was told already.
        let told = node.faults.iter().any(|fault| matches!(fault, PathFault::Broken(_)));
        (!told).then(|| LocatedFault::at(node.place, node.certificate, error.into()))
    };
    let mut policies = Policies::start(check.policies, path.len());
    policies.anchor(anchor.certificate).map_err(|error| broken(anchor, error))?;
    for node in between.iter().rev() {
        policies.authority(node.certificate).map_err(|error| broken(node, error))?;
    }
    let valid = policies.last(target.certificate, check.policies).map_err(|error| broken(target, error))?;
    let fault = || LocatedFault::at(Place::Target, target.certificate, PathFault::NoValidPolicy);
    valid.ok_or_else(|| Some(fault()))
}

/// Of each certificate but the anchor; of that as well if it is alone, or if a kept list takes it back: nobody who adds both
/// means to trust it.
fn revocation(
    path: &[&Node<'_>],
    check: &PathCheck<'_>,
    signers: &[&Certificate],
    rsa_bits: usize,
) -> Vec<RevocationStatus> {
    let asked = path.len().saturating_sub(1).max(1);
    let sources = check.revocation;
    let each = path.iter().enumerate().take(asked).map(|(at, node)| {
        let kept = || lists::check_kept(node.certificate, sources.crls, sources.at);
        let issuer = match path.get(at + 1) {
            Some(issuer) => issuer.certificate,
            None if sources.is_kept() => return kept(),
            None => node.certificate,
        };
        let signers: Vec<&Certificate> = std::iter::once(issuer).chain(signers.iter().copied()).collect();
        let signed = lists::check(node.certificate, &signers, sources.crls, sources.at, rsa_bits);
        if signed.takes_back() || !sources.is_kept() {
            return signed;
        }
        Some(kept()).filter(RevocationStatus::takes_back).unwrap_or(signed)
    });
    let mut found: Vec<RevocationStatus> = each.collect();
    let anchor = path.get(asked).filter(|_| sources.is_kept());
    let anchor = anchor.map(|node| lists::check_kept(node.certificate, sources.crls, sources.at));
    found.extend(anchor.filter(RevocationStatus::takes_back));
    found
}

/// Lets it pass, perhaps with a warning. A list that is not here is missed where the certificate says where it would be.
pub(super) fn judged(
    certificate: &Certificate,
    status: &RevocationStatus,
    sources: &RevocationSources<'_>,
) -> Result<Option<String>, PathFault> {
    let unknown = |why: String| match sources.policy {
        _ if sources.spares(certificate) => Ok(None),
        RevocationPolicy::Soft => Ok(Some(why)),
        RevocationPolicy::Hard => Err(PathFault::RevocationUnknown(why)),
    };
    match status {
        RevocationStatus::Good => Ok(None),
        RevocationStatus::NoList if sources.is_asked() && lists::names_a_list(certificate) => {
            unknown(format!("no revocation list of {} is at hand", certificate.issuer()))
        }
        RevocationStatus::NoList => Ok(None),
        RevocationStatus::Unclear(why) => unknown(why.clone()),
        RevocationStatus::Suspect(why) => Err(PathFault::RevocationUnknown(why.clone())),
        RevocationStatus::OnHold(since) => Err(PathFault::OnHold(*since)),
        RevocationStatus::Revoked(revocation) => {
            Err(PathFault::Revoked { at: revocation.at, reason: revocation.reason })
        }
    }
}
