//! A message that somebody signed, and the very octets that the signature is over (RFC 8551 3.5).

use super::error::malformed;
use super::protection::{decode, innermost};
use super::signed_data::{SignedData, read_signed_data};
use super::{CmsError, Input};
use crate::mail::{MediaType, Message, TransferEncoding, crlf, split_multipart};
use std::borrow::Cow;

/// A message with a signature in CMS.
#[derive(Debug, Clone)]
pub struct SignedMessage<'a> {
    data: SignedData,
    /// The first part of a multipart/signed, its lines in canonical form.
    beside: Option<Cow<'a, [u8]>>,
}

impl SignedMessage<'_> {
    /// The signature.
    pub fn data(&self) -> &SignedData {
        &self.data
    }

    /// What is signed; nothing if it is neither in the structure nor beside it.
    pub fn content(&self) -> Option<&[u8]> {
        self.beside.as_deref().or(self.data.content.as_deref())
    }
}

/// Does the message, or the sole part of its multiparts, call itself signed? Nothing of it is decoded.
pub fn is_labelled_signed(message: &Message<'_>) -> bool {
    innermost(message, |_, media| label(media).is_some()).unwrap_or(false)
}

enum Label {
    Detached,
    Opaque,
}

fn label(media: &MediaType) -> Option<Label> {
    match media.essence() {
        "multipart/signed" => Some(Label::Detached),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => Some(Label::Opaque),
        _ => None,
    }
}

/// Reads the signature of a message: multipart/signed with a CMS signature, or application/pkcs7-mime with a SignedData.
/// Nothing if it is labelled as neither, or holds OpenPGP or something encrypted.
pub fn signed_message<'a>(message: &Message<'a>) -> Option<Result<SignedMessage<'a>, CmsError>> {
    innermost(message, |entity, media| match label(media)? {
        Label::Detached => detached(entity, media.parameter("boundary").unwrap_or_default()),
        Label::Opaque => opaque(entity),
    })?
}

fn opaque<'a>(entity: &Message<'a>) -> Option<Result<SignedMessage<'a>, CmsError>> {
    let octets = match decode(TransferEncoding::of(entity), entity.body()) {
        Ok(octets) => octets,
        Err(error) => return Some(Err(error)),
    };
    if let Ok(super::Protection::Encrypted(_)) = Input::Bare(octets.bytes().trim_ascii()).examine() {
        return None;
    }
    Some(read_signed_data(octets.bytes()).map(|data| SignedMessage { data, beside: None }))
}

/// RFC 1847 2.1: two parts, and the second one signs all octets of the first, its header too.
fn detached<'a>(entity: &Message<'a>, boundary: &str) -> Option<Result<SignedMessage<'a>, CmsError>> {
    let split = split_multipart(entity.body(), boundary)?;
    let [content, signature] = split.parts.as_slice() else {
        return Some(Err(malformed("multipart/signed has not exactly two parts")));
    };
    let signature = Message::new(signature);
    if MediaType::of(&signature).essence() == "application/pgp-signature" {
        return None;
    }
    Some(read_detached(&signature, content))
}

fn read_detached<'a>(signature: &Message<'_>, content: &'a [u8]) -> Result<SignedMessage<'a>, CmsError> {
    let octets = decode(TransferEncoding::of(signature), signature.body())?;
    let data = read_signed_data(octets.bytes())?;
    // Two contents, and nobody knows which one a reader shows.
    if data.content.is_some() {
        return Err(malformed("a detached signature carries a content of its own"));
    }
    Ok(SignedMessage { data, beside: Some(crlf(content)) })
}
