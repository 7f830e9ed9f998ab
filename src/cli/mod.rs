//! The command line: one file per verb.

mod account;
mod acl;
mod algorithms;
mod arrived;
mod authority;
mod backup;
mod bench;
mod cert;
mod cert_account;
mod cert_bulk;
mod cert_domain;
mod cert_fetch;
mod cert_fields;
mod cert_folder;
mod cert_import;
mod cert_issue;
mod cert_issued;
mod cert_message;
mod cert_pending;
mod cert_renew;
mod cert_revoke;
mod cert_show;
mod cert_verify;
mod chain;
mod completions;
mod config;
mod context;
mod courier;
mod crl;
mod crl_add;
mod crl_sign;
mod crl_succession;
mod dataset;
mod deliver;
mod deliver_batch;
mod demo;
mod doctor;
mod domain;
mod domain_mode;
mod effective;
mod elsewhere;
mod envelope;
mod explain;
mod failure;
mod filter;
mod fitness;
mod handover;
mod harvest;
mod holder;
mod hook_words;
mod init;
mod initial_password;
mod input;
mod inspect;
mod issuer;
mod key;
mod key_domain;
mod key_export;
mod key_import;
mod key_password;
mod key_remove;
mod key_rotate;
mod keyring;
mod loss;
mod mailbox;
mod mailboxes;
mod man;
mod moment;
mod new_file;
mod open;
mod orphans;
mod outlook;
mod output;
mod password;
mod preference;
mod programs;
mod progress;
mod queue;
mod queue_run;
mod recovery;
mod rekey;
mod report;
mod rules;
mod seal;
mod sender;
mod serve;
mod trust;
mod words;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use context::{Context, Global};
use failure::{Code, Failure};
use output::Output;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

/// Seals mail with S/MIME as it is stored: to the owner of the mailbox, before it touches the disk.
#[derive(Parser)]
#[command(name = "sealpost", version, max_term_width = 100, after_help = failure::exit_code_help())]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Demo(demo::Demo),
    Init(init::Init),
    Doctor(doctor::Doctor),
    Domain(domain::DomainCommand),
    Account(account::AccountCommand),
    Key(key::KeyCommand),
    Cert(cert::CertCommand),
    Crl(crl::CrlCommand),
    Chain(chain::ChainCommand),
    Trust(trust::TrustCommand),
    Recovery(recovery::RecoveryCommand),
    Acl(acl::AclCommand),
    Dataset(dataset::DatasetCommand),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Config(config::ConfigCommand),
    Deliver(deliver::Deliver),
    Serve(serve::Serve),
    Rules(rules::Rules),
    Queue(queue::QueueCommand),
    Mailbox(mailbox::MailboxCommand),
    Seal(seal::Seal),
    Open(open::Open),
    Rekey(rekey::Rekey),
    Inspect(inspect::Inspect),
    Algorithms(algorithms::Algorithms),
    Bench(bench::Bench),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Verb {
    fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self {
            Verb::Demo(verb) => verb.run(out),
            Verb::Init(verb) => verb.run(context, out),
            Verb::Doctor(verb) => verb.run(context, out),
            Verb::Domain(verb) => verb.run(context, out),
            Verb::Account(verb) => verb.run(context, out),
            Verb::Key(verb) => verb.run(context, out),
            Verb::Cert(verb) => verb.run(context, out),
            Verb::Crl(verb) => verb.run(context, out),
            Verb::Chain(verb) => verb.run(context, out),
            Verb::Trust(verb) => verb.run(context, out),
            Verb::Recovery(verb) => verb.run(context, out),
            Verb::Acl(verb) => verb.run(context, out),
            Verb::Dataset(verb) => verb.run(context, out),
            Verb::Backup(verb) => verb.run(context, out),
            Verb::Restore(verb) => verb.run(context, out),
            Verb::Config(verb) => verb.run(context, out),
            Verb::Deliver(_) => Err(Failure::new(Code::TryAgain, "deliver was not recognised as the hook")),
            Verb::Serve(verb) => verb.run(context, out),
            Verb::Rules(verb) => verb.run(context, out),
            Verb::Queue(verb) => verb.run(context, out),
            Verb::Mailbox(verb) => verb.run(context, out),
            Verb::Seal(verb) => verb.run(out),
            Verb::Open(verb) => verb.run(context, out),
            Verb::Rekey(verb) => verb.run(context, out),
            Verb::Inspect(verb) => verb.run(context, out),
            Verb::Algorithms(verb) => verb.run(out),
            Verb::Bench(verb) => verb.run(context, out),
            Verb::Completions(verb) => verb.run(out),
            Verb::Man(verb) => verb.run(out),
        }
    }
}

/// The whole command tree, for completions and man pages.
fn command_tree() -> clap::Command {
    // What many messages need not: each may name its recipient itself.
    let recipient = |arg: clap::Arg| arg.required(false).required_unless_present("recipient_field");
    Cli::command().mut_subcommand("deliver", |deliver| deliver.mut_arg("recipient", recipient))
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if deliver::is_called(&args) {
        return deliver::hook(&args);
    }
    crate::system::harden();
    let wants_json = args.iter().any(|arg| arg == "--json");
    match guarded(|| parse(&args).and_then(run)) {
        Ok(()) => Code::Done.into(),
        Err(failure) => failure.report(wants_json),
    }
}

/// A panic becomes an ordinary failure that names the place and nothing else: its own message may quote what was
/// worked on, and that may be mail.
fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let place: Arc<OnceLock<String>> = Arc::default();
    let seen = Arc::clone(&place);
    std::panic::set_hook(Box::new(move |info| {
        let _ = seen.set(info.location().map(ToString::to_string).unwrap_or_default());
    }));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let place = place.get().map_or("", String::as_str);
        Err(Failure::new(
            Code::Internal,
            format!("internal error at {place}: this is a bug, please report it"),
        ))
    })
}

fn parse(args: &[OsString]) -> Result<Cli, Failure> {
    let matches = command_tree().try_get_matches_from(args).map_err(Failure::from_clap)?;
    Cli::from_arg_matches(&matches).map_err(Failure::from_clap)
}

/// The same as [`parse`] of a command line that is the hook's.
fn parse_hook(args: &[OsString]) -> Result<(Global, deliver::Deliver), Failure> {
    if let Some(plain) = hook_words::read(args) {
        return Ok(plain);
    }
    let cli = parse(args)?;
    match cli.verb {
        Verb::Deliver(verb) => Ok((cli.global, verb)),
        _ => Err(Failure::new(Code::Usage, "the command line of the hook is not that of deliver")),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let mut out = Output::new(cli.global.json);
    let context = Context::new(cli.global);
    cli.verb.run(&context, &mut out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_internal_error_that_quotes_nothing() {
        let failure = guarded::<()>(|| panic!("the message says xyzzy")).unwrap_err();
        assert_eq!(failure.code, Code::Internal);
        assert!(failure.text.starts_with("internal error at src/cli/mod.rs:"), "{}", failure.text);
        assert!(failure.text.ends_with(": this is a bug, please report it"), "{}", failure.text);
        assert!(!failure.text.contains("xyzzy"));
    }
}
