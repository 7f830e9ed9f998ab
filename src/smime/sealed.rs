//! The proof that bytes are sealed.

use super::{HeadersKept, spare};
use crate::cms::RecipientId;
use crate::crypto::ContentCipher;
use crate::pki::Fingerprint;
use std::mem;

/// Who can open a sealed message, for reports.
#[derive(Debug, Clone)]
pub struct SealedTo {
    /// The certificate, if we know it.
    pub certificate: Option<Fingerprint>,
    /// As the RecipientInfo names it.
    pub id: Option<RecipientId>,
}

/// A message that only its recipients can open. Made only in this room: by [`seal_many`](super::seal_many),
/// [`rekey`](super::rekey()) and [`recognise`](super::recognise()).
pub struct Sealed {
    pub(super) bytes: Vec<u8>,
    pub(super) cipher: Option<&'static ContentCipher>,
    pub(super) recipients: Vec<SealedTo>,
    pub(super) headers_kept: Option<HeadersKept>,
}

impl Sealed {
    /// The whole message to store: header, empty line, base64. CRLF or LF as the message had (mixed: CRLF). After
    /// [`rekey`](super::rekey()) of a structure by itself: that structure, as octets or PEM.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// What it is encrypted with; absent for an OpenPGP message that is kept.
    pub fn cipher(&self) -> Option<&'static ContentCipher> {
        self.cipher
    }
    /// Why nothing of the header is hidden, if the policy of the job would hide some of it: a warning for the log.
    pub fn headers_kept(&self) -> Option<HeadersKept> {
        self.headers_kept
    }
    /// Who can open it.
    pub fn recipients(&self) -> &[SealedTo] {
        &self.recipients
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        spare::give_back(mem::take(&mut self.bytes));
    }
}
