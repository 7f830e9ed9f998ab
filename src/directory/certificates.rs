//! Certificates of accounts and domains, and what was issued.

use super::lookup::known_account;
use super::words::{self, Moment, Word};
use super::{AdminError, SqliteDirectory, authorities, domains, holders, id, keys, pending};
use crate::engine::{CertificateState, Choice, HeldCertificate};
use crate::mail::Address;
use crate::pki::{Certificate, Fingerprint, Revocation, RevocationReason};
use rusqlite::{Connection, Row, params};
use time::OffsetDateTime;

/// A certificate of an account with its history.
#[derive(Debug, Clone)]
pub struct CertificateRecord {
    /// The certificate and its state.
    pub held: HeldCertificate,
    /// When it came.
    pub added: OffsetDateTime,
    /// Where from: a file, or the domain that issued it.
    pub source: String,
}

/// What adding a certificate did besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddedCertificate {
    /// Earlier certificates of the same key, retired by it.
    pub retired: Vec<Fingerprint>,
    /// Certificates of other keys that had been revoked for good: it takes their place.
    pub revoked: Vec<Fingerprint>,
}

impl AddedCertificate {
    /// Every certificate that was retired by it, and why.
    pub fn replaced(&self) -> impl Iterator<Item = (Fingerprint, &'static str)> {
        let same = self.retired.iter().map(|one| (*one, "it has the same key"));
        same.chain(self.revoked.iter().map(|one| (*one, "it was revoked")))
    }
}

/// Which certificate of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateUse {
    /// For TLS, and the issuer of user certificates unless there is a special one.
    Generic,
    /// The issuer of user certificates.
    Smime,
    /// To be sealed to in the place of accounts (`domain-key`).
    Sealing,
}

impl Choice for CertificateUse {
    const ALL: &'static [CertificateUse] =
        &[CertificateUse::Generic, CertificateUse::Smime, CertificateUse::Sealing];

    fn name(self) -> &'static str {
        match self {
            CertificateUse::Generic => "generic",
            CertificateUse::Smime => "smime",
            CertificateUse::Sealing => "sealing",
        }
    }
}

/// A certificate of a domain.
#[derive(Debug, Clone)]
pub struct DomainCertificate {
    /// Which of them.
    pub purpose: CertificateUse,
    /// The certificate.
    pub certificate: Certificate,
    /// When it came.
    pub added: OffsetDateTime,
}

impl SqliteDirectory {
    /// Adds an active certificate. It retires its predecessors with the same key; those with other keys stay active.
    /// One that was retired becomes active again.
    pub fn add_certificate(
        &self,
        account: &Address,
        certificate: &Certificate,
        source: &str,
    ) -> Result<AddedCertificate, AdminError> {
        self.write(|at| add(at, account, certificate, source))
    }

    /// The certificates of an account, the oldest first.
    pub fn certificates(&self, account: &Address) -> Result<Vec<CertificateRecord>, AdminError> {
        self.read(|at| records(at, &known_account(at, account)?))
    }

    /// Seals to a certificate no more. It stays for reports; a vault key all of whose certificates are retired is
    /// retired with it.
    pub fn retire_certificate(&self, account: &Address, certificate: Fingerprint) -> Result<(), AdminError> {
        self.write(|at| {
            let id = known_account(at, account)?;
            if set_state(at, &id, certificate, CertificateState::Retired)? == 0 {
                return Err(AdminError::NoCertificate(account.to_string()));
            }
            refresh_key_states(at, &id)
        })
    }

    /// Stores a certificate of a domain in the place of the one before. It must hold the domain's key. What mail may have been
    /// sealed to by the one before is still opened.
    pub fn set_domain_certificate(
        &self,
        domain: &str,
        purpose: CertificateUse,
        certificate: &Certificate,
    ) -> Result<(), AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            set_of_domain(at, &id, purpose, certificate)
        })
    }

    /// The certificates of a domain.
    pub fn domain_certificates(&self, domain: &str) -> Result<Vec<DomainCertificate>, AdminError> {
        self.read(|at| of_domain(at, &domains::known_id(at, domain)?))
    }

    /// Removes a certificate of a domain. What mail may have been sealed to by it is still opened.
    pub fn remove_domain_certificate(&self, domain: &str, purpose: CertificateUse) -> Result<(), AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            let Some(held) = of_purpose(at, &id, purpose)? else {
                return Err(AdminError::NoCertificate(domains::main_name(at, &id)?));
            };
            authorities::keep_for_mail(at, &id, &held)?;
            delete_domain_certificate(at, &id, purpose)
        })
    }
}

/// Stores a certificate that holds the domain's key.
pub(super) fn set_of_domain(
    at: &Connection,
    id: &str,
    purpose: CertificateUse,
    certificate: &Certificate,
) -> Result<(), AdminError> {
    let domain = domains::main_name(at, id)?;
    let found = certificate.key_fingerprint()?;
    let Some(&wanted) = keys::of_domain(at, id)?.first() else {
        return Err(AdminError::NoKey(domain));
    };
    if found != wanted {
        return Err(AdminError::OtherKey { domain, found, wanted });
    }
    if let Some(before) = of_purpose(at, id, purpose)?
        && before.certificate != *certificate
    {
        authorities::keep_for_mail(at, id, &before)?;
    }
    delete_domain_certificate(at, id, purpose)?;
    let sql = "INSERT INTO domain_certificates (domain_id, purpose, der, added) VALUES (?1, ?2, ?3, ?4)";
    at.execute(sql, params![id, purpose.name(), certificate.der(), words::now()])?;
    Ok(())
}

fn delete_domain_certificate(at: &Connection, id: &str, purpose: CertificateUse) -> Result<(), AdminError> {
    let sql = "DELETE FROM domain_certificates WHERE domain_id = ?1 AND purpose = ?2";
    at.execute(sql, params![id, purpose.name()])?;
    Ok(())
}

pub(super) fn add(
    at: &Connection,
    account: &Address,
    certificate: &Certificate,
    source: &str,
) -> Result<AddedCertificate, AdminError> {
    let id = known_account(at, account)?;
    let fingerprint = certificate.fingerprint();
    let key = certificate.key_fingerprint()?;
    let mut added = AddedCertificate::default();
    for record in records(at, &id)?.iter().filter(|record| record.held.state == CertificateState::Active) {
        let held = &record.held.certificate;
        if held.fingerprint() == fingerprint {
            return Err(AdminError::CertificateHeld { account: account.clone(), fingerprint });
        }
        if held.key_fingerprint()? == key {
            added.retired.push(held.fingerprint());
        } else if is_gone(&record.held) {
            added.revoked.push(held.fingerprint());
        }
    }
    for certificate in added.retired.iter().chain(&added.revoked) {
        set_state(at, &id, *certificate, CertificateState::Retired)?;
    }
    insert(at, &id, certificate, CertificateState::Active, source)?;
    pending::forget_refusal(at, &id, fingerprint)?;
    refresh_key_states(at, &id)?;
    Ok(added)
}

/// Revoked, and not merely on hold. Until another one comes it stays active: its account has a certificate that must not be
/// used, which is not the same as none.
fn is_gone(held: &HeldCertificate) -> bool {
    held.revoked.is_some_and(|revoked| {
        revoked.reason != RevocationReason::CertificateHold && revoked.at.unix_timestamp() <= words::now()
    })
}

/// How many there are of that fingerprint: one or none.
fn set_state(
    at: &Connection,
    account: &str,
    certificate: Fingerprint,
    state: CertificateState,
) -> Result<usize, AdminError> {
    let sql = "UPDATE certificates SET state = ?3 WHERE account_id = ?1 AND fingerprint = ?2";
    Ok(at.execute(sql, params![account, certificate.to_string(), state.name()])?)
}

/// A certificate in this state, in the place of the same one that may be there.
pub(super) fn insert(
    at: &Connection,
    account: &str,
    certificate: &Certificate,
    state: CertificateState,
    source: &str,
) -> Result<(), AdminError> {
    let (print, key) = (certificate.fingerprint().to_string(), certificate.key_fingerprint()?.to_string());
    let sql = "DELETE FROM certificates WHERE account_id = ?1 AND fingerprint = ?2";
    at.execute(sql, params![account, print])?;
    let sql = "INSERT INTO certificates
        (id, account_id, fingerprint, key_fingerprint, der, state, added, source)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let (row, state) = (id::fresh()?, state.name());
    at.execute(sql, params![row, account, print, key, certificate.der(), state, words::now(), source])?;
    holders::index(at, &row, certificate)
}

/// A vault key is active while it has an active certificate, or none at all yet. One that waits says nothing.
pub(super) fn refresh_key_states(at: &Connection, account: &str) -> Result<(), AdminError> {
    let sql = "UPDATE vault_keys SET state = CASE
            WHEN EXISTS (SELECT 1 FROM certificates c WHERE c.account_id = vault_keys.account_id
                AND c.key_fingerprint = vault_keys.fingerprint AND c.state = 'active') THEN 'active'
            WHEN EXISTS (SELECT 1 FROM certificates c WHERE c.account_id = vault_keys.account_id
                AND c.key_fingerprint = vault_keys.fingerprint AND c.state = 'retired') THEN 'retired'
            ELSE 'active' END
        WHERE account_id = ?1";
    at.execute(sql, [account])?;
    Ok(())
}

pub(super) fn records(at: &Connection, account: &str) -> Result<Vec<CertificateRecord>, AdminError> {
    let sql = "SELECT c.der, c.state, c.added, c.source, i.revoked, i.reason FROM certificates c
        LEFT JOIN issued i ON i.fingerprint = c.fingerprint WHERE c.account_id = ?1 ORDER BY c.id";
    let mut statement = at.prepare_cached(sql)?;
    let mut rows = statement.query([account])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let state = row.get::<_, Word<CertificateState>>(1)?.0;
        records.push(CertificateRecord {
            held: HeldCertificate { certificate: read_der(row)?, state, revoked: revocation(row, 4, 5)? },
            added: row.get::<_, Moment>(2)?.0,
            source: row.get(3)?,
        });
    }
    Ok(records)
}

/// When and why it was revoked, out of two columns.
pub(super) fn revocation(row: &Row<'_>, at: usize, reason: usize) -> Result<Option<Revocation>, AdminError> {
    let at = row.get::<_, Option<Moment>>(at)?.map(|moment| moment.0);
    let reason = row.get::<_, Option<Word<RevocationReason>>>(reason)?.map(|word| word.0);
    Ok(at.zip(reason).map(|(at, reason)| Revocation { at, reason }))
}

/// Fingerprints of what an older layout recorded as issued. One that cannot be read is found by its serial only.
pub(super) fn name_issued(at: &Connection) -> Result<(), AdminError> {
    let mut statement = at.prepare("SELECT der, issuer, serial FROM issued WHERE fingerprint IS NULL")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Ok(certificate) = read_der(row) {
            let (issuer, serial): (String, String) = (row.get(1)?, row.get(2)?);
            let sql = "UPDATE issued SET fingerprint = ?3 WHERE issuer = ?1 AND serial = ?2";
            at.execute(sql, params![issuer, serial, certificate.fingerprint().to_string()])?;
        }
    }
    Ok(())
}

/// The certificate in the first column.
pub(super) fn read_der(row: &Row<'_>) -> Result<Certificate, AdminError> {
    let der = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    Ok(Certificate::from_der(der)?)
}

/// The certificates of an account as delivery wants them.
pub(super) fn held(at: &Connection, account: &str) -> Result<Vec<HeldCertificate>, AdminError> {
    Ok(records(at, account)?.into_iter().map(|record| record.held).collect())
}

/// The certificates in the first column of a question about this holder, or about nobody.
pub(super) fn read_all(
    at: &Connection,
    sql: &str,
    holder: Option<&str>,
) -> Result<Vec<Certificate>, AdminError> {
    let mut statement = at.prepare_cached(sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(holder))?;
    let mut certificates = Vec::new();
    while let Some(row) = rows.next()? {
        certificates.push(read_der(row)?);
    }
    Ok(certificates)
}

pub(super) fn of_domain(at: &Connection, id: &str) -> Result<Vec<DomainCertificate>, AdminError> {
    let sql = "SELECT der, purpose, added FROM domain_certificates WHERE domain_id = ?1 ORDER BY purpose";
    let mut statement = at.prepare_cached(sql)?;
    let mut rows = statement.query([id])?;
    let mut certificates = Vec::new();
    while let Some(row) = rows.next()? {
        certificates.push(DomainCertificate {
            purpose: row.get::<_, Word<CertificateUse>>(1)?.0,
            certificate: read_der(row)?,
            added: row.get::<_, Moment>(2)?.0,
        });
    }
    Ok(certificates)
}

/// The certificates of a domain as delivery wants them.
pub(super) fn authorities(at: &Connection, id: &str) -> Result<Vec<Certificate>, AdminError> {
    let held = of_domain(at, id)?.into_iter().filter(|held| held.purpose != CertificateUse::Sealing);
    Ok(held.map(|held| held.certificate).collect())
}

/// The one that is made to be sealed to.
pub(super) fn sealing(at: &Connection, id: &str) -> Result<Option<Certificate>, AdminError> {
    Ok(of_purpose(at, id, CertificateUse::Sealing)?.map(|held| held.certificate))
}

fn of_purpose(
    at: &Connection,
    id: &str,
    purpose: CertificateUse,
) -> Result<Option<DomainCertificate>, AdminError> {
    Ok(of_domain(at, id)?.into_iter().find(|held| held.purpose == purpose))
}
