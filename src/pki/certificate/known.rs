//! What is found out about a certificate once, when it is asked for first: every message that is sealed to it asks again.

use super::{Certificate, Fingerprint};
use crate::crypto::rsa_public::TransportKey;
use crate::pki::{PkiError, PublicKey, Reads};
use std::borrow::Cow;
use std::sync::OnceLock;
use x509_cert::ext::pkix::SubjectKeyIdentifier;

/// Shared by the clones of a certificate.
#[derive(Default)]
pub(super) struct Known {
    pub(super) fingerprint: OnceLock<Fingerprint>,
    pub(super) reads: OnceLock<Reads>,
    /// Only a key that can be used: what is wrong with another is told each time.
    key: OnceLock<PublicKey>,
    transport: OnceLock<Option<TransportKey>>,
    key_identifier: OnceLock<Option<Vec<u8>>>,
    constants: [OnceLock<Vec<u8>>; CONSTANTS],
}

/// How many [`Certificate::constant`]s are kept.
const CONSTANTS: usize = 4;

impl Certificate {
    /// Its key, if it is of a kind that we can use.
    pub(crate) fn key(&self) -> Result<&PublicKey, PkiError> {
        let known = &self.0.known.key;
        if let Some(key) = known.get() {
            return Ok(key);
        }
        let key = PublicKey::from_spki(self.parsed().tbs_certificate().subject_public_key_info())?;
        Ok(known.get_or_init(|| key))
    }

    /// Its RSA key in the form in which something is encrypted to it; nothing if it has another key.
    pub(crate) fn transport_key(&self) -> Option<&TransportKey> {
        let prepared = || match self.key() {
            Ok(PublicKey::Rsa(key)) => Some(TransportKey::new(key.clone())),
            _ => None,
        };
        self.0.known.transport.get_or_init(prepared).as_ref()
    }

    /// The octets of the subjectKeyIdentifier extension, if it has one that is well-formed.
    pub(crate) fn key_identifier(&self) -> Option<&[u8]> {
        let read = || {
            let (_, id) = self.extension::<SubjectKeyIdentifier>().ok().flatten()?;
            Some(id.0.as_bytes().to_vec())
        };
        self.0.known.key_identifier.get_or_init(read).as_deref()
    }

    /// Octets that stand in every message to its holder, made when they are asked for first, and kept under their number.
    pub(crate) fn constant<E>(
        &self,
        number: usize,
        make: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Cow<'_, [u8]>, E> {
        let Some(kept) = self.0.known.constants.get(number) else { return make().map(Cow::Owned) };
        if let Some(octets) = kept.get() {
            return Ok(Cow::Borrowed(octets));
        }
        let octets = make()?;
        Ok(Cow::Borrowed(kept.get_or_init(|| octets)))
    }
}
