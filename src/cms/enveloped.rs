//! EnvelopedData and AuthEnvelopedData as owned, checked values.

use const_oid::ObjectIdentifier;

/// How a RecipientInfo names its recipient.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RecipientId {
    /// DER of the issuer's name, and the serial number's content octets.
    IssuerAndSerialNumber {
        /// DER of the Name.
        issuer: Vec<u8>,
        /// INTEGER content octets.
        serial: Vec<u8>,
    },
    /// The subjectKeyIdentifier extension's octets.
    SubjectKeyIdentifier(Vec<u8>),
}

/// The kind of a RecipientInfo (RFC 5652 6.2, RFC 9629).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipientKind {
    /// KeyTransRecipientInfo.
    KeyTransport,
    /// KeyAgreeRecipientInfo.
    KeyAgreement,
    /// KEKRecipientInfo.
    Kek,
    /// PasswordRecipientInfo.
    Password,
    /// OtherRecipientInfo.
    Other,
}

/// One recipient (a KeyAgreeRecipientInfo with several keys gives several).
#[derive(Debug, Clone)]
pub struct Recipient {
    /// Its kind.
    pub kind: RecipientKind,
    /// Who it is; absent for kinds that name nobody.
    pub id: Option<RecipientId>,
    /// keyEncryptionAlgorithm.
    pub algorithm: spki::AlgorithmIdentifierOwned,
    /// The encrypted content key.
    pub encrypted_key: Vec<u8>,
}

/// An EnvelopedData (`tag` absent) or AuthEnvelopedData.
#[derive(Debug, Clone)]
pub struct Enveloped {
    /// AuthEnvelopedData rather than EnvelopedData.
    pub authenticated: bool,
    /// In their order.
    pub recipients: Vec<Recipient>,
    /// Of the encrypted content.
    pub content_type: ObjectIdentifier,
    /// contentEncryptionAlgorithm.
    pub algorithm: spki::AlgorithmIdentifierOwned,
    /// The ciphertext, joined if it was constructed.
    pub encrypted_content: Vec<u8>,
    /// DER of authAttrs as a SET OF (what is authenticated besides), if present.
    pub auth_attributes: Option<Vec<u8>>,
    /// The authentication tag.
    pub tag: Option<Vec<u8>>,
}

/// What is wrong with a CMS structure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CmsError {
    /// No well-formed CMS structure.
    #[error("the CMS structure is broken: {0}")]
    Malformed(String),
    /// Well-formed, and neither EnvelopedData nor AuthEnvelopedData.
    #[error("the CMS structure is {0}, not EnvelopedData or AuthEnvelopedData")]
    NotEnveloped(String),
    /// A limit was passed.
    #[error("the CMS structure has more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

/// Reads a ContentInfo in BER or DER (RFC 5652 3). Trailing octets are refused.
pub fn read(bytes: &[u8]) -> Result<Enveloped, CmsError> {
    todo!("{bytes:?}")
}
