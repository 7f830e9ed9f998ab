//! `sealpost mailbox`: the mail that is there already.

mod inspect;
#[allow(dead_code, reason = "told by the verbs that replace and that inspect")]
mod leftovers;
mod list;
mod selection;
mod targets;

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
}

impl MailboxCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            Verb::List(verb) => verb.run(context, out),
            Verb::Inspect(verb) => verb.run(context, out),
        }
    }
}
