//! Certificate policies (RFC 5280 6.1 with the graph of RFC 9618, whose size grows with the certificates and not with
//! the number of ways through them).

use super::super::{Certificate, PkiError};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::ANY_POLICY;
use std::collections::{BTreeMap, BTreeSet};
use x509_cert::ext::pkix::{CertificatePolicies, InhibitAnyPolicy, PolicyConstraints, PolicyMappings};

/// What the caller asks of the policies (RFC 5280 6.1.1 c to g).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyCheck {
    /// One of these must be valid for the path where a policy is required; empty: any will do.
    pub acceptable: Vec<ObjectIdentifier>,
    /// Is a valid policy required, whatever the certificates say?
    pub explicit: Explicit,
    /// May an authority call the policy of another one its own?
    pub mapping: Leave,
    /// May anyPolicy stand for every policy?
    pub any: Leave,
}

/// Is a valid policy required?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Explicit {
    /// Where a certificate of the path says so.
    #[default]
    AsCertificatesSay,
    /// Always.
    Required,
}

/// May certificates do it?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Leave {
    /// Unless another one forbids it.
    #[default]
    Allowed,
    /// Never.
    Inhibited,
}

impl Leave {
    fn counter(self, length: u32) -> u32 {
        match self {
            Leave::Allowed => length,
            Leave::Inhibited => 0,
        }
    }
}

/// The policies valid at one certificate, and out of which of the one above each came.
#[derive(Debug, Clone, Default)]
struct Level {
    /// No parents: it came out of anyPolicy.
    policies: BTreeMap<ObjectIdentifier, BTreeSet<ObjectIdentifier>>,
    any: bool,
}

impl Level {
    fn is_empty(&self) -> bool {
        self.policies.is_empty() && !self.any
    }
}

/// Goes down a path, certificate by certificate.
pub(super) struct Policies {
    levels: Vec<Level>,
    next: Level,
    explicit: u32,
    mapping: u32,
    any: u32,
}

impl Policies {
    /// For a path of so many certificates.
    pub(super) fn start(check: &PolicyCheck, certificates: usize) -> Policies {
        let beyond = u32::try_from(certificates).unwrap_or(u32::MAX).saturating_add(1);
        Policies {
            levels: Vec::new(),
            next: Level { any: true, ..Level::default() },
            explicit: if check.explicit == Explicit::Required { 0 } else { beyond },
            mapping: check.mapping.counter(beyond),
            any: check.any.counter(beyond),
        }
    }

    /// The anchor limits what is below it, if it says anything of policies (RFC 5937 3).
    pub(super) fn anchor(&mut self, anchor: &Certificate) -> Result<(), PkiError> {
        if anchor.extension::<CertificatePolicies>()?.is_some() {
            self.valid_at(anchor, Place::Authority)?;
            self.map(anchor)?;
        }
        self.constrain(anchor)
    }

    /// A certificate between the anchor and the last one.
    pub(super) fn authority(&mut self, certificate: &Certificate) -> Result<(), PkiError> {
        self.valid_at(certificate, Place::Authority)?;
        self.map(certificate)?;
        self.count_down(certificate);
        self.constrain(certificate)
    }

    /// The last certificate. The policies that are valid for the whole path (RFC 5280 6.1.5 g), or nothing if one is
    /// required and there is none. An empty list where none is required.
    pub(super) fn last(
        mut self,
        certificate: &Certificate,
        check: &PolicyCheck,
    ) -> Result<Option<Vec<ObjectIdentifier>>, PkiError> {
        self.valid_at(certificate, Place::Last)?;
        self.explicit = self.explicit.saturating_sub(1);
        let constraints = certificate.extension::<PolicyConstraints>()?;
        if constraints.is_some_and(|(_, constraints)| constraints.require_explicit_policy == Some(0)) {
            self.explicit = 0;
        }
        let valid = self.outcome(&check.acceptable);
        Ok((self.explicit > 0 || !valid.is_empty()).then_some(valid))
    }

    /// RFC 5280 6.1.3 d and e: what was possible so far and stands in the certificate too.
    fn valid_at(&mut self, certificate: &Certificate, place: Place) -> Result<(), PkiError> {
        let mut level = std::mem::take(&mut self.next);
        let stated: BTreeSet<ObjectIdentifier> = match certificate.extension::<CertificatePolicies>()? {
            Some((_, policies)) => distinct(&policies)?,
            None => BTreeSet::new(),
        };
        let may_be_any = self.any > 0 || (place == Place::Authority && certificate.is_self_issued());
        let states_any = stated.contains(&ANY_POLICY) && may_be_any;
        if !states_any {
            level.policies.retain(|policy, _| stated.contains(policy));
        }
        if level.any {
            let more = stated.iter().filter(|policy| **policy != ANY_POLICY);
            more.for_each(|policy| _ = level.policies.entry(*policy).or_default());
        }
        level.any &= states_any;
        self.levels.push(level);
        Ok(())
    }

    /// RFC 5280 6.1.4 a and b: what the policies are called below.
    fn map(&mut self, certificate: &Certificate) -> Result<(), PkiError> {
        let mappings = certificate.extension::<PolicyMappings>()?.map(|(_, mappings)| mappings.0);
        let mappings = mappings.unwrap_or_default();
        let names_any =
            |one: &ObjectIdentifier, other: &ObjectIdentifier| *one == ANY_POLICY || *other == ANY_POLICY;
        if mappings.iter().any(|one| names_any(&one.issuer_domain_policy, &one.subject_domain_policy)) {
            return Err(PkiError::malformed("its policyMappings", "they map anyPolicy"));
        }
        let allowed = self.mapping > 0;
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        let mapped: BTreeSet<ObjectIdentifier> =
            mappings.iter().map(|one| one.issuer_domain_policy).collect();
        if allowed && level.any {
            mapped.iter().for_each(|policy| _ = level.policies.entry(*policy).or_default());
        } else if !allowed {
            level.policies.retain(|policy, _| !mapped.contains(policy));
        }
        let mut next = Level { any: level.any, ..Level::default() };
        for policy in level.policies.keys().filter(|policy| !mapped.contains(*policy)) {
            next.policies.entry(*policy).or_default().insert(*policy);
        }
        let mappings = mappings.iter().filter(|one| level.policies.contains_key(&one.issuer_domain_policy));
        for one in mappings {
            let parents = next.policies.entry(one.subject_domain_policy).or_default();
            parents.insert(one.issuer_domain_policy);
        }
        self.next = next;
        Ok(())
    }

    /// RFC 5280 6.1.4 h.
    fn count_down(&mut self, certificate: &Certificate) {
        if !certificate.is_self_issued() {
            self.explicit = self.explicit.saturating_sub(1);
            self.mapping = self.mapping.saturating_sub(1);
            self.any = self.any.saturating_sub(1);
        }
    }

    /// RFC 5280 6.1.4 i and j.
    fn constrain(&mut self, certificate: &Certificate) -> Result<(), PkiError> {
        if let Some((_, constraints)) = certificate.extension::<PolicyConstraints>()? {
            self.explicit = self.explicit.min(constraints.require_explicit_policy.unwrap_or(u32::MAX));
            self.mapping = self.mapping.min(constraints.inhibit_policy_mapping.unwrap_or(u32::MAX));
        }
        if let Some((_, inhibit)) = certificate.extension::<InhibitAnyPolicy>()? {
            self.any = self.any.min(inhibit.0);
        }
        Ok(())
    }

    /// RFC 5280 6.1.5 g: the policies in the words of the first authority that reach the last certificate, and that the
    /// caller accepts.
    fn outcome(&self, acceptable: &[ObjectIdentifier]) -> Vec<ObjectIdentifier> {
        let Some(last) = self.levels.last().filter(|last| !last.is_empty()) else { return Vec::new() };
        let everything = acceptable.is_empty() || acceptable.contains(&ANY_POLICY);
        let mut reached: BTreeSet<ObjectIdentifier> = last.policies.keys().copied().collect();
        let mut found = BTreeSet::new();
        for level in self.levels.iter().rev() {
            let mut above = BTreeSet::new();
            for (policy, parents) in level.policies.iter().filter(|(policy, _)| reached.contains(*policy)) {
                if parents.is_empty() {
                    found.insert(*policy);
                }
                above.extend(parents.iter().copied());
            }
            reached = above;
        }
        if last.any {
            found.extend(if everything { &[ANY_POLICY][..] } else { acceptable });
        }
        found.retain(|policy| everything || acceptable.contains(policy));
        found.into_iter().collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Authority,
    Last,
}

/// RFC 5280 4.2.1.4: a policy stands in it once, and at least one does.
fn distinct(policies: &CertificatePolicies) -> Result<BTreeSet<ObjectIdentifier>, PkiError> {
    let found: BTreeSet<ObjectIdentifier> = policies.0.iter().map(|one| one.policy_identifier).collect();
    if found.is_empty() || found.len() != policies.0.len() {
        return Err(PkiError::malformed("its certificatePolicies", "they are empty, or name a policy twice"));
    }
    Ok(found)
}
