//! Looks for a path, from the target up: first among what is sound, then, to say what is wrong, among everything.

use super::chain;
use super::failure::{LocatedFault, PathFailure, PathFault, Place};
use super::limits::{Budget, Limits};
use super::node::Node;
use super::{PathCheck, ValidPath};
use crate::pki::signature::{self, SignatureFault};
use crate::pki::{Certificate, Crl};
use std::collections::BTreeMap;

/// Does the search pass over what cannot be part of a valid path?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// To find a valid path with the least work.
    Sound,
    /// To find the path that comes nearest to one.
    Explaining,
}

/// What ends a search at once.
enum End {
    Found(Box<ValidPath>),
    Exhausted(PathFault),
}

impl From<PathFault> for End {
    fn from(fault: PathFault) -> End {
        End::Exhausted(fault)
    }
}

/// A path so far: target first.
type Path<'n, 'a> = Vec<&'n Node<'a>>;

/// The work of one search among nodes that do not change.
struct Search<'n, 'a> {
    check: &'n PathCheck<'a>,
    nodes: &'n [Node<'a>],
    budget: Budget,
    /// By child and issuer: whether the one signed the other.
    signatures: BTreeMap<(usize, usize), Result<(), SignatureFault>>,
    pass: Pass,
    nearest: Option<PathFailure>,
}

pub(super) fn run(
    target: &Certificate,
    check: &PathCheck<'_>,
    limits: Limits,
) -> Result<ValidPath, PathFailure> {
    let refused = |fault| Err(failure(target, fault));
    if check.anchors.is_empty() {
        return refused(PathFault::NoAnchors);
    }
    if check.intermediates.len() > limits.intermediates {
        let limit = limits.intermediates;
        return refused(PathFault::Budget { what: "certificates between it and the trusted ones", limit });
    }
    let target_node = Node::of(0, target, Place::Target, check);
    let nodes = others(target, check);
    let mut search = Search {
        check,
        nodes: &nodes,
        budget: Budget::of(limits),
        signatures: BTreeMap::new(),
        pass: Pass::Sound,
        nearest: None,
    };
    let mut end = search.begin(&target_node);
    if end.is_ok() {
        search.pass = Pass::Explaining;
        end = search.begin(&target_node);
    }
    match (end, search.nearest) {
        (Err(End::Found(path)), _) => Ok(*path),
        (Err(End::Exhausted(fault)), None) => refused(fault),
        (Err(End::Exhausted(fault)), _) if search.pass == Pass::Sound => refused(fault),
        (_, Some(nearest)) => Err(nearest),
        (_, None) => refused(PathFault::NoIssuer { issuer: target.issuer() }),
    }
}

fn failure(target: &Certificate, fault: PathFault) -> PathFailure {
    let faults = vec![LocatedFault::at(Place::Target, target, fault)];
    PathFailure { path: vec![target.clone()], faults }
}

/// Everything but the target, each once.
fn others<'a>(target: &Certificate, check: &PathCheck<'a>) -> Vec<Node<'a>> {
    let anchors = check.anchors.iter().map(|anchor| (anchor, Place::Anchor));
    let between = check.intermediates.iter().filter(|one| !check.anchors.contains(one) && *one != target);
    let all = anchors.chain(between.map(|one| (one, Place::Issuer)));
    all.enumerate().map(|(at, (one, place))| Node::of(at + 1, one, place, check)).collect()
}

impl<'n, 'a> Search<'n, 'a> {
    fn begin(&mut self, target: &'n Node<'a>) -> Result<(), End> {
        let mut path = vec![target];
        if self.check.anchors.contains(target.certificate) {
            return self.judge(&path);
        }
        self.extend(&mut path, target)
    }

    /// Goes on from the last certificate of the path to whoever may have issued it.
    fn extend(&mut self, path: &mut Path<'n, 'a>, child: &'n Node<'a>) -> Result<(), End> {
        self.budget.step()?;
        if self.pass == Pass::Sound && !child.faults.is_empty() {
            return Ok(());
        }
        let candidates = self.candidates(path, child);
        if candidates.is_empty() {
            self.dead_end(path, PathFault::NoIssuer { issuer: child.certificate.issuer() });
        }
        for candidate in candidates {
            match self.verified(child, candidate)? {
                Ok(()) => self.step_to(path, candidate)?,
                Err(fault) => self.dead_end(path, unsigned(candidate, fault)),
            }
        }
        Ok(())
    }

    fn step_to(&mut self, path: &mut Path<'n, 'a>, candidate: &'n Node<'a>) -> Result<(), End> {
        path.push(candidate);
        let went = match candidate.place {
            Place::Anchor => self.judge(path),
            Place::Target | Place::Issuer => self.extend(path, candidate),
        };
        path.pop();
        went
    }

    /// Those of the right name, the likeliest first. A name and its key stand in a path once.
    fn candidates(&self, path: &Path<'n, 'a>, child: &Node<'_>) -> Vec<&'n Node<'a>> {
        let fits = |node: &&Node<'_>| {
            node.subject == child.issuer
                && (node.place == Place::Anchor || self.has_room(path, node))
                && (self.pass == Pass::Explaining || node.faults.is_empty())
                && !path.iter().skip(1).any(|one| one.is_same_authority(node))
        };
        let mut found: Vec<&Node<'_>> = self.nodes.iter().filter(fits).collect();
        found.sort_by_key(|node| {
            let later = std::cmp::Reverse(node.certificate.not_after());
            (node.faults.len(), node.place != Place::Anchor, !child.names_key_of(node), later)
        });
        found
    }

    /// May it stand in the path as one more authority? Those under their own name do not count (RFC 5280 4.2.1.9), but end
    /// somewhere.
    fn has_room(&self, path: &Path<'n, 'a>, more: &Node<'_>) -> bool {
        let limit = self.budget.limits.path;
        let counted = path.iter().skip(1).filter(|node| !node.is_self_issued()).count();
        counted + usize::from(!more.is_self_issued()) <= limit && path.len() <= limit.saturating_mul(2)
    }

    fn verified(&mut self, child: &Node<'_>, issuer: &Node<'_>) -> Result<Result<(), SignatureFault>, End> {
        if let Some(known) = self.signatures.get(&(child.id, issuer.id)) {
            return Ok(known.clone());
        }
        self.budget.signature()?;
        let verified =
            signature::verify(&child.certificate.signed(), issuer.certificate, self.budget.limits.rsa_bits);
        self.signatures.insert((child.id, issuer.id), verified.clone());
        Ok(verified)
    }

    /// The path reached an anchor: is it valid?
    fn judge(&mut self, path: &Path<'n, 'a>) -> Result<(), End> {
        let signers = self.signers_of_lists(path);
        match chain::check(path, self.check, &signers, &mut self.budget)? {
            Ok(mut valid) => {
                valid.work = self.budget.work;
                Err(End::Found(Box::new(valid)))
            }
            Err(faults) => {
                self.note(path, faults);
                Ok(())
            }
        }
    }

    /// Whoever signed one of the lists and is no authority of the path: another key of the same name, or somebody whom
    /// the certificates name for it. Each must chain to the anchor of the path by itself.
    fn signers_of_lists(&mut self, path: &Path<'n, 'a>) -> Vec<&'a Certificate> {
        let crls = self.check.revocation.crls;
        let signs_one = |node: &&Node<'_>| {
            let named = |crl: &Crl| super::CanonicalName::of(crl.issuer_name()) == node.subject;
            crls.iter().any(named) && !path.iter().any(|one| one.certificate == node.certificate)
        };
        let candidates: Vec<&Node<'a>> = self.nodes.iter().filter(signs_one).collect();
        let anchor = path.last().map(|anchor| anchor.certificate);
        let mut found = Vec::new();
        for candidate in candidates {
            if Some(candidate.certificate) == anchor || self.chains(candidate, anchor) {
                found.push(candidate.certificate);
            }
        }
        found
    }

    /// Does the certificate chain to that anchor? Its own revocation is not asked for: that could go in a circle.
    fn chains(&mut self, signer: &Node<'_>, anchor: Option<&Certificate>) -> bool {
        let Some(anchor) = anchor else { return false };
        let check = PathCheck {
            anchors: std::slice::from_ref(anchor),
            usage: None,
            revocation: super::RevocationSources { crls: &[], ..self.check.revocation },
            ..*self.check
        };
        let share = self.budget.share();
        let found = run(signer.certificate, &check, share);
        self.budget.add(&share, found.as_ref().ok().map(|path| path.work));
        found.is_ok()
    }

    fn dead_end(&mut self, path: &Path<'n, 'a>, fault: PathFault) {
        let Some(last) = path.last() else { return };
        let mut faults = vec![LocatedFault::at(last.place, last.certificate, fault)];
        faults.extend(chain::alone(path));
        self.note(path, faults);
    }

    /// Keeps the failure that is nearest to a valid path: one that reached an anchor, then the longest, then the one with the
    /// fewest faults.
    fn note(&mut self, path: &Path<'n, 'a>, faults: Vec<LocatedFault>) {
        let here = distance(path.last().map(|node| node.certificate), path.len(), faults.len(), self.check);
        let there = self.nearest.as_ref().map(|nearest| {
            distance(nearest.path.last(), nearest.path.len(), nearest.faults.len(), self.check)
        });
        // Certificates are copied for the nearest only: a hostile net has very many dead ends.
        if there.is_none_or(|there| here < there) {
            let path = path.iter().map(|node| node.certificate.clone()).collect();
            self.nearest = Some(PathFailure { path, faults });
        }
    }
}

fn distance(
    last: Option<&Certificate>,
    length: usize,
    faults: usize,
    check: &PathCheck<'_>,
) -> (bool, usize, usize) {
    let complete = last.is_some_and(|last| check.anchors.contains(last));
    if complete { (false, faults, 0) } else { (true, usize::MAX - length, faults) }
}

fn unsigned(issuer: &Node<'_>, fault: SignatureFault) -> PathFault {
    match fault {
        SignatureFault::Wrong => PathFault::WrongSignature { issuer: issuer.certificate.subject() },
        SignatureFault::Refused(why) => PathFault::RefusedSignature(why),
    }
}
