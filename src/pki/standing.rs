//! Was a certificate taken back, as far as the revocation lists at hand tell (RFC 5280 5, 6.3)?

use super::revocation::check::names_a_list;
use super::{Certificate, Crl, Revocation, RevocationReason, Unfit};
use time::OffsetDateTime;

/// What is known of a certificate's revocation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// It is revoked or on hold.
    pub revoked: Option<Revocation>,
    /// Why nobody can be sure that it is not: [`Unfit::NoList`] or [`Unfit::OldList`].
    pub doubt: Option<Unfit>,
}

/// What the lists say of the certificate at that time. The signatures of the lists were checked when they were taken.
///
/// A list is needed where the certificate names a place for one, or where one of its issuer is at hand. An old list still
/// revokes what it lists. What was revoked stays so, also where a newer list passes over it (ended certificates leave the
/// lists); a hold ends with a newer complete list that passes over it, or with removeFromCRL.
pub fn standing(certificate: &Certificate, lists: &[Crl], at: OffsetDateTime) -> Standing {
    let issuer = certificate.parsed().tbs_certificate().issuer();
    let mut known: Vec<Known<'_>> =
        lists.iter().filter(|list| list.issuer_name() == issuer).filter_map(Known::of).collect();
    known.sort_by_key(|known| known.list.this_update());
    let revoked = known.iter().fold(None, |so_far, known| known.revocation(certificate, so_far));
    let needed = !known.is_empty() || names_a_list(certificate);
    Standing { revoked, doubt: doubt(certificate, &known, at).filter(|_| needed) }
}

/// A list that speaks of certificates of its own issuer.
struct Known<'a> {
    list: &'a Crl,
    /// Of all of them, and not only of changes, of some reasons or of some places.
    complete: bool,
}

impl Known<'_> {
    /// Nothing for a list whose entries name other issuers, or that cannot be read.
    fn of(list: &Crl) -> Option<Known<'_>> {
        let point = list.distribution_point().ok()?;
        let delta = list.base_number().ok()?.is_some();
        if point.as_ref().is_some_and(|point| point.indirect_crl) {
            return None;
        }
        Some(Known { list, complete: !delta && point.is_none() })
    }

    /// What is known after this list. An entry that cannot be read revokes.
    fn revocation(&self, certificate: &Certificate, so_far: Option<Revocation>) -> Option<Revocation> {
        let unread = Revocation { at: self.list.this_update(), reason: RevocationReason::Unspecified };
        match self.list.revocation(certificate.serial_octets()).unwrap_or(Some(unread)) {
            Some(Revocation { reason: RevocationReason::RemoveFromCrl, .. }) => None,
            None if self.complete => {
                so_far.filter(|before| before.reason != RevocationReason::CertificateHold)
            }
            entry => entry.or(so_far),
        }
    }
}

/// The newest list that speaks of all certificates decides whether what we know is of today.
fn doubt(certificate: &Certificate, known: &[Known<'_>], at: OffsetDateTime) -> Option<Unfit> {
    let issuer = certificate.issuer();
    let Some(newest) = known.iter().rev().find(|known| known.complete) else {
        return Some(Unfit::NoList(issuer));
    };
    let due = newest.list.next_update()?;
    (due < at).then_some(Unfit::OldList { issuer, due })
}
