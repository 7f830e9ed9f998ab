//! Reads hostile structure without keys: what is it, and who can open it? CMS (RFC 5652, 5083; BER and DER),
//! OpenPGP packets (RFC 9580), and the MIME around them.

mod enveloped;
mod protection;

pub use enveloped::{CmsError, Enveloped, Recipient, RecipientId, RecipientKind, read};
pub use protection::{Protection, find};
