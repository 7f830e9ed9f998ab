//! Message flags: the system flags of IMAP (RFC 9051 2.3.2) and keywords.

/// A flag on a stored message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// `\Seen`
    Seen,
    /// `\Flagged`
    Flagged,
    /// `\Answered`
    Answered,
    /// `\Draft`
    Draft,
    /// `\Deleted`
    Deleted,
    /// A keyword: an IMAP atom.
    Keyword(String),
}
