//! Keys, certificates, requests, issue, and what makes a certificate fit to be sealed to.

pub mod certificate;
pub mod key;
pub mod validated;

pub use certificate::{Certificate, Fingerprint};
pub use key::{KeyType, PublicKey, UnlockedKey};
pub use validated::{SealingCheck, Unfit, ValidatedCertificate};

/// What is wrong with a key, a certificate, a request or the file that carries it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PkiError {
    /// No well-formed structure.
    #[error("{what} is broken: {why}")]
    Malformed {
        /// Which structure.
        what: &'static str,
        /// What the reader said.
        why: String,
    },
    /// An algorithm or key type that we cannot use.
    #[error("{0}")]
    Unsupported(String),
}
