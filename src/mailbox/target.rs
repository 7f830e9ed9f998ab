//! Whom a message is handed to: its owner, and whoever else of the house it names and shall keep his copy.

use super::{NamedAccount, NamedReader, Notes, Readers, Share, Wanted};
use crate::cms::{Enveloped, Recipient, RecipientId};
use crate::engine::Prospect;
use crate::pki::ValidatedCertificate;
use crate::store::StoredMailbox;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many answers of the directory are remembered, and those for one batch; then all are asked for again.
const MOST_KNOWN: usize = 20_000;

/// Knows the target of every message.
pub(super) struct Targets<'a> {
    prospect: &'a Prospect,
    wanted: Wanted,
    /// How messages name the keys at hand.
    own: HashSet<RecipientId>,
    readers: &'a dyn Readers,
    known: Mutex<Known>,
}

/// What the directory answered, for each mailbox: rights are given on mailboxes.
type Known = HashMap<Arc<StoredMailbox>, HashMap<RecipientId, NamedReader>>;

/// Whom a message is handed to.
pub(super) struct Target<'a> {
    pub(super) certificates: Cow<'a, [ValidatedCertificate]>,
    pub(super) wanted: Cow<'a, Wanted>,
    /// Who can open it besides, and who no longer can.
    pub(super) notes: Notes,
}

/// Who reads a message beside its owner.
#[derive(Default)]
struct Others {
    keep: BTreeSet<String>,
    lose: BTreeSet<String>,
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

    /// Asks the directory for all whom these messages name and who are not known yet: once for each mailbox.
    pub(super) fn look_up<'m>(
        &self,
        messages: impl Iterator<Item = (&'m Arc<StoredMailbox>, &'m Enveloped)>,
    ) -> Result<(), String> {
        let mut known = self.known();
        if known.values().map(HashMap::len).sum::<usize>() > MOST_KNOWN {
            known.clear();
        }
        let mut unknown: HashMap<&Arc<StoredMailbox>, BTreeSet<&RecipientId>> = HashMap::new();
        for (mailbox, enveloped) in messages {
            let known = known.get(mailbox);
            let ids = enveloped.recipients.iter().filter_map(|recipient| recipient.id.as_ref());
            let is_new = |id: &&RecipientId| {
                !self.wanted.names(id) && !known.is_some_and(|known| known.contains_key(*id))
            };
            let mut ids = ids.filter(is_new).peekable();
            if ids.peek().is_some() {
                unknown.entry(mailbox).or_default().extend(ids);
            }
        }
        for (mailbox, ids) in unknown {
            let ids: Vec<RecipientId> = ids.into_iter().cloned().collect();
            let found = self.readers.find(mailbox, &ids)?;
            known.entry(Arc::clone(mailbox)).or_default().extend(ids.into_iter().zip(found));
        }
        Ok(())
    }

    /// Whom a message with these recipients is handed to, or why that cannot be said. They were looked up before.
    pub(super) fn of(
        &self,
        mailbox: &Arc<StoredMailbox>,
        recipients: &[Recipient],
    ) -> Result<Target<'_>, String> {
        let others = self.others(mailbox, recipients)?;
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

    fn others(&self, mailbox: &Arc<StoredMailbox>, recipients: &[Recipient]) -> Result<Others, String> {
        let known = self.known();
        let known = known.get(mailbox);
        let (mut others, mut seen) = (Others::default(), HashSet::new());
        for recipient in recipients {
            let Some(id) = &recipient.id else {
                others.strangers += 1;
                continue;
            };
            if self.wanted.names(id) || !seen.insert(id) {
                continue;
            }
            match known.and_then(|known| known.get(id)) {
                Some(NamedReader::Accounts(accounts)) => {
                    let others_of = accounts.iter().filter(|account| !self.is_owner(mailbox, account));
                    others_of.into_iter().try_for_each(|account| others.add(account))?;
                }
                Some(NamedReader::Stranger) => others.strangers += usize::from(!self.own.contains(id)),
                None => return Err("the directory does not say whom the message names".into()),
            }
        }
        Ok(others)
    }

    fn is_owner(&self, mailbox: &StoredMailbox, account: &NamedAccount) -> bool {
        let address = account.address.to_string();
        account.address == mailbox.owner || self.prospect.sealed_to.iter().any(|to| to.address == address)
    }

    /// What another thread left when it stopped is whole: an answer is put there as one.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Others {
    fn add(&mut self, account: &NamedAccount) -> Result<(), String> {
        match &account.share {
            Share::Stays(certificates) => {
                self.keep.insert(account.address.to_string());
                for one in certificates {
                    if !self.certificates.iter().any(|held| is_same(held, one)) {
                        self.certificates.push(one.clone());
                    }
                }
            }
            Share::Unfit(reason) => {
                return Err(format!("another account that reads it cannot be sealed to: {reason}"));
            }
            Share::Falls => drop(self.lose.insert(account.address.to_string())),
        }
        Ok(())
    }

    fn notes(&self) -> Notes {
        let also = (!self.keep.is_empty()).then(|| {
            format!("it stays open to {}", Vec::from_iter(self.keep.iter().map(String::as_str)).join(", "))
        });
        let lost = self.lose.iter().map(|address| {
            format!("{address} can no longer open it: it has no right on the mailbox; to keep it: --keep {address}")
        });
        let gone = match self.strangers {
            0 => None,
            1 => Some("1 recipient that is no account here can no longer open it".to_owned()),
            count => Some(format!("{count} recipients that are no accounts here can no longer open it")),
        };
        let texts = also.into_iter().chain(lost).chain(gone).collect();
        Notes { texts, keep: self.keep.clone(), lose: self.lose.clone() }
    }
}

fn is_same(one: &ValidatedCertificate, other: &ValidatedCertificate) -> bool {
    one.certificate().fingerprint() == other.certificate().fingerprint()
}
