//! Domains: names, mode, policy, catch-all.

use super::lookup::{known_account, main_address};
use super::words::{Word, word};
use super::{AdminError, SqliteDirectory, authorities, certificates, id, keys, recovery, trust};
use crate::crypto::{Classical, Profile};
use crate::engine::{
    AttachmentPolicy, Choice, CrlPolicy, Domain, DomainMode, DomainOverrides, Expired, InboxPolicy,
    MissingCertificate, Recovery, Trust, Unusable,
};
use crate::mail::Address;
use crate::pki::Fingerprint;
use crate::rules::RulesAllowed;
use rusqlite::{Connection, OptionalExtension, params};

/// A domain to add.
#[derive(Debug, Clone, Default)]
pub struct NewDomain {
    /// Its main name.
    pub name: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// May its keys and certificates be used?
    pub mode: DomainMode,
}

/// What becomes of a setting that may be inherited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Setting<T> {
    /// Stays as it is.
    #[default]
    Keep,
    /// Follows the site or the domain from now on.
    Inherit,
    /// Is this one from now on.
    Own(T),
}

/// What to change of a domain.
#[derive(Debug, Clone, Default)]
pub struct DomainChange {
    /// Its mode.
    pub mode: Option<DomainMode>,
    /// Names to add.
    pub add_aliases: Vec<String>,
    /// Names to take away.
    pub remove_aliases: Vec<String>,
    /// Who gets mail for unknown local parts.
    pub catch_all: Setting<Address>,
    /// How the INBOX copy is stored.
    pub inbox: Setting<InboxPolicy>,
    /// Which algorithms.
    pub profile: Setting<Profile>,
    /// May classical keys stand beside post-quantum ones?
    pub also_classical: Setting<Classical>,
    /// What becomes of mail for an account with no certificate.
    pub missing_certificate: Setting<MissingCertificate>,
    /// Which certificates are believed.
    pub trust: Setting<Trust>,
    /// Certificates past their end.
    pub expired: Setting<Expired>,
    /// Certificates before their begin.
    pub not_yet_valid: Setting<Expired>,
    /// Certificates that cannot be used.
    pub unusable: Setting<Unusable>,
    /// Certificates whose revocation list is missing or old.
    pub crl: Setting<CrlPolicy>,
    /// Is its recovery certificate a further recipient, for accounts that say nothing?
    pub recovery: Setting<Recovery>,
    /// What the owners of its accounts may install, for accounts that say nothing.
    pub rules_allowed: Setting<RulesAllowed>,
    /// How copied attachments are stored.
    pub attachments: Setting<AttachmentPolicy>,
}

impl SqliteDirectory {
    /// Adds a domain; gives its name as it is stored.
    pub fn add_domain(&self, new: &NewDomain) -> Result<String, AdminError> {
        self.write(|at| {
            let id = id::fresh()?;
            at.execute("INSERT INTO domains (id, mode) VALUES (?1, ?2)", params![id, new.mode.name()])?;
            let name = add_name(at, &id, &new.name, true)?;
            for alias in &new.aliases {
                add_name(at, &id, alias, false)?;
            }
            Ok(name)
        })
    }

    /// A domain by any of its names.
    pub fn domain(&self, name: &str) -> Result<Domain, AdminError> {
        self.read(|at| domain(at, &known_id(at, name)?))
    }

    /// All domains by name.
    pub fn domains(&self) -> Result<Vec<Domain>, AdminError> {
        self.read(|at| {
            let mut statement =
                at.prepare("SELECT domain_id FROM domain_names WHERE main = 1 ORDER BY name")?;
            let ids: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            ids.iter().map(|id| domain(at, id)).collect()
        })
    }

    /// Changes a domain: all of it or nothing. Gives its main name: the one it was called by may be gone.
    pub fn set_domain(&self, name: &str, change: &DomainChange) -> Result<String, AdminError> {
        self.write(|at| {
            let id = known_id(at, name)?;
            for alias in &change.remove_aliases {
                remove_name(at, &id, alias)?;
            }
            for alias in &change.add_aliases {
                add_name(at, &id, alias, false)?;
            }
            if let Some(mode) = change.mode {
                at.execute("UPDATE domains SET mode = ?2 WHERE id = ?1", params![id, mode.name()])?;
            }
            set_catch_all(at, &id, &change.catch_all)?;
            set(at, "UPDATE domains SET inbox = ?2 WHERE id = ?1", &id, change.inbox)?;
            set(at, "UPDATE domains SET profile = ?2 WHERE id = ?1", &id, change.profile)?;
            set(at, "UPDATE domains SET also_classical = ?2 WHERE id = ?1", &id, change.also_classical)?;
            let sql = "UPDATE domains SET missing_certificate = ?2 WHERE id = ?1";
            set(at, sql, &id, change.missing_certificate)?;
            set(at, "UPDATE domains SET trust = ?2 WHERE id = ?1", &id, change.trust)?;
            set(at, "UPDATE domains SET expired = ?2 WHERE id = ?1", &id, change.expired)?;
            set(at, "UPDATE domains SET not_yet_valid = ?2 WHERE id = ?1", &id, change.not_yet_valid)?;
            set(at, "UPDATE domains SET unusable = ?2 WHERE id = ?1", &id, change.unusable)?;
            set(at, "UPDATE domains SET crl = ?2 WHERE id = ?1", &id, change.crl)?;
            set(at, "UPDATE domains SET recovery = ?2 WHERE id = ?1", &id, change.recovery)?;
            set(at, "UPDATE domains SET rules_allowed = ?2 WHERE id = ?1", &id, change.rules_allowed)?;
            set(at, "UPDATE domains SET attachments = ?2 WHERE id = ?1", &id, change.attachments)?;
            main_name(at, &id)
        })
    }

    /// Gives a domain another main name; accounts, keys and certificates stay as they are, the old name goes.
    pub fn rename_domain(&self, name: &str, new: &str) -> Result<String, AdminError> {
        self.write(|at| {
            let id = known_id(at, name)?;
            let new = domain_name(new)?;
            if id_of(at, &new)?.as_ref() == Some(&id) && main_name(at, &id)? != new {
                at.execute("DELETE FROM domain_names WHERE name = ?1", [&new])?;
            }
            refuse_taken(at, &new)?;
            at.execute(
                "UPDATE domain_names SET name = ?2 WHERE domain_id = ?1 AND main = 1",
                params![id, new],
            )?;
            Ok(new)
        })
    }

    /// Removes a domain without accounts. Its key and those of its replaced authorities must be named in `forget`.
    pub fn remove_domain(&self, name: &str, forget: &[Fingerprint]) -> Result<(), AdminError> {
        self.write(|at| {
            let id = known_id(at, name)?;
            let domain = main_name(at, &id)?;
            let count = account_count(at, &id)?;
            if count > 0 {
                return Err(AdminError::HasAccounts { domain, count });
            }
            let mut held = keys::of_domain(at, &id)?;
            held.extend(authorities::keys_of_domain(at, &id)?);
            keys::refuse_loss(&domain, held, forget)?;
            for sql in REMOVAL {
                at.execute(sql, [&id])?;
            }
            Ok(())
        })?;
        self.empty_log()
    }
}

/// What hangs on a domain, in the order of the foreign keys.
const REMOVAL: &[&str] = &[
    "DELETE FROM domain_certificates WHERE domain_id = ?1",
    "DELETE FROM domain_keys WHERE domain_id = ?1",
    "DELETE FROM retired_authorities WHERE domain_id = ?1",
    "DELETE FROM chain_certificates WHERE domain_id = ?1",
    "DELETE FROM trusted WHERE domain_id = ?1",
    "DELETE FROM recovery_certificates WHERE domain_id = ?1",
    "DELETE FROM rule_sets WHERE domain_id = ?1",
    "DELETE FROM catch_alls WHERE domain_id = ?1",
    "DELETE FROM account_names WHERE domain_id = ?1",
    "DELETE FROM domain_names WHERE domain_id = ?1",
    "DELETE FROM domains WHERE id = ?1",
];

/// The name in lower-case A-labels, by the rules for the domain of an address.
pub(super) fn domain_name(name: &str) -> Result<String, AdminError> {
    let refused = |reason| AdminError::DomainName { name: name.to_owned(), reason };
    if name.contains(['@', '"']) {
        return Err(refused("give the part after the @"));
    }
    let address = Address::parse(&format!("postmaster@{name}")).map_err(|error| refused(error.reason))?;
    Ok(address.domain().to_owned())
}

fn add_name(at: &Connection, id: &str, name: &str, main: bool) -> Result<String, AdminError> {
    let name = domain_name(name)?;
    refuse_taken(at, &name)?;
    let sql = "INSERT INTO domain_names (name, domain_id, main) VALUES (?1, ?2, ?3)";
    at.execute(sql, params![name, id, main])?;
    Ok(name)
}

fn refuse_taken(at: &Connection, name: &str) -> Result<(), AdminError> {
    match id_of(at, name)? {
        Some(owner) => Err(AdminError::DomainTaken { name: name.to_owned(), domain: main_name(at, &owner)? }),
        None => Ok(()),
    }
}

fn remove_name(at: &Connection, id: &str, alias: &str) -> Result<(), AdminError> {
    let name = domain_name(alias)?;
    let sql = "DELETE FROM domain_names WHERE name = ?1 AND domain_id = ?2 AND main = 0";
    match at.execute(sql, params![name, id])? {
        0 => Err(AdminError::NoAlias { alias: name, holder: main_name(at, id)? }),
        _ => Ok(()),
    }
}

/// Writes one setting that may be inherited; `sql` takes the row's key and the word.
pub(super) fn set<C: Choice>(
    at: &Connection,
    sql: &str,
    id: &str,
    setting: Setting<C>,
) -> Result<(), AdminError> {
    let own = match setting {
        Setting::Keep => return Ok(()),
        Setting::Inherit => None,
        Setting::Own(choice) => Some(choice),
    };
    at.execute(sql, params![id, word(own)])?;
    Ok(())
}

fn set_catch_all(at: &Connection, id: &str, setting: &Setting<Address>) -> Result<(), AdminError> {
    if *setting != Setting::Keep {
        at.execute("DELETE FROM catch_alls WHERE domain_id = ?1", [id])?;
    }
    if let Setting::Own(address) = setting {
        let account = known_account(at, address)?;
        at.execute("INSERT INTO catch_alls (domain_id, account_id) VALUES (?1, ?2)", params![id, account])?;
    }
    Ok(())
}

/// The domain of this name, main or alias. The name is lower-case A-labels already.
pub(super) fn id_of(at: &Connection, name: &str) -> Result<Option<String>, AdminError> {
    let sql = "SELECT domain_id FROM domain_names WHERE name = ?1";
    Ok(at.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()?)
}

/// The same for a name as somebody typed it, or an error that names it.
pub(super) fn known_id(at: &Connection, name: &str) -> Result<String, AdminError> {
    let name = domain_name(name)?;
    id_of(at, &name)?.ok_or(AdminError::NoDomain(name))
}

pub(super) fn main_name(at: &Connection, id: &str) -> Result<String, AdminError> {
    let sql = "SELECT name FROM domain_names WHERE domain_id = ?1 AND main = 1";
    Ok(at.prepare_cached(sql)?.query_row([id], |row| row.get(0))?)
}

pub(super) fn account_count(at: &Connection, id: &str) -> Result<usize, AdminError> {
    let sql = "SELECT count(*) FROM account_names WHERE domain_id = ?1 AND main = 1";
    let count: i64 = at.prepare_cached(sql)?.query_row([id], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// The account that gets mail for unknown local parts.
pub(super) fn catch_all(at: &Connection, id: &str) -> Result<Option<String>, AdminError> {
    let sql = "SELECT account_id FROM catch_alls WHERE domain_id = ?1";
    Ok(at.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?)
}

/// A domain with all that delivery needs.
pub(super) fn domain(at: &Connection, id: &str) -> Result<Domain, AdminError> {
    let (mode, overrides) = policy(at, id)?;
    let catch_all = catch_all(at, id)?.map(|account| main_address(at, &account)).transpose()?;
    Ok(Domain {
        name: main_name(at, id)?,
        aliases: aliases(at, id)?,
        mode,
        catch_all,
        overrides,
        authorities: certificates::authorities(at, id)?,
        sealing: certificates::sealing(at, id)?,
        recovery: recovery::of_domain(at, id)?,
        trust: trust::of_domain(at, id)?,
    })
}

fn policy(at: &Connection, id: &str) -> Result<(DomainMode, DomainOverrides), AdminError> {
    let sql =
        "SELECT mode, inbox, profile, missing_certificate, also_classical, trust, expired, not_yet_valid,
        unusable, crl, recovery, rules_allowed, attachments FROM domains WHERE id = ?1";
    let read = at.prepare_cached(sql)?.query_row([id], |row| {
        let overrides = DomainOverrides {
            inbox: row.get::<_, Option<Word<_>>>(1)?.map(|word| word.0),
            profile: row.get::<_, Option<Word<_>>>(2)?.map(|word| word.0),
            missing_certificate: row.get::<_, Option<Word<_>>>(3)?.map(|word| word.0),
            also_classical: row.get::<_, Option<Word<_>>>(4)?.map(|word| word.0),
            trust: row.get::<_, Option<Word<_>>>(5)?.map(|word| word.0),
            expired: row.get::<_, Option<Word<_>>>(6)?.map(|word| word.0),
            not_yet_valid: row.get::<_, Option<Word<_>>>(7)?.map(|word| word.0),
            unusable: row.get::<_, Option<Word<_>>>(8)?.map(|word| word.0),
            crl: row.get::<_, Option<Word<_>>>(9)?.map(|word| word.0),
            recovery: row.get::<_, Option<Word<_>>>(10)?.map(|word| word.0),
            rules_allowed: row.get::<_, Option<Word<_>>>(11)?.map(|word| word.0),
            attachments: row.get::<_, Option<Word<_>>>(12)?.map(|word| word.0),
        };
        Ok((row.get::<_, Word<DomainMode>>(0)?.0, overrides))
    })?;
    Ok(read)
}

fn aliases(at: &Connection, id: &str) -> Result<Vec<String>, AdminError> {
    let sql = "SELECT name FROM domain_names WHERE domain_id = ?1 AND main = 0 ORDER BY name";
    let mut statement = at.prepare_cached(sql)?;
    Ok(statement.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?)
}
