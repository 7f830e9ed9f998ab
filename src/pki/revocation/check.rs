//! Was a certificate taken back (RFC 5280 6.3)? From the lists at hand, whole or delta, direct or indirect.
//!
//! A list revokes more than it clears. Whatever its issuer signed that names the certificate revokes it, old or not, meant for
//! such certificates or not; to clear a certificate a list must be current, cover it, and be understood whole.

mod list;
#[cfg(test)]
mod tests;

use super::super::path::CanonicalName;
use super::super::signature;
use super::super::{Certificate, Crl};
use super::{Revocation, RevocationReason};
use list::{ALL_REASONS, List};
pub(crate) use list::{issuers_of_lists, names_a_list};
use time::OffsetDateTime;

/// More lists than any authority has for one certificate; each costs a signature over the whole of it.
const MAX_LISTS: usize = 32;

/// What if there are lists of the issuer, and none of them says that the certificate is good?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RevocationPolicy {
    /// It passes, with a warning.
    #[default]
    Soft,
    /// It does not pass.
    Hard,
}

/// What the lists say of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationStatus {
    /// Current lists cover it, and do not name it.
    Good,
    /// No list of its issuer is at hand.
    NoList,
    /// Lists of its issuer are at hand, and none of them can clear it. Why, in words.
    Unclear(String),
    /// It is named by a list that cannot be understood whole: no policy lets it pass. Why, in words.
    Suspect(String),
    /// On hold since then; it may come back.
    OnHold(OffsetDateTime),
    /// Taken back.
    Revoked(Revocation),
}

impl RevocationStatus {
    /// Does it let the certificate pass under no policy?
    pub fn takes_back(&self) -> bool {
        use RevocationStatus::{OnHold, Revoked, Suspect};
        matches!(self, Suspect(_) | OnHold(_) | Revoked(_))
    }
}

/// What the lists say of the certificate at that moment. Those who may sign lists for it are given: its issuer, and whoever
/// was found to be authorised under the same trust anchor. RSA keys with fewer bits sign nothing that counts.
pub fn check(
    certificate: &Certificate,
    signers: &[&Certificate],
    crls: &[Crl],
    at: OffsetDateTime,
    minimum_rsa_bits: usize,
) -> RevocationStatus {
    let issuer = CanonicalName::of(certificate.parsed().tbs_certificate().issuer());
    let mut gaps = Vec::new();
    let mut lists = Vec::new();
    for (count, list) in crls.iter().filter_map(|crl| List::of(crl, certificate, &issuer)).enumerate() {
        if count == MAX_LISTS {
            gaps.push(format!("there are more than {MAX_LISTS} lists of its issuer"));
            break;
        }
        match unsigned(list.crl, signers, minimum_rsa_bits) {
            None => lists.push(list),
            Some(why) => gaps.push(told(list.crl, why)),
        }
    }
    judge(lists, gaps, at)
}

/// The same by lists whose signatures were checked when they were taken.
pub fn check_kept(certificate: &Certificate, crls: &[Crl], at: OffsetDateTime) -> RevocationStatus {
    let issuer = CanonicalName::of(certificate.parsed().tbs_certificate().issuer());
    let lists = crls.iter().filter_map(|crl| List::of(crl, certificate, &issuer));
    judge(lists.collect(), Vec::new(), at)
}

/// Why nobody who may vouches for the list.
fn unsigned(crl: &Crl, signers: &[&Certificate], minimum_rsa_bits: usize) -> Option<&'static str> {
    let name = CanonicalName::of(crl.issuer_name());
    if !crl.names_one_algorithm() {
        return Some("names two signature algorithms");
    }
    let mut why = "is not signed by the key of its issuer";
    for signer in signers {
        let subject = CanonicalName::of(signer.parsed().tbs_certificate().subject());
        if subject == name && signature::verify(&crl.signed(), signer, minimum_rsa_bits).is_ok() {
            if may_sign_lists(signer) {
                return None;
            }
            why = "is signed by a key that may not sign lists: its keyUsage lacks cRLSign";
        }
    }
    Some(why)
}

/// RFC 5280 6.3.3 f.
fn may_sign_lists(signer: &Certificate) -> bool {
    matches!(signer.key_usage(), Ok(usage) if usage.is_none_or(|usage| usage.crl_sign()))
}

fn told(crl: &Crl, why: impl std::fmt::Display) -> String {
    format!("the revocation list of {} {why}", crl.issuer())
}

/// RFC 5280 6.3.3 g to l.
fn judge(lists: Vec<List<'_>>, mut gaps: Vec<String>, at: OffsetDateTime) -> RevocationStatus {
    let (deltas, complete): (Vec<_>, Vec<_>) = lists.into_iter().partition(|list| list.base.is_some());
    let mut covered = 0;
    for list in &complete {
        let superseded =
            complete.iter().any(|other| uncleared(other, None, at).is_none() && other.supersedes(list));
        let delta = newest(deltas.iter().filter(|delta| delta.continues(list)));
        let verdict = match delta.and_then(|delta| named(delta, at)) {
            Some(changed) => Some(changed),
            None => named(list, at),
        };
        match verdict {
            // A hold ends with the next list that does not repeat it.
            Some(RevocationStatus::OnHold(_)) if superseded => {}
            Some(RevocationStatus::Good) | None => {}
            Some(taken_back) => return taken_back,
        }
        match uncleared(list, delta, at) {
            None => covered |= list.reasons,
            Some(why) if !superseded => gaps.push(told(list.crl, why)),
            Some(_) => {}
        }
    }
    let alone = deltas.iter().filter(|delta| !complete.iter().any(|list| delta.is_of(list)));
    for delta in alone {
        match named(delta, at) {
            Some(RevocationStatus::Good) | None => {}
            Some(taken_back) => return taken_back,
        }
        gaps.push(told(delta.crl, "is a delta list, and the complete list that it continues is not here"));
    }
    if covered == ALL_REASONS {
        return RevocationStatus::Good;
    }
    if covered != 0 {
        gaps.push("the revocation lists at hand cover some reasons only".to_owned());
    }
    gaps.into_iter().next().map_or(RevocationStatus::NoList, RevocationStatus::Unclear)
}

fn newest<'a, 'b>(lists: impl Iterator<Item = &'a List<'b>>) -> Option<&'a List<'b>>
where
    'b: 'a,
{
    lists.max_by_key(|list| list.number.clone())
}

/// What the list says by naming the certificate; good if it takes it off another list.
fn named(list: &List<'_>, at: OffsetDateTime) -> Option<RevocationStatus> {
    let entry = list.entry.as_ref()?;
    if let Some(why) = &list.unclear {
        return Some(RevocationStatus::Suspect(told(list.crl, why)));
    }
    let entry = match entry {
        Ok(entry) => entry,
        Err(why) => return Some(RevocationStatus::Suspect(told(list.crl, why))),
    };
    let clears = entry.reason == RevocationReason::RemoveFromCrl;
    if list.crl.this_update() > at && (clears || entry.at > at) {
        return None;
    }
    Some(match entry.reason {
        RevocationReason::CertificateHold => RevocationStatus::OnHold(entry.at),
        RevocationReason::RemoveFromCrl if list.base.is_some() => RevocationStatus::Good,
        RevocationReason::RemoveFromCrl => {
            let why = "takes a certificate off a list and is no delta list";
            RevocationStatus::Suspect(told(list.crl, why))
        }
        _ => RevocationStatus::Revoked(*entry),
    })
}

/// Why the list, with its delta, cannot clear anybody.
fn uncleared(list: &List<'_>, delta: Option<&List<'_>>, at: OffsetDateTime) -> Option<String> {
    if let Some(why) = list.unclear.clone().or_else(|| delta.and_then(|delta| delta.unclear.clone())) {
        return Some(why);
    }
    if list.crl.this_update() > at {
        return Some(format!("begins on {}", list.crl.this_update().date()));
    }
    let ended = |crl: &Crl| crl.next_update().filter(|end| *end < at);
    let end = ended(list.crl)?;
    let renewed = delta.is_some_and(|delta| delta.crl.this_update() <= at && ended(delta.crl).is_none());
    (!renewed).then(|| format!("is old: the next one was due on {}", end.date()))
}
