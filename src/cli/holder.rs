//! Whose key, certificate or rules: a domain's or an account's.

use super::words;
use crate::mail::Address;

/// Exactly one of the two.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct HolderArgs {
    /// Of this domain
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// Of this account
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Option<Address>,
}

/// A domain, by any of its names, or an account.
pub(super) enum Holder {
    Domain(String),
    Account(Address),
}

impl From<HolderArgs> for Holder {
    fn from(args: HolderArgs) -> Holder {
        match args.account {
            Some(account) => Holder::Account(account),
            None => Holder::Domain(args.domain.unwrap_or_default()),
        }
    }
}
