//! `sealpost crl add`

use super::context::Context;
use super::crl::number;
use super::failure::{Code, Failure};
use super::output::Output;
use super::words::{self, counted, day};
use super::{filter, input};
use crate::config::Config;
use crate::directory::{ForeignCrl, SqliteDirectory};
use crate::engine::{Clock, Domain};
use crate::pki::{Certificate, Crl, Fingerprint};
use crate::system::SystemClock;
use serde_json::json;
use std::cmp::Ordering;
use std::path::PathBuf;

/// Keep a revocation list of another authority: what it takes back is sealed to no more
///
/// Its signature must hold under a certificate that is known here (of a trusted set, of a domain or its chain) or that
/// --issuer gives. A newer list takes the place of the older one of the same authority.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost crl add --file partner.crl --issuer partner-ca.pem
  curl -s http://crl.partner.example/ca.crl | sealpost crl add --file -")]
pub(super) struct Add {
    /// PEM or DER; `-` is standard input
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// The certificate of who signed it, PEM or DER
    #[arg(long, value_name = "FILE")]
    issuer: Option<PathBuf>,
}

impl Add {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let lists = filter::crls(std::slice::from_ref(&self.file))?;
        let given = filter::certificates(self.issuer.as_slice())?;
        let config = context.config()?;
        let directory = context.directory()?;
        let mut known = given;
        known.extend(known_authorities(&directory, &config)?);
        let mut rows = Vec::new();
        for crl in &lists {
            require_signature(crl, &known)?;
            let replaced = predecessors(crl, &directory.crls()?)?;
            let Some(replaced) = replaced else {
                out.line(format!("list {} of {} is here already", number(crl)?, crl.issuer()))?;
                continue;
            };
            directory.add_crl(crl, &input::name(&self.file), &replaced)?;
            tell(out, crl, &replaced)?;
            rows.push(json!({
                "fingerprint": crl.fingerprint().to_string(),
                "issuer": crl.issuer(),
                "number": number(crl)?,
                "replaced": words::texts(&replaced),
            }));
        }
        out.json(json!({"added": rows}))
    }
}

fn tell(out: &mut Output, crl: &Crl, replaced: &[Fingerprint]) -> Result<(), Failure> {
    let (number, issuer) = (number(crl)?, crl.issuer());
    out.line(format!(
        "list {number} of {issuer} is kept; it takes back {}",
        counted(crl.len(), "certificate")
    ))?;
    for old in replaced {
        out.line(format!("it takes the place of {old}"))?;
    }
    match crl.next_update() {
        Some(next) if next < SystemClock.now() => {
            out.line(format!("warning: the next one should have come by {}: fetch it", day(next)))
        }
        _ => Ok(()),
    }
}

/// Every authority that this site knows: those of its domains, their chains, and the trusted sets. The built-in set is asked
/// only if it is there.
fn known_authorities(directory: &SqliteDirectory, config: &Config) -> Result<Vec<Certificate>, Failure> {
    let mut known = Vec::new();
    for Domain { authorities, trust, .. } in directory.domains()? {
        known.extend(
            [authorities, trust.retired, trust.chain, trust.domain, trust.server].into_iter().flatten(),
        );
    }
    if let Ok(built_in) = config.trust_bundle.set() {
        known.extend_from_slice(&built_in.certificates);
    }
    Ok(known)
}

/// The signature holds under one of them that may sign lists.
fn require_signature(crl: &Crl, known: &[Certificate]) -> Result<(), Failure> {
    let named: Vec<&Certificate> = known.iter().filter(|one| one.subject() == crl.issuer()).collect();
    let signers: Vec<&&Certificate> = named.iter().filter(|one| crl.is_signed_by(one)).collect();
    let (number, issuer) = (number(crl)?, crl.issuer());
    match (named.first(), signers.first()) {
        (_, Some(_)) if signers.iter().any(|one| may_sign_lists(one)) => Ok(()),
        (_, Some(one)) => {
            let text = format!(
                "{issuer} may not sign revocation lists: the keyUsage of its certificate {} lacks cRLSign",
                one.fingerprint()
            );
            Err(Failure::new(Code::Data, text))
        }
        (Some(one), None) => {
            let text = format!(
                "the signature of list {number} of {issuer} does not hold under its certificate {}",
                one.fingerprint()
            );
            Err(Failure::new(Code::Data, text)
                .hint("it was changed, or signed with another key of the same name: --issuer FILE gives that certificate"))
        }
        (None, None) => {
            let text = format!("nobody here knows {issuer}, who signed list {number}");
            Err(Failure::new(Code::No, text)
                .hint("give its certificate: --issuer FILE; or trust it first: sealpost trust add"))
        }
    }
}

/// A certificate without keyUsage is not limited.
fn may_sign_lists(issuer: &Certificate) -> bool {
    issuer.key_usage().is_ok_and(|usage| usage.is_none_or(|usage| usage.crl_sign()))
}

/// The lists that it takes the place of, each older; nothing if it is here already.
fn predecessors(crl: &Crl, held: &[ForeignCrl]) -> Result<Option<Vec<Fingerprint>>, Failure> {
    if held.iter().any(|one| one.fingerprint == crl.fingerprint()) {
        return Ok(None);
    }
    let place = Place::of(crl)?;
    let mut replaced = Vec::new();
    for one in held {
        if Place::of(&one.crl)? != place {
            continue;
        }
        if age(&one.crl, crl)? != Ordering::Less {
            let text = format!(
                "list {} of {} of {} is not newer than list {} of {}, which is here",
                number(crl)?,
                day(crl.this_update()),
                crl.issuer(),
                number(&one.crl)?,
                day(one.crl.this_update())
            );
            return Err(Failure::new(Code::No, text).hint(format!(
                "to take it all the same: sealpost crl remove --fingerprint {}",
                words::short(one.fingerprint)
            )));
        }
        replaced.push(one.fingerprint);
    }
    Ok(Some(replaced))
}

/// What one list after the other speaks of.
#[derive(PartialEq)]
struct Place {
    issuer: String,
    key: Option<Vec<u8>>,
    /// The distribution point, as it is written down for us.
    point: String,
    is_delta: bool,
}

impl Place {
    fn of(crl: &Crl) -> Result<Place, Failure> {
        Ok(Place {
            issuer: crl.issuer(),
            key: crl.authority_key_id()?,
            point: format!("{:?}", crl.distribution_point()?),
            is_delta: crl.base_number()?.is_some(),
        })
    }
}

/// By number where both have one (RFC 5280 5.2.3), else by date.
fn age(one: &Crl, other: &Crl) -> Result<Ordering, Failure> {
    let (Some(first), Some(second)) = (one.number()?, other.number()?) else {
        return Ok(one.this_update().cmp(&other.this_update()));
    };
    Ok(first.len().cmp(&second.len()).then_with(|| first.cmp(&second)))
}
