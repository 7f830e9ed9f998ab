//! `sealpost acl`

use super::context::Context;
use super::failure::{Code, Failure};
use super::output::{Output, Table};
use super::words;
use crate::directory::{Grant, Right};
use crate::engine::{Choice, Mailstore};
use crate::mail::{Address, MailboxName, MailboxRef, Owner};
use serde_json::json;

/// Say which account's rules may store into whose mailboxes
#[derive(clap::Args)]
pub(super) struct AclCommand {
    #[command(subcommand)]
    verb: AclVerb,
}

#[derive(clap::Subcommand)]
enum AclVerb {
    /// Allow an account's rules to store into somebody else's mailbox
    #[command(after_help = "Examples:
  sealpost acl grant --mailbox '~hr/Payroll' --account anna@north.example --create
  sealpost acl grant --mailbox '~hr@north.example/Payroll' --account anna@south.example")]
    Grant {
        #[command(flatten)]
        wanted: Wanted,
        /// Make the mailbox if its owner has none of that name: a rule never makes one for somebody else
        #[arg(long)]
        create: bool,
    },
    /// Forbid it again
    #[command(after_help = "Example:
  sealpost acl revoke --mailbox '~hr/Payroll' --account anna@north.example")]
    Revoke(Wanted),
    /// List the rights on a mailbox
    #[command(after_help = "Example:
  sealpost acl list --mailbox '~hr@north.example/Payroll'")]
    List {
        /// The mailbox, with its owner
        #[arg(long, value_name = "~OWNER/BOX")]
        mailbox: String,
        /// Only those of this account
        #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
        account: Option<Address>,
    },
}

#[derive(clap::Args)]
struct Wanted {
    /// The mailbox, with its owner: ~owner/Box in the account's domain, or ~owner@domain/Box
    #[arg(long, value_name = "~OWNER/BOX")]
    mailbox: String,
    /// Whose rules
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Address,
    /// What they may do
    #[arg(long, value_parser = words::choice::<Right>(), default_value = "insert")]
    right: Right,
}

impl AclCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            AclVerb::Grant { wanted, create } => {
                let (owner, mailbox) = place(&wanted.mailbox, Some(&wanted.account))?;
                context.directory()?.grant(&owner, &mailbox, &wanted.account, wanted.right)?;
                let store = context.store(&context.config()?)?;
                if create {
                    store.create(&owner, &mailbox)?;
                } else if !store.exists(&owner, &mailbox)? {
                    out.line(format!(
                        "note: {owner} has no mailbox {} yet, and mail for it waits: --create makes it",
                        mailbox.as_str()
                    ))?;
                }
                show(context, out, &owner, &mailbox, None)
            }
            AclVerb::Revoke(wanted) => {
                let (owner, mailbox) = place(&wanted.mailbox, Some(&wanted.account))?;
                context.directory()?.revoke(&owner, &mailbox, &wanted.account, wanted.right)?;
                show(context, out, &owner, &mailbox, None)
            }
            AclVerb::List { mailbox, account } => {
                let (owner, mailbox) = place(&mailbox, account.as_ref())?;
                show(context, out, &owner, &mailbox, account.as_ref())
            }
        }
    }
}

/// Owner and mailbox; `~owner` without a domain is in the domain of the acting account.
fn place(text: &str, actor: Option<&Address>) -> Result<(Address, MailboxName), Failure> {
    let wrong = |why: String| Failure::new(Code::Usage, why);
    let found = MailboxRef::parse(text).map_err(|error| wrong(error.to_string()))?;
    let owner = match (found.owner, actor) {
        (Some(Owner::Full(address)), _) => address,
        (Some(Owner::Local(local)), Some(actor)) => Address::parse(&format!("{local}@{}", actor.domain()))
            .map_err(|error| wrong(error.to_string()))?,
        _ => return Err(wrong(format!("\"{text}\" does not say whose mailbox: write ~owner@domain/Box"))),
    };
    Ok((owner, found.name))
}

fn show(
    context: &Context,
    out: &mut Output,
    owner: &Address,
    mailbox: &MailboxName,
    actor: Option<&Address>,
) -> Result<(), Failure> {
    let mut grants = context.directory_for_reading()?.grants(owner)?;
    grants
        .retain(|grant| grant.mailbox == mailbox.as_str() && actor.is_none_or(|actor| *actor == grant.actor));
    let nobody = format!("nobody but {owner} may store into ~{owner}/{}", mailbox.as_str());
    let mut table = Table::new(&["mailbox", "account", "right"], nobody);
    for grant in &grants {
        table.row([name(grant), grant.actor.to_string(), grant.right.name().to_owned()]);
    }
    out.table(&table)?;
    let rows = grants.iter().map(|grant| {
        json!({"mailbox": name(grant), "account": grant.actor.to_string(), "right": grant.right.name()})
    });
    out.json(json!({"rights": rows.collect::<Vec<_>>()}))
}

fn name(grant: &Grant) -> String {
    format!("~{}/{}", grant.owner, grant.mailbox)
}
