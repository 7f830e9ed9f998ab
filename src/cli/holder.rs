//! Whose key, certificate or rules: a domain's or an account's.

use super::words;
use crate::mail::Address;
use std::fmt;

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

impl Holder {
    /// The option that names it.
    pub(super) fn option(&self) -> &'static str {
        match self {
            Holder::Domain(_) => "--domain",
            Holder::Account(_) => "--account",
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Domain(name) => f.write_str(name),
            Holder::Account(address) => address.fmt(f),
        }
    }
}

impl From<HolderArgs> for Holder {
    fn from(args: HolderArgs) -> Holder {
        match args.account {
            Some(account) => Holder::Account(account),
            None => Holder::Domain(args.domain.unwrap_or_default()),
        }
    }
}
