//! The messages of a mailbox as an mbox.
//!
//! They come in the order in which their names sort, which is that of their arrival. For that the names are in memory, about
//! 150 octets a message; of the messages themselves, one.

use super::passes::{PASSES, Quiet, Watch};
use super::run::{Lock, too_large, whole};
use super::{Clear, RunError, Selection};
use crate::crypto::SecretBytes;
use crate::engine::StoreError;
use crate::mail::mbox::{self, Keeping};
use crate::mail::{Flag, MailboxName};
use crate::store::{MaildirStore, Part, StoredMailbox, StoredMessage};
use std::cmp::Ordering as Compared;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::Metadata;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use time::OffsetDateTime;

/// Gives the clear form of a stored message, if it should have one: `Ok(None)` where it stays as it is.
pub type Opener<'a> = &'a dyn Fn(&[u8]) -> Result<Option<Clear>, String>;

/// From where, and how.
pub struct Export<'a> {
    /// The mail.
    pub store: &'a MaildirStore,
    /// The mailbox. The account is locked until all is written: a run would replace messages meanwhile.
    pub mailbox: &'a Arc<StoredMailbox>,
    /// Which messages.
    pub selection: &'a Selection,
    /// Opens what is sealed.
    pub opener: Opener<'a>,
    /// The flags that letters of a name stand for there.
    pub flags: &'a dyn Fn(&str) -> Vec<Flag>,
    /// Set when it shall end.
    pub stop: &'a AtomicBool,
    /// A larger message is left out, octets: it would have to be in memory as a whole.
    pub largest: u64,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exported {
    /// It is in the mbox as it lay in the mailbox.
    AsStored,
    /// It is in the mbox in the clear; what is not as it was before it was sealed.
    Opened(Vec<String>),
    /// It is in the mbox as it lay in the mailbox, because it did not open: why.
    NotOpened(String),
    /// It is not in the mbox: why.
    Failed(String),
    /// It was removed or moved after it was listed.
    Gone,
}

/// Why an export did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The mailbox.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A run is at work in the account, or its mailboxes cannot be locked.
    #[error(transparent)]
    Lock(#[from] RunError),
    /// Where the mbox goes.
    #[error("cannot write the mbox: {0}")]
    Write(#[source] io::Error),
    /// Somebody stopped it. What was written is no whole mailbox.
    #[error("stopped: what was written is not the whole mailbox")]
    Stopped,
}

/// A message in the order of arrival. The same one under another name takes its place.
struct Listed {
    order: (u64, u64),
    stored: StoredMessage,
}

/// Those that were not there under the names under which they were listed, by what stays of these.
type Missed = HashMap<String, (StoredMessage, Quiet)>;

impl Export<'_> {
    /// Writes all that are meant and tells of each.
    pub fn run(
        &self,
        sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
        tell: &mut dyn FnMut(&StoredMessage, Exported),
    ) -> Result<(), ExportError> {
        let owner = &self.mailbox.owner;
        let _lock = Lock::take(owner, &self.store.folder(owner, &MailboxName::inbox()))?;
        let mut missed = Missed::new();
        for Listed { stored, .. } in self.listed()? {
            if !self.message(&stored, sink, tell)? {
                missed.insert(stored.base().to_owned(), (stored, Quiet::default()));
            }
        }
        self.again(missed, sink, tell)
    }

    fn listed(&self) -> Result<BTreeSet<Listed>, ExportError> {
        let (mut found, mut quiet) = (BTreeSet::new(), Quiet::default());
        for _ in 0..PASSES {
            let watch = Watch::begin(std::slice::from_ref(self.mailbox));
            let mut has_news = false;
            for stored in self.store.messages(self.mailbox) {
                self.go_on()?;
                let stored = stored?;
                if self.selection.by_name(&stored) {
                    has_news |= found.replace(Listed { order: order(stored.base()), stored }).is_none();
                }
            }
            quiet.see(&watch, has_news);
            if quiet.is_enough() {
                break;
            }
        }
        Ok(found)
    }

    /// Those whose names changed between the listing and the reading, under the names that they have now.
    fn again(
        &self,
        mut missed: Missed,
        sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
        tell: &mut dyn FnMut(&StoredMessage, Exported),
    ) -> Result<(), ExportError> {
        for _ in 0..PASSES {
            if missed.is_empty() {
                return Ok(());
            }
            let (watch, mut met) = (Watch::begin(std::slice::from_ref(self.mailbox)), HashSet::new());
            for stored in self.store.messages(self.mailbox) {
                let stored = stored?;
                if missed.contains_key(stored.base()) {
                    if self.message(&stored, sink, tell)? {
                        missed.remove(stored.base());
                    } else {
                        met.insert(stored.base().to_owned());
                    }
                }
            }
            missed.retain(|base, (stored, quiet)| {
                quiet.see(&watch, met.contains(base));
                if quiet.is_gone() {
                    tell(stored, Exported::Gone);
                }
                !quiet.is_gone()
            });
        }
        let text = "its file was renamed again and again: try again when the mailbox is quieter";
        missed.values().for_each(|(stored, _)| tell(stored, Exported::Failed(text.into())));
        Ok(())
    }

    fn go_on(&self) -> Result<(), ExportError> {
        if self.stop.load(Ordering::Relaxed) { Err(ExportError::Stopped) } else { Ok(()) }
    }

    /// Writes a message if it is meant; says whether it was there.
    fn message(
        &self,
        stored: &StoredMessage,
        sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
        tell: &mut dyn FnMut(&StoredMessage, Exported),
    ) -> Result<bool, ExportError> {
        self.go_on()?;
        let (mut file, data) = match stored.open() {
            Ok(Some(opened)) => opened,
            Ok(None) => return Ok(false),
            Err(error) => {
                tell(stored, Exported::Failed(error.to_string()));
                return Ok(true);
            }
        };
        if !self.selection.by_metadata(&data) {
            return Ok(true);
        }
        if data.len() > self.largest {
            tell(stored, Exported::Failed(too_large(data.len(), self.largest)));
            return Ok(true);
        }
        match whole(&mut file, data.len()) {
            Err(error) => tell(stored, Exported::Failed(format!("it cannot be read: {error}"))),
            Ok(bytes) if !self.selection.by_bytes(bytes.expose()) => {}
            Ok(bytes) => {
                let exported = self.write(stored, &data, &bytes, sink).map_err(ExportError::Write)?;
                tell(stored, exported);
            }
        }
        Ok(true)
    }

    fn write(
        &self,
        stored: &StoredMessage,
        data: &Metadata,
        bytes: &SecretBytes,
        sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Exported> {
        let (clear, exported) = match (self.opener)(bytes.expose()) {
            Ok(None) => (None, Exported::AsStored),
            Ok(Some(Clear { message, notes })) => (Some(message), Exported::Opened(notes)),
            Err(reason) => (None, Exported::NotOpened(reason)),
        };
        let message = clear.as_ref().unwrap_or(bytes).expose();
        let date = data.modified().map_or(OffsetDateTime::UNIX_EPOCH, moment);
        let keeping = Keeping { flags: (self.flags)(stored.letters()), noticed: stored.part() == Part::Cur };
        mbox::write_opened(bytes.expose(), message, (date, &keeping), sink)?;
        Ok(exported)
    }
}

impl Ord for Listed {
    fn cmp(&self, other: &Listed) -> Compared {
        (self.order, self.stored.base()).cmp(&(other.order, other.stored.base()))
    }
}

impl PartialOrd for Listed {
    fn partial_cmp(&self, other: &Listed) -> Option<Compared> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Listed {
    fn eq(&self, other: &Listed) -> bool {
        self.cmp(other) == Compared::Equal
    }
}

impl Eq for Listed {}

/// The whole seconds; the epoch for what no calendar has.
fn moment(time: SystemTime) -> OffsetDateTime {
    let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()),
        Err(before) => i64::try_from(before.duration().as_secs()).map(|seconds| -seconds),
    };
    let moment = seconds.ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    moment.filter(|moment| moment.year() >= 1).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// What names sort by: time and, within a second, what stands behind `M`.
fn order(base: &str) -> (u64, u64) {
    let mut levels = base.split('.');
    let seconds = levels.next().and_then(|seconds| seconds.parse().ok()).unwrap_or(u64::MAX);
    let digits = levels.next().and_then(|unique| unique.strip_prefix('M')).unwrap_or_default();
    let digits = digits.split(|char: char| !char.is_ascii_digit()).next().unwrap_or_default();
    (seconds, digits.parse().unwrap_or(0))
}
