//! Whose mailboxes are meant.

use crate::cli::failure::Failure;
use crate::cli::words;
use crate::directory::SqliteDirectory;
use crate::mail::Address;

/// One account, those of a domain, or all.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Targets {
    /// The mailboxes of this account
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Option<Address>,
    /// Those of every account of this domain
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// Those of every account
    #[arg(long)]
    all_accounts: bool,
}

impl Targets {
    /// Whose: canonical addresses, of accounts that exist.
    pub(super) fn owners(&self, directory: &SqliteDirectory) -> Result<Vec<Address>, Failure> {
        if let Some(account) = &self.account {
            return Ok(vec![directory.account(account)?.address]);
        }
        let accounts = directory.all_accounts(self.domain.as_deref())?;
        Ok(accounts.into_iter().map(|account| account.address).collect())
    }
}
