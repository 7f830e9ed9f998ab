//! Taking back what a domain has issued.

use super::issue::{all, read, refused};
use super::{AdminError, IssuedCertificate, SqliteDirectory, domains};
use crate::pki::{Revocation, RevocationReason};
use rusqlite::{Connection, params};

impl SqliteDirectory {
    /// Takes a certificate back, and with it the others of its key: who has the one has them all. One that was merely
    /// superseded goes alone. What is on hold can be taken back for good, from the day of the hold on; nothing else is
    /// revoked twice. Gives what was taken back, the named one first.
    pub fn revoke_certificate(
        &self,
        domain: &str,
        serial: &str,
        revocation: Revocation,
    ) -> Result<Vec<IssuedCertificate>, AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            let named = one(at, &id, serial)?;
            require_revocable(&named, revocation)?;
            let others = match revocation.reason {
                RevocationReason::Superseded => Vec::new(),
                _ => of_same_key(at, &id, &named, |other| require_revocable(other, revocation).is_ok())?,
            };
            let mut done: Vec<_> = std::iter::once(named).chain(others).collect();
            for one in &mut done {
                let begun = one.revoked.map_or(revocation.at, |held| held.at);
                one.revoked = Some(Revocation { at: begun, ..revocation });
                write(at, &id, one)?;
            }
            Ok(done)
        })
    }

    /// Ends the hold of a certificate and of the others of its key. Gives them, the named one first.
    pub fn release_certificate(
        &self,
        domain: &str,
        serial: &str,
    ) -> Result<Vec<IssuedCertificate>, AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            let named = one(at, &id, serial)?;
            match named.revoked {
                None => return Err(AdminError::NotHeld(named.certificate.fingerprint())),
                Some(revoked) if revoked.reason != RevocationReason::CertificateHold => {
                    return Err(refused(named.certificate.fingerprint(), revoked));
                }
                Some(_) => {}
            }
            let others = of_same_key(at, &id, &named, |other| is_held(other).is_some())?;
            let mut done: Vec<_> = std::iter::once(named).chain(others).collect();
            for one in &mut done {
                one.revoked = None;
                write(at, &id, one)?;
            }
            Ok(done)
        })
    }
}

/// Not revoked for good, and not from a day on when it was not there yet.
fn require_revocable(found: &IssuedCertificate, revocation: Revocation) -> Result<(), AdminError> {
    let certificate = found.certificate.fingerprint();
    match found.revoked {
        Some(revoked) if is_held(found).is_none() || revoked.reason == revocation.reason => {
            Err(refused(certificate, revoked))
        }
        None if revocation.at.date() < found.issued.date() => {
            Err(AdminError::BeforeIssue { certificate, issued: found.issued })
        }
        _ => Ok(()),
    }
}

fn is_held(found: &IssuedCertificate) -> Option<Revocation> {
    found.revoked.filter(|revoked| revoked.reason == RevocationReason::CertificateHold)
}

/// Others of the domain with the same key, if they may be touched.
fn of_same_key(
    at: &Connection,
    issuer: &str,
    named: &IssuedCertificate,
    may: impl Fn(&IssuedCertificate) -> bool,
) -> Result<Vec<IssuedCertificate>, AdminError> {
    let (key, print) = (named.certificate.key_fingerprint()?, named.certificate.fingerprint());
    let same = |other: &IssuedCertificate| {
        other.certificate.fingerprint() != print
            && other.certificate.key_fingerprint().is_ok_and(|of| of == key)
    };
    Ok(all(at, issuer)?.into_iter().filter(|other| same(other) && may(other)).collect())
}

fn one(at: &Connection, issuer: &str, serial: &str) -> Result<IssuedCertificate, AdminError> {
    let sql = "SELECT der, account, issued, revoked, reason FROM issued WHERE issuer = ?1 AND serial = ?2";
    let mut statement = at.prepare(sql)?;
    let mut rows = statement.query([issuer, serial])?;
    match rows.next()? {
        Some(row) => read(row),
        None => {
            let domain = domains::main_name(at, issuer)?;
            Err(AdminError::NotIssued { domain, serial: serial.to_owned() })
        }
    }
}

fn write(at: &Connection, issuer: &str, issued: &IssuedCertificate) -> Result<(), AdminError> {
    let sql = "UPDATE issued SET revoked = ?3, reason = ?4 WHERE issuer = ?1 AND serial = ?2";
    let moment = issued.revoked.map(|revocation| revocation.at.unix_timestamp());
    let reason = issued.revoked.map(|revocation| revocation.reason.name());
    at.execute(sql, params![issuer, issued.certificate.serial(), moment, reason])?;
    Ok(())
}
