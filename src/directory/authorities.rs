//! Authorities that were replaced. What they issued stays valid, and they sign the revocation lists over it, until somebody
//! forgets their keys. Beside them, certificates by which mail may name a key of the domain: they vouch for nothing.

use super::certificates::{self, CertificateUse, DomainCertificate, read_der};
use super::words::{self, Hex, Moment};
use super::{AdminError, SqliteDirectory, domains, id, keys};
use crate::crypto::SecretBytes;
use crate::pki::{Certificate, Fingerprint, MINIMUM_RSA_BITS, SealingCheck, ValidatedCertificate};
use rusqlite::{Connection, params};
use time::OffsetDateTime;

/// A certificate that a domain issued with or that mail was sealed to, and its key, which may be that of today. One key with
/// two such certificates is here twice.
pub struct RetiredAuthority {
    /// SHA-256 of the key's SubjectPublicKeyInfo.
    pub fingerprint: Fingerprint,
    /// PKCS#8 (DER), in the clear: the file is 0600.
    pub key: SecretBytes,
    /// What it issued with, or was sealed to by.
    pub certificate: Certificate,
    /// When another one took its place.
    pub retired: OffsetDateTime,
    /// Does what it issued stay valid? Otherwise it only opens mail.
    pub vouches: bool,
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
            Ok(retired.into_iter().filter(|one| one.vouches).collect())
        })
    }

    /// What opens mail that was sealed to a domain by certificates, of its keys before or of that of today, which are no
    /// longer its own: each key with each certificate by which messages may name it.
    pub fn retired_keys(&self, domain: &str) -> Result<Vec<RetiredAuthority>, AdminError> {
        self.read(|at| of_domain(at, &domains::known_id(at, domain)?))
    }

    /// Gives a domain a new key and its certificates in the place of the ones before: all of it or nothing. The old key is
    /// kept with each of its certificates that may sign others or that mail may be sealed to.
    pub fn rotate_domain_key(&self, domain: &str, rotation: &Rotation<'_>) -> Result<(), AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            if keys::of_domain(at, &id)? != [rotation.replaced] {
                return Err(AdminError::KeyChanged { domain: domains::main_name(at, &id)? });
            }
            let held = certificates::of_domain(at, &id)?;
            for held in &held {
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

    /// Forgets an authority that was replaced: its key and its certificates. What it issued chains to nothing then. The key
    /// of today is none.
    pub fn remove_retired_authority(&self, domain: &str, key: Fingerprint) -> Result<(), AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            if keys::of_domain(at, &id)?.contains(&key) || forget(at, &id, key)? == 0 {
                return Err(AdminError::NoKey(domains::main_name(at, &id)?));
            }
            Ok(())
        })?;
        self.empty_log()
    }
}

/// Keeps a certificate of a key that is replaced: it goes on vouching for what it issued, and opens what was sealed to it.
fn retire(at: &Connection, id: &str, held: &DomainCertificate) -> Result<(), AdminError> {
    if held.certificate.may_sign_certificates() {
        return keep(at, id, &held.certificate, true);
    }
    keep_for_mail(at, id, held)
}

/// Keeps a certificate that is taken from a key, if messages may name the key by it. It vouches for nothing any more.
pub(super) fn keep_for_mail(at: &Connection, id: &str, held: &DomainCertificate) -> Result<(), AdminError> {
    if may_be_named(held) { keep(at, id, &held.certificate, false) } else { Ok(()) }
}

/// Was it made to be sealed to, or could it stand in for such a one?
fn may_be_named(held: &DomainCertificate) -> bool {
    let check = SealingCheck {
        addresses: &[],
        at: held.added,
        minimum_rsa_bits: MINIMUM_RSA_BITS,
        anchors: None,
        intermediates: &[],
        allow_expired: true,
        allow_not_yet_valid: true,
        revocation: None,
    };
    held.purpose == CertificateUse::Sealing
        || ValidatedCertificate::for_sealing(&held.certificate, &check).is_ok()
}

/// With today's key, once: a certificate may serve several purposes, and one that only opened mail may have come back.
fn keep(at: &Connection, id: &str, certificate: &Certificate, vouches: bool) -> Result<(), AdminError> {
    let sql = "DELETE FROM retired_authorities WHERE domain_id = ?1 AND der = ?2 AND vouches <= ?3";
    at.execute(sql, params![id, certificate.der(), vouches])?;
    let sql = "INSERT INTO retired_authorities (id, domain_id, fingerprint, pkcs8, der, retired, vouches)
        SELECT ?2, domain_id, fingerprint, pkcs8, ?3, ?4, ?5 FROM domain_keys k WHERE domain_id = ?1 AND NOT EXISTS
            (SELECT 1 FROM retired_authorities r WHERE r.domain_id = k.domain_id AND r.der = ?3)";
    at.execute(sql, params![id, id::fresh()?, certificate.der(), words::now(), vouches])?;
    Ok(())
}

/// Deletes what is kept of a key; gives how many certificates that were.
pub(super) fn forget(at: &Connection, id: &str, key: Fingerprint) -> Result<usize, AdminError> {
    let sql = "DELETE FROM retired_authorities WHERE domain_id = ?1 AND fingerprint = ?2";
    Ok(at.execute(sql, params![id, key.to_string()])?)
}

pub(super) fn of_domain(at: &Connection, id: &str) -> Result<Vec<RetiredAuthority>, AdminError> {
    let sql = "SELECT der, fingerprint, pkcs8, retired, vouches FROM retired_authorities WHERE domain_id = ?1 ORDER BY id";
    let mut statement = at.prepare_cached(sql)?;
    let mut rows = statement.query([id])?;
    let mut retired = Vec::new();
    while let Some(row) = rows.next()? {
        retired.push(RetiredAuthority {
            certificate: read_der(row)?,
            fingerprint: row.get::<_, Hex>(1)?.0,
            key: SecretBytes::new(row.get(2)?),
            retired: row.get::<_, Moment>(3)?.0,
            vouches: row.get(4)?,
        });
    }
    Ok(retired)
}

/// The keys of what is kept, each once.
pub(super) fn keys_of_domain(at: &Connection, id: &str) -> Result<Vec<Fingerprint>, AdminError> {
    let sql = "SELECT DISTINCT fingerprint FROM retired_authorities WHERE domain_id = ?1";
    let mut statement = at.prepare_cached(sql)?;
    let keys = statement.query_map([id], |row| Ok(row.get::<_, Hex>(0)?.0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// The authorities that were replaced, as delivery wants them.
pub(super) fn certificates(at: &Connection, id: &str) -> Result<Vec<Certificate>, AdminError> {
    let sql = "SELECT der FROM retired_authorities WHERE domain_id = ?1 AND vouches ORDER BY id";
    certificates::read_all(at, sql, Some(id))
}
