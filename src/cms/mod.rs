//! Reads hostile structure without keys: what is it, and who can open it? CMS (RFC 5652, 5083; BER and DER),
//! OpenPGP packets (RFC 9580), and the MIME around them.

mod ber;
mod element;
mod enveloped;
mod inspect;
mod openpgp;
mod parts;
mod protection;
#[cfg(test)]
pub(crate) mod samples;
mod signed;
#[cfg(test)]
mod tests;

pub use ber::der_from_ber;
pub(crate) use ber::{MAX_OCTETS, write_header};
pub use enveloped::{
    Agreement, CmsError, Enveloped, OriginatorKey, Recipient, RecipientId, RecipientKind, read,
};
pub(crate) use enveloped::{BIT_STRING, INTEGER, OCTET_STRING, SEQUENCE, SET};
pub use inspect::{AlgorithmReport, ContentReport, Integrity, RecipientReport, Report, Structure, inspect};
pub use parts::{Parts, parts};
pub use protection::{Protection, fault, find, innermost_body};
