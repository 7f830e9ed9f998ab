//! Messages of an mbox into a mailbox, each sealed before it is written.
//!
//! The file is read once, as a stream. What is in memory is one message of it, or a batch of small ones. A message that is
//! stored carries in its name a number that only this site can compute from it ([`MarkKey`]), so that the same file, started
//! again, stores what is missing and nothing twice.

mod batch;
mod place;

use super::passes::{PASSES, Quiet, Watch};
use super::run::Lock;
use super::{Ended, Left, RunError, Work};
use crate::crypto::MarkKey;
use crate::engine::StoreError;
use crate::mail::mbox::{Entry, NoMbox, Splitter};
use crate::mail::{Flag, MailboxName};
use crate::store::{MaildirStore, StoredMailbox};
use batch::{Batch, Pending};
use std::collections::{HashMap, HashSet};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use zeroize::Zeroizing;

/// Octets that are read at a time.
const CHUNK: usize = 256 << 10;
/// What is said of the last message of an mbox that does not end with a line.
const CUT_OFF: &str = "the mbox ends within a line: this message may be cut off";

/// Where messages come to, and how.
pub struct Import<'a> {
    /// The mail.
    pub store: &'a MaildirStore,
    /// The mailbox. The account is locked while it runs, as by a run.
    pub mailbox: &'a Arc<StoredMailbox>,
    /// Its name: once the account is locked it is made, if it is not there.
    pub name: &'a MailboxName,
    /// What seals them.
    pub work: &'a dyn Work,
    /// What makes the numbers by which they are known again.
    pub marks: &'a MarkKey,
    /// Set when it shall end after the messages in hand.
    pub stop: &'a AtomicBool,
    /// The internal date of messages whose `From ` line has none.
    pub now: SystemTime,
    /// Flags that every message gets besides its own.
    pub flags: &'a [Flag],
    /// Only say what would be done.
    pub dry_run: bool,
}

/// A message of the mbox and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Which of the file: the first is 1.
    pub number: u64,
    /// Where in the file its `From ` line begins, in octets.
    pub offset: u64,
    /// What became of it.
    pub arrived: Arrived,
    /// Why it is stored as its sender encrypted it, if it is.
    pub left: Option<Left>,
    /// For the report.
    pub notes: Vec<String>,
}

/// What became of a message of the mbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrived {
    /// It is in the mailbox, with so many octets.
    Stored(u64),
    /// The same in a dry run: nothing was changed.
    WouldStore,
    /// It was imported before.
    ThereAlready,
    /// It is not in the mailbox: why. Nothing of the message is in it.
    Failed(String),
}

/// Why an import did not come to its end. What it stored is stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Not of that form. Nothing was stored.
    #[error(transparent)]
    NoMbox(#[from] NoMbox),
    /// The file.
    #[error("cannot read the mbox: {0}")]
    Read(#[source] io::Error),
    /// The disk, or the quota.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A run is at work in the account, or its mailboxes cannot be locked.
    #[error(transparent)]
    Lock(#[from] RunError),
}

impl Import<'_> {
    /// Reads the mbox to its end and tells of each message, in their order.
    pub fn run(
        &self,
        source: &mut dyn io::Read,
        mut splitter: Splitter,
        tell: &mut dyn FnMut(Imported),
    ) -> Result<Ended, ImportError> {
        let owner = &self.mailbox.owner;
        let maildir = self.store.folder(owner, &MailboxName::inbox());
        let lock = Lock::take(owner, &maildir)?;
        if !self.dry_run {
            self.store.create(owner, self.name)?;
        }
        // A Maildir that was just made had no lock.
        let lock = if lock.is_some() { lock } else { Lock::take(owner, &maildir)? };
        if lock.is_some() && !self.dry_run {
            self.store.sweep(self.mailbox)?;
        }
        let mut known = self.known()?;
        let mut batch = Batch::default();
        let mut chunk = Zeroizing::new(vec![0; CHUNK]);
        let mut is_mid_line = false;
        loop {
            while let Some(entry) = splitter.next_entry()? {
                if self.is_stopped() {
                    self.place(batch, tell)?;
                    return Ok(Ended::Stopped);
                }
                let is_cut_off = is_mid_line && splitter.is_done();
                batch.push(self.pending(entry, &mut known).noting(is_cut_off.then_some(CUT_OFF)));
                if batch.is_full() {
                    self.place(std::mem::take(&mut batch), tell)?;
                }
            }
            if splitter.has_ended() {
                self.place(batch, tell)?;
                return Ok(Ended::Whole);
            }
            match self.read(source, &mut chunk).map_err(ImportError::Read)? {
                None => {
                    self.place(batch, tell)?;
                    return Ok(Ended::Stopped);
                }
                Some([]) => splitter.end(),
                Some(octets) => {
                    is_mid_line = !octets.ends_with(b"\n");
                    splitter.push(octets);
                }
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// What comes next: no octets at the end, nothing if it shall end. What ended the program that writes the mbox ends us
    /// too, and the message that it was at is not whole: so that is looked at behind the reading.
    fn read<'c>(&self, source: &mut dyn io::Read, chunk: &'c mut [u8]) -> io::Result<Option<&'c [u8]>> {
        loop {
            let read = source.read(chunk);
            match read {
                _ if self.is_stopped() => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read.map(|octets| Some(chunk.get(..octets).unwrap_or_default())),
            }
        }
    }

    /// What was imported before, whatever was done with it since. An import that was killed may not have come to making it
    /// last, so that comes first: a message that is called there is there for good.
    fn known(&self) -> Result<Known, StoreError> {
        if !self.dry_run {
            self.store.make_last(self.mailbox)?;
        }
        let (mut there, mut quiet) = (HashSet::new(), Quiet::default());
        for _ in 0..PASSES {
            let (watch, before) = (Watch::begin(std::slice::from_ref(self.mailbox)), there.len());
            for stored in self.store.messages(self.mailbox).in_utf8() {
                there.extend(stored?.mark().map(|mark| mark.0));
            }
            quiet.see(&watch, there.len() > before);
            if quiet.is_enough() {
                break;
            }
        }
        Ok(Known { there, seen: HashMap::new() })
    }

    fn pending(&self, entry: Entry, known: &mut Known) -> Pending {
        let Entry { number, offset, from, content } = entry;
        let cut = match content {
            Ok(cut) => cut,
            Err(large) => return Pending::failed((number, offset), large.to_string()),
        };
        let moment = from.date.map_or(i64::MIN, time::OffsetDateTime::unix_timestamp).to_be_bytes();
        let same = self.marks.mark(&[&moment, &cut.message]);
        let mark = known.mark(self.marks, same);
        if known.there.contains(&mark) {
            return Pending::there((number, offset));
        }
        let date = from.date.map_or(self.now, SystemTime::from);
        Pending::message((number, offset), cut, (date, mark, self.flags))
    }
}

/// The numbers of messages. A message that is in the file several times, with the same date, has a number for each.
struct Known {
    there: HashSet<u64>,
    seen: HashMap<u64, u64>,
}

impl Known {
    fn mark(&mut self, marks: &MarkKey, same: u64) -> u64 {
        let times = self.seen.entry(same).or_default();
        let ordinal = std::mem::replace(times, *times + 1);
        if ordinal == 0 { same } else { marks.mark(&[&same.to_be_bytes(), &ordinal.to_be_bytes()]) }
    }
}
