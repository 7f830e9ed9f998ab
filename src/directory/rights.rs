//! Who may put mail into whose mailbox.

use super::lookup::{known_account, main_address};
use super::words::Word;
use super::{AdminError, SqliteDirectory};
use crate::engine::Choice;
use crate::mail::{Address, MailboxName};
use rusqlite::{Connection, params};

/// What may be granted on a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// A rule of the other account may store messages there.
    Insert,
}

impl Choice for Right {
    const ALL: &'static [Right] = &[Right::Insert];

    fn name(self) -> &'static str {
        match self {
            Right::Insert => "insert",
        }
    }
}

/// A right of one account on a mailbox of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Whose mailbox.
    pub owner: Address,
    /// Which one.
    pub mailbox: String,
    /// Who may.
    pub actor: Address,
    /// What.
    pub right: Right,
}

impl SqliteDirectory {
    /// Grants a right; granting it twice changes nothing.
    pub fn grant(
        &self,
        owner: &Address,
        mailbox: &MailboxName,
        actor: &Address,
        right: Right,
    ) -> Result<(), AdminError> {
        self.write(|at| {
            delete(at, owner, mailbox, actor, right)?;
            let sql = "INSERT INTO rights (owner_id, mailbox, actor_id, granted) VALUES (?1, ?2, ?3, ?4)";
            let (owner, actor) = (known_account(at, owner)?, known_account(at, actor)?);
            at.execute(sql, params![owner, mailbox.as_str(), actor, right.name()])?;
            Ok(())
        })
    }

    /// Takes a right back.
    pub fn revoke(
        &self,
        owner: &Address,
        mailbox: &MailboxName,
        actor: &Address,
        right: Right,
    ) -> Result<(), AdminError> {
        self.write(|at| match delete(at, owner, mailbox, actor, right)? {
            0 => Err(AdminError::NoGrant(format!("~{owner}/{}", mailbox.as_str()))),
            _ => Ok(()),
        })
    }

    /// All rights on the mailboxes of an account.
    pub fn grants(&self, owner: &Address) -> Result<Vec<Grant>, AdminError> {
        self.read(|at| {
            let id = known_account(at, owner)?;
            let owner = main_address(at, &id)?;
            let sql = "SELECT mailbox, actor_id, granted FROM rights WHERE owner_id = ?1 ORDER BY mailbox";
            let mut statement = at.prepare(sql)?;
            let mut rows = statement.query([id])?;
            let mut grants = Vec::new();
            while let Some(row) = rows.next()? {
                grants.push(Grant {
                    owner: owner.clone(),
                    mailbox: row.get(0)?,
                    actor: main_address(at, row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?,
                    right: row.get::<_, Word<Right>>(2)?.0,
                });
            }
            Ok(grants)
        })
    }
}

fn delete(
    at: &Connection,
    owner: &Address,
    mailbox: &MailboxName,
    actor: &Address,
    right: Right,
) -> Result<usize, AdminError> {
    let (owner, actor) = (known_account(at, owner)?, known_account(at, actor)?);
    let sql = "DELETE FROM rights WHERE owner_id = ?1 AND mailbox = ?2 AND actor_id = ?3 AND granted = ?4";
    Ok(at.execute(sql, params![owner, mailbox.as_str(), actor, right.name()])?)
}

/// An account may insert into its own mailboxes, and where it was granted.
pub(super) fn may_insert(
    at: &Connection,
    owner: &Address,
    mailbox: &MailboxName,
    actor: &Address,
) -> Result<bool, AdminError> {
    let id = |address| super::lookup::account_id(at, address);
    let (Some(owner), Some(actor)) = (id(owner)?, id(actor)?) else {
        return Ok(false);
    };
    let sql = "SELECT 1 FROM rights WHERE owner_id = ?1 AND mailbox = ?2 AND actor_id = ?3 AND granted = ?4";
    let asked = params![owner, mailbox.as_str(), actor, Right::Insert.name()];
    Ok(owner == actor || at.prepare_cached(sql)?.exists(asked)?)
}
