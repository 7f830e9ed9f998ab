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

/// What is known of a sealed message without its octets.
#[derive(Debug, Clone, Default)]
pub struct SealFacts {
    /// What it is encrypted with; absent for an OpenPGP message that is kept.
    pub cipher: Option<&'static ContentCipher>,
    /// Who can open it.
    pub recipients: Vec<SealedTo>,
    /// Why nothing of the header is hidden, if the policy of the job would hide some of it: a warning for the log.
    pub headers_kept: Option<HeadersKept>,
}

/// A message that only its recipients can open. Made only in this room: by [`seal_many`](super::seal_many),
/// [`rekey`](super::rekey()) and [`recognise`](super::recognise()).
pub struct Sealed {
    pub(super) bytes: Vec<u8>,
    pub(super) facts: SealFacts,
}

impl Sealed {
    /// The whole message to store: header, empty line, base64. CRLF or LF as the message had (mixed: CRLF). After
    /// [`rekey`](super::rekey()) of a structure by itself: that structure, as octets or PEM.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// To whom and how.
    pub fn facts(&self) -> &SealFacts {
        &self.facts
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        spare::give_back(mem::take(&mut self.bytes));
    }
}
