//! A certificate that may stand in a path, with what the search asks of it again and again.

use super::failure::{PathFault, Place};
use super::{CanonicalName, PathCheck, alone};
use crate::pki::Certificate;
use x509_cert::ext::pkix::AuthorityKeyIdentifier;

/// A certificate that may stand in a path.
pub(super) struct Node<'a> {
    /// Its number among those of one search.
    pub(super) id: usize,
    pub(super) certificate: &'a Certificate,
    pub(super) place: Place,
    pub(super) subject: CanonicalName,
    pub(super) issuer: CanonicalName,
    /// What is wrong with it by itself.
    pub(super) faults: Vec<PathFault>,
    key_id: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
}

impl<'a> Node<'a> {
    pub(super) fn of(
        id: usize,
        certificate: &'a Certificate,
        place: Place,
        check: &PathCheck<'_>,
    ) -> Node<'a> {
        let tbs = certificate.parsed().tbs_certificate();
        let authority = certificate.extension::<AuthorityKeyIdentifier>().ok().flatten();
        let authority_key_id = authority.and_then(|(_, id)| id.key_identifier);
        Node {
            id,
            certificate,
            place,
            subject: CanonicalName::of(tbs.subject()),
            issuer: CanonicalName::of(tbs.issuer()),
            faults: alone::faults(certificate, place, check),
            key_id: certificate.subject_key_id(),
            authority_key_id: authority_key_id.map(|id| id.as_bytes().to_vec()),
        }
    }

    /// Issuer and subject have one name.
    pub(super) fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// The same name and the same key.
    pub(super) fn is_same_authority(&self, other: &Node<'_>) -> bool {
        let (one, two) = (self.certificate.parsed(), other.certificate.parsed());
        self.subject == other.subject
            && one.tbs_certificate().subject_public_key_info()
                == two.tbs_certificate().subject_public_key_info()
    }

    /// Does its authorityKeyIdentifier say that this one issued it? A hint, and nothing more.
    pub(super) fn names_key_of(&self, issuer: &Node<'_>) -> bool {
        self.authority_key_id.is_some() && self.authority_key_id == issuer.key_id
    }
}
