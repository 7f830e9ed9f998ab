//! `sealpost key … --domain`

use super::context::Context;
use super::failure::{Code, Failure};
use super::output::Output;
use super::words::{counted, day, short};
use super::{filter, key, keyring, orphans};
use crate::crypto::SecretBytes;
use crate::directory::{AdminError, RetiredAuthority, SqliteDirectory};
use crate::pki::{Certificate, Fingerprint, KeyType, PublicKey, UnlockedKey, read_domain_key};
use serde_json::json;
use std::path::Path;

/// Makes the key of a domain that has none.
pub(super) fn generate(
    context: &Context,
    out: &mut Output,
    name: &str,
    kind: KeyType,
) -> Result<(), Failure> {
    require_signing_type(kind)?;
    let directory = context.directory()?;
    refuse_second_key(&directory, name)?;
    let key = key::generate(kind, out)?;
    store(&directory, out, name, &key)
}

/// Before seconds are spent on making one.
fn refuse_second_key(directory: &SqliteDirectory, domain: &str) -> Result<(), Failure> {
    match directory.domain_key(domain)? {
        Some(key) => {
            let fingerprint = key.fingerprint;
            let refused = AdminError::KeyExists { domain: domain.to_owned(), fingerprint };
            let hint = format!("or let another one take its place: sealpost key rotate --domain {domain}");
            Err(Failure::from(refused).hint(hint))
        }
        None => Ok(()),
    }
}

/// Takes the key of a domain from a file. The password is that of a PKCS#12 file.
pub(super) fn import(
    context: &Context,
    out: &mut Output,
    name: &str,
    file: &Path,
    password: Option<&SecretBytes>,
) -> Result<(), Failure> {
    let key = filter::unlock(file, read_domain_key, password, "--file-password-file FILE")?;
    store(&context.directory()?, out, name, &key)
}

fn store(
    directory: &SqliteDirectory,
    out: &mut Output,
    domain: &str,
    key: &UnlockedKey,
) -> Result<(), Failure> {
    require_signer(&key.public())?;
    let fingerprint = key.fingerprint()?;
    directory.set_domain_key(domain, fingerprint, &key.to_pkcs8()?)?;
    out.line(format!("{} key {fingerprint} stored for {domain}", key.public()))?;
    out.json(
        json!({"domain": domain, "fingerprint": fingerprint.to_string(), "type": key.public().to_string()}),
    )
}

/// A domain signs with its key.
fn require_signer(key: &PublicKey) -> Result<(), Failure> {
    if key.signs() { Ok(()) } else { Err(cannot_sign(&key.to_string())) }
}

/// The same before seconds are spent on making one.
pub(super) fn require_signing_type(kind: KeyType) -> Result<(), Failure> {
    if kind.signs() { Ok(()) } else { Err(cannot_sign(kind.words())) }
}

fn cannot_sign(kind: &str) -> Failure {
    let text = format!(
        "a key of the kind {kind} cannot sign, and the key of a domain signs the certificates of its accounts"
    );
    Failure::new(Code::No, text).hint("for an account it is fit: --account ADDRESS")
}

/// Shows that the key does its work.
pub(super) fn test(context: &Context, name: &str) -> Result<Fingerprint, Failure> {
    let key = keyring::domain_key(&context.directory_for_reading()?, name)?;
    key.test()?;
    Ok(key.fingerprint()?)
}

/// Every key of a domain with its kind and its state, today's first.
pub(super) fn list(directory: &SqliteDirectory, name: &str) -> Result<Vec<key::Row>, Failure> {
    let mut rows = Vec::new();
    if let Some(key) = directory.domain_key(name)? {
        let kind = UnlockedKey::from_pkcs8(key.pkcs8.expose())?.public().to_string();
        rows.push((kind, key.fingerprint, "active".to_owned(), day(key.created)));
    }
    // The last certificate of a key to be kept was so when the key was replaced.
    let mut retired = directory.retired_keys(name)?;
    retired.sort_by_key(|one| std::cmp::Reverse(one.retired));
    for RetiredAuthority { fingerprint, certificate, retired, .. } in retired {
        if !rows.iter().any(|(_, known, ..)| *known == fingerprint) {
            let state = format!("retired on {}", day(retired));
            rows.push((certificate.key_description(), fingerprint, state, "-".to_owned()));
        }
    }
    Ok(rows)
}

/// Forgets keys of a domain: today's with its certificates, a replaced one with what it issued.
pub(super) fn forget(
    directory: &SqliteDirectory,
    out: &mut Output,
    name: &str,
    forgotten: &[Fingerprint],
) -> Result<(), Failure> {
    let active = directory.domain_key(name)?.map(|key| key.fingerprint);
    for key in forgotten {
        let valid = issued_by(directory, name, *key)?;
        if Some(*key) == active {
            directory.remove_domain_key(name, forgotten)?;
            out.line(format!("key {key} of {name} removed, and its certificates with it"))?;
        } else {
            directory.remove_retired_authority(name, *key)?;
            out.line(format!("key {key} of {name} removed: what it issued chains to nothing any more"))?;
        }
        if valid > 0 {
            let number = counted(valid, "certificate");
            out.line(format!(
                "still valid of what it issued: {number}: sealpost cert issued --domain {name}"
            ))?;
        }
    }
    Ok(())
}

/// Certificates that the key issued, and that are valid.
fn issued_by(directory: &SqliteDirectory, name: &str, key: Fingerprint) -> Result<usize, Failure> {
    let retired = directory.retired_authorities(name)?.into_iter().map(|one| one.certificate);
    let held = directory.domain_certificates(name)?.into_iter().map(|held| held.certificate);
    let mut own: Vec<Certificate> = retired.chain(held).collect();
    own.retain(|one| one.may_sign_certificates() && one.key_fingerprint().is_ok_and(|of| of == key));
    let signed = |one: &Certificate| own.iter().any(|authority| one.is_signed_by(authority));
    Ok(orphans::living(directory, name)?.iter().filter(|issued| signed(&issued.certificate)).count())
}

/// For whoever must say which of the keys is lost: a line each, with its state; nothing where there is one that issued nothing.
pub(super) fn states(directory: &SqliteDirectory, name: &str) -> Result<String, Failure> {
    let rows = list(directory, name)?;
    let (mut lines, mut valid) = (String::new(), 0);
    for (kind, key, state, _) in &rows {
        let issued = issued_by(directory, name, *key)?;
        let number = counted(issued, "valid certificate");
        lines += &format!("{} {state}, {kind}: issued {number}\n", short(key));
        valid += issued;
    }
    if valid > 0 {
        lines += &format!(
            "to take certificates back first: sealpost cert revoke --domain {name} --serial SERIAL --reason \
             affiliation-changed (see sealpost cert issued --domain {name})\n"
        );
    }
    Ok(if rows.len() > 1 || valid > 0 { lines } else { String::new() })
}

/// Every key of a domain, today's first, each once.
pub(super) fn keys(directory: &SqliteDirectory, name: &str) -> Result<Vec<Fingerprint>, Failure> {
    let active = directory.domain_key(name)?.map(|key| key.fingerprint);
    let mut keys: Vec<Fingerprint> = active.into_iter().collect();
    for retired in directory.retired_keys(name)? {
        if !keys.contains(&retired.fingerprint) {
            keys.push(retired.fingerprint);
        }
    }
    Ok(keys)
}
