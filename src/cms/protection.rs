//! What protects a message, decided by structure and never by a label.

use super::Enveloped;
use crate::mail::Message;

/// What was found.
#[derive(Debug)]
pub enum Protection {
    /// Nothing that we know.
    None,
    /// CMS SignedData, opaque or multipart/signed whose signature part parses (CMS or OpenPGP).
    Signed,
    /// The whole body is one CMS EnvelopedData or AuthEnvelopedData.
    Encrypted(Box<Enveloped>),
    /// The whole body is one well-formed OpenPGP encrypted message (PGP/MIME or armored).
    OpenPgp,
}

/// Looks at the whole body (or a multipart with that one part and no other octets than white space).
pub fn find(message: &Message<'_>) -> Protection {
    todo!("{message:?}")
}
