//! Authorities that were replaced. What they issued stays valid, and they sign the revocation lists over it, until somebody
//! forgets their keys.

use super::certificates::{self, CertificateUse, DomainCertificate, read_der};
use super::words::{self, Hex, Moment};
use super::{AdminError, SqliteDirectory, domains, id, keys};
use crate::crypto::SecretBytes;
use crate::pki::{Certificate, Fingerprint};
use rusqlite::{Connection, params};
use time::OffsetDateTime;

/// A certificate that a domain issued with, and its key. One key with two such certificates is here twice.
pub struct RetiredAuthority {
    /// SHA-256 of the key's SubjectPublicKeyInfo.
    pub fingerprint: Fingerprint,
    /// PKCS#8 (DER), in the clear: the file is 0600.
    pub key: SecretBytes,
    /// What it issued with.
    pub certificate: Certificate,
    /// When another one took its place.
    pub retired: OffsetDateTime,
}

/// What takes the place of a domain's key.
pub struct Rotation<'a> {
    /// The key that is replaced: another one there by now is left alone.
    pub replaced: Fingerprint,
    /// SHA-256 of the new key's SubjectPublicKeyInfo.
    pub fingerprint: Fingerprint,
    /// The new key, PKCS#8 (DER).
    pub pkcs8: &'a SecretBytes,
    /// Certificates of the new key.
    pub certificates: &'a [(CertificateUse, Certificate)],
}

impl SqliteDirectory {
    /// The authorities of a domain that were replaced, the oldest first.
    pub fn retired_authorities(&self, domain: &str) -> Result<Vec<RetiredAuthority>, AdminError> {
        self.read(|at| {
            let retired = of_domain(at, &domains::known_id(at, domain)?)?;
            Ok(retired.into_iter().filter(|one| one.certificate.may_sign_certificates()).collect())
        })
    }

    /// What opens mail that was sealed to the keys of a domain before they were replaced: each with each certificate by
    /// which messages may name it.
    pub fn retired_keys(&self, domain: &str) -> Result<Vec<RetiredAuthority>, AdminError> {
        self.read(|at| of_domain(at, &domains::known_id(at, domain)?))
    }

    /// Gives a domain a new key and its certificates in the place of the ones before: all of it or nothing. The old key is
    /// kept with each of its certificates that may sign others.
    pub fn rotate_domain_key(&self, domain: &str, rotation: &Rotation<'_>) -> Result<(), AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            if keys::of_domain(at, &id)? != [rotation.replaced] {
                return Err(AdminError::KeyChanged { domain: domains::main_name(at, &id)? });
            }
            let held = certificates::of_domain(at, &id)?;
            for held in held.iter().filter(|held| is_kept(held)) {
                retire(at, &id, held)?;
            }
            keys::delete_of_domain(at, &id)?;
            keys::insert_of_domain(at, &id, rotation.fingerprint, rotation.pkcs8)?;
            for (purpose, certificate) in rotation.certificates {
                certificates::set_of_domain(at, &id, *purpose, certificate)?;
            }
            Ok(())
        })?;
        self.empty_log()
    }

    /// Forgets an authority that was replaced: its key and its certificates. What it issued chains to nothing then.
    pub fn remove_retired_authority(&self, domain: &str, key: Fingerprint) -> Result<(), AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            let sql = "DELETE FROM retired_authorities WHERE domain_id = ?1 AND fingerprint = ?2";
            match at.execute(sql, params![id, key.to_string()])? {
                0 => Err(AdminError::NoKey(domains::main_name(at, &id)?)),
                _ => Ok(()),
            }
        })?;
        self.empty_log()
    }
}

/// What signed others, and what mail was sealed to.
fn is_kept(held: &DomainCertificate) -> bool {
    held.purpose == CertificateUse::Sealing || held.certificate.may_sign_certificates()
}

fn retire(at: &Connection, id: &str, held: &DomainCertificate) -> Result<(), AdminError> {
    let sql = "INSERT INTO retired_authorities (id, domain_id, fingerprint, pkcs8, der, retired)
        SELECT ?2, domain_id, fingerprint, pkcs8, ?3, ?4 FROM domain_keys WHERE domain_id = ?1";
    at.execute(sql, params![id, id::fresh()?, held.certificate.der(), words::now()])?;
    Ok(())
}

pub(super) fn of_domain(at: &Connection, id: &str) -> Result<Vec<RetiredAuthority>, AdminError> {
    let sql =
        "SELECT der, fingerprint, pkcs8, retired FROM retired_authorities WHERE domain_id = ?1 ORDER BY id";
    let mut statement = at.prepare_cached(sql)?;
    let mut rows = statement.query([id])?;
    let mut retired = Vec::new();
    while let Some(row) = rows.next()? {
        retired.push(RetiredAuthority {
            certificate: read_der(row)?,
            fingerprint: row.get::<_, Hex>(1)?.0,
            key: SecretBytes::new(row.get(2)?),
            retired: row.get::<_, Moment>(3)?.0,
        });
    }
    Ok(retired)
}

/// The keys of a domain's replaced authorities, each once.
pub(super) fn keys_of_domain(at: &Connection, id: &str) -> Result<Vec<Fingerprint>, AdminError> {
    let sql = "SELECT DISTINCT fingerprint FROM retired_authorities WHERE domain_id = ?1";
    let mut statement = at.prepare_cached(sql)?;
    let keys = statement.query_map([id], |row| Ok(row.get::<_, Hex>(0)?.0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Those of their certificates that signed others, as delivery wants them.
pub(super) fn certificates(at: &Connection, id: &str) -> Result<Vec<Certificate>, AdminError> {
    let sql = "SELECT der FROM retired_authorities WHERE domain_id = ?1 ORDER BY id";
    let all = certificates::read_all(at, sql, Some(id))?;
    Ok(all.into_iter().filter(Certificate::may_sign_certificates).collect())
}
