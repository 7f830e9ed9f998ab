//! Messages as their files lie there: listed, read, and named.

use super::MaildirStore;
use super::atomic::{Files, failed};
use super::name;
use crate::engine::StoreError;
use crate::mail::Address;
use std::fs::{File, Metadata, OpenOptions, ReadDir};
use std::io::ErrorKind;
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
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK)
            .open(&path);
        let file = match opened {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed("open", &path))?,
        };
        let data = file.metadata().map_err(failed("look at", &path))?;
        if !data.is_file() {
            return Err(failed("read", &path)(ErrorKind::InvalidInput.into()));
        }
        Ok(Some((file, data)))
    }
}

/// One run over stored messages; the names of the files that it makes carry it, so that it knows them again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunId(pub u64);

impl std::fmt::Display for RunId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

/// Lists the messages of a mailbox as the disk gives them, `new` before `cur`. Nothing is collected.
pub struct Messages {
    mailbox: Arc<StoredMailbox>,
    parts: std::array::IntoIter<Part, 2>,
    listed: Option<(Part, ReadDir)>,
}

impl Messages {
    pub(super) fn of(mailbox: &Arc<StoredMailbox>) -> Messages {
        Messages { mailbox: Arc::clone(mailbox), parts: Part::ALL.into_iter(), listed: None }
    }

    fn next_part(&mut self) -> Option<Result<(), StoreError>> {
        let part = self.parts.next()?;
        let folder = self.mailbox.folder.join(part.name());
        match std::fs::read_dir(&folder) {
            Ok(entries) => self.listed = Some((part, entries)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(source) => return Some(Err(failed("list", &folder)(source))),
        }
        Some(Ok(()))
    }
}

impl Iterator for Messages {
    type Item = Result<StoredMessage, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((part, entries)) = &mut self.listed else {
                match self.next_part()? {
                    Ok(()) => continue,
                    Err(error) => return Some(Err(error)),
                }
            };
            let part = *part;
            match entries.next() {
                None => self.listed = None,
                Some(Err(source)) => {
                    self.listed = None;
                    let folder = self.mailbox.folder.join(part.name());
                    return Some(Err(failed("list", &folder)(source)));
                }
                Some(Ok(entry)) => {
                    // By the convention names that begin with a dot are no messages.
                    let Ok(file_name) = entry.file_name().into_string() else { continue };
                    if !file_name.starts_with('.') {
                        return Some(Ok(StoredMessage {
                            mailbox: Arc::clone(&self.mailbox),
                            part,
                            file_name,
                        }));
                    }
                }
            }
        }
    }
}

impl<F: Files> MaildirStore<F> {
    /// Every mailbox of an account, INBOX first; none without a Maildir.
    pub fn stored_mailboxes(&self, owner: &Address) -> Result<Vec<Arc<StoredMailbox>>, StoreError> {
        let maildir = self.layout.maildir(owner);
        let mut found = Vec::new();
        self.visit_mailboxes(owner, &mut |name, folder| {
            found.push(Arc::new(StoredMailbox {
                owner: owner.clone(),
                name: name.to_owned(),
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
}
