//! `sealpost mailbox export`: a mailbox as an mbox.

use super::keys::{AccountKeys, KeyOptions};
use super::one::{One, Site};
use super::selection::{Among, SelectionOptions, told_missing};
use super::targets::Targets;
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure, with_sources};
use crate::cli::new_file::NewFile;
use crate::cli::output::{self, Output, tell_terminal};
use crate::cli::words::counted;
use crate::mailbox::{self, Clear, ExportError, Exported, Left, Selection, Stays};
use crate::smime::OpeningKey;
use crate::store::StoredMessage;
use crate::system::Interrupt;
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Of more failures only the number is said.
const LINES: u64 = 100;

/// Export the messages of a mailbox as one mbox file (mboxrd)
///
/// Without a key each message comes as it is stored, sealed ones sealed. With --key, --domain-key or a password what is
/// sealed is opened first; one that does not open comes as it is stored, so that it is not missing in an archive, and the
/// command ends with 1. Flags, keywords and date stand in a few header fields behind the "From " line, which sealpost
/// mailbox import takes off again: it gets back each message byte for byte.
/// The file is a new one that only you can read. Nothing in the mailbox changes.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost mailbox export --account anna@north.example --output inbox.mbox
  sealpost mailbox export --account anna@north.example --mailbox Archive --before 2020-01-01 --output old.mbox
  sealpost mailbox export --account anna@north.example --password-file anna.password | gzip > clear.mbox.gz")]
pub(super) struct Export {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    selection: SelectionOptions,
    #[command(flatten)]
    keys: KeyOptions,
    /// Write to this new file; - is standard output [default: -]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let path = self.output.as_deref().filter(|path| *path != Path::new("-"));
        if path.is_none() && out.is_json() {
            return Err(Failure::new(Code::Usage, "standard output holds the mbox, not JSON")
                .hint("--output FILE writes it to a file"));
        }
        let targets = Targets::one(self.one.account.clone());
        let given = self.keys.are_given().then(|| self.keys.read(&targets)).transpose()?;
        // The caller's, before the command becomes the owner of the store.
        let file = path.map(NewFile::create).transpose()?;
        let interrupt = Interrupt::listen(|| tell_terminal("ending"))
            .map_err(|error| Failure::io("listen for", "signals", &error))?;
        let site = self.one.site(context)?;
        let keys = given.map(|given| given.unlock(context, &site.directory, &targets)).transpose()?;
        let keys = keys.map(|keys| Arc::new(keys).of(&site.directory, &site.account)).transpose()?;
        let mut tally = Tally::default();
        let selection = self.selection(&site)?;
        match self.export(&site, (keys.as_ref(), &selection), interrupt.flag(), (file, out, &mut tally))? {
            // A reader that went away has what it wanted.
            Err(ExportError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            written => written.map_err(Failure::from)?,
        }
        tally.conclude(out, &site, self.output.as_deref())?;
        told_missing(&selection)
    }

    fn selection(&self, site: &Site) -> Result<Selection, Failure> {
        let (owners, name) = ([site.account.address.clone()], self.one.name());
        let Site { config, directory, store, .. } = site;
        self.selection.to_look(&Among { config, directory, store, owners: &owners, mailbox: Some(&name) })
    }

    /// Writes the mbox to the file, or to standard output.
    fn export(
        &self,
        site: &Site,
        (keys, selection): (Option<&AccountKeys>, &Selection),
        stop: &AtomicBool,
        (file, out, tally): (Option<NewFile>, &Output, &mut Tally),
    ) -> Result<Result<(), ExportError>, Failure> {
        let mailbox = site.mailbox()?;
        let keywords = mailbox.keywords()?;
        let keys = keys.map(AccountKeys::opening_keys).transpose()?;
        let export = mailbox::Export {
            store: &site.store,
            mailbox: &mailbox,
            selection,
            opener: &|stored| opened(stored, keys.as_deref()),
            flags: &|letters| keywords.flags(letters),
            stop,
            largest: site.config.settings.max_message,
        };
        let mut tell = |stored: &StoredMessage, exported| tally.see(out, stored, exported);
        match file {
            None => Ok(export.run(&mut |piece| output::print_piece(piece), &mut tell)),
            Some(file) => file.pour(|sink| export.run(sink, &mut tell)),
        }
    }
}

fn opened(stored: &[u8], keys: Option<&[OpeningKey<'_>]>) -> Result<Option<Clear>, String> {
    let Some(keys) = keys else { return Ok(None) };
    match mailbox::open(stored, keys) {
        Ok(clear) => Ok(Some(clear)),
        Err(Stays::Left(Left::OpenPgp)) => Err("it is encrypted with OpenPGP".into()),
        Err(Stays::Left(_)) => Ok(None),
        Err(Stays::Failed(reason)) => Err(reason),
    }
}

#[derive(Default)]
struct Tally {
    stored: u64,
    opened: u64,
    noted: u64,
    gone: u64,
    not_opened: u64,
    failed: u64,
}

impl Tally {
    fn see(&mut self, out: &Output, stored: &StoredMessage, exported: Exported) {
        let (count, text) = match exported {
            Exported::AsStored => return self.stored += 1,
            Exported::Gone => return self.gone += 1,
            Exported::Opened(notes) => {
                self.opened += 1;
                if notes.is_empty() {
                    return;
                }
                (&mut self.noted, format!("is not as it was: {}", notes.join("; ")))
            }
            Exported::NotOpened(reason) => (&mut self.not_opened, format!("comes as it is stored: {reason}")),
            Exported::Failed(reason) => (&mut self.failed, format!("is left out: {reason}")),
        };
        *count += 1;
        if *count <= LINES {
            out.note(&format!("{} {text}", stored.base()));
        }
    }

    fn conclude(&self, out: &mut Output, site: &Site, output: Option<&Path>) -> Result<(), Failure> {
        let Tally { stored, opened, noted, gone, not_opened, failed } = *self;
        let all = stored + opened + not_opened;
        out.json(json!({
            "account": site.account.address.to_string(), "mailbox": site.name().as_str(), "output": output.map(|path| path.display().to_string()),
            "exported": all, "opened": opened, "not_opened": not_opened, "failed": failed,
            "noted": noted, "gone": gone,
        }))?;
        if output.is_some_and(|path| path != Path::new("-")) {
            out.note(&format!("{} exported, {opened} of them opened", messages(all)));
        }
        if gone > 0 {
            let were = if gone == 1 { "was" } else { "were" };
            out.note(&format!("{} {were} removed or moved meanwhile, and left out", messages(gone)));
        }
        let told =
            [(not_opened, "did not open and came as stored"), (failed, "could not be read and left out")];
        let told: Vec<String> = told
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| format!("{} {what}", messages(number)))
            .collect();
        if told.is_empty() { Ok(()) } else { Err(Failure::new(Code::No, told.join("; "))) }
    }
}

fn messages(number: u64) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), "message")
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Failure {
        let error = match error {
            ExportError::Lock(error) => return error.into(),
            error => error,
        };
        let code = match &error {
            ExportError::Store(_) => Code::Io,
            ExportError::Stopped => Code::TryAgain,
            _ => Code::Io,
        };
        Failure::new(code, with_sources(&error))
    }
}
