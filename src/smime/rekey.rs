//! The same encrypted content for other recipients.

use super::frame::Frame;
use super::lines::Base64Lines;
use super::open::{checked_content, decrypt_content, recover_content_key};
use super::recipient::{Recipient, recipients};
use super::{OpenError, OpeningKey, SealError, Sealed, inner, outer};
use crate::cms::{
    self, CmsError, Enveloped, MAX_OCTETS, Parts, Protection, der_from_ber, fault, find, innermost_body,
};
use crate::crypto::algorithm::Mode;
use crate::crypto::content::ContentAlgorithm;
use crate::crypto::{Profile, SecretBytes, Seed};
use crate::mail::{Message, TransferEncoding, eol};
use crate::pki::ValidatedCertificate;
use encodify::base64::LineEnding;

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
/// base64 text changes, also inside a multipart that has nothing else in it. The recipients' keys are served as
/// [`Profile::Compatible`] does under CBC, and as [`Profile::Modern`] does under GCM. A content cipher that we only read
/// stays too: see [`Sealed::cipher`].
///
/// Whether the key is right shows only in the content, so it is decrypted and checked in memory, and dropped.
pub fn rekey(
    sealed: &[u8],
    keys: &[OpeningKey<'_>],
    certificates: &[ValidatedCertificate],
    seed: Seed,
) -> Result<Sealed, RekeyError> {
    let message = Message::new(sealed);
    let enveloped = find_enveloped(&message)?;
    let text = base64_text(&message).ok_or(RekeyError::NotBase64)?;
    let algorithm = checked_content(&enveloped)?;
    let profile = profile_for(algorithm.cipher.mode);
    let recipients = recipients(certificates, profile)?;
    let content_key = proven_content_key(enveloped, &algorithm, keys)?;
    let infos = recipient_infos(&recipients, profile, &content_key, seed)?;
    let bytes = replace_recipients(sealed, text, infos)?;
    let recipients = recipients.iter().map(Recipient::sealed_to).collect();
    Ok(Sealed { bytes, cipher: Some(algorithm.cipher), recipients, headers_kept: None })
}

fn find_enveloped(message: &Message<'_>) -> Result<Enveloped, RekeyError> {
    match find(message) {
        Protection::Encrypted(enveloped) => Ok(*enveloped),
        Protection::OpenPgp => Err(RekeyError::OpenPgp),
        _ => Err(fault(message).map_or(OpenError::NotEncrypted, OpenError::Cms).into()),
    }
}

/// The base64 that stands for the CMS structure, without the white space around it.
fn base64_text<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    let (body, encoding) = innermost_body(message)?;
    (encoding == TransferEncoding::Base64).then(|| body.trim_ascii())
}

/// Whose way of handing over the key goes with the structure that is already there.
fn profile_for(mode: Mode) -> Profile {
    match mode {
        Mode::Cbc => Profile::Compatible,
        Mode::Gcm => Profile::Modern,
    }
}

/// A content key that opens the content: a wrong one would make a message that nobody can ever open.
fn proven_content_key(
    enveloped: Enveloped,
    algorithm: &ContentAlgorithm,
    keys: &[OpeningKey<'_>],
) -> Result<SecretBytes, OpenError> {
    let content_key = recover_content_key(&enveloped.recipients, algorithm.cipher.key_len, keys)?;
    let clear = decrypt_content(enveloped, algorithm, &content_key)?;
    if inner::begins_like_mail(clear.expose()) { Ok(content_key) } else { Err(OpenError::NotOpened) }
}

fn recipient_infos(
    recipients: &[Recipient],
    profile: Profile,
    content_key: &SecretBytes,
    seed: Seed,
) -> Result<Vec<Vec<u8>>, SealError> {
    let mut rng = seed.into_rng();
    recipients.iter().map(|to| to.info(profile, content_key, &mut rng)).collect()
}

/// The message with another text in the place of `text`, which is a piece of it.
fn replace_recipients(sealed: &[u8], text: &[u8], infos: Vec<Vec<u8>>) -> Result<Vec<u8>, RekeyError> {
    let octets = TransferEncoding::Base64.decode(text).ok_or(RekeyError::NotBase64)?;
    let (der, _) = der_from_ber(&octets)?;
    let parts = cms::parts(&der)?;
    let frame = Frame::for_parts(infos, &parts).map_err(|_| SealError::Primitive("encoding"))?;
    if frame.len() > MAX_OCTETS {
        return Err(SealError::TooLarge(sealed.len()).into());
    }
    let (before, after) = around(sealed, text);
    let mut bytes = write(before, &frame, &parts, line_ending(sealed, text));
    bytes.extend_from_slice(after);
    Ok(bytes)
}

/// What stands before and behind a piece of a whole.
fn around<'a>(whole: &'a [u8], piece: &[u8]) -> (&'a [u8], &'a [u8]) {
    let start = piece.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
    let (before, rest) = whole.split_at_checked(start).unwrap_or((whole, &[]));
    (before, rest.get(piece.len()..).unwrap_or_default())
}

/// All up to the end of the base64; the end of its last line is still there behind the old one.
fn write(before: &[u8], frame: &Frame, parts: &Parts<'_>, line_ending: LineEnding) -> Vec<u8> {
    let mut lines = Base64Lines::new(before, frame.len(), line_ending);
    lines.write(&frame.head);
    lines.write(&parts.encrypted_content);
    lines.write(parts.after);
    let mut bytes = lines.finish();
    bytes.truncate(bytes.trim_ascii_end().len());
    bytes
}

/// As the lines of the text end; a text of one line leaves it to the rest of the message.
fn line_ending(sealed: &[u8], text: &[u8]) -> LineEnding {
    let lines = if text.contains(&b'\n') { text } else { sealed };
    if outer::is_lf(eol(lines)) { LineEnding::Lf } else { LineEnding::CrLf }
}
