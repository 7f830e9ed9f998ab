//! `sealpost deliver --batch`: many messages that a person hands over.

mod aside;
mod mbox;
mod report;
mod source;
mod spooled;

use super::context::{Context, engine, outbox};
use super::deliver::{log, written_config};
use super::envelope::Envelope;
use super::failure::{Code, Failure};
use super::output::{Output, tell_terminal};
use super::{Verb, guarded, harvest, queue_run, words};
use crate::config::Config;
use crate::engine::{Batch, HelperSettings, InFlight, Submission};
use crate::helper::SitePrograms;
use crate::mail::enough;
use crate::mail::mbox::Variant;
use crate::system::Interrupt;
use aside::Aside;
use report::Report;
use source::{Letters, Source};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

/// They stand apart from what a hook takes.
const MANY: &str = "Options for many messages";

/// What is said of many messages.
#[derive(clap::Args, Debug, Default)]
pub(super) struct Options {
    /// Deliver the messages of a folder, sorted by their names: the files in it, or in cur and new if it is a Maildir; - is an
    /// mbox on standard input. The files stay where they are unless --done is said, and flags that stand in their names are
    /// not taken over. Links, folders and hidden files are left out. A message above memory-limit is worked on piece by piece;
    /// of an mbox, one of more than 1 MiB waits until it is whole, encrypted, in a file without a name in the root. With a folder nothing may come on standard
    /// input: where it is a pipe that stays open, end the command with </dev/null
    #[arg(long, value_name = "DIR", help_heading = MANY)]
    batch: Option<PathBuf>,
    /// Move each file there once its message is stored and synced, so that the same command, given again, stores what is
    /// missing. On the same file system. After a crash the messages that were in hand (at most 512) may be stored twice.
    /// Ctrl-C ends it after those in hand, with a report; at once where the site lets rules start programs
    #[arg(long, value_name = "DIR", requires = "batch", help_heading = MANY)]
    done: Option<PathBuf>,
    /// Each message is for the address in the first field of this name, such as Delivered-To. Only for mail whose fields were
    /// written by a server that you trust: anybody can write one
    #[arg(
        long,
        value_name = "FIELD",
        requires = "batch",
        conflicts_with = "recipient",
        value_parser = field_name,
        help_heading = MANY
    )]
    recipient_field: Option<String>,
    /// How lines that begin with "From " are kept apart in the mbox: mboxrd, mboxo, mboxcl or mboxcl2
    #[arg(
        long,
        value_name = "FORM",
        default_value = "mboxrd",
        requires = "batch",
        value_parser = words::mbox_variant,
        help_heading = MANY
    )]
    format: Variant,
}

fn field_name(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
    if is_name {
        Ok(text.to_owned())
    } else {
        Err("it is the name of a header field, without a colon".into())
    }
}

impl Options {
    /// Are there many?
    pub(super) fn is_wanted(&self) -> bool {
        self.batch.is_some()
    }
}

/// Runs it if the command line asks for it. Looks at the words first, because the hook is to lose no time; what only looks like
/// it (the address of a sender, say) is left to the hook.
pub(super) fn called(args: &[OsString]) -> Option<ExitCode> {
    let looks_so =
        |arg: &OsString| arg.to_str().is_some_and(|arg| arg == "--batch" || arg.starts_with("--batch="));
    if !args.iter().any(looks_so) {
        return None;
    }
    let as_json = args.iter().any(|arg| arg == "--json");
    let cli = match super::parse(args) {
        Ok(cli) => cli,
        // Help is the hook's affair: it may be no answer to an MTA.
        Err(help) if help.code == Code::Done => return None,
        Err(failure) => return Some(doubt(failure).report(as_json)),
    };
    let Verb::Deliver(verb) = cli.verb else { return None };
    let (options, envelope) = verb.many()?;
    crate::system::harden();
    let context = Context::new(cli.global);
    let ended = guarded(|| options.run(&envelope, &context, &mut Output::new(as_json)));
    Some(ended.unwrap_or_else(|failure| doubt(failure).report(as_json)))
}

/// An MTA that calls this by mistake would bounce mail on any other code.
fn doubt(mut failure: Failure) -> Failure {
    failure.code = Code::TryAgain;
    failure
}

impl Options {
    fn run(self, envelope: &Envelope, context: &Context, out: &mut Output) -> Result<ExitCode, Failure> {
        let path = self.batch.clone().unwrap_or_default();
        let recipients = match &self.recipient_field {
            Some(_) => Vec::new(),
            None => envelope.recipients()?,
        };
        // Before the command becomes the owner of the store: standard input may be a file of the caller.
        let input = source::standard_input(&path)?;
        context.become_owner()?;
        let config = written_config(context)?;
        let interrupt = if starts_programs(&config) { Interrupt::deaf() } else { listen()? };
        context.start_log(&config)?;
        let source = Source::open(&path, input, self.format, (&config, context.root()), interrupt.flag())?;
        let aside = self.done.as_deref().map(|done| Aside::new(done, &path)).transpose()?;
        let directory = context.directory_for_reading()?;
        let store = context.store(&config)?;
        let (outbox, programs) = (outbox(&directory, &config), SitePrograms::new(&config.programs));
        let report = Mutex::new(Report::new(out, source.files(), source.skipped()));
        let (field, most) = (self.recipient_field.as_deref(), enough(config.settings.max_message));
        let letters = Letters { source, envelope, recipients, field, most, report: &report };
        let batch = Batch {
            engine: engine(&directory, &store, &outbox, &config, &programs),
            in_flight: InFlight::default(),
            stop: interrupt.flag(),
        };
        batch.run(letters, |place, request, outcome| {
            log(request, &outcome);
            let moved = match (&aside, outcome.disposition.exit_code()) {
                (Some(aside), 0) => aside.take(&place),
                _ => Ok(()),
            };
            if moved.is_err() {
                interrupt.flag().store(true, Ordering::Relaxed);
            }
            harvest::after_delivery(context, &config, &directory, request, &outcome);
            report::lock(&report).see(&place, request, &outcome, moved.err());
        });
        let moved = aside.map_or(Ok(()), |aside| aside.make_last());
        queue_run::after_delivery(&config, &directory, &outbox);
        let was_stopped = interrupt.flag().load(Ordering::Relaxed);
        let report = report.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        report.conclude(was_stopped, moved)
    }
}

/// May rules start a program, or may mail that they send? It would inherit that signals are blocked, so that what it starts
/// itself, such as timeout(1), could end nothing.
fn starts_programs(config: &Config) -> bool {
    let HelperSettings { execute, filters, .. } = &config.programs;
    let sends_by_program = matches!(config.submission.to, Some(Submission::Program(_)));
    !execute.is_empty() || !filters.is_empty() || sends_by_program
}

fn listen() -> Result<Interrupt, Failure> {
    let listening = Interrupt::listen(|| tell_terminal("ending after the messages in hand"));
    listening.map_err(|error| Failure::io("listen for", "signals", &error))
}

/// As a person reads it: a name may hold anything.
fn shown(path: &Path) -> String {
    crate::mail::printable(&path.to_string_lossy())
}
