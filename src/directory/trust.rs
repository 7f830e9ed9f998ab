//! Whom a domain or the server trusts beside the built-in set, and the chain above the certificate of a domain.

use super::certificates::{read_all, read_der};
use super::words::{self, Moment};
use super::{AdminError, SqliteDirectory, domains, id};
use crate::engine::DomainTrust;
use crate::pki::{Certificate, Fingerprint};
use rusqlite::{Connection, params};
use std::fmt;
use time::OffsetDateTime;

/// Whose set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustHolder {
    /// For every domain, and for the system itself.
    Server,
    /// For one domain, by any of its names.
    Domain(String),
}

impl fmt::Display for TrustHolder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            TrustHolder::Server => "the server",
            TrustHolder::Domain(name) => name,
        })
    }
}

/// A certificate of a set.
#[derive(Debug, Clone)]
pub struct TrustedCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// When it came.
    pub added: OffsetDateTime,
}

impl SqliteDirectory {
    /// Adds certificates to a set, all or none; gives those that were in it already.
    pub fn add_trusted(
        &self,
        holder: &TrustHolder,
        certificates: &[Certificate],
    ) -> Result<Vec<Fingerprint>, AdminError> {
        self.write(|at| {
            let domain = domain_id(at, holder)?;
            let mut known = Vec::new();
            for certificate in certificates {
                let held = of_holder(at, domain.as_deref())?;
                if held.iter().any(|held| held.certificate == *certificate) {
                    known.push(certificate.fingerprint());
                } else {
                    insert(at, domain.as_deref(), certificate)?;
                }
            }
            Ok(known)
        })
    }

    /// A set, the oldest first.
    pub fn trusted(&self, holder: &TrustHolder) -> Result<Vec<TrustedCertificate>, AdminError> {
        self.read(|at| of_holder(at, domain_id(at, holder)?.as_deref()))
    }

    /// Takes a certificate out of a set.
    pub fn remove_trusted(&self, holder: &TrustHolder, certificate: Fingerprint) -> Result<(), AdminError> {
        self.write(|at| {
            let print = certificate.to_string();
            let removed = match domain_id(at, holder)? {
                Some(id) => {
                    let sql = "DELETE FROM trusted WHERE domain_id = ?1 AND fingerprint = ?2";
                    at.execute(sql, params![id, print])?
                }
                None => {
                    let sql = "DELETE FROM trusted WHERE domain_id IS NULL AND fingerprint = ?1";
                    at.execute(sql, [print])?
                }
            };
            if removed == 0 { Err(AdminError::NoCertificate(holder.to_string())) } else { Ok(()) }
        })
    }

    /// Stores the certificates above that of a domain, its issuer first, in the place of those before.
    pub fn set_chain(&self, domain: &str, chain: &[Certificate]) -> Result<(), AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            delete_chain(at, &id)?;
            let sql = "INSERT INTO chain_certificates (domain_id, position, der) VALUES (?1, ?2, ?3)";
            for (position, certificate) in (0_i64..).zip(chain) {
                at.execute(sql, params![id, position, certificate.der()])?;
            }
            Ok(())
        })
    }

    /// The certificates above that of a domain, its issuer first.
    pub fn chain(&self, domain: &str) -> Result<Vec<Certificate>, AdminError> {
        self.read(|at| chain(at, &domains::known_id(at, domain)?))
    }

    /// Removes the chain of a domain.
    pub fn remove_chain(&self, domain: &str) -> Result<(), AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            match delete_chain(at, &id)? {
                0 => Err(AdminError::NoChain(domains::main_name(at, &id)?)),
                _ => Ok(()),
            }
        })
    }
}

fn domain_id(at: &Connection, holder: &TrustHolder) -> Result<Option<String>, AdminError> {
    match holder {
        TrustHolder::Server => Ok(None),
        TrustHolder::Domain(name) => domains::known_id(at, name).map(Some),
    }
}

fn insert(at: &Connection, domain: Option<&str>, certificate: &Certificate) -> Result<(), AdminError> {
    let sql = "INSERT INTO trusted (id, domain_id, fingerprint, der, added) VALUES (?1, ?2, ?3, ?4, ?5)";
    let print = certificate.fingerprint().to_string();
    at.execute(sql, params![id::fresh()?, domain, print, certificate.der(), words::now()])?;
    Ok(())
}

fn of_holder(at: &Connection, domain: Option<&str>) -> Result<Vec<TrustedCertificate>, AdminError> {
    let sql = match domain {
        Some(_) => "SELECT der, added FROM trusted WHERE domain_id = ?1 ORDER BY id",
        None => "SELECT der, added FROM trusted WHERE domain_id IS NULL ORDER BY id",
    };
    let mut statement = at.prepare_cached(sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(domain))?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        held.push(TrustedCertificate { certificate: read_der(row)?, added: row.get::<_, Moment>(1)?.0 });
    }
    Ok(held)
}

fn delete_chain(at: &Connection, id: &str) -> Result<usize, AdminError> {
    Ok(at.execute("DELETE FROM chain_certificates WHERE domain_id = ?1", [id])?)
}

fn chain(at: &Connection, id: &str) -> Result<Vec<Certificate>, AdminError> {
    read_all(at, "SELECT der FROM chain_certificates WHERE domain_id = ?1 ORDER BY position", Some(id))
}

/// All that delivery wants to know of it.
pub(super) fn of_domain(at: &Connection, id: &str) -> Result<DomainTrust, AdminError> {
    let certificates =
        |held: Vec<TrustedCertificate>| held.into_iter().map(|held| held.certificate).collect();
    Ok(DomainTrust {
        retired: super::authorities::certificates(at, id)?,
        chain: chain(at, id)?,
        domain: certificates(of_holder(at, Some(id))?),
        server: certificates(of_holder(at, None)?),
    })
}
