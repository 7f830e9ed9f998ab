//! Maildir and Maildir++ (spec: interop, "Postfix and Dovecot").

use super::atomic::{Disk, Files, discard, ensure_folder, ensure_folders, failed, link_new, publish};
use super::attachments::{Readied, StagedAttachment};
use super::content::Octets;
use super::group::{Waiting, reveal_all};
use super::layout::{Layout, TemplateError};
use super::{attachments, keywords, name, quota};
use crate::engine::{Copy, Mailstore, Place, Staged, StoreError};
use crate::mail::{Address, Flag, FolderName, MailboxName};
use std::any::Any;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Maildirs below one root.
#[derive(Debug, Clone)]
pub struct MaildirStore<F = Disk> {
    pub(super) layout: Layout,
    /// Of the files that rules copy out of messages.
    pub(super) attachments: Layout,
    /// Folders of theirs.
    pub(super) readied: Readied,
    pub(super) host: String,
    pub(super) files: F,
}

impl MaildirStore {
    /// A store of Maildirs in the places that `template` says, such as `mail/{domain}/{local}/Maildir`: below `root`,
    /// or anywhere with a leading `/`. What stands there before the first placeholder (at least `root`) must exist.
    /// `{local}` is the local part in lower case; what could lead out of its level (`/`, a leading `.`) is `%XX`.
    pub fn new(root: &Path, template: &str) -> Result<MaildirStore, TemplateError> {
        MaildirStore::with_files(root, template, Disk)
    }
}

impl<F: Files> MaildirStore<F> {
    /// The same over other system calls, for tests.
    pub fn with_files(root: &Path, template: &str, files: F) -> Result<MaildirStore<F>, TemplateError> {
        let (layout, attachments) = (Layout::new(root, template)?, Layout::new(root, attachments::DEFAULT)?);
        Ok(MaildirStore { layout, attachments, readied: Readied::default(), host: name::host(), files })
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The folder of a mailbox, whether it exists or not.
    pub fn folder(&self, owner: &Address, mailbox: &MailboxName) -> PathBuf {
        self.layout.mailbox(owner, mailbox)
    }

    /// Makes a mailbox that may exist already, with the Maildir around it and the folders above it.
    pub fn create(&self, owner: &Address, mailbox: &MailboxName) -> Result<(), StoreError> {
        let maildir = self.layout.maildir(owner);
        ensure_folders(&self.files, self.layout.base(), &maildir)?;
        self.furnish(&maildir)?;
        if mailbox.is_inbox() {
            return Ok(());
        }
        let folder = self.folder(owner, mailbox);
        ensure_folder(&self.files, &folder)?;
        self.mark_subfolder(&folder)?;
        self.sync_folder(&maildir)?;
        self.furnish(&folder)
    }

    /// `tmp` is made last: where it is, all above it and beside it is on the disk, whoever died when.
    fn furnish(&self, folder: &Path) -> Result<(), StoreError> {
        for part in ["cur", "new"] {
            ensure_folder(&self.files, &folder.join(part))?;
        }
        self.sync_folder(folder)?;
        ensure_folder(&self.files, &folder.join("tmp"))?;
        self.sync_folder(folder)
    }

    /// The empty file by which Maildir++ knows a subfolder.
    fn mark_subfolder(&self, folder: &Path) -> Result<(), StoreError> {
        let path = folder.join("maildirfolder");
        match self.files.create(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            created => created.map(drop).map_err(failed("create", &path)),
        }
    }

    fn sync_folder(&self, folder: &Path) -> Result<(), StoreError> {
        self.files.sync_folder(folder).map_err(failed("sync the folder", folder))
    }

    fn require(&self, copy: &Copy<'_>, mailbox: &MailboxName, folder: &Path) -> Result<(), StoreError> {
        match (is_folder(&folder.join("tmp"))?, copy.create) {
            (true, _) => Ok(()),
            (false, true) => self.create(&copy.owner, mailbox),
            // Half made or without its tmp: what is missing is ours to add.
            (false, false) if is_folder(&folder.join("cur"))? => self.create(&copy.owner, mailbox),
            (false, false) => {
                Err(StoreError::NoMailbox { owner: copy.owner.to_string(), mailbox: mailbox.as_str().into() })
            }
        }
    }

    fn write(&self, copy: &Copy<'_>, octets: Octets<'_>) -> Result<Box<dyn Staged>, StoreError> {
        match &copy.place {
            Place::Mailbox(mailbox) => self.write_message(copy, mailbox, octets),
            Place::File(folder, name) => {
                let bytes = octets.held(Path::new(folder.as_str()))?;
                self.write_file(&copy.owner, (folder, name), bytes)
            }
        }
    }

    fn write_message(
        &self,
        copy: &Copy<'_>,
        mailbox: &MailboxName,
        octets: Octets<'_>,
    ) -> Result<Box<dyn Staged>, StoreError> {
        let name = self.name_for(octets);
        let admitted = self.admit(copy, mailbox, (name, octets.len()), &mut Expected::default())?;
        self.write_admitted(admitted, octets)
    }

    pub(super) fn name_for(&self, octets: Octets<'_>) -> String {
        let (size, crlf_size) = octets.sizes();
        name::unique(&self.host, size, crlf_size)
    }

    /// Sees to all that comes before the first octet is written: the mailbox, room for the message beside those that are on
    /// their way to the account, letters for its keywords.
    pub(super) fn admit(
        &self,
        copy: &Copy<'_>,
        mailbox: &MailboxName,
        (name, size): (String, u64),
        expected: &mut Expected,
    ) -> Result<Admitted, StoreError> {
        let folder = self.folder(&copy.owner, mailbox);
        let maildir = self.layout.maildir(&copy.owner);
        self.require(copy, mailbox, &folder)?;
        let all = expected.and(size);
        if !quota::has_room_for(&self.files, &maildir, (all.octets, all.messages))? {
            return Err(StoreError::OverQuota(copy.owner.to_string()));
        }
        let labels = keywords::letters(&self.files, &folder, &keywords_of(&copy.flags))?;
        *expected = all;
        let temporary = folder.join("tmp").join(&name);
        let visible = place(&folder, &name, &name::letters(&copy.flags, &labels.letters));
        let warnings = labels.dropped.iter().map(|keyword| no_letter(keyword)).collect();
        Ok(Admitted { maildir, temporary, visible, name, size, warnings })
    }

    pub(super) fn write_admitted(
        &self,
        admitted: Admitted,
        octets: Octets<'_>,
    ) -> Result<Box<dyn Staged>, StoreError> {
        octets.write_new(&self.files, &admitted.temporary)?;
        Ok(Box::new(StagedFile { files: self.files.clone(), admitted }))
    }
}

/// What is on its way to an account and does not count in its quota yet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Expected {
    octets: u64,
    messages: u64,
}

impl Expected {
    fn and(self, size: u64) -> Expected {
        Expected { octets: self.octets.saturating_add(size), messages: self.messages.saturating_add(1) }
    }
}

/// A message that may come in: where it is written, and where it belongs.
pub(super) struct Admitted {
    maildir: PathBuf,
    temporary: PathBuf,
    visible: PathBuf,
    name: String,
    size: u64,
    warnings: Vec<String>,
}

/// New mail is in `new/`; letters have a place only in `cur/`.
fn place(folder: &Path, name: &str, letters: &str) -> PathBuf {
    if letters.is_empty() {
        folder.join("new").join(name)
    } else {
        folder.join("cur").join(format!("{name}:2,{letters}"))
    }
}

fn keywords_of(flags: &[Flag]) -> Vec<&str> {
    flags.iter().filter_map(keyword_of).collect()
}

pub(super) fn keyword_of(flag: &Flag) -> Option<&str> {
    match flag {
        Flag::Keyword(name) => Some(name),
        Flag::Seen | Flag::Flagged | Flag::Answered | Flag::Draft | Flag::Deleted => None,
    }
}

fn no_letter(keyword: &str) -> String {
    format!("the mailbox has 26 keywords already; the message is stored without {keyword}")
}

fn is_folder(path: &Path) -> Result<bool, StoreError> {
    match path.metadata() {
        Ok(data) => Ok(data.is_dir()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(source) => Err(failed("look at", path)(source)),
    }
}

impl<F: Files> Mailstore for MaildirStore<F> {
    fn stage(&self, copy: &Copy<'_>) -> Result<Box<dyn Staged>, StoreError> {
        self.write(copy, Octets::of(copy))
    }

    fn stage_all(&self, copies: &[&Copy<'_>]) -> Vec<Result<Box<dyn Staged>, StoreError>> {
        self.stage_together(copies)
    }

    fn commit_all(&self, staged: Vec<Box<dyn Staged>>) -> Vec<Result<(), StoreError>> {
        let waiting: Option<Vec<&dyn Waiting>> =
            staged.iter().map(|one| waiting::<F>(one.as_ref())).collect();
        match waiting {
            Some(waiting) => reveal_all(&self.files, &waiting),
            // Of another store: it knows how.
            None => staged.into_iter().map(|one| one.commit()).collect(),
        }
    }

    fn exists(&self, owner: &Address, mailbox: &MailboxName) -> Result<bool, StoreError> {
        is_folder(&self.folder(owner, mailbox).join("cur"))
    }

    /// `new` is read before `cur`, because readers move messages that way.
    fn mailboxes(&self, owner: &Address) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        self.visit_mailboxes(owner, &mut |mailbox, _, _| {
            names.push(mailbox.to_owned());
            Ok(())
        })?;
        Ok(names)
    }

    fn holds(&self, owner: &Address, mailbox: &MailboxName, name: &str) -> Result<bool, StoreError> {
        let folder = self.folder(owner, mailbox);
        Ok(lists(&folder.join("new"), name)? || lists(&folder.join("cur"), name)?)
    }

    fn holds_file(&self, owner: &Address, folder: &FolderName, name: &str) -> Result<bool, StoreError> {
        let folder = self.files_in(owner, folder);
        match folder.join(name).symlink_metadata() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(source) => Err(failed("look at", &folder)(source)),
        }
    }
}

/// Is there a file of that base name, with any letters?
fn lists(folder: &Path, name: &str) -> Result<bool, StoreError> {
    let is_it = |entry: &str| entry.split_once(":2,").map_or(entry, |(base, _)| base) == name;
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        entries => entries.map_err(failed("list", folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(failed("list", folder))?;
        if entry.file_name().to_str().is_some_and(is_it) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a store of this kind staged; nothing if it is of another one.
fn waiting<F: Files>(staged: &dyn Staged) -> Option<&dyn Waiting> {
    let staged = staged.as_any()?;
    let message = staged.downcast_ref::<StagedFile<F>>().map(|message| message as &dyn Waiting);
    message.or_else(|| staged.downcast_ref::<StagedAttachment<F>>().map(|file| file as &dyn Waiting))
}

/// A file in `tmp/`. The name there goes with the value, committed or not.
struct StagedFile<F: Files> {
    files: F,
    admitted: Admitted,
}

impl<F: Files> Staged for StagedFile<F> {
    fn name(&self) -> &str {
        &self.admitted.name
    }
    fn size(&self) -> u64 {
        self.admitted.size
    }
    fn warnings(&self) -> &[String] {
        &self.admitted.warnings
    }
    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Admitted { temporary, visible, maildir, size, .. } = &self.admitted;
        publish(&self.files, temporary, visible)?;
        quota::record(&self.files, maildir, *size);
        Ok(())
    }
    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl<F: Files> Waiting for StagedFile<F> {
    fn reveal(&self) -> Result<(), StoreError> {
        link_new(&self.files, &self.admitted.temporary, &self.admitted.visible)
    }
    fn folder(&self) -> &Path {
        self.admitted.visible.parent().unwrap_or(&self.admitted.visible)
    }
    fn counts(&self) -> Option<(&Path, u64)> {
        Some((&self.admitted.maildir, self.admitted.size))
    }
}

impl<F: Files> Drop for StagedFile<F> {
    fn drop(&mut self) {
        discard(&self.files, &self.admitted.temporary);
    }
}

#[cfg(test)]
mod tests;
