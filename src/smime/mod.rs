//! Sealing, opening, and recognising what is sealed already.

pub mod open;
pub mod seal;

pub use open::{OpenError, Opened, OpeningKey, open};
pub use seal::{Mark, SealError, SealJob, Sealed, SealedTo, seal_many};
