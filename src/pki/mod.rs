//! Keys, certificates, requests, issue, and what makes a certificate fit to be sealed to.

mod bulk;
mod bundle;
mod capabilities;
pub mod certificate;
mod container;
mod contents;
mod crl;
mod crl_sign;
mod domain_certificate;
mod error;
mod issue;
pub mod key;
mod key_type;
mod mobileconfig;
mod names;
pub mod path;
mod pbe;
mod pem;
mod pkcs12;
mod public_key;
mod request;
pub mod revocation;
mod signature;
mod signer;
mod terms;
mod tls;
pub mod validated;

pub use bulk::{BULK_COLUMNS, BadLine, BulkFault, BulkLine, read_bulk};
pub use bundle::Bundle;
pub use capabilities::Reads;
pub use certificate::{Certificate, Fingerprint};
pub use container::{
    KeyFile, encrypt_key, read_certificates, read_domain_key, read_key_file, read_private_key,
    write_encrypted_key,
};
pub use crl::{Crl, CrlEntry, read_crls};
pub use crl_sign::ListProfile;
pub use domain_certificate::{TLS_LIFETIME, self_sign_for_tls, self_sign_recipient, succeed};
pub use error::PkiError;
pub use issue::{
    AUTHORITY_LIFETIME, Authority, AuthorityProfile, USER_LIFETIME, UserProfile, Validity, refresh,
    require_key, self_sign,
};
pub use key::{MINIMUM_RSA_BITS, UnlockedKey};
pub use key_type::KeyType;
pub use mobileconfig::AppleProfile;
pub use names::{Subject, wildcard};
pub use path::NameSet;
pub use pbe::Protection;
pub use pkcs12::Pkcs12;
pub use public_key::PublicKey;
pub use request::Request;
pub use revocation::{Revocation, RevocationPolicy, RevocationReason, RevocationStatus};
pub use signer::unfit_to_sign;
pub use terms::Terms;
pub use tls::tls_client;
pub use validated::{SealingCheck, Unfit, ValidatedCertificate};

#[cfg(test)]
mod vectors;
