//! `sealpost account preference`

use super::context::Context;
use super::failure::{Code, Failure};
use super::output::{Output, Table};
use super::words;
use crate::mail::Address;
use serde_json::json;

/// Show and change the preferences of an account: names and values that rules ask about (Preference)
#[derive(clap::Args)]
pub(super) struct PreferenceCommand {
    #[command(subcommand)]
    verb: PreferenceVerb,
}

#[derive(clap::Subcommand)]
enum PreferenceVerb {
    /// List the preferences of an account
    #[command(after_help = "Example:
  sealpost account preference list anna@north.example")]
    List {
        /// Any of its addresses
        #[arg(value_parser = words::address)]
        address: Address,
    },
    /// Set a preference
    #[command(after_help = "Example:
  sealpost account preference set anna@north.example Language de")]
    Set {
        /// Any of its addresses
        #[arg(value_parser = words::address)]
        address: Address,
        /// Its name
        #[arg(value_parser = name)]
        name: String,
        /// Its value
        #[arg(value_parser = value)]
        value: String,
    },
    /// Take a preference away
    #[command(after_help = "Example:
  sealpost account preference unset anna@north.example Language")]
    Unset {
        /// Any of its addresses
        #[arg(value_parser = words::address)]
        address: Address,
        /// Its name
        #[arg(value_parser = name)]
        name: String,
    },
}

/// Octets. Ours.
const LONGEST_NAME: usize = 100;
const LONGEST_VALUE: usize = 1000;

/// Rules ask with a picture against `Name: value`, so that the first colon must be that one.
fn name(text: &str) -> Result<String, String> {
    let odd = |char: char| char.is_control() || char == ':';
    match text.is_empty() || text.trim() != text || text.contains(odd) || text.len() > LONGEST_NAME {
        true => Err(format!("a name has 1 to {LONGEST_NAME} bytes, no colon and no blank around it")),
        false => Ok(text.to_owned()),
    }
}

fn value(text: &str) -> Result<String, String> {
    match text.contains(char::is_control) || text.len() > LONGEST_VALUE {
        true => Err(format!("a value is one line of at most {LONGEST_VALUE} bytes")),
        false => Ok(text.trim().to_owned()),
    }
}

impl PreferenceCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            PreferenceVerb::List { address } => list(context, out, &address),
            PreferenceVerb::Set { address, name, value } => {
                context.directory()?.set_preference(&address, &name, &value)?;
                list(context, out, &address)
            }
            PreferenceVerb::Unset { address, name } => {
                match context.directory()?.unset_preference(&address, &name)? {
                    true => list(context, out, &address),
                    false => Err(Failure::new(Code::NotFound, format!("{address} has no preference {name}"))
                        .hint(format!("see: sealpost account preference list {address}"))),
                }
            }
        }
    }
}

fn list(context: &Context, out: &mut Output, address: &Address) -> Result<(), Failure> {
    let preferences = context.directory_for_reading()?.preferences(address)?;
    let mut table = Table::new(&["preference", "value"], format!("{address} has no preference"));
    for (name, value) in &preferences {
        table.row([name.clone(), value.clone()]);
    }
    out.table(&table)?;
    let rows = preferences.iter().map(|(name, value)| json!({"preference": name, "value": value}));
    out.json(json!({"account": address.to_string(), "preferences": rows.collect::<Vec<_>>()}))
}
