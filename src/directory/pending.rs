//! Certificates from elsewhere: they wait until somebody accepts or refuses them, and are sealed to by nobody before.

use super::certificates::{AddedCertificate, CertificateRecord, add, insert, records};
use super::lookup::{known_account, main_address};
use super::{AdminError, SqliteDirectory, domains, words};
use crate::engine::{CertificateState, Choice};
use crate::mail::Address;
use crate::pki::{Certificate, Fingerprint};
use rusqlite::{Connection, OptionalExtension, params};

/// So many may wait for one account, whatever brings them.
const MOST_PENDING: usize = 32;
/// So many of one source: who floods one leaves room for the others.
const MOST_PENDING_OF_SOURCE: usize = 8;

/// What became of a certificate from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offered {
    /// It is sealed to from now on.
    Active(AddedCertificate),
    /// It waits.
    Pending,
    /// It was there already, in this state.
    Held(CertificateState),
    /// Somebody refused it before.
    Refused,
    /// A domain of ours issued it and took it back.
    Revoked,
    /// Too many wait already.
    Full,
}

/// A certificate that waits.
#[derive(Debug, Clone)]
pub struct PendingCertificate {
    /// For whom.
    pub account: Address,
    /// The certificate, when it came and where from.
    pub record: CertificateRecord,
}

impl SqliteDirectory {
    /// Takes a certificate from elsewhere in the state that is wanted, unless the account has it, somebody refused it, it
    /// was revoked, or too many wait. The same one twice is one row.
    pub fn offer_certificate(
        &self,
        account: &Address,
        certificate: &Certificate,
        source: &str,
        wanted: CertificateState,
    ) -> Result<Offered, AdminError> {
        self.write(|at| {
            let id = known_account(at, account)?;
            if let Some(known) = known(at, &id, certificate.fingerprint(), wanted)? {
                return Ok(known);
            }
            if wanted == CertificateState::Active {
                return Ok(Offered::Active(add(at, account, certificate, source)?));
            }
            if is_full(at, &id, source)? {
                return Ok(Offered::Full);
            }
            insert(at, &id, certificate, CertificateState::Pending, source)?;
            Ok(Offered::Pending)
        })
    }

    /// What waits, in one domain or in all, by account, the oldest first.
    pub fn pending_certificates(&self, domain: Option<&str>) -> Result<Vec<PendingCertificate>, AdminError> {
        self.read(|at| {
            let only = domain.map(|domain| domains::known_id(at, domain)).transpose()?;
            let sql = "SELECT DISTINCT c.account_id, d.name, n.folded FROM certificates c
                JOIN account_names n ON n.account_id = c.account_id AND n.main = 1
                JOIN domain_names d ON d.domain_id = n.domain_id AND d.main = 1
                WHERE c.state = 'pending' AND (?1 IS NULL OR n.domain_id = ?1) ORDER BY d.name, n.folded";
            let mut statement = at.prepare(sql)?;
            let ids: Vec<String> =
                statement.query_map([only], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let each = ids.iter().map(|id| of_account(at, id));
            Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
    }

    /// Makes a certificate that waits active, as adding it would.
    pub fn accept_certificate(
        &self,
        account: &Address,
        certificate: Fingerprint,
    ) -> Result<AddedCertificate, AdminError> {
        self.write(|at| {
            let id = known_account(at, account)?;
            let waiting = of_account(at, &id)?.into_iter().map(|waiting| waiting.record);
            let mut named = waiting.filter(|record| record.held.certificate.fingerprint() == certificate);
            let record = named.next().ok_or_else(|| AdminError::NoCertificate(account.to_string()))?;
            add(at, account, &record.held.certificate, &record.source)
        })
    }

    /// Removes a certificate that waits, and remembers its fingerprint: it will not wait again, from wherever it comes.
    /// Adding it by hand forgets that.
    pub fn refuse_certificate(&self, account: &Address, certificate: Fingerprint) -> Result<(), AdminError> {
        self.write(|at| {
            let id = known_account(at, account)?;
            let sql = "DELETE FROM certificates WHERE account_id = ?1 AND fingerprint = ?2 AND state = ?3";
            let pending = CertificateState::Pending.name();
            if at.execute(sql, params![id, certificate.to_string(), pending])? == 0 {
                return Err(AdminError::NoCertificate(account.to_string()));
            }
            let sql =
                "INSERT INTO refused_certificates (account_id, fingerprint, refused) VALUES (?1, ?2, ?3)";
            at.execute(sql, params![id, certificate.to_string(), words::now()])?;
            Ok(())
        })
    }
}

fn of_account(at: &Connection, id: &str) -> Result<Vec<PendingCertificate>, AdminError> {
    let account = main_address(at, id)?;
    let waiting =
        records(at, id)?.into_iter().filter(|record| record.held.state == CertificateState::Pending);
    Ok(waiting.map(|record| PendingCertificate { account: account.clone(), record }).collect())
}

/// Why nothing is to be done about a certificate, if there is a reason.
fn known(
    at: &Connection,
    account: &str,
    certificate: Fingerprint,
    wanted: CertificateState,
) -> Result<Option<Offered>, AdminError> {
    let held = records(at, account)?.into_iter().map(|record| record.held);
    let held =
        held.filter(|held| held.certificate.fingerprint() == certificate).map(|held| held.state).next();
    let is_news = wanted == CertificateState::Active && held == Some(CertificateState::Pending);
    if let Some(state) = held.filter(|_| !is_news) {
        return Ok(Some(Offered::Held(state)));
    }
    let print = certificate.to_string();
    let sql = "SELECT 1 FROM refused_certificates WHERE account_id = ?1 AND fingerprint = ?2";
    if at.query_row(sql, params![account, print], |_| Ok(())).optional()?.is_some() {
        return Ok(Some(Offered::Refused));
    }
    let sql = "SELECT 1 FROM issued WHERE fingerprint = ?1 AND revoked IS NOT NULL";
    Ok(at.query_row(sql, [print], |_| Ok(())).optional()?.map(|()| Offered::Revoked))
}

fn is_full(at: &Connection, account: &str, source: &str) -> Result<bool, AdminError> {
    let sql = "SELECT source FROM certificates WHERE account_id = ?1 AND state = 'pending'";
    let mut statement = at.prepare_cached(sql)?;
    let sources: Vec<String> = statement.query_map([account], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let same = sources.iter().filter(|other| *other == source).count();
    Ok(sources.len() >= MOST_PENDING || same >= MOST_PENDING_OF_SOURCE)
}

/// A certificate that somebody adds by hand is refused no more.
pub(super) fn forget_refusal(
    at: &Connection,
    account: &str,
    certificate: Fingerprint,
) -> Result<(), AdminError> {
    let sql = "DELETE FROM refused_certificates WHERE account_id = ?1 AND fingerprint = ?2";
    at.execute(sql, params![account, certificate.to_string()])?;
    Ok(())
}
