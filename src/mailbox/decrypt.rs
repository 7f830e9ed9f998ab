//! `sealpost mailbox decrypt`: a sealed message to what it was before.

use super::{Left, Made, Proof, Read, Stays, Work};
use crate::cms::{CmsError, Enveloped, Input, Protection};
use crate::crypto::SecretBytes;
use crate::engine::PlainConsent;
use crate::smime::{OpenError, Opened, OpeningKey, Restored, open_examined, restore};
use crate::store::NewContent;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

/// Puts clear messages in the place of sealed ones, because a person asked for it.
pub struct Decrypt<'a> {
    /// The keys that are at hand, those of the past too.
    pub keys: &'a [OpeningKey<'a>],
}

impl Work for Decrypt<'_> {
    fn make(&self, batch: &[Read<'_>]) -> Vec<Made> {
        batch.par_iter().map(|read| self.message(read.bytes)).collect()
    }
}

impl Decrypt<'_> {
    fn message(&self, stored: &[u8]) -> Made {
        match open(stored, self.keys) {
            Err(stays) => stays.into(),
            Ok(Clear { message, notes }) => {
                let proof = Proof::same(&message);
                Made::Replace(
                    NewContent::Clear(message, PlainConsent::person_decrypts()),
                    proof,
                    notes.into(),
                )
            }
        }
    }
}

/// A stored message in the clear.
pub struct Clear {
    /// What it was before it was sealed, or before its sender encrypted it, with its header.
    pub message: SecretBytes,
    /// For the report: what is not as it was.
    pub notes: Vec<String>,
}

/// Opens a stored message as [`Decrypt`] does it. What has no clear form is clear already, or encrypted with OpenPGP, or does
/// not open.
pub fn open(stored: &[u8], keys: &[OpeningKey<'_>]) -> Result<Clear, Stays> {
    let input = Input::of(stored);
    let enveloped = find_sealed(&input)?;
    let recipients = enveloped.recipients.len();
    let opened = open_examined(&input, enveloped, keys)
        .map_err(|error| Stays::Failed(not_opened(&error, recipients)))?;
    Ok(Clear::of(&input, opened))
}

impl Clear {
    /// The message that lay there before, and what is to be said of it.
    pub fn of(sealed: &Input<'_>, opened: Opened) -> Clear {
        let restored = restore(sealed, opened);
        let notes = notes_of(&restored);
        Clear { message: restored.message, notes }
    }
}

/// The encryption of a stored message.
pub(super) fn find_sealed(input: &Input<'_>) -> Result<Enveloped, Stays> {
    match input.examine() {
        Ok(Protection::Encrypted(enveloped)) => Ok(*enveloped),
        Ok(Protection::OpenPgp) => Err(Stays::Left(Left::OpenPgp)),
        Ok(Protection::None | Protection::Signed) => Err(Stays::Left(Left::Clear)),
        // Well-formed, and something else than encryption.
        Err(CmsError::NotEnveloped(_)) => Err(Stays::Left(Left::Clear)),
        Err(error) => Err(Stays::Failed(error.to_string())),
    }
}

/// Why it does not open, and what to do.
pub(super) fn not_opened(error: &OpenError, recipients: usize) -> String {
    match error {
        OpenError::NotARecipient => format!(
            "sealed to no key at hand: {}; sealpost mailbox inspect shows whom, and --key takes the key of one of them",
            match recipients {
                1 => "it names one recipient".to_owned(),
                count => format!("it names {count} recipients"),
            }
        ),
        OpenError::CertificateNeeded => {
            "sealed to no key at hand by its name: its recipients are named by their certificates; add the key's certificate: --old-cert"
                .into()
        }
        OpenError::NotOpened => {
            "it names a key at hand and does not open with it: it is damaged, or was made for another key; \
             sealpost open shows whether a copy from a backup opens"
                .into()
        }
        other => other.to_string(),
    }
}

fn notes_of(restored: &Restored) -> Vec<String> {
    let mixed = restored.was_mixed.then(|| "its line ends were mixed: all of them are CR LF now".to_owned());
    let fields = match restored.from_outside {
        0 => None,
        1 => {
            Some("one header field that stood outside of the encryption only stands in front now".to_owned())
        }
        count => Some(format!(
            "{count} header fields that stood outside of the encryption only stand in front now"
        )),
    };
    mixed.into_iter().chain(fields).collect()
}
