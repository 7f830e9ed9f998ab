//! For whom rules are installed, as options name it.

use crate::cli::words;
use crate::directory::RuleHolder;
use crate::mail::Address;
use clap::{ArgGroup, Args};

/// One of the three. Whether it must be named says the command: [`exactly_one`], [`at_most_one`].
#[derive(Args)]
#[group(skip)]
pub(super) struct Holder {
    /// For the whole site
    #[arg(long)]
    server: bool,
    /// For every account of a domain
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// For one account
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Option<Address>,
}

/// For commands that need a holder.
pub(super) fn exactly_one() -> ArgGroup {
    at_most_one().required(true)
}

/// For commands that look at all holders unless one is named.
pub(super) fn at_most_one() -> ArgGroup {
    ArgGroup::new("holder").args(["server", "domain", "account"]).multiple(false)
}

impl Holder {
    /// The one that was named.
    pub(super) fn named(self) -> Option<RuleHolder> {
        match (self.server, self.domain, self.account) {
            (_, Some(domain), _) => Some(RuleHolder::Domain(domain)),
            (_, None, Some(account)) => Some(RuleHolder::Account(account)),
            (true, None, None) => Some(RuleHolder::Server),
            (false, None, None) => None,
        }
    }
}

/// Where a holder is needed; clap has seen to it that one is named.
impl From<Holder> for RuleHolder {
    fn from(holder: Holder) -> RuleHolder {
        holder.named().unwrap_or(RuleHolder::Server)
    }
}

/// The domain or the account; empty for the server.
pub(super) fn name(holder: &RuleHolder) -> String {
    match holder {
        RuleHolder::Server => String::new(),
        RuleHolder::Domain(name) => name.clone(),
        RuleHolder::Account(address) => address.to_string(),
    }
}

/// The options that name it.
pub(super) fn options(holder: &RuleHolder) -> String {
    match holder {
        RuleHolder::Server => "--server".to_owned(),
        RuleHolder::Domain(name) => format!("--domain {name}"),
        RuleHolder::Account(address) => format!("--account {address}"),
    }
}
