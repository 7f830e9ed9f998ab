//! Addresses as accounts have them.

use std::fmt;
use std::hash::{Hash, Hasher};

/// An addr-spec (RFC 5322 3.4.1). The local part keeps its spelling; the domain is lower-case A-labels (IDNA).
/// Equality and hash fold ASCII case in the local part.
#[derive(Debug, Clone)]
pub struct Address {
    local: String,
    domain: String,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no mail address: {reason}")]
pub struct AddressError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Address {
    /// Reads `local@domain`; a quoted local part is allowed, angle brackets are not.
    pub fn parse(text: &str) -> Result<Address, AddressError> {
        todo!("{text}")
    }
    /// The local part as it was written.
    pub fn local(&self) -> &str {
        &self.local
    }
    /// The domain, lower-case A-labels.
    pub fn domain(&self) -> &str {
        &self.domain
    }
    /// The same address with the ASCII letters of its local part in lower case: the key for look-ups.
    pub fn folded(&self) -> String {
        todo!()
    }
    /// `bob@d` for `bob+detail@d`; nothing if there is no detail.
    pub fn without_detail(&self, delimiter: char) -> Option<Address> {
        todo!("{delimiter}")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}", self.local, self.domain)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Address) -> bool {
        self.domain == other.domain && self.local.eq_ignore_ascii_case(&other.local)
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().hash(state);
    }
}
