//! A message whose structure was decoded as a whole.

use super::text::{Letters, Rewriting, Rewritten};
use super::{InHand, RekeyError, frame};
use crate::cms::{self, Base64Text, Enveloped, Input, der_from_ber};
use crate::crypto::SecretBytes;
use crate::crypto::content::ContentAlgorithm;
use crate::crypto::lanes::letters;
use crate::mail::TransferEncoding;
use crate::smime::OpenError;
use crate::smime::lines::{MIME_COLUMNS, PEM_COLUMNS};
use crate::smime::proof::prove;
use crate::smime::recipient_info::RecipientInfo;
use std::borrow::Cow;

/// The structure, and where it came from.
pub(super) struct Held<'a> {
    sealed: &'a [u8],
    carrier: Carrier<'a>,
    enveloped: Enveloped,
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

impl<'a> Held<'a> {
    pub(super) fn of(input: &Input<'a>, enveloped: Enveloped) -> Result<Held<'a>, RekeyError> {
        let carrier = Carrier::of(input).ok_or(RekeyError::NotBase64)?;
        Ok(Held { sealed: input.bytes(), carrier, enveloped })
    }
}

impl InHand for Held<'_> {
    fn enveloped(&self) -> &Enveloped {
        &self.enveloped
    }

    fn prove(&self, algorithm: &ContentAlgorithm, content_key: &SecretBytes) -> Result<(), OpenError> {
        prove(&self.enveloped, algorithm, content_key)
    }

    fn written_for(self, infos: Vec<RecipientInfo>) -> Result<Rewritten, RekeyError> {
        let carrier = &self.carrier;
        if let Some(der) = self.enveloped.encrypted_content.structure() {
            return self.replaced(infos, der, &[]);
        }
        let octets = carrier.octets().ok_or(RekeyError::NotBase64)?;
        let (der, rest) = der_from_ber(&octets)?;
        self.replaced(infos, &der, rest)
    }
}

impl Held<'_> {
    /// The input with another structure in the place of the one that is there, which is this one in DER; `rest` are the octets
    /// behind it.
    fn replaced(&self, infos: Vec<RecipientInfo>, der: &[u8], rest: &[u8]) -> Result<Rewritten, RekeyError> {
        let parts = cms::parts(der)?;
        let (content, piece) = (&*parts.encrypted_content, self.carrier.piece);
        let frame = frame(self.sealed, infos, &parts, content.len())?;
        let Writing::Base64(columns) = self.carrier.writing else {
            return Ok(Rewritten::Whole([&frame.head, content, parts.after, rest].concat()));
        };
        // What is behind the head has the same place in the structure then, so the same letters stand for it.
        let same_place = frame.len() == der.len() && self.enveloped.encrypted_content.structure().is_some();
        let stays = Base64Text::of(piece).filter(|text| same_place && letters::count(text.bytes()).is_some());
        if let Some(text) = stays {
            let behind = content.iter().chain(parts.after).copied();
            return Ok(Rewritten::Letters(Letters::of(self.sealed, text, &frame.head, behind)));
        }
        let mut rewriting = Rewriting::begin(self.sealed, piece, columns, &frame);
        rewriting.write(content);
        rewriting.write(parts.after);
        Ok(Rewritten::Whole(rewriting.finish()))
    }
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
