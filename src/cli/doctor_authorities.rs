//! What the doctor says of authorities: chains, trusted sets, authorities that were replaced, and the built-in set.

use super::authority::chain_warnings;
use super::failure::Failure;
use super::words::{day, short};
use crate::config::Config;
use crate::directory::{SqliteDirectory, TrustHolder};
use crate::engine::{Domain, Trust};
use crate::pki::Certificate;
use time::OffsetDateTime;

/// What it is about, and what is wrong.
type Finding = (String, String);

/// All that is wrong.
pub(super) fn findings(
    directory: &SqliteDirectory,
    config: &Config,
    domains: &[Domain],
    now: OffsetDateTime,
) -> Result<Vec<Finding>, Failure> {
    let mut found = Vec::new();
    found.extend(bundle(config));
    found.extend(ended(&TrustHolder::Server, "--server", directory, now)?);
    for domain in domains {
        let name = &domain.name;
        found.extend(chain_warnings(directory, name)?.into_iter().map(|text| (name.clone(), text)));
        found.extend(chain(domain, now));
        found.extend(replaced(directory, name, now)?);
        let option = format!("--domain {name}");
        found.extend(ended(&TrustHolder::Domain(name.clone()), &option, directory, now)?);
    }
    Ok(found)
}

/// The built-in set, where something asks for it.
pub(super) fn bundle(config: &Config) -> Option<Finding> {
    let is_asked = config.settings.trust == Trust::Chain || config.trust_bundle.is_named();
    let error = config.trust_bundle.set().err().filter(|_| is_asked)?;
    Some(("configuration".to_owned(), error.to_string()))
}

fn chain(domain: &Domain, now: OffsetDateTime) -> impl Iterator<Item = Finding> {
    let ended = domain.trust.chain.iter().filter(move |one| one.not_after() < now);
    ended.map(|one| {
        (domain.name.clone(), format!("{} of its chain ended on {}", one.subject(), day(one.not_after())))
    })
}

fn replaced(directory: &SqliteDirectory, name: &str, now: OffsetDateTime) -> Result<Vec<Finding>, Failure> {
    let retired = directory.retired_authorities(name)?.into_iter();
    let ended = retired.filter(|one| one.certificate.not_after() < now).map(|one| {
        let (subject, end, key) = (one.certificate.subject(), day(one.certificate.not_after()), short(one.fingerprint));
        let text = format!(
            "its replaced authority {subject} ended on {end} and is needed no more: sealpost key remove --domain {name} --forget {key}"
        );
        (name.to_owned(), text)
    });
    Ok(ended.collect())
}

fn ended(
    holder: &TrustHolder,
    option: &str,
    directory: &SqliteDirectory,
    now: OffsetDateTime,
) -> Result<Vec<Finding>, Failure> {
    let held = directory.trusted(holder)?.into_iter().map(|held| held.certificate);
    let text = |one: Certificate| {
        let (subject, end, print) = (one.subject(), day(one.not_after()), short(one.fingerprint()));
        format!("it trusts {subject}, which ended on {end}: sealpost trust remove {print} {option}")
    };
    let ended = held.filter(|one| one.not_after() < now);
    Ok(ended.map(|one| (holder.to_string(), text(one))).collect())
}
