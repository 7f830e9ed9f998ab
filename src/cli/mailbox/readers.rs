//! The accounts behind the names in messages, and which of them keep their copies.

use super::operation::Site;
use super::task::Task;
use crate::cli::failure::Failure;
use crate::cli::outlook;
use crate::cms::RecipientId;
use crate::directory::CertificateHolder;
use crate::engine::{CertificateState, Choice, Directory};
use crate::mail::{Address, MailboxName};
use crate::mailbox::{NamedAccount, NamedReader, Readers, Share};
use crate::pki::ValidatedCertificate;
use crate::store::StoredMailbox;
use std::collections::BTreeMap;

/// Those of the directory.
pub(super) struct KnownReaders<'s> {
    pub(super) site: &'s Site,
    /// They keep their copies in whatever mailbox.
    pub(super) keep: &'s [Address],
}

impl Readers for KnownReaders<'_> {
    fn find(&self, mailbox: &StoredMailbox, named: &[RecipientId]) -> Result<Vec<NamedReader>, String> {
        let named: Vec<&RecipientId> = named.iter().collect();
        let holders = self.site.directory.certificate_holders(&named).map_err(|error| error.to_string())?;
        holders.iter().map(|holders| self.reader(mailbox, holders)).collect()
    }
}

impl KnownReaders<'_> {
    /// Takes up what decides who keeps copies in the mailboxes of an account: rights, --keep, and certificates of today.
    pub(super) fn describe(&self, owner: &Address, task: &mut Task) -> Result<(), Failure> {
        let keep = self.keep.iter().map(|address| (address.to_string(), address.clone()));
        let mut accounts: BTreeMap<String, Address> = keep.collect();
        accounts.keys().for_each(|address| task.take("keep", address));
        for grant in self.site.directory.grants(owner)? {
            let actor = grant.actor.to_string();
            for (name, value) in
                [("mailbox", grant.mailbox.as_str()), ("actor", &actor), ("right", grant.right.name())]
            {
                task.take(name, value);
            }
            accounts.insert(actor, grant.actor);
        }
        for (name, address) in accounts {
            task.take("reader", name);
            match self.of(&address) {
                Ok(found) => {
                    task.certificates(found.iter().map(|to| to.certificate().fingerprint()).collect())
                }
                Err(reason) => task.take("failure", reason),
            }
        }
        Ok(())
    }

    fn reader(&self, mailbox: &StoredMailbox, holders: &[CertificateHolder]) -> Result<NamedReader, String> {
        let mut addresses: Vec<&Address> = Vec::new();
        for holder in holders.iter().filter(|holder| holder.state != CertificateState::Pending) {
            if !addresses.contains(&&holder.account) {
                addresses.push(&holder.account);
            }
        }
        if addresses.is_empty() {
            return Ok(NamedReader::Stranger);
        }
        let account = |address: &Address| {
            Ok(NamedAccount { address: address.clone(), share: self.share(mailbox, address)? })
        };
        Ok(NamedReader::Accounts(addresses.into_iter().map(account).collect::<Result<_, String>>()?))
    }

    fn share(&self, mailbox: &StoredMailbox, address: &Address) -> Result<Share, String> {
        if !self.keep.contains(address) && !self.may_insert(mailbox, address)? {
            return Ok(Share::Falls);
        }
        Ok(self.of(address).map_or_else(Share::Unfit, Share::Stays))
    }

    /// Whoever has the right stored his copy there by a rule. A folder that is no mailbox of that name has none.
    fn may_insert(&self, mailbox: &StoredMailbox, address: &Address) -> Result<bool, String> {
        let Ok(name) = MailboxName::parse(&mailbox.name) else { return Ok(false) };
        if self.site.store.folder(&mailbox.owner, &name) != mailbox.folder() {
            return Ok(false);
        }
        let asked = [(mailbox.owner.clone(), name, address.clone())];
        let may = self.site.directory.may_insert(&asked).map_err(|error| error.to_string())?;
        Ok(may.first().copied().unwrap_or_default())
    }

    /// What mail for the account is sealed to now.
    fn of(&self, address: &Address) -> Result<Vec<ValidatedCertificate>, String> {
        let Site { directory, config, .. } = self.site;
        let account = directory.account(address).map_err(|error| error.to_string())?;
        let found = outlook::of_owner(directory, &account, None, config);
        found.map(|prospect| prospect.recipients).map_err(|failure| failure.in_one_line())
    }
}
