//! Whether a message's header can be protected, and where the message says that it is (RFC 9788 5.2.1, without Legacy
//! Display Elements: they would change the body). RFC 9788 1.8.2 leaves encrypted messages without a signature out of its
//! scope; what it says of encryption holds for them too, and who opens one has nobody's word for any of it.

use super::added::parameter_at;
use super::arrived::count_content_types;
use super::outer::has_stray_octets;
use crate::cms::Protection;
use crate::mail::{Field, HeaderPolicy, MediaType, Message, header_fields};
use std::fmt;

/// Why a header stays outside as it was received although a policy would hide some of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadersKept {
    /// The sender's signature or encryption is around the entity that would have to say it; or may be, in a message so large
    /// that it was not looked at.
    Protected,
    /// There are several Content-Type fields, or one in which readers may not find what is added.
    ContentType,
}

impl fmt::Display for HeadersKept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("nothing of the header is hidden: ")?;
        out.write_str(match self {
            HeadersKept::Protected => "the message is signed or encrypted by its sender, or says so",
            HeadersKept::ContentType => {
                "the message has several Content-Type fields, or one that does not parse"
            }
        })
    }
}

/// What is done with the header of a message.
#[derive(Clone, Copy)]
pub(super) enum Headers {
    /// It stays as it was received, and nothing is said of it inside.
    AsReceived,
    /// A policy hides some of it, and the message says so inside.
    Hidden(HeaderPolicy, Place),
}

/// Where a message says that its header is protected: the parameter `hp` of RFC 9788 2.1.1.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// In a Content-Type field of ours, because it has none.
    Field,
    /// In its own one, behind so many octets of the message.
    Parameter(usize),
}

impl Headers {
    /// A message without any field has nothing to hide.
    pub(super) fn settle(
        wanted: HeaderPolicy,
        message: &Message<'_>,
        protection: &Protection,
    ) -> Result<Headers, HeadersKept> {
        if wanted == HeaderPolicy::Keep || message.fields().is_empty() {
            return Ok(Headers::AsReceived);
        }
        if is_protected(message, protection) {
            return Err(HeadersKept::Protected);
        }
        let place = Place::find(message.bytes()).ok_or(HeadersKept::ContentType)?;
        Ok(Headers::Hidden(wanted, place))
    }

    /// The policy that is applied.
    pub(super) fn policy(self) -> HeaderPolicy {
        match self {
            Headers::AsReceived => HeaderPolicy::Keep,
            Headers::Hidden(policy, _) => policy,
        }
    }
}

/// The labels of layers that clients look into for the protected header (the Cryptographic Envelope of RFC 9788 1.9).
/// Elsewhere no label counts; here it does, because what would be said around such a layer is not looked for there.
const LAYERS: [&str; 4] =
    ["multipart/signed", "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"];

fn is_protected(message: &Message<'_>, protection: &Protection) -> bool {
    !matches!(protection, Protection::None) || LAYERS.contains(&MediaType::of(message).essence())
}

impl Place {
    /// Nothing where readers could see several Content-Type fields, or not all of the one.
    fn find(message: &[u8]) -> Option<Place> {
        let count = count_content_types(message);
        if count == 0 {
            return Some(Place::Field);
        }
        let (start, field) = content_type(message)?;
        let is_whole = MediaType::parse(field.value())?.is_whole() && !has_stray_octets(field.raw());
        (is_whole && count == 1).then(|| Place::Parameter(start + parameter_at(field.raw())))
    }
}

/// The first Content-Type field of a header, and where it begins.
pub(super) fn content_type(header: &[u8]) -> Option<(usize, Field<'_>)> {
    let mut start = 0;
    for field in header_fields(header) {
        if field.name().eq_ignore_ascii_case("Content-Type") {
            return Some((start, field));
        }
        start += field.raw().len();
    }
    None
}
