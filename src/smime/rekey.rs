//! The same encrypted content for other recipients.

mod held;
mod outlined;
mod text;

use super::frame::Frame;
use super::open::checked_content;
use super::recipient::{Naming, Recipient, recipients_for};
use super::recipient_info::RecipientInfo;
use super::unwrap::recover_content_key;
use super::{OpenError, OpeningKey, SealError, SealFacts, Sealed};
use crate::cms::{CmsError, Enveloped, Input, MAX_OCTETS, Parts, Protection};
use crate::crypto::content::ContentAlgorithm;
use crate::crypto::{Policy, SecretBytes, Seed, Suite};
use crate::pki::ValidatedCertificate;
use held::Held;
use outlined::Outlined;
use text::Rewritten;

/// Why a message was not handed to other recipients. Every failure of key, padding or tag is [`OpenError::NotOpened`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RekeyError {
    /// The old key does not open it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be handed to the new recipients.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Session keys of OpenPGP are none of ours to write.
    #[error("the message is encrypted with OpenPGP; only S/MIME messages are rekeyed")]
    OpenPgp,
    /// The header says how the body is encoded, and the header stays.
    #[error("the body of the message is not in base64, and nothing else is written in its place")]
    NotBase64,
}

impl From<CmsError> for RekeyError {
    fn from(error: CmsError) -> RekeyError {
        RekeyError::Open(OpenError::Cms(error))
    }
}

/// Hands a sealed message to other recipients: an old key opens its content key, and new RecipientInfos take the place of
/// the old ones. Header, ciphertext, IV, attributes and tag stay as they are, octet for octet; of the message only the
/// base64 text changes, also inside a multipart that has nothing else in it. A structure by itself stays one: DER or BER
/// becomes DER, PEM stays PEM under its label. The recipients' keys are served as the profile `compatible` does under CBC,
/// and as `modern` does under GCM. A content cipher that we only read stays too: see [`SealFacts::cipher`].
///
/// Whether the key is right shows only in the content: as much of it is decrypted in memory as [`open`](super::open()) would
/// check, and dropped.
///
/// The message is taken over, and mostly changed where it lies. Where it is none, it may be clear text, and is wiped.
pub fn rekey(
    sealed: SecretBytes,
    keys: &[OpeningKey<'_>],
    certificates: &[ValidatedCertificate],
    naming: Naming,
    seed: Seed,
) -> Result<Sealed, RekeyError> {
    let input = Input::of(sealed.expose());
    let (rewritten, facts) = match Outlined::of(&input) {
        Some(outlined) => hand_on(outlined, keys, certificates, naming, seed)?,
        None => {
            let held = Held::of(&input, find_enveloped(&input)?)?;
            hand_on(held, keys, certificates, naming, seed)?
        }
    };
    Ok(Sealed { bytes: rewritten.in_place_of(|| sealed.into_public()), facts })
}

/// The same where the structure of the input is at hand already; the input stays as it is.
pub fn rekey_examined(
    input: &Input<'_>,
    enveloped: Enveloped,
    keys: &[OpeningKey<'_>],
    certificates: &[ValidatedCertificate],
    naming: Naming,
    seed: Seed,
) -> Result<Sealed, RekeyError> {
    let (rewritten, facts) = hand_on(Held::of(input, enveloped)?, keys, certificates, naming, seed)?;
    Ok(Sealed { bytes: rewritten.in_place_of(|| input.bytes().to_vec()), facts })
}

fn find_enveloped(input: &Input<'_>) -> Result<Enveloped, RekeyError> {
    match input.examine()? {
        Protection::Encrypted(enveloped) => Ok(*enveloped),
        Protection::OpenPgp => Err(RekeyError::OpenPgp),
        _ => Err(OpenError::NotEncrypted.into()),
    }
}

/// A sealed message in hand.
trait InHand {
    /// Its structure. The ciphertext may be missing.
    fn enveloped(&self) -> &Enveloped;
    /// Does that key open it?
    fn prove(&self, algorithm: &ContentAlgorithm, content_key: &SecretBytes) -> Result<(), OpenError>;
    /// The message with these in the place of its RecipientInfos.
    fn written_for(self, infos: Vec<RecipientInfo>) -> Result<Rewritten, RekeyError>;
}

fn hand_on(
    message: impl InHand,
    keys: &[OpeningKey<'_>],
    certificates: &[ValidatedCertificate],
    naming: Naming,
    seed: Seed,
) -> Result<(Rewritten, SealFacts), RekeyError> {
    let enveloped = message.enveloped();
    let algorithm = checked_content(enveloped, &Policy::READING)?;
    let new: Vec<_> = certificates.iter().map(ValidatedCertificate::certificate).collect();
    let recipients = recipients_for(&new, Suite::keeping(algorithm.cipher.mode), naming)?;
    // A wrong one would make a message that nobody can ever open.
    let content_key = recover_content_key(enveloped, algorithm.cipher.key_len, keys, &Policy::READING)?;
    message.prove(&algorithm, &content_key)?;
    let infos = recipient_infos(&recipients, &content_key, seed)?;
    let rewritten = message.written_for(infos)?;
    let recipients = recipients.iter().map(Recipient::sealed_to).collect();
    let facts = SealFacts { cipher: Some(algorithm.cipher), recipients, headers_kept: None };
    Ok((rewritten, facts))
}

fn recipient_infos(
    recipients: &[Recipient],
    content_key: &SecretBytes,
    seed: Seed,
) -> Result<Vec<RecipientInfo>, SealError> {
    let mut rng = seed.into_rng();
    recipients.iter().map(|to| to.info(content_key, &mut rng)).collect()
}

/// What stands around a ciphertext of so many octets, of a message of so many.
fn frame(
    sealed: &[u8],
    infos: Vec<RecipientInfo>,
    parts: &Parts<'_>,
    content_len: usize,
) -> Result<Frame, SealError> {
    let frame = Frame::for_parts(infos, parts, content_len);
    if frame.len() > MAX_OCTETS { Err(SealError::TooLarge(sealed.len())) } else { Ok(frame) }
}
