//! What delivery asks: each question one snapshot of the directory.

use super::words::{self, Word, folded};
use super::{AdminError, SqliteDirectory, certificates, crls, domains, error, rights, rules};
use crate::engine::{
    Account, AccountFacts, AccountOverrides, Directory, DirectoryError, Generation, InstalledRules,
    Remembered, Route, ServerCopy, ServerCopyState,
};
use crate::mail::{Address, MailboxName};
use crate::pki::Crl;
use crate::rules::Needs;
use rusqlite::{Connection, OptionalExtension, params};

impl Directory for SqliteDirectory {
    fn generation(&self) -> Result<Option<Generation>, DirectoryError> {
        let at = self.connection();
        let others = at.query_row("PRAGMA data_version", [], |row| row.get(0));
        let others = others.map_err(|error| error::fault(&error))?;
        Ok(Some(Generation { others, own: at.total_changes() }))
    }

    fn routes(&self, addresses: &[Address], delimiter: Option<char>) -> Result<Vec<Route>, DirectoryError> {
        let all = |at: &_| addresses.iter().map(|address| route(at, address, delimiter)).collect();
        Ok(self.read(|at| all(at))?)
    }

    fn accounts(&self, addresses: &[Address]) -> Result<Vec<Option<Account>>, DirectoryError> {
        let one = |at: &Connection, address| match account_id(at, address)? {
            Some(id) => account(at, &id).map(Some),
            None => Ok(None),
        };
        Ok(self.read(|at| addresses.iter().map(|address| one(at, address)).collect())?)
    }

    fn rules(&self, accounts: &[Address]) -> Result<Vec<InstalledRules>, DirectoryError> {
        Ok(self.read(|at| rules::running(at, accounts))?)
    }

    fn may_insert(&self, asked: &[(Address, MailboxName, Address)]) -> Result<Vec<bool>, DirectoryError> {
        let one = |at: &_, (owner, mailbox, actor): &_| rights::may_insert(at, owner, mailbox, actor);
        Ok(self.read(|at| asked.iter().map(|question| one(at, question)).collect())?)
    }

    fn revocation_lists(&self, issuers: &[Vec<u8>]) -> Result<Vec<Crl>, DirectoryError> {
        Ok(self.read(|at| crls::of_issuers(at, issuers))?)
    }

    fn rule_facts(&self, asked: &[(Address, Needs)]) -> Result<Vec<AccountFacts>, DirectoryError> {
        self.facts_of(asked)
    }

    fn remember(&self, values: &[Remembered]) -> Result<(), DirectoryError> {
        self.add_to_datasets(values)
    }

    fn server_copies(&self, copies: &[ServerCopy]) -> Result<Vec<ServerCopyState>, DirectoryError> {
        self.copy_states(copies)
    }

    fn begin_server_copies(&self, copies: &[(ServerCopy, String)]) -> Result<(), DirectoryError> {
        self.begin_copies(copies)
    }

    fn finish_server_copies(&self, copies: &[ServerCopy]) -> Result<(), DirectoryError> {
        self.finish_copies(copies)
    }
}

/// Exact or alias, then without detail, then the catch-all.
fn route(at: &Connection, address: &Address, delimiter: Option<char>) -> Result<Route, AdminError> {
    let Some(domain) = domains::id_of(at, address.domain())? else {
        return Ok(Route::UnknownDomain);
    };
    let plain = delimiter.and_then(|delimiter| address.without_detail(delimiter));
    for candidate in std::iter::once(address).chain(&plain) {
        if let Some(account) = account_named(at, &domain, candidate)? {
            return Ok(Route::Account(main_address(at, &account)?));
        }
    }
    match domains::catch_all(at, &domain)? {
        Some(account) => Ok(Route::Account(main_address(at, &account)?)),
        None if domains::account_count(at, &domain)? == 0 => Ok(Route::UnknownDomain),
        None => Ok(Route::UnknownUser),
    }
}

fn account_named(at: &Connection, domain: &str, address: &Address) -> Result<Option<String>, AdminError> {
    let sql = "SELECT account_id FROM account_names WHERE domain_id = ?1 AND folded = ?2";
    let found = at.prepare_cached(sql)?.query_row(params![domain, folded(address)], |row| row.get(0));
    Ok(found.optional()?)
}

/// The account that an address names: its own or an alias, in any name of the domain.
pub(super) fn account_id(at: &Connection, address: &Address) -> Result<Option<String>, AdminError> {
    match domains::id_of(at, address.domain())? {
        Some(domain) => account_named(at, &domain, address),
        None => Ok(None),
    }
}

/// The same, or an error that names it.
pub(super) fn known_account(at: &Connection, address: &Address) -> Result<String, AdminError> {
    account_id(at, address)?.ok_or_else(|| AdminError::NoAccount(address.clone()))
}

/// The canonical address of an account.
pub(super) fn main_address(at: &Connection, account: &str) -> Result<Address, AdminError> {
    let sql = "SELECT a.local, d.name FROM account_names a
        JOIN domain_names d ON d.domain_id = a.domain_id AND d.main = 1
        WHERE a.account_id = ?1 AND a.main = 1";
    let made = at
        .prepare_cached(sql)?
        .query_row([account], |row| words::address(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?))?;
    Ok(made)
}

/// An account with all that delivery needs.
pub(super) fn account(at: &Connection, id: &str) -> Result<Account, AdminError> {
    let address = main_address(at, id)?;
    let domain = domains::known_id(at, address.domain())?;
    Ok(Account {
        aliases: other_addresses(at, id, &address)?,
        overrides: overrides(at, id)?,
        certificates: certificates::held(at, id)?,
        domain: domains::domain(at, &domain)?,
        address,
    })
}

fn overrides(at: &Connection, id: &str) -> Result<AccountOverrides, AdminError> {
    let sql = "SELECT inbox, profile, also_classical, recovery, rules_allowed, attachments FROM accounts WHERE id = ?1";
    let read = at.prepare_cached(sql)?.query_row([id], |row| {
        Ok(AccountOverrides {
            inbox: row.get::<_, Option<Word<_>>>(0)?.map(|word| word.0),
            profile: row.get::<_, Option<Word<_>>>(1)?.map(|word| word.0),
            also_classical: row.get::<_, Option<Word<_>>>(2)?.map(|word| word.0),
            recovery: row.get::<_, Option<Word<_>>>(3)?.map(|word| word.0),
            rules_allowed: row.get::<_, Option<Word<_>>>(4)?.map(|word| word.0),
            attachments: row.get::<_, Option<Word<_>>>(5)?.map(|word| word.0),
        })
    })?;
    Ok(read)
}

/// Every address but the canonical one: main and alias local parts, in all names of their domains.
fn other_addresses(at: &Connection, id: &str, main: &Address) -> Result<Vec<Address>, AdminError> {
    let sql = "SELECT a.local, d.name FROM account_names a
        JOIN domain_names d ON d.domain_id = a.domain_id
        WHERE a.account_id = ?1 ORDER BY a.main DESC, a.folded, d.main DESC, d.name";
    let mut statement = at.prepare_cached(sql)?;
    let all = statement
        .query_map([id], |row| words::address(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?))?;
    let all: Vec<Address> = all.collect::<Result<_, _>>()?;
    Ok(all.into_iter().filter(|address| address != main).collect())
}
