//! `sealpost backup` and `sealpost restore`

use super::context::Context;
use super::failure::Failure;
use super::new_file::NewFile;
use super::output::Output;
use super::words::{self, counted};
use crate::directory::{BackupContents, CarriedOver, MayReplace, Restored, SqliteDirectory};
use crate::engine::Clock;
use crate::system::{self, SystemClock};
use serde::Serialize;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a call that was killed left behind is removed when it is as old as this.
const LEFT: Duration = Duration::from_secs(24 * 60 * 60);

/// Names of files in the making.
const MAKING: &str = ".backup-";

/// What a restore leaves alone.
const AS_BEFORE: &str =
    "mail and sealpost.toml are as they were: sealpost doctor tells whether they go with it";

/// The same where there was nothing.
const NEW: &str = "mail and sealpost.toml are not in a backup, and there are none here: put them back, and see sealpost doctor";

/// Copy the directory to a file, while mail is delivered
///
/// The file holds domains, accounts, certificates, rules, datasets, who was answered, and every key: those of accounts under their passwords, those of
/// domains in the clear. Keep it as you keep the store. It is checked before it counts. Mail, that
/// which waits in the queue too, and sealpost.toml are not in it.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudo sealpost backup /root/sealpost-2026-11-25.backup
  sudo sealpost backup /root/sealpost.backup --json")]
pub(super) struct Backup {
    /// Make this file, readable by you only
    file: PathBuf,
}

/// Put a backup in the place of the directory
///
/// Everything in it comes back at once, or nothing does. A store that has domains is refused unless --replace is given;
/// what a store held is kept beside. What was revoked since stays revoked: revocations, what was issued and the numbers of
/// revocation lists are carried over, and so are the lists of other authorities. Who was answered since stays answered, and mail
/// in the queue still goes. A missing store is made. Mail and
/// sealpost.toml stay as they are.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudo sealpost restore /root/sealpost-2026-11-25.backup
  sudo sealpost restore /root/sealpost-2026-11-25.backup --replace
  sealpost --root ./try restore sealpost.backup")]
pub(super) struct Restore {
    /// What `sealpost backup` made
    file: PathBuf,
    /// Also where the store has domains already
    #[arg(long)]
    replace: bool,
}

impl Backup {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let target = NewFile::create(&self.file)?;
        let directory = context.directory_for_reading()?;
        sweep(context.root());
        let making = Making::name(context.root());
        let contents = directory.back_up(&making.0)?;
        let mut copy =
            File::open(&making.0).map_err(|error| Failure::io("read", making.0.display(), &error))?;
        target.fill(&mut copy)?;
        let file = self.file.display();
        out.line(format!("the directory is in {file}: {}", told(&contents)))?;
        if contents.domain_keys > 0 {
            out.line("keys of domains lie in it in the clear: whoever reads it can issue in their name")?;
        }
        out.line("mail and sealpost.toml are not in it")?;
        out.json(Copied { contents, file: file.to_string() })
    }
}

impl Restore {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let root = context.root();
        // What is the caller's, the owner of the store may not reach.
        let named = |error: io::Error| Failure::io("read", self.file.display(), &error);
        let mut source = File::open(&self.file).map_err(named)?;
        let made = MadeRoot::of(context)?;
        let was_empty = std::fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_none());
        let making = Making::name(root);
        making.fill(&mut source)?;
        let restored = self.restore(root, &making.0).map_err(|failure| self.in_words(failure, &making.0))?;
        made.keep();
        report(out, root, &restored)?;
        out.line(if was_empty { NEW } else { AS_BEFORE })?;
        told_to_programs(out, root, &restored)
    }

    fn restore(&self, root: &Path, backup: &Path) -> Result<Restored, Failure> {
        // Before a store is made.
        SqliteDirectory::check_backup(backup)?;
        let directory = SqliteDirectory::create(root)?;
        let may_replace = if self.replace { MayReplace::Anything } else { MayReplace::NoDomains };
        Ok(directory.restore(backup, &kept_name(root), may_replace)?)
    }

    /// The file that the caller named, and what to do.
    fn in_words(&self, failure: Failure, making: &Path) -> Failure {
        let text = failure.text.replace(&making.display().to_string(), &self.file.display().to_string());
        let refused = text.ends_with("nothing was restored");
        let failure = Failure::new(failure.code, text);
        if refused {
            failure.hint("to put the backup in its place, and keep it beside: --replace")
        } else {
            failure
        }
    }
}

/// Where the directory of before goes: a name with the second in it, and a number if somebody restored in that second already.
fn kept_name(root: &Path) -> PathBuf {
    let name = format!("directory.sqlite.before-{}", SystemClock.now().unix_timestamp());
    let numbered = (2_u32..).map(|number| root.join(format!("{name}-{number}")));
    let first = root.join(&name);
    std::iter::once(first.clone()).chain(numbered).find(|free| !free.exists()).unwrap_or(first)
}

fn report(out: &mut Output, root: &Path, restored: &Restored) -> Result<(), Failure> {
    let Restored { contents, kept, gone, carried } = restored;
    out.line(format!("{} is restored: {}", root.display(), told(contents)))?;
    if let Some(kept) = kept {
        out.line(format!("what was there is kept in {}", kept.display()))?;
    }
    if !gone.is_empty() {
        let keys = words::texts(gone.iter().map(words::short)).join(", ");
        out.line(format!(
            "{} of it are not in the backup, and open their mail no more: {keys}",
            counted(gone.len(), "key")
        ))?;
    }
    if *carried != CarriedOver::default() {
        out.line(format!("carried over, because the backup does not have it: {}", taken(carried)))?;
    }
    Ok(())
}

fn told_to_programs(out: &mut Output, root: &Path, restored: &Restored) -> Result<(), Failure> {
    let Restored { contents, kept, gone, carried } = restored;
    let (contents, kept, keys_gone) = (*contents, kept.as_deref(), words::texts(gone));
    out.json(PutBack { contents, root, kept, keys_gone, carried_over: *carried })
}

/// The object that a program reads.
#[derive(Serialize)]
struct Copied {
    #[serde(flatten)]
    contents: BackupContents,
    file: String,
}

/// The same of a restore.
#[derive(Serialize)]
struct PutBack<'a> {
    #[serde(flatten)]
    contents: BackupContents,
    root: &'a Path,
    /// Where the directory of before lies.
    kept: Option<&'a Path>,
    keys_gone: Vec<String>,
    carried_over: CarriedOver,
}

fn told(contents: &BackupContents) -> String {
    let BackupContents { domains, accounts, vault_keys, domain_keys, datasets } = *contents;
    let keys_and_accounts = format!(
        "{}, {}, {} of accounts under their passwords, {} of domains",
        counted(domains, "domain"),
        counted(accounts, "account"),
        counted(vault_keys, "key"),
        counted(domain_keys, "key")
    );
    match datasets {
        0 => keys_and_accounts,
        _ => format!("{keys_and_accounts}, {}", counted(datasets, "dataset")),
    }
}

fn taken(carried: &CarriedOver) -> String {
    let CarriedOver { revocations, issued, signed_lists, foreign_lists } = *carried;
    let counts = [
        (revocations, "revocation"),
        (issued, "issued certificate"),
        (signed_lists, "signed revocation list"),
        (foreign_lists, "foreign revocation list"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(count, what));
    counts.collect::<Vec<_>>().join(", ")
}

/// A file of the store's owner that goes away with the command.
struct Making(PathBuf);

impl Making {
    fn name(root: &Path) -> Making {
        Making(root.join(format!("{MAKING}{}", std::process::id())))
    }

    fn fill(&self, source: &mut File) -> Result<(), Failure> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.0);
        let copied = made.and_then(|mut file| io::copy(source, &mut file));
        copied.map(drop).map_err(|error| Failure::io("write", self.0.display(), &error))
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Removes what a call that was killed left behind.
fn sweep(root: &Path) {
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(MAKING);
        let age = entry.metadata().and_then(|data| data.modified()).map(|time| time.elapsed());
        if is_ours && age.is_ok_and(|age| age.is_ok_and(|age| age > LEFT)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The folder of the store; one that was made for nothing goes away again.
struct MadeRoot<'c>(Option<&'c Path>);

impl<'c> MadeRoot<'c> {
    fn of(context: &'c Context) -> Result<MadeRoot<'c>, Failure> {
        let root = context.root();
        if root.exists() {
            context.become_owner()?;
            system::refuse_network_file_system(root)?;
            return Ok(MadeRoot(None));
        }
        let made = DirBuilder::new().mode(0o700).create(root);
        made.map_err(|error| Failure::io("make", root.display(), &error))?;
        system::refuse_network_file_system(root)?;
        Ok(MadeRoot(Some(root)))
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for MadeRoot<'_> {
    fn drop(&mut self) {
        if let Some(root) = self.0 {
            let _ = std::fs::remove_dir(root);
        }
    }
}
