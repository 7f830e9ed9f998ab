//! What is wrong with a structure.

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

pub(super) fn malformed(what: impl Into<String>) -> CmsError {
    CmsError::Malformed(what.into())
}
