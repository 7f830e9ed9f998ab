//! Reads hostile structure without keys: what is it, and who can open it? CMS (RFC 5652, 5083; BER and DER),
//! OpenPGP packets (RFC 9580), and the MIME around them.

mod armor;
mod base64_text;
mod ber;
mod ciphertext;
mod element;
mod enveloped;
mod error;
mod front;
mod input;
mod inspect;
mod large;
mod names;
mod openpgp;
mod outline;
mod parts;
mod protection;
mod recipient;
#[cfg(test)]
pub(crate) mod samples;
mod signed;
mod signed_data;
mod signed_message;
mod tags;
#[cfg(test)]
mod tests;
mod wrapping;

pub(crate) use base64_text::Base64Text;
pub use ber::der_from_ber;
pub(crate) use ber::{MAX_OCTETS, length_octets, write_header};
pub use ciphertext::Ciphertext;
pub use enveloped::{Enveloped, read};
pub use error::CmsError;
pub use front::front_recipients;
pub use input::{Input, InputForm};
pub(crate) use inspect::RSA_BESIDE_EC;
pub use inspect::{
    AlgorithmReport, ContentReport, EnvelopeReport, Holder, HolderRole, HolderState, Integrity,
    KeyEncryptionReport, Layer, LayerKind, Limit, RecipientReport, Report, Structure, inspect,
};
pub use large::{Carrier, LargeError, LargeInput, find_large, wrapping_large};
pub(crate) use outline::Outline;
pub use parts::{Parts, parts};
pub use protection::{Protection, find};
pub use recipient::{
    Agreement, Encapsulation, Originator, OriginatorKey, Recipient, RecipientId, RecipientKind,
};
pub(crate) use recipient::{ID_ORI_KEM, MAX_RECIPIENTS};
pub use signed_data::{SignedAttributes, SignedData, Signer, read_signed_data};
pub use signed_message::{SignedMessage, is_labelled_signed, signed_message};
pub(crate) use tags::{BIT_STRING, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET};
pub use wrapping::{Wrapping, wrapping};
