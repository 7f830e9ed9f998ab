//! Every message of an account, as far as files go.

use super::MaildirStore;
use super::atomic::{Files, failed};
use super::folder::mailbox_name;
use crate::engine::StoreError;
use crate::mail::{Address, MailboxName};
use std::fs::DirEntry;
use std::io::ErrorKind;
use std::path::Path;

impl<F: Files> MaildirStore<F> {
    /// Everybody of a domain who has a folder here, with an account or without one: mail of removed accounts stays.
    pub fn owners(&self, domain: &str) -> Result<Vec<Address>, StoreError> {
        let mut owners = Vec::new();
        entries(&self.layout().owners(domain), &mut |entry| {
            owners.extend(self.layout().owner(domain, &entry.file_name().to_string_lossy()));
            Ok(())
        })?;
        Ok(owners)
    }

    /// Shows every message of an account: the name of its mailbox, and its file. One that is moved about meanwhile may be
    /// gone when it is shown, or be shown twice. An account without a Maildir has none.
    pub fn visit(
        &self,
        owner: &Address,
        look: &mut dyn FnMut(&str, &Path) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.visit_mailboxes(owner, &mut |mailbox, folder| visit_mailbox(mailbox, folder, look))
    }

    /// Shows every mailbox of an account, INBOX first: its name and its folder.
    pub(super) fn visit_mailboxes(
        &self,
        owner: &Address,
        look: &mut dyn FnMut(&str, &Path) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let maildir = self.folder(owner, &MailboxName::inbox());
        look("INBOX", &maildir)?;
        entries(&maildir, &mut |entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            match mailbox_name(&name) {
                Some(mailbox) if entry.path().is_dir() => look(&mailbox, &entry.path()),
                _ => Ok(()),
            }
        })
    }
}

/// `new` is read before `cur`, because readers move messages that way.
fn visit_mailbox(
    mailbox: &str,
    folder: &Path,
    look: &mut dyn FnMut(&str, &Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    ["new", "cur"]
        .iter()
        .try_for_each(|part| entries(&folder.join(part), &mut |entry| look(mailbox, &entry.path())))
}

fn entries(
    folder: &Path,
    each: &mut dyn FnMut(&DirEntry) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let listed = match std::fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        listed => listed.map_err(failed("list", folder))?,
    };
    for entry in listed {
        each(&entry.map_err(failed("list", folder))?)?;
    }
    Ok(())
}
