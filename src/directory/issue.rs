//! What domains issue: each certificate recorded by its serial number in the transaction that gives it to its account.

use super::certificates::{self, AddedCertificate, read_der, revocation};
use super::lookup::{account, known_account};
use super::words::{self, Moment};
use super::{AdminError, NewVaultKey, SqliteDirectory, domains, keys};
use crate::engine::{Account, Choice, DomainMode, HeldCertificate};
use crate::mail::Address;
use crate::pki::{Certificate, Fingerprint, Revocation, RevocationReason};
use rusqlite::{Connection, Row, params};
use time::OffsetDateTime;

/// A certificate that a domain of ours issued.
#[derive(Debug, Clone)]
pub struct IssuedCertificate {
    /// For whom, by the address of that time.
    pub account: String,
    /// The certificate.
    pub certificate: Certificate,
    /// When.
    pub issued: OffsetDateTime,
    /// When and why it was taken back, if it was.
    pub revoked: Option<Revocation>,
}

/// What a certificate comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Its key has none yet.
    Nothing,
    /// This one: the newest of the same key, and not revoked.
    Predecessor(Fingerprint),
}

/// A certificate that was signed, and what must still be so when it is recorded: another process may have been quicker.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// For whom.
    pub account: &'a Address,
    /// What was signed.
    pub certificate: &'a Certificate,
    /// Who signed it: a certificate of the account's domain.
    pub issuer: &'a Certificate,
    /// What it comes after.
    pub follows: Follows,
    /// The key that was made for it, to be stored with it.
    pub key: Option<NewVaultKey<'a>>,
}

impl SqliteDirectory {
    /// Records a certificate by serial and adds it to its account, with its key if one was made: all or nothing. Nobody may be
    /// given the certificate before.
    pub fn record_issue(&self, issue: &Issue<'_>) -> Result<AddedCertificate, AdminError> {
        self.write(|at| {
            let account = account(at, &known_account(at, issue.account)?)?;
            let key = issue.certificate.key_fingerprint()?;
            require_issuer(at, &account, issue.issuer)?;
            require_addresses(&account, issue.certificate)?;
            require_place(&account, key, issue.follows)?;
            require_sound(at, key)?;
            if let Some(key) = &issue.key {
                keys::add(at, issue.account, key)?;
            }
            record(at, &account, issue.certificate)?;
            let source = format!("issued by {}", account.domain.name);
            certificates::add(at, issue.account, issue.certificate, &source)
        })
    }

    /// When and why a domain of ours took this certificate back, if one did.
    pub fn issued_revocation(&self, certificate: Fingerprint) -> Result<Option<Revocation>, AdminError> {
        self.read(|at| {
            let sql = "SELECT revoked, reason FROM issued WHERE fingerprint = ?1 AND revoked IS NOT NULL";
            let mut statement = at.prepare_cached(sql)?;
            let mut rows = statement.query([certificate.to_string()])?;
            rows.next()?.map_or(Ok(None), |row| revocation(row, 0, 1))
        })
    }

    /// What a domain has issued, by serial.
    pub fn issued(&self, issuer: &str) -> Result<Vec<IssuedCertificate>, AdminError> {
        self.read(|at| all(at, &domains::known_id(at, issuer)?))
    }
}

/// The domain still issues, and with that certificate.
fn require_issuer(at: &Connection, account: &Account, issuer: &Certificate) -> Result<(), AdminError> {
    let domain = &account.domain;
    if domain.mode != DomainMode::Enabled {
        return Err(AdminError::NotIssuing { domain: domain.name.clone(), mode: domain.mode.name() });
    }
    let id = domains::known_id(at, &domain.name)?;
    let held = keys::of_domain(at, &id)?.contains(&issuer.key_fingerprint()?);
    if held && domain.authorities.contains(issuer) {
        return Ok(());
    }
    Err(AdminError::AuthorityChanged(domain.name.clone()))
}

/// An alias that was taken away may be somebody else's by now.
fn require_addresses(account: &Account, certificate: &Certificate) -> Result<(), AdminError> {
    let own: Vec<String> =
        std::iter::once(&account.address).chain(&account.aliases).map(ToString::to_string).collect();
    let is_own = |named: &String| own.iter().any(|own| own.eq_ignore_ascii_case(named));
    match certificate.addresses().into_iter().find(|named| !is_own(named)) {
        None => Ok(()),
        Some(address) => Err(AdminError::OtherAddress { address, account: account.address.clone() }),
    }
}

fn require_place(account: &Account, key: Fingerprint, follows: Follows) -> Result<(), AdminError> {
    let newest = account.newest_of(key);
    let name = account.address.clone();
    match follows {
        Follows::Nothing => match newest {
            None => Ok(()),
            Some(held) => {
                let certificate = held.certificate.fingerprint();
                Err(AdminError::KeyCertified { account: name, key, certificate })
            }
        },
        Follows::Predecessor(certificate) => {
            match newest.filter(|held| held.certificate.fingerprint() == certificate) {
                Some(HeldCertificate { revoked: Some(revoked), .. }) => Err(refused(certificate, *revoked)),
                Some(_) => Ok(()),
                None => Err(AdminError::NotNewest { account: name, certificate }),
            }
        }
    }
}

/// The error that names the revocation.
pub(super) fn refused(certificate: Fingerprint, revoked: Revocation) -> AdminError {
    AdminError::Revoked { certificate, at: revoked.at, reason: revoked.reason.name() }
}

/// The key was not revoked as compromised, in whatever domain.
fn require_sound(at: &Connection, key: Fingerprint) -> Result<(), AdminError> {
    let mut statement = at.prepare_cached("SELECT der FROM issued WHERE reason = ?1")?;
    let mut rows = statement.query([RevocationReason::KeyCompromise.name()])?;
    while let Some(row) = rows.next()? {
        if read_der(row)?.key_fingerprint()? == key {
            return Err(AdminError::Compromised(key));
        }
    }
    Ok(())
}

fn record(at: &Connection, account: &Account, certificate: &Certificate) -> Result<(), AdminError> {
    let id = domains::known_id(at, &account.domain.name)?;
    let sql = "INSERT INTO issued (issuer, serial, account, der, issued, fingerprint)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (serial, der, print) = (certificate.serial(), certificate.der(), certificate.fingerprint());
    let name = account.address.to_string();
    at.execute(sql, params![id, serial, name, der, words::now(), print.to_string()])?;
    Ok(())
}

/// What the domain of that id has issued, by serial.
pub(super) fn all(at: &Connection, issuer: &str) -> Result<Vec<IssuedCertificate>, AdminError> {
    let sql = "SELECT der, account, issued, revoked, reason FROM issued WHERE issuer = ?1 ORDER BY serial";
    let mut statement = at.prepare(sql)?;
    let mut rows = statement.query([issuer])?;
    let mut issued = Vec::new();
    while let Some(row) = rows.next()? {
        issued.push(read(row)?);
    }
    Ok(issued)
}

/// Out of `der, account, issued, revoked, reason`.
pub(super) fn read(row: &Row<'_>) -> Result<IssuedCertificate, AdminError> {
    Ok(IssuedCertificate {
        account: row.get(1)?,
        certificate: read_der(row)?,
        issued: row.get::<_, Moment>(2)?.0,
        revoked: revocation(row, 3, 4)?,
    })
}
