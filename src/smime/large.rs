//! Messages that are too large to be held: sealed as a stream, opened in two passes. What comes out is octet for octet what
//! [`seal_many`](super::seal_many) and [`open`](super::open()) make of the whole.

mod front;
mod message;
mod open;
mod recognise;
mod seal;
mod seen;
#[cfg(test)]
mod tests;

use super::{OpenError, SealError};
use crate::cms;
use std::io;

pub use message::LargeMessage;
pub use open::{LargeOpened, open_large, open_large_raw};
pub use recognise::recognise_large;
pub use seal::{LargeSealed, seal_large};

/// Where a result goes, piece by piece.
pub type Sink<'s> = &'s mut dyn FnMut(&[u8]) -> io::Result<()>;

/// Why a large message was not sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LargeError {
    /// The message cannot be read, or somebody changed it meanwhile.
    #[error(transparent)]
    Source(io::Error),
    /// The result cannot be written.
    #[error(transparent)]
    Sink(io::Error),
    /// Not sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Not opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Only a message that is held can be worked on in this case: take it into memory.
    #[error("the message can be worked on only as a whole")]
    Whole,
    /// Seal it anew.
    #[error("the message was written already, and one key seals one time only: seal it anew")]
    Used,
}

impl From<io::Error> for LargeError {
    fn from(error: io::Error) -> LargeError {
        LargeError::Source(error)
    }
}

impl From<cms::LargeError> for LargeError {
    fn from(error: cms::LargeError) -> LargeError {
        match error {
            cms::LargeError::Source(error) => LargeError::Source(error),
            cms::LargeError::Cms(error) => LargeError::Open(error.into()),
            cms::LargeError::Undecided | cms::LargeError::Stopped => LargeError::Whole,
        }
    }
}

/// The octets are not those of the first pass.
fn changed() -> LargeError {
    LargeError::Source(io::Error::new(io::ErrorKind::InvalidData, "the message changed while it was read"))
}
