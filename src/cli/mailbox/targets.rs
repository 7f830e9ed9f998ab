//! Whose mailboxes are meant.

use crate::cli::failure::Failure;
use crate::cli::words;
use crate::directory::SqliteDirectory;
use crate::mail::Address;

/// One account, those of a domain, or all.
#[derive(clap::Args, Debug, Clone)]
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
    /// One account.
    pub(super) fn one(account: Address) -> Targets {
        Targets { account: Some(account), domain: None, all_accounts: false }
    }

    /// Whose: canonical addresses, of accounts that exist, by domain and address. Of a million accounts nothing else is
    /// in memory.
    pub(super) fn owners(&self, directory: &SqliteDirectory) -> Result<Vec<Address>, Failure> {
        match &self.account {
            Some(account) => Ok(vec![directory.account(account)?.address]),
            None => Ok(directory.account_addresses(self.domain.as_deref())?),
        }
    }

    /// The account, if one is named.
    pub(super) fn account(&self) -> Option<&Address> {
        self.account.as_ref()
    }

    /// The domain, if one is named.
    pub(super) fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }
}
