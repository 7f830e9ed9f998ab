//! Other bytes in the place of a stored message: a new file is staged, read back, made visible and synced, and then the
//! old one is removed. Whoever reads the mailbox meanwhile loses neither a message nor a flag.
//!
//! The name of a message carries its flags, so that unlink(2) by the whole name is a comparison and a removal in one
//! step: where it finds no such file, flags were set meanwhile, and they are looked up and handed on first.
//!
//! At every moment the old file is there, or both, or the new one alone and for good. Two things are never done: the old
//! file removed before the new one is visible and its folder synced, and the new one dropped after the old one was removed.
//! (A removal over NFS 3 that is sent twice may answer "not there" for the one that we removed: Maildirs belong on a disk.)

use super::MaildirStore;
use super::atomic::{Disk, Files, discard, ensure_folder, failed, write_like};
use super::identity::Identity;
use super::name;
use super::pair::{Pair, State};
use super::settle::{locate, settle};
use super::stored::{RunId, StoredMailbox, StoredMessage};
use super::sweep::sync_emptied;
use crate::crypto::SecretBytes;
use crate::engine::{PlainConsent, StoreError};
use crate::mail::crlf_len;
use crate::smime::Sealed;
use nix::libc::O_NOFOLLOW;
use std::fs::{Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    /// Which file the old one is.
    pub file: Identity,
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
    old_file: Identity,
    base: String,
    temporary: PathBuf,
    size: u64,
}

impl<F: Files> MaildirStore<F> {
    /// Writes and syncs what shall take the place of a message, with its internal date (the time of modification), its group
    /// and its permissions, which clients may need. Where the group cannot be kept, the new one's may not read it.
    pub fn stage_replacement(
        &self,
        (old, data): (&StoredMessage, &Metadata),
        run: RunId,
        content: &NewContent,
    ) -> Result<Replacement<F>, StoreError> {
        let bytes = content.bytes();
        let sizes = (bytes.len(), crlf_len(bytes));
        let base = name::replacing((old.base(), data.mtime()), run, &self.host, sizes);
        let waiting = old.mailbox.folder.join("tmp");
        let temporary = waiting.join(&base);
        let (old, old_size, size) = (old.clone(), data.len(), bytes.len() as u64);
        let old_file = Identity::of(data);
        match write_like(&self.files, &temporary, bytes, data) {
            // Whoever made the mailbox made no tmp, or somebody tidied it away.
            Err(error) if is_missing(&error) => {
                ensure_folder(&self.files, &waiting)?;
                write_like(&self.files, &temporary, bytes, data)?;
            }
            written => written?,
        }
        Ok(Replacement { files: self.files.clone(), old, old_size, old_file, base, temporary, size })
    }
}

fn is_missing(error: &StoreError) -> bool {
    matches!(error, StoreError::Io { source, .. } if source.kind() == ErrorKind::NotFound)
}

impl<F: Files> Replacement<F> {
    /// What lies on the disk now: read from the file, and no more than was written.
    pub fn read_back(&self) -> Result<SecretBytes, StoreError> {
        let failed = || failed("read back", &self.temporary);
        let expected = usize::try_from(self.size).map_err(|_| failed()(ErrorKind::FileTooLarge.into()))?;
        let mut options = OpenOptions::new();
        let file =
            options.read(true).custom_flags(O_NOFOLLOW).open(&self.temporary).map_err(|e| failed()(e))?;
        // With room for one octet too many: the buffer never grows, and a longer file is seen.
        let mut bytes = Vec::with_capacity(expected.saturating_add(1));
        let read = file.take(self.size.saturating_add(1)).read_to_end(&mut bytes);
        let bytes = SecretBytes::new(bytes);
        read.map_err(|error| failed()(error))?;
        if bytes.expose().len() != expected {
            let text = format!("{expected} octets were written, and another number is there");
            return Err(failed()(io::Error::new(ErrorKind::InvalidData, text)));
        }
        Ok(bytes)
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
            file: self.old_file.clone(),
        }
    }

    /// Makes all of them visible, syncs each folder once, and only then removes the old files. One answer for each, in their
    /// order; a fault of one message is an error of that one.
    ///
    /// After an error the old file is there, or both, or (if the last sync failed) the new one: [`MaildirStore::finish`] finds
    /// out, so that the step of a failed replacement is worth remembering until it is finished.
    pub fn commit_all(replacements: Vec<Replacement<F>>) -> Vec<Result<Replaced, StoreError>> {
        let Some(files) = replacements.first().map(|first| first.files.clone()) else { return Vec::new() };
        let mut pairs: Vec<Pair> = replacements.iter().map(Replacement::pair).collect();
        locate(&mut pairs);
        for (pair, replacement) in pairs.iter_mut().zip(&replacements).filter(|(pair, _)| pair.is_open()) {
            pair.link(&files, &replacement.temporary);
        }
        settle(&files, &mut pairs);
        let emptied =
            replacements.iter().filter_map(|one| one.temporary.parent()).map(Path::to_owned).collect();
        drop(replacements);
        sync_emptied(&files, &emptied);
        pairs.into_iter().map(outcome).collect()
    }

    fn pair(&self) -> Pair {
        Pair::planned((&self.old, &self.old_file), &self.base, (self.old_size, self.size))
    }
}

fn outcome(pair: Pair) -> Result<Replaced, StoreError> {
    match pair.state {
        State::OldRemoved => Ok(Replaced::Done),
        State::OldGone | State::BothGone => Ok(Replaced::Gone),
        State::Stranger => {
            let text = "another file has its name now, and is left as it is";
            Err(failed("replace", &pair.old.path())(io::Error::other(text)))
        }
        State::NewGone | State::Open => {
            let text = "another program removed the new copy; the message stays as it was";
            Err(failed("replace", &pair.old.path())(io::Error::other(text)))
        }
        State::Failed(error) => Err(error),
    }
}

impl<F: Files> Drop for Replacement<F> {
    fn drop(&mut self) {
        discard(&self.files, &self.temporary);
    }
}

#[cfg(test)]
mod tests;
