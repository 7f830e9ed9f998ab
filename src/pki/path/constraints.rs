//! Name constraints (RFC 5280 4.2.1.10, RFC 9598 6): for which names an authority may issue.
//!
//! Whatever cannot be understood, a constraint or a name that a constraint speaks of, is refused: a constraint that is
//! let pass unread is none.

mod hosts;
mod mailbox;

use super::super::Certificate;
use super::super::certificate::SMTP_UTF8_MAILBOX;
use super::distinguished::CanonicalName;
use super::failure::PathFault;
use super::limits::Budget;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc3280::EMAIL_ADDRESS;
use der::asn1::Utf8StringRef;
use std::collections::BTreeMap;
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{NameConstraints, SubjectAltName};

/// A constraint or a name that cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Does the constraint say yes?
type Match = Result<bool, Unreadable>;

/// Permitted or excluded: where the two meanings of a name differ, the one that refuses is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Permitted,
    Excluded,
}

/// The form of a name. A constraint speaks of names of its own form only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Directory,
    Mailbox,
    Dns,
    Uri,
    Ip,
    EdiParty,
    Registered,
    Other(ObjectIdentifier),
}

/// A constraint or a name in the form in which it is compared.
enum Part {
    Directory(CanonicalName, String),
    Mailbox(String),
    Other(GeneralName),
}

impl Part {
    /// A name that stands in a certificate. A SmtpUTF8Mailbox is a mailbox like any other.
    fn name(name: GeneralName) -> Part {
        match name {
            GeneralName::OtherName(other) if other.type_id == SMTP_UTF8_MAILBOX => {
                let address = other.value.decode_as::<Utf8StringRef<'_>>();
                Part::Mailbox(address.map(|address| address.as_str().to_owned()).unwrap_or_default())
            }
            other => Part::constraint(other),
        }
    }

    /// What a constraint speaks of.
    fn constraint(name: GeneralName) -> Part {
        match name {
            GeneralName::DirectoryName(name) => Part::Directory(CanonicalName::of(&name), name.to_string()),
            GeneralName::Rfc822Name(address) => Part::Mailbox(address.to_string()),
            other => Part::Other(other),
        }
    }

    fn form(&self) -> Form {
        match self {
            Part::Directory(..) | Part::Other(GeneralName::DirectoryName(_)) => Form::Directory,
            Part::Mailbox(_) | Part::Other(GeneralName::Rfc822Name(_)) => Form::Mailbox,
            Part::Other(GeneralName::DnsName(_)) => Form::Dns,
            Part::Other(GeneralName::UniformResourceIdentifier(_)) => Form::Uri,
            Part::Other(GeneralName::IpAddress(_)) => Form::Ip,
            Part::Other(GeneralName::EdiPartyName(_)) => Form::EdiParty,
            Part::Other(GeneralName::RegisteredId(_)) => Form::Registered,
            Part::Other(GeneralName::OtherName(other)) => Form::Other(other.type_id),
        }
    }
}

/// The constraints of one authority, by their form.
pub(super) struct Constraints {
    authority: String,
    permitted: BTreeMap<Form, Vec<Part>>,
    excluded: BTreeMap<Form, Vec<Part>>,
}

impl Constraints {
    /// Those of the certificate, if it has any.
    pub(super) fn of(authority: &Certificate) -> Result<Option<Constraints>, PathFault> {
        let Some((_, found)) = authority.extension::<NameConstraints>()? else { return Ok(None) };
        Ok(Some(Constraints {
            authority: authority.subject(),
            permitted: subtrees(found.permitted_subtrees.unwrap_or_default())?,
            excluded: subtrees(found.excluded_subtrees.unwrap_or_default())?,
        }))
    }

    /// A name is refused if it is excluded, or if some names of its form are permitted and it is none of them.
    fn allow(&self, name: &Part, budget: &mut Budget) -> Result<Match, PathFault> {
        let form = name.form();
        // RFC 9598 6: mailboxes are constrained by rfc822Name, and by nothing that is of their own form only.
        let own = Form::Other(SMTP_UTF8_MAILBOX);
        if form == Form::Mailbox && (self.permitted.contains_key(&own) || self.excluded.contains_key(&own)) {
            return Ok(Err(Unreadable));
        }
        let excluded = self.excluded.get(&form).map_or(&[][..], Vec::as_slice);
        let permitted = self.permitted.get(&form).map(Vec::as_slice);
        budget.comparisons(excluded.len() + permitted.unwrap_or_default().len())?;
        Ok(allowed(name, permitted, excluded))
    }
}

fn allowed(name: &Part, permitted: Option<&[Part]>, excluded: &[Part]) -> Match {
    for constraint in excluded {
        if matches(constraint, name, Side::Excluded)? {
            return Ok(false);
        }
    }
    let Some(permitted) = permitted else { return Ok(true) };
    for constraint in permitted {
        if matches(constraint, name, Side::Permitted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// May all of them issue for the names of this certificate?
pub(super) fn check(
    certificate: &Certificate,
    above: &[Constraints],
    budget: &mut Budget,
) -> Result<(), PathFault> {
    if above.is_empty() {
        return Ok(());
    }
    let names = names(certificate)?;
    for constraints in above {
        for name in &names {
            if constraints.allow(name, budget)? != Ok(true) {
                let authority = constraints.authority.clone();
                return Err(PathFault::NameConstraint { name: describe(name), authority });
            }
        }
    }
    Ok(())
}

/// RFC 5280 4.2.1.10: minimum is zero and maximum absent.
fn subtrees(found: Vec<GeneralSubtree>) -> Result<BTreeMap<Form, Vec<Part>>, PathFault> {
    let mut by_form: BTreeMap<Form, Vec<Part>> = BTreeMap::new();
    for GeneralSubtree { base, minimum, maximum } in found {
        if minimum != 0 || maximum.is_some() {
            let why = "its nameConstraints count levels, which RFC 5280 forbids";
            return Err(PathFault::Broken(why.to_owned()));
        }
        let constraint = Part::constraint(base);
        by_form.entry(constraint.form()).or_default().push(constraint);
    }
    Ok(by_form)
}

/// Every name: the subject, what stands in subjectAltName, and emailAddress of the subject where there is none.
fn names(certificate: &Certificate) -> Result<Vec<Part>, PathFault> {
    let subject = certificate.parsed().tbs_certificate().subject();
    let mut names = Vec::new();
    if !subject.is_empty() {
        names.push(Part::Directory(CanonicalName::of(subject), subject.to_string()));
    }
    if let Some((_, found)) = certificate.extension::<SubjectAltName>()? {
        names.extend(found.0.into_iter().map(Part::name));
        return Ok(names);
    }
    let addresses = subject.iter().filter(|one| one.oid == EMAIL_ADDRESS);
    names.extend(addresses.map(|one| Part::Mailbox(String::from_utf8_lossy(one.value.value()).into_owned())));
    Ok(names)
}

/// Both are of one form.
fn matches(constraint: &Part, name: &Part, side: Side) -> Match {
    use GeneralName::{DnsName, IpAddress, UniformResourceIdentifier};
    match (constraint, name) {
        (Part::Directory(above, _), Part::Directory(name, _)) => Ok(name.is_within(above)),
        (Part::Mailbox(above), Part::Mailbox(name)) => mailbox::matches(above, name, side),
        (Part::Other(DnsName(above)), Part::Other(DnsName(name))) => {
            hosts::dns(above.as_str(), name.as_str(), side)
        }
        (Part::Other(IpAddress(above)), Part::Other(IpAddress(name))) => {
            hosts::ip(above.as_bytes(), name.as_bytes())
        }
        (Part::Other(UniformResourceIdentifier(above)), Part::Other(UniformResourceIdentifier(name))) => {
            hosts::uri(above.as_str(), name.as_str())
        }
        // RFC 5280 says of no other form how it is compared.
        _ => Err(Unreadable),
    }
}

fn describe(name: &Part) -> String {
    match name {
        Part::Directory(_, text) => text.clone(),
        Part::Mailbox(text) if text.is_empty() => "a mail address that is broken".to_owned(),
        Part::Mailbox(text) => text.clone(),
        Part::Other(GeneralName::DnsName(text) | GeneralName::UniformResourceIdentifier(text)) => {
            text.to_string()
        }
        Part::Other(GeneralName::IpAddress(_)) => "an IP address".to_owned(),
        Part::Other(_) => "a name of a kind that is not known".to_owned(),
    }
}
