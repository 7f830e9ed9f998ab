//! What a certificate must be by itself, wherever it stands in a path.

use super::super::Certificate;
use super::PathCheck;
use super::failure::{PathFault, Place};
use crate::crypto::algorithm::name_of;
use crate::pki::certificate::NoAuthority;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::ANY_EXTENDED_KEY_USAGE;
use const_oid::db::rfc5912::{
    ID_CE_AUTHORITY_KEY_IDENTIFIER, ID_CE_BASIC_CONSTRAINTS, ID_CE_CERTIFICATE_POLICIES,
    ID_CE_CRL_DISTRIBUTION_POINTS, ID_CE_EXT_KEY_USAGE, ID_CE_FRESHEST_CRL, ID_CE_INHIBIT_ANY_POLICY,
    ID_CE_KEY_USAGE, ID_CE_NAME_CONSTRAINTS, ID_CE_POLICY_CONSTRAINTS, ID_CE_POLICY_MAPPINGS,
    ID_CE_SUBJECT_ALT_NAME, ID_CE_SUBJECT_KEY_IDENTIFIER, ID_QT_CPS, ID_QT_UNOTICE,
};
use std::collections::BTreeSet;
use time::OffsetDateTime;
use x509_cert::Version;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, CrlDistributionPoints, ExtendedKeyUsage,
    FreshestCrl, InhibitAnyPolicy, KeyUsage, NameConstraints, PolicyConstraints, PolicyMappings,
    SubjectAltName, SubjectKeyIdentifier,
};

/// Critical extensions that are understood by the validation.
pub(crate) static UNDERSTOOD: [ObjectIdentifier; 13] = [
    ID_CE_AUTHORITY_KEY_IDENTIFIER,
    ID_CE_BASIC_CONSTRAINTS,
    ID_CE_CERTIFICATE_POLICIES,
    ID_CE_CRL_DISTRIBUTION_POINTS,
    ID_CE_EXT_KEY_USAGE,
    ID_CE_FRESHEST_CRL,
    ID_CE_INHIBIT_ANY_POLICY,
    ID_CE_KEY_USAGE,
    ID_CE_NAME_CONSTRAINTS,
    ID_CE_POLICY_CONSTRAINTS,
    ID_CE_POLICY_MAPPINGS,
    ID_CE_SUBJECT_ALT_NAME,
    ID_CE_SUBJECT_KEY_IDENTIFIER,
];

/// Everything that is wrong with it by itself.
pub(super) fn faults(certificate: &Certificate, place: Place, check: &PathCheck<'_>) -> Vec<PathFault> {
    let time = in_time(certificate, check.at);
    let checks = [
        form(certificate),
        extensions(certificate),
        time,
        if place == Place::Target { Ok(()) } else { authority(certificate) },
        usage(certificate, check.usage),
    ];
    checks.into_iter().filter_map(Result::err).collect()
}

/// RFC 5280 4.1: what only a version 3 may hold, and what stands twice must agree.
fn form(certificate: &Certificate) -> Result<(), PathFault> {
    let tbs = certificate.parsed().tbs_certificate();
    let broken = |why: &str| Err(PathFault::Broken(why.to_owned()));
    if tbs.signature() != certificate.parsed().signature_algorithm() {
        return broken("it names two signature algorithms");
    }
    if tbs.issuer().is_empty() {
        return broken("its issuer has no name");
    }
    if tbs.extensions().is_some_and(|list| !list.is_empty()) && tbs.version() != Version::V3 {
        return broken("it has extensions and is not of version 3");
    }
    if certificate.not_before() > certificate.not_after() {
        return broken("its validity ends before it begins");
    }
    Ok(())
}

/// None stands twice, each critical one is understood, and each one that is understood can be read.
fn extensions(certificate: &Certificate) -> Result<(), PathFault> {
    let list = certificate.parsed().tbs_certificate().extensions().map_or(&[][..], Vec::as_slice);
    let mut seen = BTreeSet::new();
    for one in list {
        if !seen.insert(one.extn_id) {
            return Err(PathFault::Broken("one of its extensions stands in it twice".to_owned()));
        }
        if one.critical && !UNDERSTOOD.contains(&one.extn_id) {
            return Err(PathFault::UnknownCritical(name_of(&one.extn_id)));
        }
    }
    readable(certificate)
}

fn readable(certificate: &Certificate) -> Result<(), PathFault> {
    certificate.extension::<AuthorityKeyIdentifier>()?;
    certificate.extension::<BasicConstraints>()?;
    qualifiers(certificate)?;
    certificate.extension::<CrlDistributionPoints>()?;
    certificate.extension::<FreshestCrl>()?;
    certificate.extension::<InhibitAnyPolicy>()?;
    certificate.extension::<KeyUsage>()?;
    certificate.extension::<PolicyConstraints>()?;
    certificate.extension::<PolicyMappings>()?;
    certificate.extension::<SubjectKeyIdentifier>()?;
    let empty = |what: &str| Err(PathFault::Broken(format!("its {what} is empty")));
    if certificate.extension::<SubjectAltName>()?.is_some_and(|(_, names)| names.0.is_empty()) {
        return empty("subjectAltName");
    }
    if certificate.extension::<ExtendedKeyUsage>()?.is_some_and(|(_, usages)| usages.0.is_empty()) {
        return empty("extKeyUsage");
    }
    let constraints = certificate.extension::<NameConstraints>()?;
    let bare = |one: &NameConstraints| {
        one.permitted_subtrees.as_ref().is_none_or(Vec::is_empty)
            && one.excluded_subtrees.as_ref().is_none_or(Vec::is_empty)
    };
    if constraints.is_some_and(|(_, constraints)| bare(&constraints)) {
        return empty("nameConstraints");
    }
    Ok(())
}

/// RFC 5280 4.2.1.4: who makes policies critical wants their qualifiers to be understood.
fn qualifiers(certificate: &Certificate) -> Result<(), PathFault> {
    let Some((critical, policies)) = certificate.extension::<CertificatePolicies>()? else { return Ok(()) };
    let all = policies.0.into_iter().filter_map(|one| one.policy_qualifiers).flatten();
    let unknown = |oid: &ObjectIdentifier| ![ID_QT_CPS, ID_QT_UNOTICE].contains(oid);
    match all.map(|one| one.policy_qualifier_id).find(unknown).filter(|_| critical) {
        Some(unknown) => Err(PathFault::UnknownCritical(name_of(&unknown))),
        None => Ok(()),
    }
}

fn in_time(certificate: &Certificate, at: OffsetDateTime) -> Result<(), PathFault> {
    // X.509 counts whole seconds: a part of one is not yet over.
    let at = at.replace_nanosecond(0).unwrap_or(at);
    if at > certificate.not_after() {
        return Err(PathFault::Ended(certificate.not_after()));
    }
    if at < certificate.not_before() {
        return Err(PathFault::NotYetValid(certificate.not_before()));
    }
    Ok(())
}

/// RFC 5280 6.1.4 k and n. An authority without a name cannot be named as an issuer.
fn authority(certificate: &Certificate) -> Result<(), PathFault> {
    let why = match certificate.no_authority()? {
        None => return Ok(()),
        Some(NoAuthority::BasicConstraints) => "its basicConstraints name no authority",
        Some(NoAuthority::KeyUsage) => "its keyUsage lacks keyCertSign",
    };
    Err(PathFault::NotAnAuthority(why))
}

/// The whole path must be allowed for the usage: an authority that names its usages issues for no others.
fn usage(certificate: &Certificate, wanted: Option<ObjectIdentifier>) -> Result<(), PathFault> {
    let (Some(wanted), Some(usages)) = (wanted, certificate.extended_key_usage()?) else { return Ok(()) };
    if usages.contains(&wanted) || usages.contains(&ANY_EXTENDED_KEY_USAGE) {
        return Ok(());
    }
    Err(PathFault::WrongUsage(format!("{}: its extKeyUsage lacks that", name_of(&wanted))))
}
