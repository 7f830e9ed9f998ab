//! `sealpost mailbox encrypt`: a message to its sealed form.

use super::{Left, Made, Proof, Read, Stays, Wanted, Work};
use crate::cms::{Enveloped, Protection, RecipientId, find};
use crate::crypto::{Entropy, EntropyError};
use crate::engine::{OpenPgp, Prospect, SealedToOthers};
use crate::mail::Message;
use crate::smime::{
    Mark, SealError, SealJob, Sealed, are_keys_written, is_content_written, names_all, seal_many,
};
use crate::store::NewContent;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use std::collections::HashSet;
use time::OffsetDateTime;

/// Seals stored messages. What becomes of one is decided by its structure and never by a label. The stored bytes are sealed
/// as they are: a line `From ` in front is a part of them.
pub struct Encrypt<'a> {
    /// To whom and how.
    pub prospect: &'a Prospect,
    /// What messages call every certificate of the owner, those of the past too.
    pub own: &'a HashSet<RecipientId>,
    /// What the messages say of when.
    pub at: OffsetDateTime,
    /// What becomes of messages that are sealed otherwise than they should be.
    pub others: SealedToOthers,
    /// What becomes of messages that are sealed as they should be, with algorithms that are not written any more.
    pub weak: SealedToOthers,
    /// What becomes of those that are encrypted with OpenPGP.
    pub openpgp: OpenPgp,
    /// A seed for each message.
    pub entropy: &'a dyn Entropy,
}

/// What is done with a message.
enum Fate {
    Leave(Left),
    Seal,
    /// Sealed with the encryption that is there.
    Wrap,
}

impl Work for Encrypt<'_> {
    fn make(&self, batch: &[Read<'_>]) -> Vec<Made> {
        let wanted = Wanted::of(&self.prospect.recipients);
        let fates: Vec<Fate> = batch.par_iter().map(|read| self.decide(&wanted, read.bytes)).collect();
        let mut jobs = Vec::with_capacity(batch.len());
        // Seeds are drawn one by one in the order of the messages.
        let planned: Vec<Result<Vec<String>, Stays>> = batch
            .iter()
            .zip(&fates)
            .map(|(read, fate)| {
                let notes = notes_of(fate)?;
                jobs.push(self.job(read.bytes).map_err(|error| Stays::Failed(error.to_string()))?);
                Ok(notes)
            })
            .collect();
        let mut sealed = seal_many(jobs).into_iter();
        let mut make = |notes| sealed.next().map_or_else(unmade, |sealed| replace(sealed, notes));
        planned.into_iter().map(|planned| planned.map_or_else(Made::from, &mut make)).collect()
    }
}

impl Encrypt<'_> {
    fn decide(&self, wanted: &Wanted, message: &[u8]) -> Fate {
        match find(&Message::new(message)) {
            Protection::Encrypted(enveloped) => {
                let left = self.sealed_as(&enveloped, wanted);
                let way = match left {
                    // Whom it is for can read it: nothing is gained around it.
                    Left::AlreadyRight | Left::AndOthers | Left::OtherKeys => SealedToOthers::Leave,
                    Left::WeakAlgorithms => self.weak,
                    _ => self.others,
                };
                match way {
                    SealedToOthers::Leave => Fate::Leave(left),
                    SealedToOthers::Wrap => Fate::Wrap,
                }
            }
            Protection::OpenPgp => match self.openpgp {
                OpenPgp::Keep => Fate::Leave(Left::OpenPgp),
                OpenPgp::Seal => Fate::Wrap,
            },
            // What only claims to be encrypted, or is broken, is sealed like any other, as a delivery does it.
            Protection::None | Protection::Signed => Fate::Seal,
        }
    }

    /// How the encryption that is there stands to what is wanted.
    fn sealed_as(&self, enveloped: &Enveloped, wanted: &Wanted) -> Left {
        let recipients = &enveloped.recipients;
        let is_ours = |id: &RecipientId| wanted.names(id) || self.own.contains(id);
        let to_others = recipients.iter().any(|to| !to.id.as_ref().is_some_and(is_ours));
        let right = match wanted.are_exactly(recipients) {
            true => Left::AlreadyRight,
            false if to_others && names_all(enveloped, &self.prospect.active()) => Left::AndOthers,
            false if recipients.iter().filter_map(|to| to.id.as_ref()).any(|id| self.own.contains(id)) => {
                return Left::OtherKeys;
            }
            false => return Left::SealedToOthers,
        };
        match is_content_written(enveloped) && are_keys_written(enveloped) {
            true => right,
            false => Left::WeakAlgorithms,
        }
    }

    fn job<'j>(&'j self, message: &'j [u8]) -> Result<SealJob<'j>, EntropyError> {
        let Prospect { recipients, form, .. } = self.prospect;
        let mark = Mark { at: self.at, rule: None, marked: self.prospect.marked(), edited: Vec::new() };
        Ok(SealJob { message, recipients, form: *form, mark, seed: self.entropy.seed()? })
    }
}

fn notes_of(fate: &Fate) -> Result<Vec<String>, Stays> {
    match fate {
        Fate::Leave(left) => Err(Stays::Left(*left)),
        Fate::Seal => Ok(Vec::new()),
        Fate::Wrap => Ok(vec!["it was encrypted already: that encryption is inside now".into()]),
    }
}

fn replace(sealed: Result<Sealed, SealError>, mut notes: Vec<String>) -> Made {
    match sealed {
        Err(error) => Made::Fail(error.to_string()),
        Ok(sealed) => {
            notes.extend(sealed.facts().headers_kept.map(|reason| reason.to_string()));
            let proof = Proof::sealed(&sealed);
            Made::Replace(NewContent::Sealed(sealed), proof, notes.into())
        }
    }
}

/// Sealing gave fewer outcomes than it had jobs.
fn unmade() -> Made {
    Made::Fail("nothing was made of it".into())
}
