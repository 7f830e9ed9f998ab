//! Line ends: what arrives, and the canonical form that is sealed.

use std::borrow::Cow;

/// How the lines of a message end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eol {
    /// Every LF stands alone.
    Lf,
    /// Every LF has a CR before it.
    Crlf,
    /// Some do, some do not.
    Mixed,
}

/// How the lines of `bytes` end; no LF at all counts as CRLF (nothing changes on the way).
pub fn eol(bytes: &[u8]) -> Eol {
    todo!("{bytes:?}")
}

/// Length of [`crlf`] of the bytes, without making it.
pub fn crlf_len(bytes: &[u8]) -> usize {
    todo!("{bytes:?}")
}

/// Canonical lines: an LF without a CR before it gets one, a bare CR stays.
pub fn crlf(bytes: &[u8]) -> Cow<'_, [u8]> {
    todo!("{bytes:?}")
}

/// The message without the MTA's mbox line (`From ` up to the first LF), if it begins with one.
pub fn without_mbox_line(bytes: &[u8]) -> &[u8] {
    todo!("{bytes:?}")
}
