//! `sealpost deliver`: the hook that an MTA calls for each message.
//!
//! Nothing here may end in any other way than by a [`Disposition`]: Postfix's pipe(8) bounces mail on most exit
//! codes, so usage errors, panics and our own deadline all become "try again" (75).

use super::context::Context;
use super::input;
use crate::engine::{Disposition, Engine, Outcome, Recipient, Request};
use crate::mail;
use crate::rules::Source;
use crate::system::{SystemClock, SystemEntropy};
use clap::{FromArgMatches, ValueEnum};
use std::ffi::OsString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Postfix kills a pipe(8) command after 1000 s by default and bounces the mail: we answer long before.
const DEADLINE: Duration = Duration::from_secs(120);

/// Take a message from an MTA on standard input, apply the rules, seal it and store it
///
/// All recipients of one call are one unit: either every copy is stored and synced, or none and the answer is
/// "try again". Prints one line, `D.S.N text` (RFC 3463), and exits with 0 (delivered), 75 (try again: every doubt),
/// 67 (no such user in a domain that is ours) or 65 (refused by a rule or too large).
#[derive(clap::Args)]
pub(super) struct Deliver {
    /// A recipient of the envelope; repeat it for several
    #[arg(long, required = true, value_name = "ADDRESS", allow_hyphen_values = true)]
    recipient: Vec<String>,
    /// The sender of the envelope; empty for the null sender
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    sender: Option<String>,
    /// The original recipient (RFC 3461 ORCPT) of each recipient, in the same order
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    original_recipient: Vec<String>,
    /// The address of the SMTP client
    #[arg(long, value_name = "IP", allow_hyphen_values = true)]
    client: Option<String>,
    /// How the message came in
    #[arg(long, value_enum, default_value_t = HookSource::Pipe)]
    source: HookSource,
    /// The MTA's queue id: a server rule's copy is not stored again for the same id
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    queue_id: Option<String>,
}

/// [`Source`] as a word of the command line.
#[derive(Clone, Copy, ValueEnum)]
enum HookSource {
    Trusted,
    Authenticated,
    Lmtp,
    Pipe,
}

impl From<HookSource> for Source {
    fn from(source: HookSource) -> Source {
        match source {
            HookSource::Trusted => Source::Trusted,
            HookSource::Authenticated => Source::Authenticated,
            HookSource::Lmtp => Source::Lmtp,
            HookSource::Pipe => Source::Pipe,
        }
    }
}

/// Is this command line one of the hook? Asked before anything is parsed, so that a wrong one is not bounced.
pub(super) fn is_called(args: &[OsString]) -> bool {
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--root") => drop(words.next()),
            Some(option) if option.starts_with('-') => (),
            other => return other == Some("deliver"),
        }
    }
    false
}

/// Runs the hook. The one line on standard output and the exit code are made from the same disposition.
pub(super) fn hook(args: &[OsString]) -> ExitCode {
    std::panic::set_hook(Box::new(|_| ()));
    let answered = Arc::new(AtomicBool::new(false));
    start_deadline(Arc::clone(&answered));
    let disposition = catch_unwind(AssertUnwindSafe(|| attempt(args))).unwrap_or_else(|_| {
        tracing::error!("the hook panicked: this is a bug");
        Disposition::doubt("internal error")
    });
    answer(&answered, &disposition)
}

/// Prints the line unless the deadline already did; then that thread ends the process.
fn answer(answered: &AtomicBool, disposition: &Disposition) -> ExitCode {
    if answered.swap(true, Ordering::SeqCst) {
        loop {
            std::thread::park();
        }
    }
    super::output::write_quietly(&mut io::stdout(), format!("{}\n", disposition.line()).as_bytes());
    ExitCode::from(disposition.exit_code())
}

fn start_deadline(answered: Arc<AtomicBool>) {
    let watch = move || {
        std::thread::sleep(DEADLINE);
        if !answered.swap(true, Ordering::SeqCst) {
            let late = Disposition::doubt("the delivery took too long");
            super::output::write_quietly(&mut io::stdout(), format!("{}\n", late.line()).as_bytes());
            std::process::exit(late.exit_code().into());
        }
    };
    // Without the thread there is no deadline of our own; Postfix's still holds.
    let _ = std::thread::Builder::new().name("deadline".into()).spawn(watch);
}
