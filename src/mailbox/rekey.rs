//! `sealpost mailbox rekey`: a sealed message for other keys, its content octet for octet.

use super::decrypt::{find_sealed, not_opened};
use super::target::{Target, Targets};
use super::{Left, Made, Proof, Read, Readers, Stays, Work};
use crate::cms::{Enveloped, Input};
use crate::crypto::{Entropy, Seed};
use crate::engine::{Naming, Prospect};
use crate::smime::{OpeningKey, RekeyError, are_keys_written, is_content_written, rekey_examined};
use crate::store::{NewContent, StoredMailbox};
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use std::sync::Arc;

/// Hands sealed messages to the owner's active certificates, and to those of other accounts that a message names and that
/// shall keep their copies. Everybody else falls away, which is noted.
pub struct Rekey<'a> {
    keys: &'a [OpeningKey<'a>],
    naming: Naming,
    entropy: &'a dyn Entropy,
    targets: Targets<'a>,
}

/// A sealed message in hand.
struct InHand<'b> {
    mailbox: &'b Arc<StoredMailbox>,
    input: Input<'b>,
    enveloped: Enveloped,
}

impl<'a> Rekey<'a> {
    /// `prospect` is what mail for the owner is sealed to now; `keys` open what is there, those of the past too.
    pub fn new(
        keys: &'a [OpeningKey<'a>],
        prospect: &'a Prospect,
        readers: &'a dyn Readers,
        entropy: &'a dyn Entropy,
    ) -> Rekey<'a> {
        let own = keys.iter().flat_map(OpeningKey::recipient_ids).collect();
        let targets = Targets::new(prospect, own, readers);
        Rekey { keys, naming: prospect.form.naming, entropy, targets }
    }
}

impl Work for Rekey<'_> {
    fn make(&self, batch: &[Read<'_>]) -> Vec<Made> {
        let in_hand: Vec<_> = batch.par_iter().map(take_in_hand).collect();
        let found = self
            .targets
            .look_up(in_hand.iter().flatten().map(|message| (message.mailbox, &message.enveloped)))
            .map_err(Stays::Failed);
        // Seeds are drawn one by one in the order of the messages.
        let planned: Vec<Result<_, Stays>> = in_hand
            .into_iter()
            .map(|message| {
                let message = message?;
                let target = found.clone().and_then(|()| self.aim(&message))?;
                let seed = self.entropy.seed().map_err(|error| Stays::Failed(error.to_string()))?;
                Ok((message, target, seed))
            })
            .collect();
        let hand_on = |(message, target, seed)| self.hand_on(message, target, seed);
        planned.into_par_iter().map(|planned| planned.map_or_else(Made::from, hand_on)).collect()
    }
}

impl Rekey<'_> {
    /// Whom the message is handed to, if it is not sealed so already.
    fn aim(&self, message: &InHand<'_>) -> Result<Target<'_>, Stays> {
        let InHand { mailbox, enveloped, .. } = message;
        let target = self.targets.of(mailbox, &enveloped.recipients).map_err(Stays::Failed)?;
        if !target.wanted.are_exactly(&enveloped.recipients) {
            return Ok(target);
        }
        match (is_content_written(enveloped), are_keys_written(enveloped)) {
            (true, true) => Err(Stays::Left(Left::AlreadyRight)),
            // The content stays what it is, whoever reads it.
            (false, _) => Err(Stays::Left(Left::WeakAlgorithms)),
            (true, false) => Ok(target),
        }
    }

    fn hand_on(&self, message: InHand<'_>, target: Target<'_>, seed: Seed) -> Made {
        let InHand { input, enveloped, .. } = message;
        let (recipients, content) = (enveloped.recipients.len(), enveloped.content_digest());
        let handed_on = rekey_examined(&input, enveloped, self.keys, &target.certificates, self.naming, seed);
        match handed_on {
            Err(error) => Made::Fail(reason(error, recipients)),
            Ok(sealed) => {
                let proof = Proof::rekeyed(&sealed, content);
                Made::Replace(NewContent::Sealed(sealed), proof, target.notes)
            }
        }
    }
}

fn take_in_hand<'b>(read: &Read<'b>) -> Result<InHand<'b>, Stays> {
    let input = Input::of(read.bytes);
    let enveloped = find_sealed(&input)?;
    Ok(InHand { mailbox: read.stored.mailbox(), input, enveloped })
}

/// Why it stays with its old recipients, and what to do.
fn reason(error: RekeyError, recipients: usize) -> String {
    match error {
        RekeyError::Open(error) => not_opened(&error, recipients),
        RekeyError::NotBase64 => {
            format!("{error}: decrypt it and encrypt it anew (sealpost mailbox decrypt, then encrypt)")
        }
        other => other.to_string(),
    }
}
