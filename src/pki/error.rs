//! What can be wrong with a key, a certificate, a request or the file that carries it.

use super::Fingerprint;

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
    #[error("not supported: {0}")]
    Unsupported(String),
    /// The serial number passes the 20 octets of RFC 5280 4.1.2.2.
    #[error("the certificate's serial number has {octets} octets; at most 20 are allowed (RFC 5280)")]
    LongSerial {
        /// Content octets of the INTEGER.
        octets: usize,
    },
    /// A `--type` that does not exist.
    #[error("there is no key type \"{name}\"; did you mean {nearest}?")]
    UnknownKeyType {
        /// What was asked for.
        name: String,
        /// The name that looks most like it.
        nearest: &'static str,
    },
    /// A `--type` that was once made and is refused now.
    #[error("{name} is refused: {reason}")]
    WeakKeyType {
        /// Its name.
        name: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// An RSA key that is too short.
    #[error("the RSA key has {bits} bits; at least {minimum} are required")]
    WeakKey {
        /// Of the modulus.
        bits: usize,
        /// Required.
        minimum: usize,
    },
    /// The generator gave up.
    #[error("the key could not be made: {0}")]
    Generate(String),
    /// A key that does not do its work.
    #[error("the key failed its test: it cannot {0}")]
    KeyTest(&'static str),
    /// A kind of key that agrees or decapsulates, and nothing else.
    #[error("a key of the kind {key} cannot sign")]
    CannotSign {
        /// Its kind.
        key: String,
    },
    /// A primitive refused to encrypt it.
    #[error("the key could not be protected: {0}")]
    Protect(String),
    /// A signature that does not hold.
    #[error("the signature does not hold")]
    BadSignature,
    /// A signature that may hold and does not count.
    #[error("{0}")]
    RefusedSignature(String),
    /// A request that somebody else's key signed, or that was changed.
    #[error(
        "the request's own signature does not hold: it was changed, or whoever made it does not have the private key"
    )]
    RequestSignature,
    /// A request cannot be signed by a key that only agrees or decapsulates.
    #[error(
        "a request for a key of the kind {key} cannot show that its maker has the private key: such a key cannot sign"
    )]
    NoProof {
        /// Its kind.
        key: String,
    },
    /// Something stands behind a structure that must stand alone.
    #[error("{octets} octets stand behind {what}: nothing may")]
    Trailing {
        /// Which structure.
        what: &'static str,
        /// How many.
        octets: usize,
    },
    /// An authority that may sign certificates and no lists.
    #[error("{subject} cannot sign revocation lists: its keyUsage lacks cRLSign")]
    CannotRevoke {
        /// Its subject.
        subject: String,
    },
    /// A file larger than any key or certificate bundle.
    #[error("the file has {size} octets; at most {limit} are read as {what}")]
    TooLarge {
        /// What it should hold.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The most that is read.
        limit: usize,
    },
    /// Nothing that we look for in the file.
    #[error("no {wanted} found: {found}")]
    NotFound {
        /// What was looked for.
        wanted: &'static str,
        /// What was there, in words.
        found: String,
    },
    /// More than one of what must be there once.
    #[error("the file holds {count} {what}; exactly one is expected: split the file")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
    },
    /// The key lies under a password, and none was given or none can be used.
    #[error("the private key is encrypted ({found}); convert it first: {convert}")]
    Encrypted {
        /// The marks of it.
        found: &'static str,
        /// The command that takes the password off.
        convert: &'static str,
    },
    /// The same for a domain, where no password helps.
    #[error(
        "the private key is encrypted ({found}), and that of a domain is kept without a password; convert it first: {convert}"
    )]
    EncryptedForDomain {
        /// The marks of it.
        found: &'static str,
        /// The command that takes the password off.
        convert: &'static str,
    },
    /// The password does not open the key or the PKCS#12 file.
    #[error("wrong password, or the {0} is damaged")]
    WrongPassword(&'static str),
    /// A KDF cost above what we are willing to pay.
    #[error("the file asks for {asked} rounds of key derivation; at most {limit} are done")]
    Cost {
        /// What it asks.
        asked: u64,
        /// The most.
        limit: u32,
    },
    /// The certificate belongs to another key.
    #[error("the certificate holds the public key {found}, not {wanted}: it belongs to another key")]
    OtherKey {
        /// SHA-256 of the SubjectPublicKeyInfo in the certificate.
        found: Fingerprint,
        /// That of the key.
        wanted: Fingerprint,
    },
    /// The issuer may not sign certificates.
    #[error("{subject} cannot issue certificates: {reason}")]
    NotAnAuthority {
        /// The issuer's subject.
        subject: String,
        /// Why not.
        reason: &'static str,
    },
    /// A certificate that is not signed by its own key.
    #[error("{subject} was signed by {issuer}, and only that authority can renew it")]
    OuterCertificate {
        /// Its subject.
        subject: String,
        /// Who signed it.
        issuer: String,
    },
    /// The validity asked for is empty or lies outside the issuer's.
    #[error("the validity does not fit: {0}")]
    Validity(String),
    /// A name that cannot be written into a certificate.
    #[error("\"{name}\" cannot be used as {field}: {reason}")]
    Name {
        /// What was given.
        name: String,
        /// Where it should go.
        field: &'static str,
        /// Why not.
        reason: &'static str,
    },
}

impl PkiError {
    /// A structure that the reader refused.
    pub(crate) fn malformed(what: &'static str, error: impl std::fmt::Display) -> PkiError {
        PkiError::Malformed { what, why: error.to_string() }
    }
}
