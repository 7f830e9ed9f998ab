//! Keys: one of each domain, and the vault records of accounts. Losing one is hard.

use super::lookup::known_account;
use super::words::{self, Hex, Moment, Word};
use super::{AdminError, SqliteDirectory, authorities, domains, id};
use crate::crypto::SecretBytes;
use crate::engine::Choice;
use crate::mail::Address;
use crate::pki::Fingerprint;
use rusqlite::{Connection, OptionalExtension, params};
use time::OffsetDateTime;

/// The private key of a domain.
pub struct DomainKey {
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub fingerprint: Fingerprint,
    /// PKCS#8 (DER), in the clear: the file is 0600.
    pub pkcs8: SecretBytes,
    /// When it was stored.
    pub created: OffsetDateTime,
}

/// Is a vault key of today, or kept for reading old mail?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Of today.
    Active,
    /// Every certificate of it is retired.
    Retired,
}

impl Choice for KeyState {
    const ALL: &'static [KeyState] = &[KeyState::Active, KeyState::Retired];

    fn name(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::Retired => "retired",
        }
    }
}

/// A user's key under the Secure Mail password.
#[derive(Debug, Clone)]
pub struct VaultKey {
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub fingerprint: Fingerprint,
    /// SubjectPublicKeyInfo (DER).
    pub public_key: Vec<u8>,
    /// Encrypted PKCS#8 (DER).
    pub record: Vec<u8>,
    /// Of today or kept for reading.
    pub state: KeyState,
    /// When it was stored.
    pub created: OffsetDateTime,
}

/// A vault key to store.
#[derive(Debug, Clone, Copy)]
pub struct NewVaultKey<'a> {
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub fingerprint: Fingerprint,
    /// SubjectPublicKeyInfo (DER).
    pub public_key: &'a [u8],
    /// Encrypted PKCS#8 (DER).
    pub record: &'a [u8],
}

/// A vault key under another password.
#[derive(Debug, Clone)]
pub struct RewrappedKey {
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub fingerprint: Fingerprint,
    /// What was opened.
    pub old: Vec<u8>,
    /// What takes its place.
    pub new: Vec<u8>,
}

impl SqliteDirectory {
    /// Stores the key of a domain that has none.
    pub fn set_domain_key(
        &self,
        domain: &str,
        fingerprint: Fingerprint,
        pkcs8: &SecretBytes,
    ) -> Result<(), AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            if let Some(&fingerprint) = of_domain(at, &id)?.first() {
                return Err(AdminError::KeyExists { domain: domains::main_name(at, &id)?, fingerprint });
            }
            insert_of_domain(at, &id, fingerprint, pkcs8)
        })
    }

    /// The key of a domain, if it has one.
    pub fn domain_key(&self, domain: &str) -> Result<Option<DomainKey>, AdminError> {
        self.read(|at| {
            let id = domains::known_id(at, domain)?;
            let sql = "SELECT fingerprint, pkcs8, created FROM domain_keys WHERE domain_id = ?1";
            let key = at.query_row(sql, [id], |row| {
                Ok(DomainKey {
                    fingerprint: row.get::<_, Hex>(0)?.0,
                    pkcs8: SecretBytes::new(row.get(1)?),
                    created: row.get::<_, Moment>(2)?.0,
                })
            });
            Ok(key.optional()?)
        })
    }

    /// Removes the key of a domain and its certificates with it, also those that only opened mail, because they belong to that
    /// one key: both or nothing. The key must be named in `forget`.
    pub fn remove_domain_key(&self, domain: &str, forget: &[Fingerprint]) -> Result<(), AdminError> {
        self.write(|at| {
            let id = domains::known_id(at, domain)?;
            let held = of_domain(at, &id)?;
            if held.is_empty() {
                return Err(AdminError::NoKey(domains::main_name(at, &id)?));
            }
            refuse_loss(&domains::main_name(at, &id)?, held.clone(), forget)?;
            for key in held {
                authorities::forget(at, &id, key)?;
            }
            delete_of_domain(at, &id)
        })?;
        self.empty_log()
    }

    /// Stores a further key of an account.
    pub fn add_vault_key(&self, account: &Address, key: &NewVaultKey<'_>) -> Result<(), AdminError> {
        self.write(|at| add(at, account, key))
    }

    /// Puts keys of an account under another password: all of them or none. What was opened must still be there.
    pub fn rewrap_vault_keys(&self, account: &Address, keys: &[RewrappedKey]) -> Result<(), AdminError> {
        self.write(|at| {
            let id = known_account(at, account)?;
            let sql = "UPDATE vault_keys SET record = ?4 WHERE account_id = ?1 AND fingerprint = ?2 AND record = ?3";
            for RewrappedKey { fingerprint, old, new } in keys {
                if at.execute(sql, params![id, fingerprint.to_string(), old, new])? != 1 {
                    return Err(AdminError::KeysChanged(account.clone()));
                }
            }
            Ok(())
        })?;
        self.empty_log()
    }

    /// The keys of an account, the oldest first.
    pub fn vault_keys(&self, account: &Address) -> Result<Vec<VaultKey>, AdminError> {
        self.read(|at| of_account(at, &known_account(at, account)?))
    }

    /// Removes a key of an account. It must be named in `forget`.
    pub fn remove_vault_key(
        &self,
        account: &Address,
        key: Fingerprint,
        forget: &[Fingerprint],
    ) -> Result<(), AdminError> {
        self.write(|at| {
            let id = known_account(at, account)?;
            if !of_account(at, &id)?.iter().any(|held| held.fingerprint == key) {
                return Err(AdminError::NoKey(account.to_string()));
            }
            refuse_loss(&account.to_string(), vec![key], forget)?;
            let sql = "DELETE FROM vault_keys WHERE account_id = ?1 AND fingerprint = ?2";
            at.execute(sql, params![id, key.to_string()])?;
            Ok(())
        })
    }
}

/// A further key of an account, if it is not there.
pub(super) fn add(at: &Connection, account: &Address, key: &NewVaultKey<'_>) -> Result<(), AdminError> {
    let id = known_account(at, account)?;
    if of_account(at, &id)?.iter().any(|held| held.fingerprint == key.fingerprint) {
        return Err(AdminError::KeyHeld { account: account.clone(), fingerprint: key.fingerprint });
    }
    insert(at, &id, key)
}

/// A key that the account does not have yet.
pub(super) fn insert(at: &Connection, account: &str, key: &NewVaultKey<'_>) -> Result<(), AdminError> {
    let sql = "INSERT INTO vault_keys (id, account_id, fingerprint, public_key, record, state, created)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (row, print) = (id::fresh()?, key.fingerprint.to_string());
    let state = KeyState::Active.name();
    at.execute(sql, params![row, account, print, key.public_key, key.record, state, words::now()])?;
    Ok(())
}

/// Refuses unless every key was named.
pub(super) fn refuse_loss(
    holder: &str,
    held: Vec<Fingerprint>,
    forget: &[Fingerprint],
) -> Result<(), AdminError> {
    let fingerprints: Vec<_> = held.into_iter().filter(|key| !forget.contains(key)).collect();
    if fingerprints.is_empty() {
        return Ok(());
    }
    Err(AdminError::KeysWouldBeLost { holder: holder.to_owned(), fingerprints })
}

/// Stores the key of a domain that has none.
pub(super) fn insert_of_domain(
    at: &Connection,
    id: &str,
    fingerprint: Fingerprint,
    pkcs8: &SecretBytes,
) -> Result<(), AdminError> {
    let sql = "INSERT INTO domain_keys (domain_id, fingerprint, pkcs8, created) VALUES (?1, ?2, ?3, ?4)";
    at.execute(sql, params![id, fingerprint.to_string(), pkcs8.expose(), words::now()])?;
    Ok(())
}

/// Removes the key of a domain and its certificates.
pub(super) fn delete_of_domain(at: &Connection, id: &str) -> Result<(), AdminError> {
    at.execute("DELETE FROM domain_certificates WHERE domain_id = ?1", [id])?;
    at.execute("DELETE FROM domain_keys WHERE domain_id = ?1", [id])?;
    Ok(())
}

/// The key of a domain: one or none.
pub(super) fn of_domain(at: &Connection, id: &str) -> Result<Vec<Fingerprint>, AdminError> {
    let mut statement = at.prepare_cached("SELECT fingerprint FROM domain_keys WHERE domain_id = ?1")?;
    let keys = statement.query_map([id], |row| Ok(row.get::<_, Hex>(0)?.0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Every key of the directory, of domains and accounts.
pub(super) fn all(at: &Connection) -> Result<Vec<Fingerprint>, AdminError> {
    let sql = "SELECT fingerprint FROM domain_keys UNION SELECT fingerprint FROM vault_keys
        UNION SELECT fingerprint FROM retired_authorities";
    let mut statement = at.prepare(sql)?;
    let keys = statement.query_map([], |row| Ok(row.get::<_, Hex>(0)?.0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// The keys of an account, the oldest first.
pub(super) fn of_account(at: &Connection, id: &str) -> Result<Vec<VaultKey>, AdminError> {
    let sql = "SELECT fingerprint, public_key, record, state, created FROM vault_keys
        WHERE account_id = ?1 ORDER BY id";
    let mut statement = at.prepare_cached(sql)?;
    let keys = statement.query_map([id], |row| {
        Ok(VaultKey {
            fingerprint: row.get::<_, Hex>(0)?.0,
            public_key: row.get(1)?,
            record: row.get(2)?,
            state: row.get::<_, Word<KeyState>>(3)?.0,
            created: row.get::<_, Moment>(4)?.0,
        })
    })?;
    Ok(keys.collect::<Result<_, _>>()?)
}
