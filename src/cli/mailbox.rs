//! `sealpost mailbox`: the mail that is there already.

mod aside;
mod decrypt;
mod encrypt;
mod export;
mod import;
mod inspect;
mod keys;
mod leftovers;
mod list;
mod one;
mod operation;
mod readers;
mod rekey;
mod report;
mod selection;
mod show;
mod targets;
mod task;

use super::context::Context;
use super::failure::Failure;
use super::output::Output;

/// Seal, open, hand to other keys and look at mail that is stored already
#[derive(clap::Args)]
pub(super) struct MailboxCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    List(list::List),
    Inspect(Box<inspect::Inspect>),
    Encrypt(Box<encrypt::Encrypt>),
    Decrypt(Box<decrypt::Decrypt>),
    Rekey(Box<rekey::Rekey>),
    Show(Box<show::Show>),
    Import(Box<import::Import>),
    Export(Box<export::Export>),
}

impl MailboxCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            Verb::List(verb) => verb.run(context, out),
            Verb::Inspect(verb) => verb.run(context, out),
            Verb::Encrypt(verb) => verb.run(context, out),
            Verb::Decrypt(verb) => verb.run(context, out),
            Verb::Rekey(verb) => verb.run(context, out),
            Verb::Show(verb) => verb.run(context, out),
            Verb::Import(verb) => verb.run(context, out),
            Verb::Export(verb) => verb.run(context, out),
        }
    }
}
