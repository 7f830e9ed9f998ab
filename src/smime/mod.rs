//! Sealing, opening, handing to other recipients, and recognising what is sealed already.

mod added;
mod arrived;
mod frame;
pub mod headers;
mod inner;
mod lines;
pub mod open;
mod outer;
mod recipient;
pub mod recognise;
pub mod rekey;
pub mod seal;
pub mod sealed;
#[cfg(test)]
mod tests;

pub use headers::HeadersKept;
pub use open::{OpenError, Opened, OpeningKey, open};
pub use recognise::{OpenPgp, recognise};
pub use rekey::{RekeyError, rekey};
pub use seal::{Mark, SealError, SealJob, seal_many};
pub use sealed::{Sealed, SealedTo};
