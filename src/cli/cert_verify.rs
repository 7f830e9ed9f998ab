//! `sealpost cert verify`: would we believe this certificate, and why (not)?

use super::context::Context;
use super::failure::{Code, Failure};
use super::filter;
use super::output::{Output, Table, warn};
use super::words::{self, day};
use crate::config::TrustBundle;
use crate::engine::Clock;
use crate::mail::Address;
use crate::pki::path::{
    Explicit, Leave, ListOrigin, PathCheck, PathFailure, PathValidator, PolicyCheck, RevocationSources,
    Rfc5280, ValidPath,
};
use crate::pki::validated;
use crate::pki::{
    Certificate, Crl, MINIMUM_RSA_BITS, RevocationPolicy, RevocationStatus, SealingCheck, Unfit,
    ValidatedCertificate,
};
use crate::system::SystemClock;
use clap::ValueEnum;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::ID_KP_EMAIL_PROTECTION;
use serde_json::{Value, json};
use std::path::PathBuf;
use time::OffsetDateTime;

/// Check a certificate, and the path to an authority that is trusted
///
/// Exits with 0 if it is valid and with 1 if it is not, and says why: the path that was found, or the nearest failure. It needs no
/// store. Files are PEM or DER; `-` is standard input.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost cert verify anna.pem
  sealpost cert verify --trust root.pem --untrusted chain.pem --crl root.crl --address anna@north.example anna.pem
  sealpost cert verify --at 2027-03-01 --crl-policy hard --crl today.crl --json anna.pem")]
pub(super) struct Verify {
    /// The certificate; those that follow it in the file may stand in its path
    #[arg(value_name = "CERT")]
    certificate: PathBuf,
    /// Trust the certificates of this file, and no others; repeat it for several. Without it: the authorities of the operating
    /// system
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
    /// Certificates that may stand in the path; repeat it for several
    #[arg(long, value_name = "FILE")]
    untrusted: Vec<PathBuf>,
    /// Revocation lists: complete, delta, indirect; repeat it for several
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// What if the revocation lists that are needed are missing, too old, or not understood: soft warns, hard refuses
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = CrlPolicy::Soft)]
    crl_policy: CrlPolicy,
    /// The moment of the check: 2027-03-01, or 2027-03-01T08:00:00Z; without it: now
    #[arg(long, value_name = "TIME", value_parser = super::moment::moment)]
    at: Option<OffsetDateTime>,
    /// What it is to be used for: encrypt wants what sealing mail to it wants
    #[arg(long, value_name = "PURPOSE", value_enum, default_value_t = Purpose::Encrypt)]
    purpose: Purpose,
    /// It must name this mail address
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    address: Option<Address>,
    /// A certificate policy that is accepted, by its numbers; repeat it for several. Without it: any
    #[arg(long, value_name = "OID", value_parser = policy)]
    policy: Vec<ObjectIdentifier>,
    /// A valid policy is required, whatever the certificates say
    #[arg(long)]
    explicit_policy: bool,
    /// No authority may call the policy of another one its own
    #[arg(long)]
    inhibit_mapping: bool,
    /// anyPolicy stands for no policy
    #[arg(long)]
    inhibit_any: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Purpose {
    Encrypt,
    Any,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CrlPolicy {
    Soft,
    Hard,
}

fn policy(text: &str) -> Result<ObjectIdentifier, String> {
    ObjectIdentifier::new(text).map_err(|_| "a policy is written in numbers, as 2.16.840.1.101".to_owned())
}

/// What is read before anything is checked.
struct Given {
    target: Certificate,
    anchors: Vec<Certificate>,
    untrusted: Vec<Certificate>,
    crls: Vec<Crl>,
    policies: PolicyCheck,
    at: OffsetDateTime,
}

impl Verify {
    pub(super) fn run(self, _context: &Context, out: &mut Output) -> Result<(), Failure> {
        let given = self.read()?;
        let reasons = self.own_faults(&given);
        match (Rfc5280::default().validate(&given.target, &self.check(&given)), reasons.is_empty()) {
            (Ok(path), true) => show(out, &path),
            (Ok(path), false) => refuse(out, &given.target, &path.certificates, reasons),
            // Told already, each with its own reason.
            (Err(failure), false) if failure.is_about_the_target() => {
                refuse(out, &given.target, &failure.path, reasons)
            }
            (Err(failure), _) => {
                let mut all = reasons;
                let more: Vec<String> = told(&failure).into_iter().filter(|one| !all.contains(one)).collect();
                all.extend(more);
                refuse(out, &given.target, &failure.path, all)
            }
        }
    }

    fn read(&self) -> Result<Given, Failure> {
        let (target, others) = filter::chain(&self.certificate)?;
        let mut untrusted = filter::certificates(&self.untrusted)?;
        untrusted.extend(others);
        let anchors = match self.trust.as_slice() {
            [] => TrustBundle::default().set()?.certificates.to_vec(),
            files => filter::certificates(files)?,
        };
        Ok(Given {
            target,
            anchors,
            untrusted,
            crls: filter::crls(&self.crl)?,
            policies: self.policies(),
            at: self.at.unwrap_or_else(|| SystemClock.now()),
        })
    }

    fn policies(&self) -> PolicyCheck {
        let leave = |inhibited| if inhibited { Leave::Inhibited } else { Leave::Allowed };
        PolicyCheck {
            acceptable: self.policy.clone(),
            explicit: if self.explicit_policy { Explicit::Required } else { Explicit::AsCertificatesSay },
            mapping: leave(self.inhibit_mapping),
            any: leave(self.inhibit_any),
        }
    }

    fn check<'a>(&self, given: &'a Given) -> PathCheck<'a> {
        let policy = match self.crl_policy {
            CrlPolicy::Soft => RevocationPolicy::Soft,
            CrlPolicy::Hard => RevocationPolicy::Hard,
        };
        PathCheck {
            anchors: &given.anchors,
            intermediates: &given.untrusted,
            at: given.at,
            usage: (self.purpose == Purpose::Encrypt).then_some(ID_KP_EMAIL_PROTECTION),
            policies: &given.policies,
            revocation: RevocationSources {
                crls: &given.crls,
                at: given.at,
                policy,
                origin: ListOrigin::Anywhere,
            },
        }
    }

    /// What is wrong with the certificate whoever issued it.
    fn own_faults(&self, given: &Given) -> Vec<String> {
        let addresses = self.address.as_slice();
        if self.purpose == Purpose::Any {
            return validated::wrong_address(&given.target, addresses).iter().map(Unfit::to_string).collect();
        }
        let check = SealingCheck::by_itself(addresses, given.at, MINIMUM_RSA_BITS);
        words::texts(ValidatedCertificate::for_sealing(&given.target, &check).err().unwrap_or_default())
    }
}

/// Every fault of the path, in the words of its messages.
fn told(failure: &PathFailure) -> Vec<String> {
    words::texts(&failure.faults)
}

/// The path, from the certificate to the one that is trusted.
fn show(out: &mut Output, path: &ValidPath) -> Result<(), Failure> {
    let mut table = Table::new(&["certificate", "ends", "state", "revocation"], "");
    let last = path.certificates.len().saturating_sub(1);
    let standings = path.revocation.iter().map(Some).chain(std::iter::repeat(None));
    let rows = path.certificates.iter().zip(standings).enumerate();
    let mut layouts = Vec::new();
    for (at, (one, standing)) in rows {
        let standing = standing.map_or("not asked", standing_in_words);
        let trusted = if at == last { "trusted" } else { "valid" };
        table.row([one.subject(), day(one.not_after()), trusted.to_owned(), standing.to_owned()]);
        layouts.push(layout(one, at == last, standing));
    }
    out.table(&table)?;
    if !path.policies.is_empty() {
        out.line(format!("valid for the certificate policies {}", words::joined(&path.policies)))?;
    }
    if !out.is_json() {
        path.warnings.iter().for_each(|warning| warn(warning));
    }
    out.json(json!({
        "valid": true, "path": layouts, "policies": words::texts(&path.policies), "warnings": path.warnings,
        "reasons": [],
    }))
}

fn standing_in_words(status: &RevocationStatus) -> &'static str {
    match status {
        RevocationStatus::Good => "not revoked",
        RevocationStatus::NoList => "no list",
        _ => "not known",
    }
}

fn layout(one: &Certificate, trusted: bool, revocation: &str) -> Value {
    json!({
        "subject": one.subject(), "fingerprint": one.fingerprint().to_string(),
        "not_after": day(one.not_after()), "trusted": trusted, "revocation": revocation,
    })
}

/// Exit code 1, with every reason.
fn refuse(
    out: &mut Output,
    target: &Certificate,
    path: &[Certificate],
    reasons: Vec<String>,
) -> Result<(), Failure> {
    let layouts: Vec<Value> = path.iter().map(|one| layout(one, false, "not asked")).collect();
    out.json(json!({ "valid": false, "path": layouts, "policies": [], "warnings": [], "reasons": reasons }))?;
    let text = format!("{} is not valid: {}", target.subject(), reasons.join("; "));
    let failure = Failure::new(Code::No, text);
    Err(match path {
        [] | [_] => failure,
        found => {
            let subjects: Vec<String> = found.iter().map(Certificate::subject).collect();
            failure.hint(format!("the path that came nearest: {}", subjects.join(", issued by ")))
        }
    })
}
