//! `sealpost cert`

use super::cert_account::{Add, list, retire};
use super::cert_domain::{Request, SelfSign, Set, remove};
use super::cert_fetch::Fetch;
use super::cert_issue::IssueVerb;
use super::cert_issued::Issued;
use super::cert_pending::{Accept, Pending, Refuse};
use super::cert_renew::Renew;
use super::cert_revoke::{Release, Revoke};
use super::cert_show::Show;
use super::cert_verify::Verify;
use super::context::Context;
use super::failure::Failure;
use super::output::{Output, Table};
use super::words::{self, FingerprintPrefix, day};
use crate::directory::CertificateUse;
use crate::mail::Address;
use crate::pki::Certificate;
use const_oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_EMAIL_PROTECTION, ID_KP_SERVER_AUTH};
use serde_json::{Value, json};

/// Make, request, set, issue, renew, revoke, show and retire certificates
#[derive(clap::Args)]
pub(super) struct CertCommand {
    #[command(subcommand)]
    verb: CertVerb,
}

#[derive(clap::Subcommand)]
enum CertVerb {
    SelfSign(Box<SelfSign>),
    Request(Box<Request>),
    Set(Set),
    Show(Show),
    /// Remove a certificate of a domain; its key stays
    #[command(after_help = "Example:
  sealpost cert remove --domain north.example --purpose smime")]
    Remove {
        /// Whose
        #[arg(long, value_name = "NAME")]
        domain: String,
        /// Which one
        #[arg(long, value_parser = words::choice::<CertificateUse>(), default_value = "generic")]
        purpose: CertificateUse,
    },
    Add(Add),
    /// List the certificates of an account, the retired ones too
    #[command(after_help = "Example:
  sealpost cert list --account anna@north.example")]
    List {
        /// Whose
        #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
        account: Address,
    },
    /// Seal no more to a certificate; it is kept
    #[command(after_help = "Examples:
  sealpost cert retire --account anna@north.example
  sealpost cert retire --account anna@north.example --fingerprint eade47b097cd3af7")]
    Retire {
        /// Whose
        #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
        account: Address,
        /// Which one; not needed if only one is active
        #[arg(long, value_name = "FINGERPRINT")]
        fingerprint: Option<FingerprintPrefix>,
    },
    Fetch(Fetch),
    Pending(Pending),
    Accept(Accept),
    Refuse(Refuse),
    Issue(Box<IssueVerb>),
    Renew(Renew),
    Revoke(Revoke),
    Release(Release),
    Issued(Issued),
    Verify(Box<Verify>),
}

impl CertCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            CertVerb::SelfSign(verb) => verb.run(context, out),
            CertVerb::Request(verb) => verb.run(context, out),
            CertVerb::Set(verb) => verb.run(context, out),
            CertVerb::Show(verb) => verb.run(context, out),
            CertVerb::Remove { domain, purpose } => remove(context, out, &domain, purpose),
            CertVerb::Add(verb) => verb.run(context, out),
            CertVerb::List { account } => list(context, out, &account),
            CertVerb::Retire { account, fingerprint } => retire(context, out, &account, fingerprint.as_ref()),
            CertVerb::Fetch(verb) => verb.run(context, out),
            CertVerb::Pending(verb) => verb.run(context, out),
            CertVerb::Accept(verb) => verb.run(context, out),
            CertVerb::Refuse(verb) => verb.run(context, out),
            CertVerb::Issue(verb) => verb.run(context, out),
            CertVerb::Verify(verb) => verb.run(context, out),
            CertVerb::Renew(verb) => verb.run(context, out),
            CertVerb::Revoke(verb) => verb.run(context, out),
            CertVerb::Release(verb) => verb.run(context, out),
            CertVerb::Issued(verb) => verb.run(context, out),
        }
    }
}

/// Every field that a person asks for, with the certificate's place in the directory in front.
pub(super) fn print(
    out: &mut Output,
    place: &[(&'static str, String)],
    one: &Certificate,
) -> Result<(), Failure> {
    let fields = [
        ("subject", one.subject()),
        ("issuer", one.issuer()),
        ("serial", one.serial()),
        ("valid", format!("{} to {}", day(one.not_before()), day(one.not_after()))),
        ("addresses", one.addresses().join(" ")),
        ("key", one.key_description()),
        ("key fingerprint", one.key_fingerprint()?.to_string()),
        ("purposes", purposes(one).join(", ")),
    ];
    let certificate = [("certificate", one.fingerprint().to_string()), ("SHA-1", one.sha1_fingerprint())];
    let certificate = certificate.into_iter();
    out.table(&Table::fields(certificate.chain(place.iter().cloned()).chain(fields)))
}

/// The same for programs.
pub(super) fn layout(place: &[(&str, String)], one: &Certificate) -> Result<Value, Failure> {
    let mut value = json!({
        "fingerprint": one.fingerprint().to_string(),
        "fingerprint_sha1": one.sha1_fingerprint(),
        "subject": one.subject(),
        "issuer": one.issuer(),
        "serial": one.serial(),
        "not_before": day(one.not_before()),
        "not_after": day(one.not_after()),
        "addresses": one.addresses(),
        "key": one.key_description(),
        "key_fingerprint": one.key_fingerprint()?.to_string(),
        "purposes": purposes(one),
        "pem": one.to_pem()?,
    });
    if let Some(object) = value.as_object_mut() {
        let place = place.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())));
        object.extend(place);
    }
    Ok(value)
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
