//! Accounts: addresses and policy.

use super::domains::{self, Setting, set};
use super::lookup::{account, account_id, known_account, main_address};
use super::words::{self, folded};
use super::{AdminError, SqliteDirectory, id, keys};
use crate::crypto::{Classical, Profile};
use crate::engine::{Account, AttachmentPolicy, InboxPolicy, Recovery};
use crate::mail::Address;
use crate::pki::Fingerprint;
use crate::rules::RulesAllowed;
use rusqlite::{Connection, params};

/// An account to add.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its address, in any name of a local domain.
    pub address: Address,
    /// Its other addresses, each in a local domain.
    pub aliases: Vec<Address>,
}

/// What to change of an account.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// Addresses to add.
    pub add_aliases: Vec<Address>,
    /// Addresses to take away.
    pub remove_aliases: Vec<Address>,
    /// How the INBOX copy is stored.
    pub inbox: Setting<InboxPolicy>,
    /// Which algorithms.
    pub profile: Setting<Profile>,
    /// May classical keys stand beside post-quantum ones?
    pub also_classical: Setting<Classical>,
    /// Is the domain's recovery certificate a further recipient?
    pub recovery: Setting<Recovery>,
    /// What its owner may install.
    pub rules_allowed: Setting<RulesAllowed>,
    /// How copied attachments are stored.
    pub attachments: Setting<AttachmentPolicy>,
}

impl SqliteDirectory {
    /// Adds an account; gives its canonical address.
    pub fn add_account(&self, new: &NewAccount) -> Result<Address, AdminError> {
        self.write(|at| {
            let id = id::fresh()?;
            at.execute("INSERT INTO accounts (id) VALUES (?1)", [&id])?;
            add_address(at, &id, &new.address, true)?;
            for alias in &new.aliases {
                add_address(at, &id, alias, false)?;
            }
            main_address(at, &id)
        })
    }

    /// An account by any of its addresses.
    pub fn account(&self, address: &Address) -> Result<Account, AdminError> {
        self.read(|at| account(at, &known_account(at, address)?))
    }

    /// All accounts by address; those of one domain if it is named.
    pub fn all_accounts(&self, domain: Option<&str>) -> Result<Vec<Account>, AdminError> {
        self.read(|at| {
            let only = domain.map(|name| domains::known_id(at, name)).transpose()?;
            let sql = "SELECT a.account_id FROM account_names a
                JOIN domain_names d ON d.domain_id = a.domain_id AND d.main = 1
                WHERE a.main = 1 AND (?1 IS NULL OR a.domain_id = ?1) ORDER BY d.name, a.folded";
            let mut statement = at.prepare(sql)?;
            let ids: Vec<String> =
                statement.query_map([only], |row| row.get(0))?.collect::<Result<_, _>>()?;
            ids.iter().map(|id| account(at, id)).collect()
        })
    }

    /// The addresses of all accounts in the same order; those of one domain if it is named. Nothing else is read.
    pub fn account_addresses(&self, domain: Option<&str>) -> Result<Vec<Address>, AdminError> {
        self.read(|at| {
            let only = domain.map(|name| domains::known_id(at, name)).transpose()?;
            let sql = "SELECT a.local, d.name FROM account_names a
                JOIN domain_names d ON d.domain_id = a.domain_id AND d.main = 1
                WHERE a.main = 1 AND (?1 IS NULL OR a.domain_id = ?1) ORDER BY d.name, a.folded";
            let mut statement = at.prepare(sql)?;
            let addresses = statement.query_map([only], |row| {
                words::address(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?)
            })?;
            Ok(addresses.collect::<Result<_, _>>()?)
        })
    }

    /// Hands each account by address to the visitor, and keeps none. All of them are of one state of the directory.
    pub fn visit_accounts(&self, visit: &mut dyn FnMut(Account)) -> Result<(), AdminError> {
        self.read(|at| {
            let sql = "SELECT a.account_id FROM account_names a
                JOIN domain_names d ON d.domain_id = a.domain_id AND d.main = 1
                WHERE a.main = 1 ORDER BY d.name, a.folded";
            let mut statement = at.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                visit(account(at, &row.get::<_, String>(0)?)?);
            }
            Ok(())
        })
    }

    /// Changes an account: all of it or nothing. Gives its canonical address: the one it was called by may be gone.
    pub fn set_account(&self, address: &Address, change: &AccountChange) -> Result<Address, AdminError> {
        self.write(|at| {
            let id = known_account(at, address)?;
            for alias in &change.remove_aliases {
                remove_address(at, &id, alias)?;
            }
            for alias in &change.add_aliases {
                add_address(at, &id, alias, false)?;
            }
            set(at, "UPDATE accounts SET inbox = ?2 WHERE id = ?1", &id, change.inbox)?;
            set(at, "UPDATE accounts SET profile = ?2 WHERE id = ?1", &id, change.profile)?;
            set(at, "UPDATE accounts SET attachments = ?2 WHERE id = ?1", &id, change.attachments)?;
            let sql = "UPDATE accounts SET also_classical = ?2 WHERE id = ?1";
            set(at, sql, &id, change.also_classical)?;
            set(at, "UPDATE accounts SET recovery = ?2 WHERE id = ?1", &id, change.recovery)?;
            set(at, "UPDATE accounts SET rules_allowed = ?2 WHERE id = ?1", &id, change.rules_allowed)?;
            main_address(at, &id)
        })
    }

    /// Removes an account with its certificates, rules, rights, preferences and datasets; its mail stays, and what it sent
    /// goes. Each of its keys must be named in `forget`.
    pub fn remove_account(&self, address: &Address, forget: &[Fingerprint]) -> Result<(), AdminError> {
        let id = self.write(|at| {
            let id = known_account(at, address)?;
            let held = keys::of_account(at, &id)?.into_iter().map(|key| key.fingerprint).collect();
            keys::refuse_loss(&address.to_string(), held, forget)?;
            for sql in REMOVAL {
                at.execute(sql, [&id])?;
            }
            Ok(id)
        })?;
        self.forget_state_of(&id);
        Ok(())
    }
}

/// What hangs on an account, in the order of the foreign keys.
const REMOVAL: &[&str] = &[
    "DELETE FROM rights WHERE owner_id = ?1 OR actor_id = ?1",
    "DELETE FROM rule_sets WHERE account_id = ?1",
    "DELETE FROM vault_keys WHERE account_id = ?1",
    "DELETE FROM certificates WHERE account_id = ?1",
    "DELETE FROM catch_alls WHERE account_id = ?1",
    "DELETE FROM account_names WHERE account_id = ?1",
    "DELETE FROM accounts WHERE id = ?1",
];

fn add_address(at: &Connection, id: &str, address: &Address, main: bool) -> Result<(), AdminError> {
    let domain = domains::known_id(at, address.domain())?;
    if let Some(owner) = account_id(at, address)? {
        let account = main_address(at, &owner)?;
        return Err(AdminError::AddressTaken { address: address.clone(), account });
    }
    let sql = "INSERT INTO account_names (domain_id, folded, local, account_id, main)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    at.execute(sql, params![domain, folded(address), address.local(), id, main])?;
    Ok(())
}

fn remove_address(at: &Connection, id: &str, alias: &Address) -> Result<(), AdminError> {
    let domain = domains::known_id(at, alias.domain())?;
    let sql = "DELETE FROM account_names
        WHERE domain_id = ?1 AND folded = ?2 AND account_id = ?3 AND main = 0";
    match at.execute(sql, params![domain, folded(alias), id])? {
        0 => Err(AdminError::NoAlias { alias: alias.to_string(), holder: main_address(at, id)?.to_string() }),
        _ => Ok(()),
    }
}
