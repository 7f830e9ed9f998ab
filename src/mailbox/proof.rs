//! What must hold of a replacement before the old message goes.

use crate::cms::{Enveloped, Input, Protection, Recipient, RecipientId};
use crate::crypto::SecretBytes;
use crate::smime::{Sealed, is_whole};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// What must hold of the bytes that are read back before the old message goes. Each kind knows the SHA-256 of what was to be
/// written; what is sealed is taken apart besides, so that a fault of whoever made it is found too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Octets with the first SHA-256: a message that is sealed to exactly these.
    SealedTo([u8; 32], BTreeSet<RecipientId>),
    /// The same, around encrypted content (ciphertext, parameters, attributes, tag) with the second SHA-256.
    SameContent([u8; 32], BTreeSet<RecipientId>, [u8; 32]),
    /// Octets with this SHA-256.
    Same([u8; 32]),
}

impl Proof {
    /// Of a message that was sealed.
    pub fn sealed(sealed: &Sealed) -> Proof {
        Proof::SealedTo(digest(sealed.bytes()), ids(sealed))
    }

    /// Of one that was handed to other recipients, with the digest of the content that it had before.
    pub fn rekeyed(sealed: &Sealed, content: [u8; 32]) -> Proof {
        Proof::SameContent(digest(sealed.bytes()), ids(sealed), content)
    }

    /// Of these octets.
    pub fn same(bytes: &SecretBytes) -> Proof {
        Proof::Same(digest(bytes.expose()))
    }

    /// Does it hold of these bytes?
    pub fn holds(&self, bytes: &[u8]) -> bool {
        match self {
            Proof::Same(octets) => digest(bytes) == *octets,
            Proof::SealedTo(octets, to) => digest(bytes) == *octets && sealed_to(bytes, to).is_some(),
            Proof::SameContent(octets, to, content) => {
                digest(bytes) == *octets
                    && sealed_to(bytes, to).is_some_and(|enveloped| enveloped.content_digest() == *content)
            }
        }
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn ids(sealed: &Sealed) -> BTreeSet<RecipientId> {
    sealed.facts().recipients.iter().filter_map(|to| to.id.clone()).collect()
}

/// The structure, if it is whole up to the last octet and names all of these and nobody else.
fn sealed_to(bytes: &[u8], to: &BTreeSet<RecipientId>) -> Option<Box<Enveloped>> {
    let Ok(Protection::Encrypted(enveloped)) = Input::of(bytes).examine() else { return None };
    let named: Option<BTreeSet<&RecipientId>> = enveloped.recipients.iter().map(id).collect();
    let exactly = named.is_some_and(|named| !to.is_empty() && named.into_iter().eq(to));
    (exactly && is_whole(&enveloped)).then_some(enveloped)
}

fn id(recipient: &Recipient) -> Option<&RecipientId> {
    recipient.id.as_ref()
}
