//! What its sender encrypted already, to everybody who should be able to open it, is stored as it is.

use super::open::checked_content;
use super::{Sealed, SealedTo};
use crate::cms::{Enveloped, Protection, Recipient, RecipientKind, find};
use crate::crypto::ContentCipher;
use crate::crypto::algorithm::Status;
use crate::crypto::transport::TransportAlgorithm;
use crate::mail::Message;
use crate::pki::Certificate;

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
            Some(Sealed { bytes: message.to_vec(), cipher: None, recipients: Vec::new() })
        }
        Protection::Encrypted(enveloped) => {
            let cipher = written_cipher(&enveloped)?;
            let everybody =
                !accounts.is_empty() && accounts.iter().all(|account| names_one(&enveloped, account));
            let recipients = enveloped.recipients.iter().map(|to| sealed_to(to, accounts)).collect();
            everybody.then(|| Sealed { bytes: message.to_vec(), cipher: Some(cipher), recipients })
        }
        _ => None,
    }
}

/// The content cipher, if it and every key transport are in the writing policy.
fn written_cipher(enveloped: &Enveloped) -> Option<&'static ContentCipher> {
    let cipher = checked_content(enveloped).ok()?.cipher;
    let written = cipher.status == Status::Write && enveloped.recipients.iter().all(is_written);
    written.then_some(cipher)
}

fn is_written(recipient: &Recipient) -> bool {
    recipient.kind == RecipientKind::KeyTransport
        && TransportAlgorithm::read(&recipient.algorithm).is_ok_and(|read| read.is_written())
}

fn names_one(enveloped: &Enveloped, account: &[Certificate]) -> bool {
    account
        .iter()
        .any(|certificate| enveloped.recipients.iter().any(|recipient| names(recipient, certificate)))
}

fn names(recipient: &Recipient, certificate: &Certificate) -> bool {
    recipient.id.as_ref().is_some_and(|id| certificate.recipient_ids().contains(id))
}

fn sealed_to(recipient: &Recipient, accounts: &[&[Certificate]]) -> SealedTo {
    let known = accounts.iter().flat_map(|account| account.iter()).find(|known| names(recipient, known));
    SealedTo { certificate: known.map(Certificate::fingerprint), id: recipient.id.clone() }
}
