//! In what form CMS comes: a message, the structure by itself, or PEM. The bytes decide, never a label or an option.

use super::armor::{begins, sole_block};
use super::ber::read_header;
use super::error::malformed;
use super::protection::{Octets, examine, examine_content_info, innermost_body};
use super::tags::{OBJECT_IDENTIFIER, SEQUENCE};
use super::{CmsError, Protection};
use crate::mail::{Message, TransferEncoding};
use std::borrow::Cow;

/// What PEM calls a ContentInfo (RFC 7468 8 and 9).
pub(super) const LABELS: [&str; 2] = ["CMS", "PKCS7"];

/// What is wrong with PEM that does not decode.
pub(super) const UNKNOWN_IN_PEM: &str = "the PEM block has octets that base64 does not know";

/// Bytes that may hold a CMS structure.
pub enum Input<'a> {
    /// A message, and whatever is neither of the others.
    Message(Message<'a>),
    /// A ContentInfo in DER or BER. White space may stand behind it.
    Bare(&'a [u8]),
    /// PEM: one block and nothing else but white space around it; broken if it is not.
    Pem(&'a [u8]),
}

/// What an [`Input`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputForm {
    /// A message, or anything.
    Message,
    /// DER or BER.
    Bare,
    /// PEM.
    Pem,
}

impl<'a> Input<'a> {
    /// Looks at the first octets.
    pub fn of(bytes: &'a [u8]) -> Input<'a> {
        if is_content_info(bytes) {
            Input::Bare(bytes)
        } else if LABELS.iter().any(|label| begins(bytes, label)) {
            Input::Pem(bytes)
        } else {
            Input::Message(Message::new(bytes))
        }
    }

    /// Which of the three.
    pub fn form(&self) -> InputForm {
        match self {
            Input::Message(_) => InputForm::Message,
            Input::Bare(_) => InputForm::Bare,
            Input::Pem(_) => InputForm::Pem,
        }
    }

    /// All of it.
    pub fn bytes(&self) -> &'a [u8] {
        match self {
            Input::Message(message) => message.bytes(),
            Input::Bare(bytes) | Input::Pem(bytes) => bytes,
        }
    }

    /// The message, if it is one.
    pub fn message(&self) -> Option<&Message<'a>> {
        match self {
            Input::Message(message) => Some(message),
            Input::Bare(_) | Input::Pem(_) => None,
        }
    }

    /// What protects it. An error says what is wrong with something that seems to be CMS; a message without any is none.
    pub fn examine(&self) -> Result<Protection, CmsError> {
        match self {
            Input::Message(message) => examine(message),
            Input::Bare(octets) => examine_content_info(Octets(Cow::Borrowed(octets))),
            Input::Pem(block) => examine_content_info(unarmored(block)?),
        }
    }

    /// The piece of the bytes that stands for the structure, and how it is encoded; nothing if a message holds several
    /// bodies, or PEM is no block.
    pub fn carrier(&self) -> Option<(&'a [u8], TransferEncoding)> {
        match self {
            Input::Message(message) => innermost_body(message),
            Input::Bare(octets) => Some((octets, TransferEncoding::Identity)),
            Input::Pem(block) => Some((pem_text(block)?, TransferEncoding::Base64)),
        }
    }
}

/// A SEQUENCE that begins with an object identifier. No honest message begins so: the octets are no field, or a field `0`
/// whose value begins with a control character.
pub(super) fn is_content_info(mut bytes: &[u8]) -> bool {
    let sequence = read_header(&mut bytes).is_ok_and(|header| header.first() == SEQUENCE);
    sequence && bytes.first() == Some(&OBJECT_IDENTIFIER)
}

fn pem_text(block: &[u8]) -> Option<&[u8]> {
    LABELS.iter().find_map(|label| sole_block(block, label))
}

/// What the block holds.
pub(super) fn unarmored(block: &[u8]) -> Result<Octets<'_>, CmsError> {
    let text = pem_text(block).ok_or_else(|| malformed("the PEM block has no end, or octets follow it"))?;
    let octets = TransferEncoding::Base64.decode(text);
    octets.map(Octets).ok_or_else(|| malformed(UNKNOWN_IN_PEM))
}
