//! What the certificates of a domain are for: which of them issues, the chain above, and the authorities that were replaced.

use super::failure::Failure;
use super::output::{Output, Table};
use super::words::{day, short};
use crate::directory::{CertificateUse, DomainCertificate, RetiredAuthority, SqliteDirectory};
use crate::engine::{Choice, Clock, Domain, DomainMode};
use crate::pki::Certificate;
use crate::system::SystemClock;
use serde_json::{Value, json};

/// The special S/MIME certificate, or else the generic one.
pub(super) fn issuer(held: &[DomainCertificate]) -> Option<&DomainCertificate> {
    let issuing = held.iter().filter(|held| held.purpose != CertificateUse::Sealing);
    issuing.min_by_key(|held| held.purpose != CertificateUse::Smime)
}

/// What one of the certificates does, in words; and whether it issues.
pub(super) fn role(one: &DomainCertificate, all: &[DomainCertificate], mode: DomainMode) -> (String, bool) {
    let is_issuer = issuer(all).is_some_and(|issuer| issuer.purpose == one.purpose);
    let words = if one.purpose == CertificateUse::Sealing {
        "mail is sealed to it where the key of the domain stands in for an account".to_owned()
    } else if !is_issuer {
        "TLS; the S/MIME certificate issues those of the accounts".to_owned()
    } else if !one.certificate.may_sign_certificates() {
        "TLS; it may not sign the certificates of the accounts".to_owned()
    } else if mode != DomainMode::Enabled {
        format!("issues nothing while the mode of the domain is {}", mode.name())
    } else {
        return ("issues the certificates of the accounts".to_owned(), true);
    };
    (words, false)
}

/// What is wrong where a link of a chain does not hold: each certificate must be signed by the next one, and the last is a root.
pub(super) fn broken_links(domain: Option<&Certificate>, chain: &[Certificate]) -> Vec<String> {
    let lower = domain.map(|one| ("the domain's certificate".to_owned(), one));
    let all: Vec<(String, &Certificate)> = lower.into_iter().chain(numbered(chain)).collect();
    let mut broken = Vec::new();
    for ((name, one), (next, issuer)) in all.iter().zip(all.iter().skip(1)) {
        if !one.is_signed_by(issuer) {
            broken.push(format!("{name} ({}) is not signed by {next} ({})", one.subject(), issuer.subject()));
        } else if !issuer.may_sign_certificates() {
            broken.push(format!("{next} ({}) may not sign certificates", issuer.subject()));
        }
    }
    if let Some((name, last)) = numbered(chain).last()
        && !last.is_signed_by(last)
    {
        let (subject, issuer) = (last.subject(), last.issuer());
        broken.push(format!("{name} ({subject}) is the last and no root: its issuer {issuer} is missing"));
    }
    broken
}

fn numbered(chain: &[Certificate]) -> impl Iterator<Item = (String, &Certificate)> {
    (1..).zip(chain).map(|(number, one)| (format!("certificate {number}"), one))
}

/// The chain that is stored, as far as it is no longer that of the domain's certificate.
pub(super) fn chain_warnings(directory: &SqliteDirectory, domain: &str) -> Result<Vec<String>, Failure> {
    let chain = directory.chain(domain)?;
    if chain.is_empty() {
        return Ok(Vec::new());
    }
    let held = directory.domain_certificates(domain)?;
    let broken = broken_links(below(&held, &chain), &chain);
    Ok(broken.into_iter().map(|link| format!("the chain of {domain} does not hold: {link}")).collect())
}

/// The certificate that the chain stands above: the one that its first signed, or else the one that others see first.
pub(super) fn below<'a>(held: &'a [DomainCertificate], chain: &[Certificate]) -> Option<&'a Certificate> {
    let signed =
        |held: &&DomainCertificate| chain.first().is_some_and(|first| held.certificate.is_signed_by(first));
    let first = || {
        held.iter()
            .filter(|held| held.purpose != CertificateUse::Sealing)
            .min_by_key(|held| held.purpose != CertificateUse::Generic)
    };
    held.iter().find(signed).or_else(first).map(|held| &held.certificate)
}

/// What goes along with certificates of an account: the authorities of its domain that issued them, those of today or before,
/// and as much of the chain as stands above one of those.
pub(super) fn above(domain: &Domain, certificates: &[Certificate]) -> Vec<Certificate> {
    let own = domain.authorities.iter().chain(&domain.trust.retired);
    let issued = |issuer: &&Certificate| certificates.iter().any(|one| one.is_signed_by(issuer));
    let mut above: Vec<Certificate> = own.filter(issued).cloned().collect();
    let mut goes_on = true;
    for one in &domain.trust.chain {
        goes_on &=
            !above.contains(one) && above.iter().chain(certificates).any(|lower| lower.is_signed_by(one));
        above.extend(goes_on.then(|| one.clone()));
    }
    above
}

/// The authorities that were replaced, for a person.
pub(super) fn print_retired(out: &mut Output, retired: &[RetiredAuthority]) -> Result<(), Failure> {
    let mut table = Table::new(&["replaced authority", "key", "on", "valid until"], "");
    for one in retired {
        let (subject, key) = (one.certificate.subject(), short(one.fingerprint));
        table.row([subject, key, day(one.retired), end(&one.certificate)]);
    }
    out.table(&table)?;
    if retired.is_empty() { Ok(()) } else { out.line("") }
}

/// The day of its end, or that it has come.
fn end(certificate: &Certificate) -> String {
    let last = day(certificate.not_after());
    if certificate.not_after() < SystemClock.now() { format!("{last}, has ended") } else { last }
}

/// The same for programs.
pub(super) fn retired_json(retired: &[RetiredAuthority]) -> Vec<Value> {
    let row = |one: &RetiredAuthority| {
        json!({
            "key_fingerprint": one.fingerprint.to_string(),
            "fingerprint": one.certificate.fingerprint().to_string(),
            "subject": one.certificate.subject(),
            "retired": day(one.retired),
            "not_after": day(one.certificate.not_after()),
        })
    };
    retired.iter().map(row).collect()
}

/// For one line of a table: how many, and when the last of them ends.
pub(super) fn retired_words(retired: &[Certificate]) -> String {
    match retired.iter().map(Certificate::not_after).max() {
        None => String::new(),
        Some(last) => format!("{}, the last until {}", retired.len(), day(last)),
    }
}
