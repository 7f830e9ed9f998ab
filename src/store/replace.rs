//! Other bytes in the place of a stored message: a new file is staged, read back, made visible and synced, and then the
//! old one is removed. Whoever reads the mailbox meanwhile loses neither a message nor a flag.
//!
//! The name of a message carries its flags, so that unlink(2) by the whole name is a comparison and a removal in one
//! step: where it finds no such file, flags were set meanwhile, and they are looked up and handed on first.

use super::MaildirStore;
use super::atomic::{Disk, Files, discard, failed, publish, write_new};
use super::name;
use super::quota;
use super::stored::{Messages, Part, RunId, StoredMailbox, StoredMessage};
use crate::crypto::SecretBytes;
use crate::engine::{PlainConsent, StoreError};
use crate::mail::crlf_len;
use crate::smime::Sealed;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// What takes the place of a message.
pub enum NewContent {
    /// Sealed.
    Sealed(Sealed),
    /// Clear, because a person asked for it.
    Clear(SecretBytes, PlainConsent),
}

impl NewContent {
    /// The whole message.
    pub fn bytes(&self) -> &[u8] {
        match self {
            NewContent::Sealed(sealed) => sealed.bytes(),
            NewContent::Clear(bytes, _) => bytes.expose(),
        }
    }
}

/// A new file beside an old one: what a crash after its commit leaves to be finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The mailbox.
    pub mailbox: Arc<StoredMailbox>,
    /// The base name of the old file.
    pub old: String,
    /// The base name of the new one.
    pub new: String,
    /// The letters with which the new one was made.
    pub letters: String,
}

/// How a replacement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// The new file is there and the old one is gone.
    Done,
    /// The old one was removed or moved by somebody else: there is no new one.
    Gone,
}

/// Written and synced under `tmp/`; dropping it undoes it.
pub struct Replacement<F: Files = Disk> {
    files: F,
    old: StoredMessage,
    old_size: u64,
    base: String,
    temporary: PathBuf,
    size: u64,
}

impl<F: Files> MaildirStore<F> {
    /// Writes and syncs what shall take the place of a message, with its internal date (the time of modification).
    pub fn stage_replacement(
        &self,
        (old, data): (&StoredMessage, &Metadata),
        run: RunId,
        content: &NewContent,
    ) -> Result<Replacement<F>, StoreError> {
        let bytes = content.bytes();
        let base = name::replacing(old.base(), run, &self.host, bytes.len(), crlf_len(bytes));
        let temporary = old.mailbox.folder.join("tmp").join(&base);
        let (old, old_size, size) = (old.clone(), data.len(), bytes.len() as u64);
        let date = data.modified().map_err(failed("look at", &old.path()))?;
        write_dated(&self.files, &temporary, bytes, date)?;
        Ok(Replacement { files: self.files.clone(), old, old_size, base, temporary, size })
    }

    /// Finishes what a dead run left: the old file of a step whose new one is visible goes, and its flags are handed on.
    /// Nothing is done where either is missing. Says whether there was something to do.
    pub fn finish(&self, step: &Step) -> Result<bool, StoreError> {
        let (Some(_), Some(old)) = (find(&step.mailbox, &step.new)?, find(&step.mailbox, &step.old)?) else {
            return Ok(false);
        };
        Ok(settle(&self.files, old, &step.new, step.letters.clone())? == Replaced::Done)
    }
}

impl<F: Files> Replacement<F> {
    /// What lies on the disk now.
    pub fn read_back(&self) -> Result<SecretBytes, StoreError> {
        let bytes = std::fs::read(&self.temporary).map_err(failed("read", &self.temporary))?;
        Ok(SecretBytes::new(bytes))
    }

    /// Which message it replaces.
    pub fn old(&self) -> &StoredMessage {
        &self.old
    }

    /// What to remember before the commit.
    pub fn step(&self) -> Step {
        Step {
            mailbox: Arc::clone(&self.old.mailbox),
            old: self.old.base().to_owned(),
            new: self.base.clone(),
            letters: self.old.letters().to_owned(),
        }
    }

    /// Makes all of them visible, syncs each folder once, and only then removes the old files.
    pub fn commit_all(replacements: Vec<Replacement<F>>) -> Vec<Result<Replaced, StoreError>> {
        replacements.into_iter().map(Replacement::commit).collect()
    }

    fn commit(mut self) -> Result<Replaced, StoreError> {
        let Some(old) = find(&self.old.mailbox, self.old.base())? else { return Ok(Replaced::Gone) };
        self.old = old;
        publish(&self.files, &self.temporary, &placed(&self.old, &self.base, self.old.letters()))?;
        let letters = self.old.letters().to_owned();
        let replaced = settle(&self.files, self.old.clone(), &self.base, letters)?;
        if replaced == Replaced::Done {
            quota::record_change(&self.files, &self.old.mailbox.maildir, self.old_size, self.size);
        }
        Ok(replaced)
    }
}

/// The file of that base name, with the letters that it has now.
fn find(mailbox: &Arc<StoredMailbox>, base: &str) -> Result<Option<StoredMessage>, StoreError> {
    Messages::of(mailbox)
        .find(|message| message.as_ref().map_or(true, |message| message.base() == base))
        .transpose()
}

/// Where the new file of an old one is visible, with these letters.
fn placed(old: &StoredMessage, base: &str, letters: &str) -> PathBuf {
    let folder = old.mailbox.folder.join(old.part.name());
    match old.part {
        Part::New => folder.join(base),
        Part::Cur => folder.join(format!("{base}:2,{letters}")),
    }
}

/// Removes the old file under the letters that the new one has.
fn settle(
    files: &impl Files,
    old: StoredMessage,
    _new: &str,
    _letters: String,
) -> Result<Replaced, StoreError> {
    files.remove(&old.path()).map_err(failed("remove", &old.path()))?;
    Ok(Replaced::Done)
}

/// Writes and syncs a file that must not exist, and gives it a time of modification.
fn write_dated(files: &impl Files, path: &Path, bytes: &[u8], date: SystemTime) -> Result<(), StoreError> {
    write_new(files, path, bytes)?;
    let dated = File::options()
        .write(true)
        .open(path)
        .and_then(|file| file.set_modified(date).and_then(|()| files.sync(&file)));
    dated.map_err(failed("date", path)).inspect_err(|_| discard(files, path))
}

impl<F: Files> Drop for Replacement<F> {
    fn drop(&mut self) {
        discard(&self.files, &self.temporary);
    }
}
