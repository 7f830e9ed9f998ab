//! Structures that are too large to be held: what protects a message, and where its ciphertext lies, read piece by piece.
//!
//! Everything but the long octets (ciphertext, signed content) goes into a skeleton, in which these are empty and the lengths
//! around them indefinite; it is read by the readers of whole structures, so that there is one opinion on what is broken.

mod entity;
mod find;
mod input;
mod octets;
mod openpgp;
mod parts;
#[cfg(test)]
mod tests;
mod walk;
mod wrapping;

use super::CmsError;
use std::io;

pub use find::find_large;
pub use input::LargeInput;
pub use walk::Carrier;
pub use wrapping::wrapping_large;

/// A skeleton, or a header, may be so large.
const MOST: usize = 1024 * 1024;

/// Why a large structure was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LargeError {
    /// The source gave nothing.
    #[error(transparent)]
    Source(#[from] io::Error),
    /// It is broken, as a whole one would be.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// Only as a whole it can be said what it is.
    #[error("it can be read only as a whole")]
    Undecided,
    /// Whoever took the octets had enough.
    #[error("it was not read to its end")]
    Stopped,
}
