//! What its sender encrypted already, to everybody who should be able to open it, is stored as it is.

use super::open::checked_content;
use super::unwrap::is_listed;
use super::{SealFacts, Sealed, SealedTo};
use crate::cms::{Enveloped, Protection, RecipientId, find};
use crate::crypto::algorithm::Mode;
use crate::crypto::{ContentCipher, Policy};
use crate::mail::Message;
use crate::pki::Certificate;
use std::collections::{HashMap, HashSet};

/// What becomes of a message that its sender encrypted with OpenPGP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenPgp {
    /// It stays as it is. Nobody can tell who opens it.
    #[default]
    Keep,
    /// It is sealed like any other.
    Seal,
}

/// The message as it is, if its whole body is encrypted to an active certificate of every account with algorithms that we
/// would write ourselves; `accounts` has the active certificates of each. No label is believed. A recipient that is named
/// does not prove that it can open the message: say so in the log.
pub fn recognise(message: &[u8], accounts: &[&[Certificate]], openpgp: OpenPgp) -> Option<Sealed> {
    match find(&Message::new(message)) {
        Protection::OpenPgp if openpgp == OpenPgp::Keep => {
            Some(Sealed { bytes: message.to_vec(), facts: SealFacts::default() })
        }
        Protection::Encrypted(enveloped) => {
            let cipher = written_cipher(&enveloped)?;
            let recipients = sealed_to_all(&enveloped, accounts)?;
            Some(Sealed {
                bytes: message.to_vec(),
                facts: SealFacts { cipher: Some(cipher), recipients, headers_kept: None },
            })
        }
        _ => None,
    }
}

/// The message as it is, if its whole body is encrypted at all, to whomever and however: for who keeps what others encrypted.
pub fn encrypted_as_it_is(message: &[u8]) -> Option<Sealed> {
    let recipients = match find(&Message::new(message)) {
        Protection::OpenPgp => Vec::new(),
        Protection::Encrypted(enveloped) => {
            let named = enveloped.recipients.into_iter().filter_map(|to| to.id);
            named.map(|id| SealedTo { certificate: None, id: Some(id) }).collect()
        }
        Protection::None | Protection::Signed => return None,
    };
    Some(Sealed { bytes: message.to_vec(), facts: SealFacts { recipients, ..SealFacts::default() } })
}

/// The content cipher, if it and all that hands its key to the recipients are in the writing policy.
pub(super) fn written_cipher(enveloped: &Enveloped) -> Option<&'static ContentCipher> {
    let cipher = checked_content(enveloped, &Policy::WRITING).ok()?.cipher;
    are_keys_written(enveloped).then_some(cipher)
}

/// Is the content encrypted as we would do it, with an algorithm of the writing policy?
pub fn is_content_written(enveloped: &Enveloped) -> bool {
    checked_content(enveloped, &Policy::WRITING).is_ok()
}

/// Is it an algorithm that we read, and a ciphertext and a tag of lengths that it can have?
pub fn is_whole(enveloped: &Enveloped) -> bool {
    checked_content(enveloped, &Policy::READING).is_ok_and(|algorithm| {
        let (cipher, length) = (algorithm.cipher, enveloped.encrypted_content.len());
        // In CBC an IV has the length of a block.
        cipher.mode == Mode::Aead || (length > 0 && length.is_multiple_of(cipher.iv_len))
    })
}

/// Is the content's key handed to every recipient by algorithms of the writing policy?
pub fn are_keys_written(enveloped: &Enveloped) -> bool {
    enveloped.recipients.iter().all(|recipient| is_listed(recipient, &Policy::WRITING))
}

/// Does it name an active certificate of every account?
pub fn names_all(enveloped: &Enveloped, accounts: &[&[Certificate]]) -> bool {
    sealed_to_all(enveloped, accounts).is_some()
}

/// The recipients, with the certificates that we know, if every account is among them.
pub(super) fn sealed_to_all(enveloped: &Enveloped, accounts: &[&[Certificate]]) -> Option<Vec<SealedTo>> {
    let named: HashSet<&RecipientId> = enveloped.recipients.iter().filter_map(|to| to.id.as_ref()).collect();
    let mut known = HashMap::new();
    for account in accounts {
        let ids = account.iter().flat_map(|own| own.recipient_ids().into_iter().map(move |id| (id, own)));
        let ours: Vec<_> = ids.filter(|(id, _)| named.contains(id)).collect();
        if ours.is_empty() {
            return None;
        }
        known.extend(ours);
    }
    let sealed_to = |id: Option<&RecipientId>| SealedTo {
        certificate: id.and_then(|id| known.get(id)).map(|own| own.fingerprint()),
        id: id.cloned(),
    };
    let recipients = enveloped.recipients.iter().map(|to| sealed_to(to.id.as_ref())).collect();
    (!accounts.is_empty()).then_some(recipients)
}
