//! Installed rule files, with their history.

use super::lookup::{account_id, known_account, main_address};
use super::words::{self, Moment};
use super::{AdminError, SqliteDirectory, domains, id};
use crate::engine::InstalledRules;
use crate::mail::Address;
use crate::rules::ScopeKind;
use rusqlite::{Connection, Row, params};
use std::fmt;
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

    fn ids(&self, at: &Connection) -> Result<HolderIds, AdminError> {
        Ok(match self {
            RuleHolder::Server => (None, None),
            RuleHolder::Domain(name) => (Some(domains::known_id(at, name)?), None),
            RuleHolder::Account(address) => (None, Some(known_account(at, address)?)),
        })
    }
}

/// The holder as people name it: `server`, `domain north.example`, `account bob@north.example`.
impl fmt::Display for RuleHolder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RuleHolder::Server => out.write_str("server"),
            RuleHolder::Domain(name) => write!(out, "domain {name}"),
            RuleHolder::Account(address) => write!(out, "account {address}"),
        }
    }
}

/// Whose wish it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Somebody who administers the site: `rules-allowed` does not limit him.
    Administrator,
    /// The account's owner, through something that the site offers him.
    Owner,
}

/// What an entry of the history did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleChange {
    /// A file was installed.
    Installed,
    /// The rules were ended; the entry holds none.
    Removed,
    /// The text of that version was brought back.
    RolledBack(u32),
}

impl RuleChange {
    fn columns(self) -> (&'static str, Option<u32>) {
        match self {
            RuleChange::Installed => ("install", None),
            RuleChange::Removed => ("remove", None),
            RuleChange::RolledBack(version) => ("rollback", Some(version)),
        }
    }
}

/// An entry for the history of a holder.
#[derive(Debug, Clone, Copy)]
pub struct NewRules<'a> {
    /// The file's name, for messages.
    pub file: &'a str,
    /// Its text, checked.
    pub text: &'a str,
    /// What the entry does.
    pub change: RuleChange,
    /// The user of the machine who does it.
    pub by: &'a str,
    /// On whose wish.
    pub asked: Asked,
    /// The newest version that was seen when this was decided, if the decision hangs on it: 0 for none.
    pub after: Option<u32>,
}

/// An entry of the history of a holder: what it did, and the rules as they were from then on.
#[derive(Debug, Clone)]
pub struct InstalledSet {
    /// Counted from 1 for each holder.
    pub version: u32,
    /// What it did.
    pub change: RuleChange,
    /// The rules and for whom they are; no text where they were ended.
    pub rules: InstalledRules,
    /// When.
    pub installed: OffsetDateTime,
    /// The user of the machine who did it.
    pub installed_by: String,
    /// On whose wish.
    pub asked: Asked,
    /// Do these rules run?
    pub running: bool,
}

const COLUMNS: &str = "SELECT domain_id, account_id, file, rules, installed, installed_by, running, by_owner,
    version, change, restores FROM rule_sets";

impl SqliteDirectory {
    /// Adds an entry for the holder; what ran before is kept as history. Gives its version.
    pub fn change_rules(&self, holder: &RuleHolder, new: &NewRules<'_>) -> Result<u32, AdminError> {
        self.write(|at| {
            let ids = holder.ids(at)?;
            let newest = newest(at, &ids)?;
            if new.after.is_some_and(|seen| seen != newest) {
                return Err(AdminError::RulesChanged(holder.to_string()));
            }
            if new.change == RuleChange::Removed && !runs(at, &ids)? {
                return Err(AdminError::NoRules(holder.to_string()));
            }
            at.execute(
                &format!("UPDATE rule_sets SET running = 0 WHERE {OF_HOLDER}"),
                params![ids.0, ids.1],
            )?;
            add(at, &ids, newest + 1, new)?;
            Ok(newest + 1)
        })
    }

    /// Every entry of every holder: the server, domains, accounts, each by version.
    pub fn installed_rules(&self) -> Result<Vec<InstalledSet>, AdminError> {
        let mut sets = self.read(|at| collect(at, COLUMNS, params![]))?;
        sets.sort_by(|left, right| place(left).cmp(&place(right)));
        Ok(sets)
    }

    /// The entries of one holder by version; none if nothing was ever installed for it.
    pub fn rule_history(&self, holder: &RuleHolder) -> Result<Vec<InstalledSet>, AdminError> {
        self.read(|at| {
            let ids = holder.ids(at)?;
            collect(at, &format!("{COLUMNS} WHERE {OF_HOLDER} ORDER BY version"), params![ids.0, ids.1])
        })
    }
}

fn place(set: &InstalledSet) -> (ScopeKind, &str, u32) {
    (set.rules.scope, &set.rules.holder, set.version)
}

/// The domain's and the account's id: one of them, or none for the server.
type HolderIds = (Option<String>, Option<String>);

const OF_HOLDER: &str = "domain_id IS NOT DISTINCT FROM ?1 AND account_id IS NOT DISTINCT FROM ?2";

fn newest(at: &Connection, (domain, account): &HolderIds) -> Result<u32, AdminError> {
    let sql = format!("SELECT COALESCE(MAX(version), 0) FROM rule_sets WHERE {OF_HOLDER}");
    Ok(at.query_row(&sql, params![domain, account], |row| row.get(0))?)
}

fn runs(at: &Connection, (domain, account): &HolderIds) -> Result<bool, AdminError> {
    let sql = format!("SELECT 1 FROM rule_sets WHERE running = 1 AND {OF_HOLDER}");
    Ok(at.prepare(&sql)?.exists(params![domain, account])?)
}

fn add(
    at: &Connection,
    (domain, account): &HolderIds,
    version: u32,
    new: &NewRules<'_>,
) -> Result<(), AdminError> {
    let sql = "INSERT INTO rule_sets
        (id, domain_id, account_id, file, rules, installed, installed_by, running, by_owner, version, change, restores)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let (change, restores) = new.change.columns();
    let (running, by_owner) = (new.change != RuleChange::Removed, new.asked == Asked::Owner);
    at.execute(
        sql,
        params![
            id::fresh()?,
            domain,
            account,
            new.file,
            new.text,
            words::now(),
            new.by,
            running,
            by_owner,
            version,
            change,
            restores
        ],
    )?;
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
        asked: if row.get(7)? { Asked::Owner } else { Asked::Administrator },
        version: row.get(8)?,
        change: match (row.get_ref(9)?.as_str().unwrap_or_default(), row.get(10)?) {
            (_, Some(version)) => RuleChange::RolledBack(version),
            ("remove", None) => RuleChange::Removed,
            (_, None) => RuleChange::Installed,
        },
    })
}
