//! `sealpost mailbox list`: folders and messages.

use super::targets::Targets;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Table};
use serde_json::json;

/// List mailboxes and how many messages are in them
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost mailbox list --account anna@north.example
  sealpost mailbox list --all-accounts --json")]
pub(super) struct List {
    #[command(flatten)]
    targets: Targets,
}

impl List {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let (config, directory) = (context.config()?, context.directory_for_reading()?);
        let store = context.store(&config)?;
        let mut table = Table::new(&["account", "mailbox", "messages"], "no mailbox");
        let mut rows = Vec::new();
        for owner in self.targets.owners(&directory)? {
            for mailbox in store.stored_mailboxes(&owner)? {
                let messages = store.messages(&mailbox).count();
                table.row([owner.to_string(), mailbox.name.clone(), messages.to_string()]);
                rows.push(
                    json!({"account": owner.to_string(), "mailbox": mailbox.name, "messages": messages}),
                );
            }
        }
        out.table(&table)?;
        out.json(json!({"mailboxes": rows}))
    }
}
