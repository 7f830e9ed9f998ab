//! The command line: one file per verb.

mod completions;
mod context;
mod failure;
mod input;
mod man;
mod output;
mod password;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use context::{Context, Global};
use failure::{Code, Failure};
use output::Output;
use std::ffi::OsString;
use std::process::ExitCode;

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
    Completions(completions::Completions),
    Man(man::Man),
}

impl Verb {
    fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self {
            Verb::Completions(verb) => verb.run(out),
            Verb::Man(verb) => verb.run(out),
        }
    }
}

/// The whole command tree, for completions and man pages.
fn command_tree() -> clap::Command {
    Cli::command()
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let wants_json = args.iter().any(|arg| arg == "--json");
    match parse(&args).and_then(run) {
        Ok(()) => Code::Done.into(),
        Err(failure) => failure.report(wants_json),
    }
}

fn parse(args: &[OsString]) -> Result<Cli, Failure> {
    let matches = command_tree().try_get_matches_from(args).map_err(Failure::from_clap)?;
    Cli::from_arg_matches(&matches).map_err(Failure::from_clap)
}

fn run(cli: Cli) -> Result<(), Failure> {
    let mut out = Output::new(cli.global.json);
    let context = Context::new(cli.global);
    cli.verb.run(&context, &mut out)
}
