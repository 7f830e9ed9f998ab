//! A certificate as people and programs are shown it.

use super::failure::Failure;
use super::output::{Output, Table, with};
use super::words::day;
use crate::pki::Certificate;
use const_oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_EMAIL_PROTECTION, ID_KP_SERVER_AUTH};
use serde_json::{Value, json};

/// Every field that a person asks for, with the certificate's place in the directory in front.
pub(super) fn print(
    out: &mut Output,
    place: &[(&'static str, String)],
    one: &Certificate,
) -> Result<(), Failure> {
    // That of an account names mailboxes, that of a domain names hosts, and few name both.
    let (addresses, hosts) = (one.addresses(), one.dns_names());
    let names = [("addresses", addresses.join(" ")), ("DNS names", hosts.join(" "))];
    let names = names.into_iter().filter(|(_, names)| !names.is_empty());
    let fields = [
        ("subject", one.subject()),
        ("issuer", one.issuer()),
        ("serial", one.serial()),
        ("valid", format!("{} to {}", day(one.not_before()), day(one.not_after()))),
    ];
    let key = [
        ("key", one.key_description()),
        ("key fingerprint", one.key_fingerprint()?.to_string()),
        ("purposes", purposes(one).join(", ")),
    ];
    let certificate = [("certificate", one.fingerprint().to_string()), ("SHA-1", one.sha1_fingerprint())];
    let certificate = certificate.into_iter();
    out.table(&Table::fields(certificate.chain(place.iter().cloned()).chain(fields).chain(names).chain(key)))
}

/// The same for programs.
pub(super) fn layout(place: &[(&str, String)], one: &Certificate) -> Result<Value, Failure> {
    let value = json!({
        "fingerprint": one.fingerprint().to_string(),
        "fingerprint_sha1": one.sha1_fingerprint(),
        "subject": one.subject(),
        "issuer": one.issuer(),
        "serial": one.serial(),
        "not_before": day(one.not_before()),
        "not_after": day(one.not_after()),
        "addresses": one.addresses(),
        "dns_names": one.dns_names(),
        "key": one.key_description(),
        "key_fingerprint": one.key_fingerprint()?.to_string(),
        "purposes": purposes(one),
        "pem": one.to_pem()?,
    });
    Ok(with(value, place.iter().map(|(name, value)| (*name, value.as_str().into()))))
}

/// What basicConstraints, keyUsage and extKeyUsage allow.
fn purposes(one: &Certificate) -> Vec<&'static str> {
    let mut found = Vec::new();
    if one.basic_constraints().ok().flatten().is_some_and(|constraints| constraints.ca) {
        found.push("authority");
    }
    if let Ok(Some(usage)) = one.key_usage() {
        let bits = [
            (usage.key_cert_sign(), "sign certificates"),
            (usage.crl_sign(), "sign revocation lists"),
            (usage.digital_signature(), "sign"),
            (usage.key_encipherment() || usage.key_agreement(), "encrypt"),
        ];
        found.extend(bits.into_iter().filter(|(allowed, _)| *allowed).map(|(_, word)| word));
    }
    if let Ok(Some(usages)) = one.extended_key_usage() {
        let purposes = [
            (ID_KP_EMAIL_PROTECTION, "mail"),
            (ID_KP_SERVER_AUTH, "TLS server"),
            (ID_KP_CLIENT_AUTH, "TLS client"),
        ];
        found.extend(purposes.into_iter().filter(|(oid, _)| usages.contains(oid)).map(|(_, word)| word));
    }
    found
}
