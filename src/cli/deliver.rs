//! `sealpost deliver`: the hook that an MTA calls for each message.
//!
//! Nothing here may end in any other way than by a [`Disposition`]: Postfix's pipe(8) bounces mail on most exit
//! codes, so usage errors, panics and our own deadline all become "try again" (75).

use super::context::{Context, engine, outbox};
use super::envelope::Envelope;
use super::failure::{Code, Failure};
use super::{arrived, deliver_batch, harvest, output, queue_run};
use crate::config::{Config, FILE};
use crate::engine::{CopyReport, Disposition, Fired, Load, Outcome, Parcel, Request};
use crate::helper::{SitePrograms, end_all};
use crate::mail::enough;
use std::ffi::OsString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Take a message from an MTA on standard input, apply the rules, seal it and store it
///
/// All recipients of one call are one unit: either every copy is stored and synced, or the answer is "try again".
/// Prints one line, `D.S.N text` (RFC 3463), and exits with 0 (delivered), 75 (try again: every doubt), 67 (no such
/// user in a domain that is ours) or 65 (refused by a rule, or too large). What happened stands in the log.
///
/// With --batch a person hands over many messages: a folder, or an mbox on standard input. Each is delivered as if it came
/// alone, rules and all, in the order of the names or of the mbox; they are sealed on all cores and synced together. Each is
/// all or nothing, and one that fails fails alone. Exits with 0 if all are stored, 1 if some were refused for good and none is to
/// be tried again, and 75 otherwise, also for a wrong command line: an MTA that calls it by mistake keeps its mail.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  sealpost deliver --sender= --recipient=anna@north.example --queue-id=4ZbK2m < message.eml
  sealpost deliver --batch /srv/old-mail --done /srv/stored --recipient=anna@north.example
  sealpost deliver --batch ~/Maildir --done ~/stored --recipient-field Delivered-To
  zcat list.mbox.gz | sealpost deliver --batch - --recipient=anna@north.example
The lines for Postfix: sealpost init --postfix")]
pub(super) struct Deliver {
    #[command(flatten)]
    envelope: Envelope,
    /// The MTA's queue id: the copy of a server rule is not stored again for the same id
    #[arg(long, value_name = "ID", allow_hyphen_values = true, conflicts_with = "batch")]
    queue_id: Option<String>,
    #[command(flatten)]
    batch: deliver_batch::Options,
}

/// Is this command line one of the hook? Asked before anything is parsed, so that a wrong one bounces no mail.
pub(super) fn is_called(args: &[OsString]) -> bool {
    let mut words = args.iter().skip(1).map(|word| word.to_str().unwrap_or_default());
    while let Some(word) = words.next() {
        match word {
            "--root" => {
                words.next();
            }
            option if option.starts_with('-') => (),
            verb => return verb == "deliver",
        }
    }
    false
}

/// Runs the hook. The line on standard output and the exit code are made from the same disposition.
pub(super) fn hook(args: &[OsString]) -> ExitCode {
    crate::system::close_inherited();
    if let Some(code) = deliver_batch::called(args) {
        return code;
    }
    log_panics();
    let watch = Watch::start();
    match conclude(|| attempt(args, &watch)) {
        Ok(disposition) => watch.answer(&disposition),
        Err(_) if names_recipient(args) => watch.answer(&Disposition::doubt("the mail system is not ready")),
        Err(help) => help.report(false),
    }
}

/// From now on a panic is a line in the log that names the place and nothing else: its own words may quote what was worked on.
pub(super) fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!("internal error at {place}: this is a bug, please report it");
    }));
}

/// Whatever becomes of the attempt, a disposition; only the help that was asked for comes back as it is.
fn conclude(attempt: impl FnOnce() -> Result<Disposition, Failure>) -> Result<Disposition, Failure> {
    match catch_unwind(AssertUnwindSafe(attempt)) {
        Ok(Err(failure)) if failure.code != Code::Done => {
            tracing::error!("{}", failure.text.trim_end());
            Ok(Disposition::doubt("the mail system is not ready"))
        }
        Ok(concluded) => concluded,
        Err(_) => Ok(Disposition::doubt("internal error")),
    }
}

/// Who asks for help names no recipient; a stray `-h` in an MTA's configuration must not pass for a delivery.
fn names_recipient(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg.to_str().is_some_and(|arg| arg.starts_with("--recipient")))
}

fn attempt(args: &[OsString], watch: &Watch) -> Result<Disposition, Failure> {
    crate::system::harden();
    let parsed = super::parse_hook(args);
    let (global, verb) = parsed.inspect_err(|_| crate::system::log::start_syslog(tracing::Level::INFO))?;
    let context = Context::new(global);
    let ready = context.become_owner().and_then(|()| written_config(&context));
    let config = ready.inspect_err(|_| crate::system::log::start_syslog(tracing::Level::INFO))?;
    context.start_log(&config)?;
    watch.shorten(config.deadline);
    let most = enough(config.settings.max_message);
    let message = arrived::first_of_standard_input(config.memory_limit, most, context.root())?;
    let directory = context.directory_for_reading()?;
    let store = context.store(&config)?;
    let (outbox, programs) = (outbox(&directory, &config), SitePrograms::new(&config.programs));
    let engine = engine(&directory, &store, &outbox, &config, &programs);
    let disposition = verb.parcel(message)?.deliver(&engine, |request, outcome| {
        // From here on everything is decided: a log that blocks makes no doubt of it.
        watch.stored(&outcome.disposition);
        log(request, &outcome);
        queue_run::after_delivery(&config, &directory, &outbox);
        harvest::after_delivery(&context, &config, &directory, request, &outcome);
        outcome.disposition
    });
    drop(outbox);
    directory.leave_open();
    Ok(disposition)
}

/// The configuration, which must be there: without it the defaults would put mail where nobody looks for it.
pub(super) fn written_config(context: &Context) -> Result<Config, Failure> {
    let file = context.root().join(FILE);
    if !file.exists() {
        let text = format!("{} is missing: sealpost init makes it", file.display());
        return Err(Failure::new(Code::Config, text));
    }
    context.config()
}

/// Addresses, rules, mailboxes, fingerprints and causes; nothing of the message.
pub(super) fn log(request: &Request<'_>, outcome: &Outcome) {
    let queue_id = request.queue_id.as_deref().unwrap_or("-");
    for copy in &outcome.copies {
        let rule = copy.rule.as_deref().unwrap_or("-");
        let (owner, place, how) = (&copy.owner, &copy.mailbox, describe(copy));
        match &copy.file {
            None => tracing::info!(queue_id, %owner, mailbox = %place, rule, how, "stored"),
            Some(_) => tracing::info!(queue_id, %owner, files = %place, rule, how, "stored"),
        }
        copy.warnings.iter().for_each(|warning| tracing::warn!(queue_id, owner = %copy.owner, "{warning}"));
    }
    for (what, acts) in
        [("not stored", outcome.discards().collect::<Vec<_>>()), ("done", outcome.done.iter().collect())]
    {
        for Fired { account, rule, action } in acts {
            let account = account.as_deref().unwrap_or("-");
            tracing::info!(queue_id, account, "{what}: rule \"{rule}\" ({action})");
        }
    }
    outcome.warnings.iter().for_each(|warning| tracing::warn!(queue_id, "{warning}"));
    let recipients: Vec<String> =
        request.recipients.iter().map(|recipient| recipient.address.to_string()).collect();
    let (to, answer) = (recipients.join(" "), outcome.disposition.line());
    let client = request.client.as_deref().unwrap_or("-");
    let warnings =
        outcome.copies.iter().map(|copy| copy.warnings.len()).sum::<usize>() + outcome.warnings.len();
    match &outcome.cause {
        None => {
            tracing::info!(queue_id, client, %to, bytes = request.size(), warnings, answer, "done")
        }
        Some(cause) => {
            tracing::warn!(queue_id, client, %to, bytes = request.size(), answer, "{cause}")
        }
    }
}

fn describe(copy: &CopyReport) -> String {
    let to: Vec<String> = copy.sealed_to.iter().map(|to| format!("{to} ({})", to.certificate)).collect();
    match (copy.plain_source, copy.cipher) {
        (Some(source), _) => format!("in the clear by {source}"),
        (None, Some(cipher)) if copy.kept_as_is => {
            format!("as it came, sealed with {cipher} to {}", to.join(", "))
        }
        (None, Some(cipher)) => format!("sealed with {cipher} to {}", to.join(", ")),
        (None, None) => "as it came, encrypted by its sender".to_owned(),
    }
}

impl Deliver {
    /// One message.
    pub(super) fn of_one(envelope: Envelope, queue_id: Option<String>) -> Deliver {
        Deliver { envelope, queue_id, batch: deliver_batch::Options::default() }
    }

    /// Many messages, and what is said of all of them; nothing if it is one.
    pub(super) fn many(self) -> Option<(deliver_batch::Options, Envelope)> {
        self.batch.is_wanted().then_some((self.batch, self.envelope))
    }

    /// With its message.
    fn parcel(self, message: Load) -> Result<Parcel, Failure> {
        let queue_id = self.queue_id.filter(|id| !id.is_empty());
        Ok(Parcel { queue_id, ..self.envelope.parcel(self.envelope.recipients()?, message) })
    }
}

/// One answer, given once: by the delivery, or by the deadline if that comes first.
struct Watch {
    answered: Arc<AtomicBool>,
    deadline_ms: Arc<AtomicU64>,
    decided: Arc<OnceLock<Disposition>>,
}

impl Watch {
    /// Postfix kills a pipe(8) command after 1000 s by default and bounces the mail: we answer long before. This holds
    /// until the configuration is read.
    const DEADLINE_MS: u64 = 120_000;

    fn start() -> Watch {
        let (answered, decided) = (Arc::<AtomicBool>::default(), Arc::<OnceLock<Disposition>>::default());
        let deadline_ms = Arc::new(AtomicU64::new(Watch::DEADLINE_MS));
        let watch = Watch {
            answered: Arc::clone(&answered),
            deadline_ms: Arc::clone(&deadline_ms),
            decided: Arc::clone(&decided),
        };
        // Without the thread there is no deadline of our own; Postfix's still holds.
        let waits = move || wait(&answered, &deadline_ms, &decided);
        let _ = std::thread::Builder::new().name("deadline".into()).spawn(waits);
        watch
    }

    fn shorten(&self, deadline: Duration) {
        self.deadline_ms.store(u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// What comes now is done after the delivery: if it takes too long, this is the answer and no doubt.
    fn stored(&self, disposition: &Disposition) {
        let _ = self.decided.set(disposition.clone());
    }

    /// Prints the line, unless the deadline already did: then its thread ends the process.
    fn answer(&self, disposition: &Disposition) -> ExitCode {
        if self.answered.swap(true, Ordering::SeqCst) {
            loop {
                std::thread::park();
            }
        }
        output::write_quietly(&mut io::stdout(), format!("{}\n", disposition.line()).as_bytes());
        ExitCode::from(disposition.exit_code())
    }
}

fn wait(answered: &AtomicBool, deadline_ms: &AtomicU64, decided: &OnceLock<Disposition>) {
    let begin = Instant::now();
    let left = || Duration::from_millis(deadline_ms.load(Ordering::SeqCst)).checked_sub(begin.elapsed());
    while let Some(left) = left() {
        std::thread::sleep(left.clamp(Duration::from_millis(1), Duration::from_millis(250)));
    }
    if !answered.swap(true, Ordering::SeqCst) {
        let doubt = || Disposition::doubt("the delivery took too long");
        let late = decided.get().cloned().unwrap_or_else(doubt);
        output::write_quietly(&mut io::stdout(), format!("{}\n", late.line()).as_bytes());
        end_all();
        std::process::exit(late.exit_code().into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(attempt: impl FnOnce() -> Result<Disposition, Failure>) -> (u8, String) {
        let disposition = conclude(attempt).unwrap();
        (disposition.exit_code(), disposition.line())
    }

    #[test]
    fn panics_and_failures_of_every_code_are_a_doubt() {
        assert_eq!(told(|| panic!("5.1.1 the mail is bounced")), (75, "4.3.0 internal error".into()));
        let arithmetic = |zero: usize| Ok(Disposition::doubt(["x"; 2][zero + 2]));
        assert_eq!(told(|| arithmetic(0)), (75, "4.3.0 internal error".into()));
        for (code, name, _) in super::super::failure::TABLE.iter().filter(|(code, ..)| *code != Code::Done) {
            let failure = Failure::new(*code, "5.1.1 the mail is bounced");
            assert_eq!(told(|| Err(failure)), (75, "4.3.0 the mail system is not ready".into()), "{name}");
        }
        assert_eq!(told(|| Ok(Disposition::Delivered)).0, 0);
        assert!(conclude(|| Err(Failure::new(Code::Done, "the help"))).is_err());
    }

    #[test]
    fn the_hook_is_known_by_its_verb() {
        let called = |line: &str| is_called(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert!(called("sealpost deliver --recipient=a@b"));
        assert!(called("sealpost --root /x deliver --nonsense"));
        assert!(called("sealpost --root=/x --json deliver"));
        assert!(!called("sealpost domain add deliver"));
        assert!(!called("sealpost --root deliver"));
        assert!(!called("sealpost"));
    }
}
