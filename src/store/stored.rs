//! Messages as their files lie there: listed, read, and named.

use super::MaildirStore;
use super::atomic::{Files, failed};
use super::name;
use super::walk::Way;
use crate::engine::StoreError;
use crate::mail::Address;
use nix::libc::{ELOOP, ENXIO, O_NOFOLLOW, O_NONBLOCK};
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions, ReadDir};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A mailbox with its folder on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoredMailbox {
    /// Whose.
    pub owner: Address,
    /// As people call it.
    pub name: String,
    /// The account's Maildir, which has the quota.
    pub(super) maildir: PathBuf,
    /// Its own folder, with `new`, `cur` and `tmp`.
    pub(super) folder: PathBuf,
}

impl StoredMailbox {
    /// Its folder, with `new`, `cur` and `tmp`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Where in its mailbox a message lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// `new/`: no client has seen it.
    New,
    /// `cur/`: the name may carry letters.
    Cur,
}

impl Part {
    /// In the order in which they are read: readers move messages from the first to the second.
    pub(super) const ALL: [Part; 2] = [Part::New, Part::Cur];

    pub(super) fn name(self) -> &'static str {
        match self {
            Part::New => "new",
            Part::Cur => "cur",
        }
    }
}

/// A message as it was listed. Its letters may have changed since, and it may be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    pub(super) mailbox: Arc<StoredMailbox>,
    pub(super) part: Part,
    pub(super) file_name: String,
}

impl StoredMessage {
    /// Its mailbox.
    pub fn mailbox(&self) -> &Arc<StoredMailbox> {
        &self.mailbox
    }

    /// Where in it the message lies.
    pub fn part(&self) -> Part {
        self.part
    }

    /// The part of the file's name that stays when flags change.
    pub fn base(&self) -> &str {
        name::base(&self.file_name)
    }

    /// Do people mean this message, who write its base name, the beginning of that (8 octets at least), its file's name or
    /// the path of that?
    pub fn is_called(&self, what: &str) -> bool {
        let wanted = called(what);
        self.base() == wanted || (wanted.len() >= SHORTEST && self.base().starts_with(wanted))
    }

    /// The letters of its flags and keywords.
    pub fn letters(&self) -> &str {
        name::letters_in(&self.file_name)
    }

    /// The run that made it, if one did.
    pub fn run(&self) -> Option<RunId> {
        name::run_in(self.base())
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.mailbox.folder.join(self.part.name()).join(&self.file_name)
    }

    /// Opens the file for reading, with what its inode says; nothing if it is not there under this name any more.
    /// What is no regular file is an error.
    pub fn open(&self) -> Result<Option<(File, Metadata)>, StoreError> {
        let path = self.path();
        let opened = OpenOptions::new().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(&path);
        let file = match opened {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            // ELOOP: a symbolic link. ENXIO: a socket.
            Err(error) if matches!(error.raw_os_error(), Some(ELOOP | ENXIO)) => {
                return Err(failed("open", &path)(no_file()));
            }
            opened => opened.map_err(failed("open", &path))?,
        };
        let data = file.metadata().map_err(failed("look at", &path))?;
        match data.is_file() {
            true => Ok(Some((file, data))),
            false => Err(failed("read", &path)(no_file())),
        }
    }
}

/// What a person wrote, as a base name or the beginning of one.
fn called(what: &str) -> &str {
    name::base(what.rsplit('/').next().unwrap_or(what))
}

fn no_file() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "it is no regular file, and no message then")
}

/// One run over stored messages; the names of the files that it makes carry it, so that it knows them again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunId(pub u64);

impl std::fmt::Display for RunId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

/// The shortest beginning of a base name that stands for it.
const SHORTEST: usize = 8;

/// What people mean by a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// This message.
    One(StoredMessage),
    /// No message is called so.
    None,
    /// The names of several begin so: some of them.
    Several(Vec<StoredMessage>),
}

/// How many of several are told.
const MOST_TOLD: usize = 10;

/// Lists the names in a mailbox as the disk gives them, `new` before `cur`. Nothing is collected.
///
/// Whoever renames a file while its folder is listed may hide it from the listing: whether the old name, the new one,
/// both or neither is seen is left open by readdir(3).
pub(super) struct Entries {
    mailbox: Arc<StoredMailbox>,
    parts: std::array::IntoIter<Part, 2>,
    listed: Option<(Part, ReadDir)>,
}

impl Entries {
    pub(super) fn of(mailbox: &Arc<StoredMailbox>) -> Entries {
        Entries { mailbox: Arc::clone(mailbox), parts: Part::ALL.into_iter(), listed: None }
    }

    fn folder(&self, part: Part) -> PathBuf {
        self.mailbox.folder.join(part.name())
    }

    /// A part that is not there has no messages; of one that cannot be listed that is said, and the next one is listed.
    fn begin(&mut self, part: Part) -> Option<StoreError> {
        let folder = self.folder(part);
        match std::fs::read_dir(&folder) {
            Ok(entries) => self.listed = Some((part, entries)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(source) => return Some(failed("list", &folder)(source)),
        }
        None
    }

    fn next_listed(&mut self) -> Option<Result<(Part, OsString), StoreError>> {
        let (part, entries) = self.listed.as_mut()?;
        let part = *part;
        let next = entries.next();
        if !matches!(next, Some(Ok(_))) {
            self.listed = None;
        }
        Some(match next? {
            Ok(entry) => Ok((part, entry.file_name())),
            Err(source) => Err(failed("list", &self.folder(part))(source)),
        })
    }
}

impl Iterator for Entries {
    type Item = Result<(Part, OsString), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(next) = self.next_listed() {
                return Some(next);
            }
            let part = self.parts.next()?;
            if let Some(error) = self.begin(part) {
                return Some(Err(error));
            }
        }
    }
}

/// Is an error of a listing about one file, whose name cannot be read, and not about a folder?
pub fn is_of_one_file(error: &StoreError) -> bool {
    matches!(error, StoreError::Io { source, .. } if source.kind() == ErrorKind::InvalidData)
}

/// Lists the messages of a mailbox as the disk gives them, `new` before `cur`. Nothing is collected. An error is about one
/// file or one of the two folders, and the listing goes on behind it.
pub struct Messages(Entries);

impl Iterator for Messages {
    type Item = Result<StoredMessage, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (part, file_name) = match self.0.next()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            // By the convention names that begin with a dot are no messages.
            if !file_name.as_encoded_bytes().starts_with(b".") {
                return Some(self.message(part, file_name));
            }
        }
    }
}

impl Messages {
    pub(super) fn of(mailbox: &Arc<StoredMailbox>) -> Messages {
        Messages(Entries::of(mailbox))
    }

    fn message(&self, part: Part, file_name: OsString) -> Result<StoredMessage, StoreError> {
        match file_name.into_string() {
            Ok(file_name) => Ok(StoredMessage { mailbox: Arc::clone(&self.0.mailbox), part, file_name }),
            Err(other) => {
                let path = self.0.folder(part).join(other.to_string_lossy().as_ref());
                let reason = "it is not in UTF-8; rename the file";
                Err(failed("read the name of", &path)(io::Error::new(ErrorKind::InvalidData, reason)))
            }
        }
    }
}

impl<F: Files> MaildirStore<F> {
    /// Every mailbox of an account, INBOX first, which is named also where there is no Maildir yet. What another program named
    /// in its own way is there too; where that gives a name that is taken (a folder `.INBOX`), the mailbox is called as its
    /// folder is, so that a name stands for one mailbox. Those that are links are left out (see [`Self::linked_mailboxes`]).
    pub fn stored_mailboxes(&self, owner: &Address) -> Result<Vec<Arc<StoredMailbox>>, StoreError> {
        let maildir = self.layout.maildir(owner);
        let mut found = Vec::<Arc<StoredMailbox>>::new();
        let mut taken = HashSet::new();
        self.visit_mailboxes(owner, &mut |name, folder, way| {
            if way == Way::OverLink {
                return Ok(());
            }
            let is_taken = !taken.insert(name.to_owned());
            let own_name = || folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.push(Arc::new(StoredMailbox {
                owner: owner.clone(),
                name: if is_taken { own_name() } else { name.to_owned() },
                maildir: maildir.clone(),
                folder: folder.to_owned(),
            }));
            Ok(())
        })?;
        Ok(found)
    }

    /// The messages of a mailbox.
    pub fn messages(&self, mailbox: &Arc<StoredMailbox>) -> Messages {
        Messages::of(mailbox)
    }

    /// The message that people call so (see [`StoredMessage::is_called`]). A whole base name is better than the beginning of
    /// another one. An error if a folder cannot be listed, and what could be listed does not answer.
    pub fn message(&self, mailbox: &Arc<StoredMailbox>, what: &str) -> Result<Named, StoreError> {
        let (mut some, mut fault) = (Vec::new(), Ok(()));
        for entry in Entries::of(mailbox) {
            let (part, file_name) = match entry {
                Ok((part, file_name)) => (part, file_name.into_string()),
                Err(error) => {
                    fault = Err(error);
                    continue;
                }
            };
            // A name that is not in UTF-8 cannot have been written here.
            let Ok(file_name) = file_name else { continue };
            let message = StoredMessage { mailbox: Arc::clone(mailbox), part, file_name };
            if message.base() == called(what) {
                return Ok(Named::One(message));
            }
            if message.is_called(what) {
                tell(&mut some, message);
            }
        }
        fault.map(|()| named(some))
    }
}

/// One that is moved meanwhile may be listed in both folders.
fn tell(some: &mut Vec<StoredMessage>, message: StoredMessage) {
    if some.len() < MOST_TOLD && some.iter().all(|one| one.base() != message.base()) {
        some.push(message);
    }
}

fn named(mut some: Vec<StoredMessage>) -> Named {
    match some.len() {
        0 | 1 => some.pop().map_or(Named::None, Named::One),
        _ => Named::Several(some),
    }
}

#[cfg(test)]
mod tests;
