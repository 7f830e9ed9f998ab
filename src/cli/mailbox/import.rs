//! `sealpost mailbox import`: an mbox into a mailbox, sealed.

use super::one::One;
use super::report::label_of;
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure, without_error_numbers};
use crate::cli::output::{Output, Table, tell_terminal};
use crate::cli::words::{self, counted};
use crate::cli::{input, outlook, progress};
use crate::engine::{Clock, Prospect, SealedToOthers, StoreError};
use crate::mail::mbox::{Splitter, Variant};
use crate::mail::{Address, Flag};
use crate::mailbox::{self, Arrived, Ended, ImportError, Imported, Left};
use crate::system::{Interrupt, Patient, SystemClock, SystemEntropy};
use indicatif::ProgressBar;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

/// Of more failures only the number is said.
const LINES: u64 = 100;
/// Of more notes only the number is said.
const NOTES: u64 = 10;

/// Import the messages of an mbox file, each sealed before it is written
///
/// Each message is sealed as new mail for the mailbox is, and stored with the date of its "From " line and with its flags
/// (Status, X-Status, X-Keywords, Mozilla's). What its sender encrypted to the right certificates already is stored as it
/// is. Nothing of the file is ever on the disk in the clear. The mailbox is made if it is not there.
/// Give the same command again after it was stopped, or by mistake: a message that is there already is not stored twice.
/// That holds in this mailbox, also after encrypt, decrypt and rekey. Whoever moves a message into another mailbox gives it a
/// new name, by which it is not known any more.
/// The bytes of an mbox do not tell of which kind it is; mboxrd is the usual one. A line of a message that begins with
/// "From " and was not quoted ends the message only if an empty line stands before it and a whole date in it.
/// With --json: one JSON object a line.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost mailbox import --account anna@north.example old-mail.mbox
  sealpost mailbox import --account anna@north.example --mailbox Archive/2019 --seen 2019.mbox
  zcat list.mbox.gz | sealpost mailbox import --account anna@north.example --mailbox List -
  sealpost mailbox import --account anna@north.example --format mboxcl --dry-run spool")]
pub(super) struct Import {
    #[command(flatten)]
    one: One,
    /// Seal to this account besides
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    acting: Option<Address>,
    /// How lines that begin with "From " are kept apart: mboxrd, mboxo, mboxcl or mboxcl2
    #[arg(long, value_name = "FORM", default_value = "mboxrd", value_parser = words::mbox_variant)]
    format: Variant,
    /// Give every message this flag besides its own: seen, flagged, answered, draft, deleted, or a keyword; repeat it for
    /// several
    #[arg(long, value_name = "FLAG", value_parser = Flag::parse)]
    flag: Vec<Flag>,
    /// The same as --flag seen
    #[arg(long)]
    seen: bool,
    /// A message that is sealed to others: leave it so, or wrap it once more [default: as the setting says]
    #[arg(long, value_name = "WAY", value_parser = words::choice::<SealedToOthers>())]
    sealed_to_others: Option<SealedToOthers>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// The mbox; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Import {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        // Before the command becomes the owner of the store: the file may be readable by the caller only.
        let (source, length) = input::stream(&self.file)?;
        let interrupt = Interrupt::listen(|| tell_terminal("ending after the messages in hand"))
            .map_err(|error| Failure::io("listen for", "signals", &error))?;
        let site = self.one.site(context)?;
        let prospect = self.prospect(&site)?;
        out.warnings(&prospect.warnings);
        let mailbox = site.mailbox_to_come();
        let marks = match (self.dry_run, site.directory.import_key_if_there()?) {
            (_, Some(key)) => key,
            (false, None) => site.directory.import_key(&SystemEntropy)?,
            (true, None) => crate::crypto::MarkKey::of_nobody(),
        };
        let settings = &site.config.settings;
        let import = mailbox::Import {
            store: &site.store,
            mailbox: &mailbox,
            name: site.name(),
            work: &mailbox::Encrypt {
                prospect: &prospect,
                own: &super::encrypt::own(&site.account),
                at: SystemClock.now(),
                others: self.sealed_to_others.unwrap_or(settings.sealed_to_others),
                // As a delivery does it.
                weak: SealedToOthers::Wrap,
                openpgp: settings.openpgp,
                entropy: &SystemEntropy,
            },
            marks: &marks,
            stop: interrupt.flag(),
            now: SystemTime::now(),
            flags: &self.flags(),
            dry_run: self.dry_run,
        };
        let largest = usize::try_from(settings.max_message).unwrap_or(usize::MAX);
        let mut report = Report::new(out, &self, progress::octets(out, length));
        let mut source = report.bar.wrap_read(Patient::new(source, interrupt.flag()));
        let ended = import
            .run(&mut source, Splitter::new(self.format, largest), &mut |imported| report.see(&imported));
        report.conclude(ended)
    }

    fn prospect(&self, site: &super::one::Site) -> Result<Prospect, Failure> {
        let acting = self.acting.as_ref().map(|acting| site.directory.account(acting)).transpose()?;
        outlook::of_owner(&site.directory, &site.account, acting.as_ref(), &site.config)
    }

    fn flags(&self) -> Vec<Flag> {
        self.flag.iter().cloned().chain(self.seen.then_some(Flag::Seen)).collect()
    }
}

/// Counts, tells of failures as they come, and concludes.
struct Report<'o> {
    out: &'o mut Output,
    verb: &'o Import,
    bar: ProgressBar,
    stored: u64,
    there: u64,
    failed: u64,
    noted: u64,
    /// What was stored as its sender encrypted it: a row each, not a line for each message.
    kept: BTreeMap<Left, u64>,
    /// Messages whose notes are worth a line.
    told: u64,
    octets: u64,
    unsaid: Option<Failure>,
}

impl<'o> Report<'o> {
    fn new(out: &'o mut Output, verb: &'o Import, bar: ProgressBar) -> Report<'o> {
        Report {
            out,
            verb,
            bar,
            stored: 0,
            there: 0,
            failed: 0,
            noted: 0,
            kept: BTreeMap::new(),
            told: 0,
            octets: 0,
            unsaid: None,
        }
    }

    fn see(&mut self, imported: &Imported) {
        match &imported.arrived {
            Arrived::Stored(octets) => {
                self.stored += 1;
                self.octets += octets;
            }
            Arrived::WouldStore => self.stored += 1,
            Arrived::ThereAlready => self.there += 1,
            Arrived::Failed(reason) => {
                self.failed += 1;
                self.note(self.failed <= LINES, imported, &without_error_numbers(reason));
            }
        }
        let left = imported.left.filter(|left| left_so(*left).is_some());
        self.noted += u64::from(left.is_some() || !imported.notes.is_empty());
        if let Some(left) = left {
            *self.kept.entry(left).or_default() += 1;
        }
        if !imported.notes.is_empty() {
            self.told += 1;
            self.note(self.told <= NOTES, imported, &imported.notes.join("; "));
        }
        if let Err(failure) = self.event(imported) {
            self.unsaid.get_or_insert(failure);
        }
    }

    fn note(&self, is_shown: bool, imported: &Imported, text: &str) {
        if is_shown {
            let Imported { number, offset, .. } = imported;
            self.bar.suspend(|| self.out.note(&format!("message {number}, at byte {offset}: {text}")));
        }
    }

    fn event(&mut self, imported: &Imported) -> Result<(), Failure> {
        if !self.out.is_json() {
            return Ok(());
        }
        let (outcome, reason, octets) = match &imported.arrived {
            Arrived::Stored(octets) => ("imported", None, Some(octets)),
            Arrived::WouldStore => ("would-be-imported", None, None),
            Arrived::ThereAlready => ("there-already", None, None),
            Arrived::Failed(reason) => ("failed", Some(without_error_numbers(reason)), None),
        };
        let left = imported.left.and_then(left_so);
        let notes: Vec<&str> = left.into_iter().chain(imported.notes.iter().map(String::as_str)).collect();
        self.out.json(json!({
            "event": "message", "number": imported.number, "offset": imported.offset, "outcome": outcome,
            "reason": reason, "left": imported.left, "notes": notes, "bytes": octets,
        }))
    }

    fn conclude(mut self, ended: Result<Ended, ImportError>) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        let begun = self.stored + self.there + self.failed > 0;
        if ended.is_ok() || begun {
            self.summary(matches!(ended, Ok(Ended::Whole)))?;
        }
        let file = input::name(&self.verb.file);
        let ended = ended.map_err(|error| failure(error, &file))?;
        if let Some(failure) = self.unsaid {
            return Err(failure);
        }
        if ended == Ended::Stopped {
            return Err(Failure::new(Code::TryAgain, "stopped; the same command goes on where it was"));
        }
        match usize::try_from(self.failed).unwrap_or(usize::MAX) {
            0 => Ok(()),
            failed => Err(Failure::new(Code::No, format!("{} failed", counted(failed, "message")))),
        }
    }

    fn summary(&mut self, whole: bool) -> Result<(), Failure> {
        let stored = if self.verb.dry_run { "would be imported" } else { "imported" };
        let mut table = Table::new(&["messages", "number"], "");
        table.row([stored.to_owned(), self.stored.to_string()]);
        for (left, number) in &self.kept {
            table.row([format!("  {}", label_of(*left)), number.to_string()]);
        }
        for (label, number) in [("there already", self.there), ("failed", self.failed)] {
            table.row([label.to_owned(), number.to_string()]);
        }
        for (number, most, what) in [(self.failed, LINES, "more failure"), (self.told, NOTES, "more note")] {
            if number > most {
                let more = usize::try_from(number - most).unwrap_or(usize::MAX);
                self.out.note(&format!("and {}, which --json names", counted(more, what)));
            }
        }
        self.out.table(&table)?;
        self.out.json(json!({
            "event": "summary", "operation": "import", "account": self.verb.one.account.to_string(),
            "mailbox": self.verb.one.name().as_str(), "dry_run": self.verb.dry_run, "whole": whole,
            "imported": self.stored, "there_already": self.there, "failed": self.failed, "noted": self.noted,
            "bytes": self.octets,
        }))
    }
}

/// What is noted of a message that is stored as its sender encrypted it; nothing where that is as it should be.
fn left_so(left: Left) -> Option<&'static str> {
    match left {
        Left::SealedToOthers => Some("sealed to others, and left so"),
        Left::OpenPgp => Some("encrypted with OpenPGP, and left so: nobody can tell who opens it"),
        Left::WeakAlgorithms => Some("sealed with algorithms that are not written any more, and left so"),
        Left::OtherKeys => {
            Some("sealed to other certificates of the owner, and left so: mailbox rekey hands it over")
        }
        Left::AlreadyRight | Left::AndOthers | Left::Clear | Left::Gone => None,
    }
}

/// Why it did not come to its end, and what to do.
fn failure(error: ImportError, file: &str) -> Failure {
    let again = "the same command goes on from there: what was imported is not imported twice";
    match error {
        ImportError::NoMbox(reason) => Failure::new(Code::Data, format!("{file}: {reason}"))
            .hint("nothing was imported; a single message is given to sealpost deliver"),
        ImportError::Read(error) => Failure::io("read", file, &error).hint(again),
        ImportError::Store(error @ StoreError::OverQuota(_)) => {
            Failure::new(Code::No, error.to_string()).hint(format!("make room; {again}"))
        }
        ImportError::Store(error) => Failure::from(error).hint(again),
        ImportError::Lock(error) => error.into(),
    }
}
