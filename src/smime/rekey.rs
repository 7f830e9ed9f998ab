//! The same encrypted content for other recipients.

use super::frame::Frame;
use super::lines::{Base64Lines, MIME_COLUMNS, PEM_COLUMNS};
use super::open::checked_content;
use super::proof::prove;
use super::recipient::{Naming, Recipient, recipients_for};
use super::recipient_info::RecipientInfo;
use super::unwrap::recover_content_key;
use super::{OpenError, OpeningKey, SealError, Sealed, outer};
use crate::cms::{self, CmsError, Enveloped, Input, MAX_OCTETS, Parts, Protection, der_from_ber};
use crate::crypto::{Policy, SecretBytes, Seed, Suite};
use crate::mail::{TransferEncoding, eol};
use crate::pki::ValidatedCertificate;
use encodify::base64::LineEnding;
use std::borrow::Cow;

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
/// and as `modern` does under GCM. A content cipher that we only read stays too: see [`Sealed::cipher`].
///
/// Whether the key is right shows only in the content: as much of it is decrypted in memory as [`open`](super::open()) would
/// check, and dropped.
pub fn rekey(
    sealed: &[u8],
    keys: &[OpeningKey<'_>],
    certificates: &[ValidatedCertificate],
    naming: Naming,
    seed: Seed,
) -> Result<Sealed, RekeyError> {
    let input = Input::of(sealed);
    let enveloped = find_enveloped(&input)?;
    rekey_examined(&input, enveloped, keys, certificates, naming, seed)
}

/// The same where the structure of the input is at hand already.
pub fn rekey_examined(
    input: &Input<'_>,
    enveloped: Enveloped,
    keys: &[OpeningKey<'_>],
    certificates: &[ValidatedCertificate],
    naming: Naming,
    seed: Seed,
) -> Result<Sealed, RekeyError> {
    let carrier = Carrier::of(input).ok_or(RekeyError::NotBase64)?;
    let algorithm = checked_content(&enveloped, &Policy::READING)?;
    let new: Vec<_> = certificates.iter().map(ValidatedCertificate::certificate).collect();
    let recipients = recipients_for(&new, Suite::keeping(algorithm.cipher.mode), naming)?;
    // A wrong one would make a message that nobody can ever open.
    let content_key = recover_content_key(&enveloped, algorithm.cipher.key_len, keys, &Policy::READING)?;
    prove(&enveloped, &algorithm, &content_key)?;
    let infos = recipient_infos(&recipients, &content_key, seed)?;
    let bytes = replace_recipients(input.bytes(), &carrier, &enveloped, infos)?;
    let recipients = recipients.iter().map(Recipient::sealed_to).collect();
    Ok(Sealed { bytes: bytes.into(), cipher: Some(algorithm.cipher), recipients, headers_kept: None })
}

fn find_enveloped(input: &Input<'_>) -> Result<Enveloped, RekeyError> {
    match input.examine()? {
        Protection::Encrypted(enveloped) => Ok(*enveloped),
        Protection::OpenPgp => Err(RekeyError::OpenPgp),
        _ => Err(OpenError::NotEncrypted.into()),
    }
}

/// The piece of the input that stands for the CMS structure.
struct Carrier<'a> {
    piece: &'a [u8],
    writing: Writing,
}

/// How octets are written in its place.
#[derive(Clone, Copy)]
enum Writing {
    /// As they are.
    Octets,
    /// In base64 with so many letters a line.
    Base64(usize),
}

impl Carrier<'_> {
    /// Nothing if a message has it in another encoding than base64.
    fn of<'a>(input: &Input<'a>) -> Option<Carrier<'a>> {
        let (piece, encoding) = input.carrier()?;
        let writing = match (input, encoding) {
            (Input::Bare(_), _) => return Some(Carrier { piece, writing: Writing::Octets }),
            (Input::Message(_), TransferEncoding::Base64) => Writing::Base64(MIME_COLUMNS),
            (Input::Pem(_), _) => Writing::Base64(PEM_COLUMNS),
            (Input::Message(_), _) => return None,
        };
        Some(Carrier { piece: piece.trim_ascii(), writing })
    }

    /// What it stands for.
    fn octets(&self) -> Option<Cow<'_, [u8]>> {
        match self.writing {
            Writing::Octets => Some(Cow::Borrowed(self.piece)),
            Writing::Base64(_) => TransferEncoding::Base64.decode(self.piece),
        }
    }
}

fn recipient_infos(
    recipients: &[Recipient],
    content_key: &SecretBytes,
    seed: Seed,
) -> Result<Vec<RecipientInfo>, SealError> {
    let mut rng = seed.into_rng();
    recipients.iter().map(|to| to.info(content_key, &mut rng)).collect()
}

/// The input with another structure in the place of the one that is there.
fn replace_recipients(
    sealed: &[u8],
    carrier: &Carrier<'_>,
    enveloped: &Enveloped,
    infos: Vec<RecipientInfo>,
) -> Result<Vec<u8>, RekeyError> {
    if let Some(der) = enveloped.encrypted_content.structure() {
        let parts = cms::parts(der)?;
        let frame = frame(sealed, infos, &parts)?;
        let same_length = frame.len() == der.len();
        return Ok(match carrier.writing {
            Writing::Octets => [&frame.head, &*parts.encrypted_content, parts.after].concat(),
            Writing::Base64(_) if same_length && is_one_run(carrier.piece) => {
                reletter(sealed, carrier.piece, &frame, &parts)
            }
            Writing::Base64(columns) => rewrite(sealed, carrier.piece, columns, &frame, &parts),
        });
    }
    let octets = carrier.octets().ok_or(RekeyError::NotBase64)?;
    let (der, rest) = der_from_ber(&octets)?;
    let parts = cms::parts(&der)?;
    let frame = frame(sealed, infos, &parts)?;
    match carrier.writing {
        Writing::Octets => Ok([&frame.head, &*parts.encrypted_content, parts.after, rest].concat()),
        Writing::Base64(columns) => Ok(rewrite(sealed, carrier.piece, columns, &frame, &parts)),
    }
}

fn frame(sealed: &[u8], infos: Vec<RecipientInfo>, parts: &Parts<'_>) -> Result<Frame, SealError> {
    let frame = Frame::for_parts(infos, parts).map_err(|_| SealError::Primitive("encoding"))?;
    if frame.len() > MAX_OCTETS { Err(SealError::TooLarge(sealed.len())) } else { Ok(frame) }
}

/// Does `=` stand at its end only? Elsewhere our reader passes over it, and no letter has the place that it seems to have.
fn is_one_run(text: &[u8]) -> bool {
    let is_letter = |octet: &u8| *octet != b'=' && !octet.is_ascii_whitespace();
    let letters = text.get(..text.iter().rposition(is_letter).unwrap_or_default());
    letters.is_some_and(|letters| memchr::memchr(b'=', letters).is_none())
}

/// All of it with other letters at the begin of `text`, which stands for a structure of the same length: what is behind the
/// head has the same place in the structure, so the same letters stand for it, and they are copied with their lines.
fn reletter(sealed: &[u8], text: &[u8], frame: &Frame, parts: &Parts<'_>) -> Vec<u8> {
    let mut octets = frame.head.clone();
    let missing = octets.len().next_multiple_of(3) - octets.len();
    octets.extend(parts.encrypted_content.iter().chain(parts.after).take(missing));
    let mut letters = encodify::base64::STANDARD.encode(octets).into_bytes().into_iter();
    let (before, _) = around(sealed, text);
    let mut bytes = Vec::with_capacity(sealed.len());
    bytes.extend_from_slice(before);
    let rest = text.iter().position(|octet| {
        let is_letter = octet.is_ascii_alphanumeric() || b"+/=".contains(octet);
        let letter = if is_letter { letters.next() } else { Some(*octet) };
        bytes.extend(letter);
        letter.is_none()
    });
    let copied = before.len() + rest.unwrap_or(text.len());
    bytes.extend_from_slice(sealed.get(copied..).unwrap_or_default());
    bytes
}

/// All of it with other base64 in the place of `text`, which is a piece of it.
fn rewrite(sealed: &[u8], text: &[u8], columns: usize, frame: &Frame, parts: &Parts<'_>) -> Vec<u8> {
    let (before, after) = around(sealed, text);
    let mut lines = Base64Lines::of_columns(columns, before, frame.len(), line_ending(sealed, text));
    lines.write(&frame.head);
    lines.write(&parts.encrypted_content);
    lines.write(parts.after);
    let mut bytes = Vec::from(lines.finish());
    // The end of the last line is still there behind the old text.
    bytes.truncate(bytes.trim_ascii_end().len());
    bytes.extend_from_slice(after);
    bytes
}

/// What stands before and behind a piece of a whole.
fn around<'a>(whole: &'a [u8], piece: &[u8]) -> (&'a [u8], &'a [u8]) {
    let start = piece.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
    let (before, rest) = whole.split_at_checked(start).unwrap_or((whole, &[]));
    (before, rest.get(piece.len()..).unwrap_or_default())
}

/// As the lines of the text end; a text of one line leaves it to the rest of the message.
fn line_ending(sealed: &[u8], text: &[u8]) -> LineEnding {
    let lines = if text.contains(&b'\n') { text } else { sealed };
    if outer::is_lf(eol(lines)) { LineEnding::Lf } else { LineEnding::CrLf }
}
