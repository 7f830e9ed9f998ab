//! Whom a message is handed to: its owner, and whoever else of the house it names.

use super::{NamedReader, Readers, Wanted};
use crate::cms::{Enveloped, Recipient, RecipientId};
use crate::engine::Prospect;
use crate::mail::Address;
use crate::pki::ValidatedCertificate;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many answers of the directory are remembered, and those for one batch; then all are asked for again.
const MOST_KNOWN: usize = 20_000;

/// Knows the target of every message.
pub(super) struct Targets<'a> {
    prospect: &'a Prospect,
    wanted: Wanted,
    /// How messages name the keys at hand.
    own: HashSet<RecipientId>,
    readers: &'a dyn Readers,
    known: Mutex<HashMap<RecipientId, NamedReader>>,
}

/// Whom a message is handed to.
pub(super) struct Target<'a> {
    pub(super) certificates: Cow<'a, [ValidatedCertificate]>,
    pub(super) wanted: Cow<'a, Wanted>,
    /// Who can open it besides, and who no longer can.
    pub(super) notes: Vec<String>,
}

/// Who reads a message beside its owner.
#[derive(Default)]
struct Others {
    addresses: BTreeSet<String>,
    certificates: Vec<ValidatedCertificate>,
    strangers: usize,
}

impl<'a> Targets<'a> {
    pub(super) fn new(
        prospect: &'a Prospect,
        own: HashSet<RecipientId>,
        readers: &'a dyn Readers,
    ) -> Targets<'a> {
        let wanted = Wanted::of(&prospect.recipients);
        Targets { prospect, wanted, own, readers, known: Mutex::default() }
    }

    /// Asks the directory for all whom these messages name and who are not known yet: once.
    pub(super) fn look_up<'m>(&self, messages: impl Iterator<Item = &'m Enveloped>) -> Result<(), String> {
        let mut known = self.known();
        if known.len() > MOST_KNOWN {
            known.clear();
        }
        let recipients = messages.flat_map(|enveloped| &enveloped.recipients);
        let ids = recipients.filter_map(|recipient| recipient.id.as_ref());
        let unknown: BTreeSet<&RecipientId> =
            ids.filter(|id| !self.wanted.names(id) && !known.contains_key(*id)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let unknown: Vec<RecipientId> = unknown.into_iter().cloned().collect();
        let found = self.readers.find(&unknown)?;
        known.extend(unknown.into_iter().zip(found));
        Ok(())
    }

    /// Whom a message with these recipients is handed to, or why that cannot be said. They were looked up before.
    pub(super) fn of(&self, recipients: &[Recipient]) -> Result<Target<'_>, String> {
        let others = self.others(recipients)?;
        let notes = others.notes();
        let mut extra = others.certificates;
        extra.retain(|one| !self.prospect.recipients.iter().any(|own| is_same(own, one)));
        if extra.is_empty() {
            let certificates = Cow::Borrowed(self.prospect.recipients.as_slice());
            return Ok(Target { certificates, wanted: Cow::Borrowed(&self.wanted), notes });
        }
        let certificates: Vec<_> = self.prospect.recipients.iter().cloned().chain(extra).collect();
        let wanted = Cow::Owned(Wanted::of(&certificates));
        Ok(Target { certificates: Cow::Owned(certificates), wanted, notes })
    }

    fn others(&self, recipients: &[Recipient]) -> Result<Others, String> {
        let known = self.known();
        let mut others = Others::default();
        let mut seen = HashSet::new();
        for recipient in recipients {
            let Some(id) = &recipient.id else {
                others.strangers += 1;
                continue;
            };
            if self.wanted.names(id) || !seen.insert(id) {
                continue;
            }
            match known.get(id) {
                Some(NamedReader::Accounts { addresses, certificates }) => {
                    others.add(addresses.iter().filter(|address| !self.is_owner(address)), certificates);
                }
                Some(NamedReader::Unfit(reason)) => {
                    return Err(format!("another account that reads it cannot be sealed to: {reason}"));
                }
                Some(NamedReader::Stranger) => others.strangers += usize::from(!self.own.contains(id)),
                None => return Err("the directory does not say whom the message names".into()),
            }
        }
        Ok(others)
    }

    fn is_owner(&self, address: &Address) -> bool {
        let address = address.to_string();
        self.prospect.sealed_to.iter().any(|to| to.address == address)
    }

    /// What another thread left when it stopped is whole: an answer is put there as one.
    fn known(&self) -> MutexGuard<'_, HashMap<RecipientId, NamedReader>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Others {
    fn add<'o>(
        &mut self,
        addresses: impl Iterator<Item = &'o Address>,
        certificates: &[ValidatedCertificate],
    ) {
        self.addresses.extend(addresses.map(ToString::to_string));
        for one in certificates {
            if !self.certificates.iter().any(|held| is_same(held, one)) {
                self.certificates.push(one.clone());
            }
        }
    }

    fn notes(&self) -> Vec<String> {
        let addresses: Vec<&str> = self.addresses.iter().map(String::as_str).collect();
        let also = (!addresses.is_empty())
            .then(|| format!("it stays open to {}, whom it names", addresses.join(", ")));
        let gone = match self.strangers {
            0 => None,
            1 => Some("1 recipient that is no account here can no longer open it".to_owned()),
            count => Some(format!("{count} recipients that are no accounts here can no longer open it")),
        };
        also.into_iter().chain(gone).collect()
    }
}

fn is_same(one: &ValidatedCertificate, other: &ValidatedCertificate) -> bool {
    one.certificate().fingerprint() == other.certificate().fingerprint()
}
