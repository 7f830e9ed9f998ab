//! What one list is to one certificate: is it about it, what does it cover, does it name it?

use super::super::super::path::CanonicalName;
use super::super::super::{Certificate, Crl, PkiError};
use super::super::Revocation;
use crate::crypto::algorithm::name_of;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{
    ID_CE_AUTHORITY_KEY_IDENTIFIER, ID_CE_CERTIFICATE_ISSUER, ID_CE_CRL_NUMBER, ID_CE_CRL_REASONS,
    ID_CE_DELTA_CRL_INDICATOR, ID_CE_ISSUING_DISTRIBUTION_POINT,
};
use der::{Decode, Encode};
use std::collections::BTreeSet;
use x509_cert::Version;
use x509_cert::certificate::Raw;
use x509_cert::crl::RevokedCert;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::CrlDistributionPoints;
use x509_cert::ext::pkix::crl::dp::{DistributionPoint, IssuingDistributionPoint, ReasonFlags};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName, GeneralNames};

/// Every reason of ReasonFlags; the first bit is not used.
pub(super) const ALL_REASONS: u16 = 0x1fe;

/// Critical extensions of a list that are understood.
const UNDERSTOOD: [ObjectIdentifier; 4] = [
    ID_CE_AUTHORITY_KEY_IDENTIFIER,
    ID_CE_CRL_NUMBER,
    ID_CE_DELTA_CRL_INDICATOR,
    ID_CE_ISSUING_DISTRIBUTION_POINT,
];

/// A list of the certificate's issuer, or of somebody whom the certificate names for that.
pub(super) struct List<'a> {
    pub(super) crl: &'a Crl,
    /// BaseCRLNumber, if it is a delta list.
    pub(super) base: Option<Vec<u8>>,
    /// cRLNumber, so that the greater number is the greater value.
    pub(super) number: Option<(usize, Vec<u8>)>,
    /// The reasons for which it covers the certificate; none if it is meant for others.
    pub(super) reasons: u16,
    /// Why it can clear nobody, in words that follow "the list".
    pub(super) unclear: Option<String>,
    /// Its entry for the certificate, or what is wrong with that.
    pub(super) entry: Option<Result<Revocation, String>>,
}

impl<'a> List<'a> {
    /// Nothing if it is a list of somebody else.
    pub(super) fn of(crl: &'a Crl, certificate: &Certificate, issuer: &CanonicalName) -> Option<List<'a>> {
        let signer = CanonicalName::of(crl.issuer_name());
        let points = points(certificate);
        let authorised = points.iter().any(|point| names_directory(point.crl_issuer.as_ref(), &signer));
        if signer != *issuer && !authorised {
            return None;
        }
        let (point, base, number) = (crl.distribution_point(), crl.base_number(), crl.number());
        let fault = [point.as_ref().err(), base.as_ref().err(), number.as_ref().err()];
        let fault = fault.into_iter().flatten().next().map(|error| format!("cannot be used: {error}"));
        let point = point.unwrap_or_default();
        let indirect = point.as_ref().is_some_and(|point| point.indirect_crl);
        let unclear = fault.or_else(|| unclear(crl, point.as_ref()));
        if signer != *issuer && !indirect && unclear.is_none() {
            return None;
        }
        Some(List {
            crl,
            base: base.unwrap_or_default(),
            number: number.unwrap_or_default().map(|octets| (octets.len(), octets)),
            reasons: covered(point.as_ref(), &points, certificate),
            unclear,
            entry: entry(crl, certificate, issuer, &signer, indirect),
        })
    }

    /// Is that list an older one of the same kind?
    pub(super) fn supersedes(&self, other: &List<'_>) -> bool {
        let made = |list: &List<'_>| (list.number.clone(), list.crl.this_update());
        self.is_of(other) && made(self) > made(other)
    }

    /// RFC 5280 5.2.4: a delta list goes with a complete one that is no older than its base, and older than itself.
    pub(super) fn continues(&self, complete: &List<'_>) -> bool {
        let Some((base, complete_number)) = self.base.as_ref().zip(complete.number.as_ref()) else {
            return false;
        };
        self.is_of(complete)
            && (base.len(), base) <= (complete_number.0, &complete_number.1)
            && self.number > complete.number
    }

    /// Same issuer, same key, same scope.
    pub(super) fn is_of(&self, other: &List<'_>) -> bool {
        let octets = |list: &List<'_>| {
            let mut found = list.crl.extensions().iter();
            let found = found.find(|one| one.extn_id == ID_CE_ISSUING_DISTRIBUTION_POINT);
            found.map(|one| one.extn_value.as_bytes().to_vec())
        };
        let key = |list: &List<'_>| list.crl.authority_key_id().ok().flatten();
        let issuer = |list: &List<'_>| CanonicalName::of(list.crl.issuer_name());
        issuer(self) == issuer(other) && key(self) == key(other) && octets(self) == octets(other)
    }
}

/// Does the certificate say where a list is to be found (RFC 5280 4.2.1.13)?
pub(crate) fn names_a_list(certificate: &Certificate) -> bool {
    matches!(certificate.extension::<CrlDistributionPoints>(), Ok(Some(_)))
}

/// DER of the names of those whose lists may speak of the certificate: its issuer, and whom it names for that.
pub(crate) fn issuers_of_lists(certificate: &Certificate) -> Vec<Vec<u8>> {
    let points = points(certificate);
    let names = points.iter().filter_map(|point| point.crl_issuer.as_ref()).flatten();
    let named = names.filter_map(|name| match name {
        GeneralName::DirectoryName(name) => name.to_der().ok(),
        _ => None,
    });
    std::iter::once(certificate.issuer_der().to_vec()).chain(named).collect()
}

fn points(certificate: &Certificate) -> Vec<DistributionPoint> {
    let found = certificate.extension::<CrlDistributionPoints>().ok().flatten();
    found.map_or_else(Vec::new, |(_, points)| points.0)
}

fn names_directory(names: Option<&GeneralNames>, wanted: &CanonicalName) -> bool {
    names
        .into_iter()
        .flatten()
        .any(|name| matches!(name, GeneralName::DirectoryName(name) if CanonicalName::of(name) == *wanted))
}

/// What keeps the list from clearing anybody.
fn unclear(crl: &Crl, point: Option<&IssuingDistributionPoint>) -> Option<String> {
    let indirect = point.is_some_and(|point| point.indirect_crl);
    let unknown = unknown_critical(crl.extensions(), &UNDERSTOOD)
        .or_else(|| crl.entries().iter().find_map(|entry| unknown_in(entry, indirect)));
    if let Some(unknown) = unknown {
        return Some(format!("has the unknown critical extension {unknown}"));
    }
    if !crl.is_of_version_2() {
        return Some("is not of version 2".to_owned());
    }
    let mut seen = BTreeSet::new();
    if !crl.extensions().iter().all(|one| seen.insert(one.extn_id)) {
        return Some("has an extension twice".to_owned());
    }
    let point = point?;
    let kinds =
        [point.only_contains_user_certs, point.only_contains_ca_certs, point.only_contains_attribute_certs];
    let mut list = crl.extensions().iter();
    let empty = list
        .any(|one| one.extn_id == ID_CE_ISSUING_DISTRIBUTION_POINT && one.extn_value.as_bytes().len() <= 2);
    let several = kinds.into_iter().filter(|set| *set).count() > 1;
    (empty || several).then(|| "has an issuingDistributionPoint that contradicts itself".to_owned())
}

fn unknown_in(entry: &RevokedCert<Raw>, indirect: bool) -> Option<String> {
    let understood: &[_] =
        if indirect { &[ID_CE_CRL_REASONS, ID_CE_CERTIFICATE_ISSUER] } else { &[ID_CE_CRL_REASONS] };
    unknown_critical(entry.crl_entry_extensions.as_deref().unwrap_or_default(), understood)
}

fn unknown_critical(extensions: &[Extension], understood: &[ObjectIdentifier]) -> Option<String> {
    let mut unknown = extensions.iter().filter(|one| one.critical && !understood.contains(&one.extn_id));
    unknown.next().map(|one| name_of(&one.extn_id))
}

/// RFC 5280 6.3.3 b and d.
fn covered(
    point: Option<&IssuingDistributionPoint>,
    points: &[DistributionPoint],
    certificate: &Certificate,
) -> u16 {
    let Some(point) = point else { return ALL_REASONS };
    let authority = certificate.basic_constraints().ok().flatten().is_some_and(|found| found.ca);
    let kinds = point.only_contains_user_certs || point.only_contains_ca_certs;
    let old = certificate.parsed().tbs_certificate().version() != Version::V3;
    let for_others = (point.only_contains_user_certs && authority)
        || (point.only_contains_ca_certs && !authority)
        || (kinds && old)
        || point.only_contains_attribute_certs;
    if for_others {
        return 0;
    }
    let own = point.only_some_reasons.map_or(ALL_REASONS, bits);
    let Some(name) = &point.distribution_point else { return own };
    let mut places = points.iter().filter(|one| same_place(name, one));
    let asked = |one: &DistributionPoint| one.reasons.map_or(ALL_REASONS, bits);
    own & places.by_ref().fold(0, |asked_for, one| asked_for | asked(one))
}

fn bits(reasons: ReasonFlags) -> u16 {
    reasons.bits() & ALL_REASONS
}

/// One name of the list's place is one of the certificate's.
fn same_place(list: &DistributionPointName, certificate: &DistributionPoint) -> bool {
    match (list, &certificate.distribution_point) {
        (DistributionPointName::FullName(list), Some(DistributionPointName::FullName(names))) => {
            list.iter().any(|one| names.iter().any(|other| same_name(one, other)))
        }
        (DistributionPointName::FullName(list), None) => {
            let issuers = certificate.crl_issuer.as_deref().unwrap_or_default();
            list.iter().any(|one| issuers.iter().any(|other| same_name(one, other)))
        }
        (list, Some(names)) => list == names,
        _ => false,
    }
}

fn same_name(one: &GeneralName, other: &GeneralName) -> bool {
    match (one, other) {
        (GeneralName::DirectoryName(one), GeneralName::DirectoryName(other)) => {
            CanonicalName::of(one) == CanonicalName::of(other)
        }
        (one, other) => one == other,
    }
}

/// The entry with its serial number and its issuer. In an indirect list an issuer is named once for all entries that
/// follow (RFC 5280 5.3.3).
fn entry(
    crl: &Crl,
    certificate: &Certificate,
    issuer: &CanonicalName,
    signer: &CanonicalName,
    indirect: bool,
) -> Option<Result<Revocation, String>> {
    let mut ours = signer == issuer;
    for entry in crl.entries() {
        if indirect {
            match certificate_issuer(entry) {
                Ok(None) => {}
                Ok(Some(names)) => ours = names_directory(Some(&names), issuer),
                Err(why) => return Some(Err(why.to_string())),
            }
        }
        if ours && entry.serial_number.as_bytes() == certificate.serial_octets() {
            return Some(super::super::super::crl::revocation(entry).map_err(|error| error.to_string()));
        }
    }
    None
}

fn certificate_issuer(entry: &RevokedCert<Raw>) -> Result<Option<GeneralNames>, PkiError> {
    let extensions = entry.crl_entry_extensions.as_deref().unwrap_or_default();
    let found = extensions.iter().find(|one| one.extn_id == ID_CE_CERTIFICATE_ISSUER);
    let names = found.map(|one| GeneralNames::from_der(one.extn_value.as_bytes())).transpose();
    names.map_err(|error| PkiError::malformed("an entry of the revocation list", error))
}
