//! Every message of an account, as far as files go.

use super::MaildirStore;
use super::atomic::{Files, failed};
use super::folder::mailbox_name;
use crate::engine::StoreError;
use crate::mail::{Address, MailboxName};
use std::fs::DirEntry;
use std::io::ErrorKind;
use std::path::Path;

/// How a mailbox is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Its folder lies in the Maildir. (The Maildir itself may be reached over a link: so the administrator laid it out.)
    Own,
    /// A link lies there.
    OverLink,
}

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

    /// Shows every message of an account, also of mailboxes that are links: the name of its mailbox, and its file. One that is moved about meanwhile may be
    /// gone when it is shown, or be shown twice. An account without a Maildir has none.
    pub fn visit(
        &self,
        owner: &Address,
        look: &mut dyn FnMut(&str, &Path) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.visit_mailboxes(owner, &mut |mailbox, folder, _| visit_mailbox(mailbox, folder, look))
    }

    /// The names of mailboxes that are links to other folders. Those may be mailboxes of somebody else, so that nothing is changed
    /// in them for this account.
    pub fn linked_mailboxes(&self, owner: &Address) -> Result<Vec<String>, StoreError> {
        let mut linked = Vec::new();
        self.visit_mailboxes(owner, &mut |mailbox, _, way| {
            linked.extend((way == Way::OverLink).then(|| mailbox.to_owned()));
            Ok(())
        })?;
        Ok(linked)
    }

    /// Shows every mailbox of an account, INBOX first: its name, its folder, and how it is reached.
    pub(super) fn visit_mailboxes(
        &self,
        owner: &Address,
        look: &mut dyn FnMut(&str, &Path, Way) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let maildir = self.folder(owner, &MailboxName::inbox());
        look("INBOX", &maildir, Way::Own)?;
        entries(&maildir, &mut |entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(mailbox) = mailbox_name(&name) else { return Ok(()) };
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => look(&mailbox, &entry.path(), Way::Own),
                Ok(kind) if kind.is_symlink() && entry.path().is_dir() => {
                    look(&mailbox, &entry.path(), Way::OverLink)
                }
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
