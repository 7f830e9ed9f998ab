//! Installed rule files, with their history.

use super::lookup::{account_id, known_account, main_address};
use super::words::{self, Moment};
use super::{AdminError, SqliteDirectory, domains, id};
use crate::engine::InstalledRules;
use crate::mail::Address;
use crate::rules::ScopeKind;
use rusqlite::{Connection, Row, params};
use time::OffsetDateTime;

/// For whom a rule file is installed. Each holder has one running file; the next one takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleHolder {
    /// The site.
    Server,
    /// A domain, by any of its names.
    Domain(String),
    /// An account.
    Account(Address),
}

impl RuleHolder {
    /// Its scope.
    pub fn scope(&self) -> ScopeKind {
        match self {
            RuleHolder::Server => ScopeKind::Server,
            RuleHolder::Domain(_) => ScopeKind::Domain,
            RuleHolder::Account(_) => ScopeKind::Account,
        }
    }

    fn ids(&self, at: &Connection) -> Result<(Option<String>, Option<String>), AdminError> {
        Ok(match self {
            RuleHolder::Server => (None, None),
            RuleHolder::Domain(name) => (Some(domains::known_id(at, name)?), None),
            RuleHolder::Account(address) => (None, Some(known_account(at, address)?)),
        })
    }
}

/// A rule file as it was installed, running or of the past.
#[derive(Debug, Clone)]
pub struct InstalledSet {
    /// The rules and for whom they are.
    pub rules: InstalledRules,
    /// When.
    pub installed: OffsetDateTime,
    /// The user of the machine who did it.
    pub installed_by: String,
    /// Does it run?
    pub running: bool,
}

const COLUMNS: &str =
    "SELECT domain_id, account_id, file, rules, installed, installed_by, running FROM rule_sets";

impl SqliteDirectory {
    /// Installs a checked rule file in the place of what runs for the holder; that is kept as history.
    pub fn install_rules(
        &self,
        holder: &RuleHolder,
        file: &str,
        text: &str,
        installed_by: &str,
    ) -> Result<(), AdminError> {
        self.write(|at| {
            let (domain, account) = holder.ids(at)?;
            retire(at, domain.as_deref(), account.as_deref())?;
            let sql = "INSERT INTO rule_sets
                (id, domain_id, account_id, file, rules, installed, installed_by, running)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)";
            at.execute(sql, params![id::fresh()?, domain, account, file, text, words::now(), installed_by])?;
            Ok(())
        })
    }

    /// Every rule file that was installed, the oldest first.
    pub fn installed_rules(&self) -> Result<Vec<InstalledSet>, AdminError> {
        self.read(|at| collect(at, &format!("{COLUMNS} ORDER BY id"), params![]))
    }
}

fn retire(at: &Connection, domain: Option<&str>, account: Option<&str>) -> Result<(), AdminError> {
    let (sql, key) = match (domain, account) {
        (Some(domain), _) => ("UPDATE rule_sets SET running = 0 WHERE domain_id = ?1", Some(domain)),
        (None, Some(account)) => ("UPDATE rule_sets SET running = 0 WHERE account_id = ?1", Some(account)),
        (None, None) => {
            ("UPDATE rule_sets SET running = 0 WHERE domain_id IS NULL AND account_id IS NULL", None)
        }
    };
    match key {
        Some(key) => at.execute(sql, [key])?,
        None => at.execute(sql, [])?,
    };
    Ok(())
}

/// What runs for the server, and for the accounts and their domains, each once.
pub(super) fn running(at: &Connection, accounts: &[Address]) -> Result<Vec<InstalledRules>, AdminError> {
    let (mut domains, mut owners) = (Vec::new(), Vec::new());
    for address in accounts {
        domains.extend(domains::id_of(at, address.domain())?);
        owners.extend(account_id(at, address)?);
    }
    let server = format!("{COLUMNS} WHERE running = 1 AND domain_id IS NULL AND account_id IS NULL");
    let mut sets = collect(at, &server, params![])?;
    for (column, ids) in [("domain_id", &mut domains), ("account_id", &mut owners)] {
        ids.sort();
        ids.dedup();
        let sql = format!("{COLUMNS} WHERE running = 1 AND {column} = ?1");
        for id in ids {
            sets.extend(collect(at, &sql, params![&*id])?);
        }
    }
    Ok(sets.into_iter().map(|set| set.rules).collect())
}

fn collect(
    at: &Connection,
    sql: &str,
    asked: &[&dyn rusqlite::ToSql],
) -> Result<Vec<InstalledSet>, AdminError> {
    let mut statement = at.prepare_cached(sql)?;
    let mut rows = statement.query(asked)?;
    let mut sets = Vec::new();
    while let Some(row) = rows.next()? {
        sets.push(read(at, row)?);
    }
    Ok(sets)
}

fn read(at: &Connection, row: &Row<'_>) -> Result<InstalledSet, AdminError> {
    let (scope, holder) = match (row.get::<_, Option<String>>(0)?, row.get::<_, Option<String>>(1)?) {
        (Some(domain), _) => (ScopeKind::Domain, domains::main_name(at, &domain)?),
        (None, Some(account)) => (ScopeKind::Account, main_address(at, &account)?.to_string()),
        (None, None) => (ScopeKind::Server, String::new()),
    };
    Ok(InstalledSet {
        rules: InstalledRules { scope, holder, file: row.get(2)?, text: row.get(3)? },
        installed: row.get::<_, Moment>(4)?.0,
        installed_by: row.get(5)?,
        running: row.get(6)?,
    })
}
