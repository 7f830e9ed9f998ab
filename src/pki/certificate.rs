//! An X.509 certificate (RFC 5280) with what mail asks of it.

use crate::cms::RecipientId;
use std::fmt;

/// SHA-256 over the DER of a certificate, or over a key's SubjectPublicKeyInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// A parsed certificate that keeps its exact DER.
#[derive(Debug, Clone)]
pub struct Certificate {
    der: Vec<u8>,
    parsed: x509_cert::Certificate,
}

impl Certificate {
    /// Reads one certificate in DER (BER is converted). Trailing octets are refused.
    pub fn from_der(bytes: &[u8]) -> Result<Certificate, super::PkiError> {
        todo!("{bytes:?}")
    }
    /// SHA-256 over the DER.
    pub fn fingerprint(&self) -> Fingerprint {
        todo!()
    }
    /// Its key, if it is of a kind that we can use.
    pub fn public_key(&self) -> Result<super::PublicKey, super::PkiError> {
        todo!()
    }
    /// The exact DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }
    /// The parsed structure.
    pub fn parsed(&self) -> &x509_cert::Certificate {
        &self.parsed
    }
    /// How a RecipientInfo names it: issuer and serial number, and the key identifier if it has one.
    pub fn recipient_ids(&self) -> Vec<RecipientId> {
        todo!()
    }
}
