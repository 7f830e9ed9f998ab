//! Sealing, opening, handing to other recipients, and recognising what is sealed already.

mod added;
mod arrived;
pub mod claim;
mod frame;
pub mod headers;
mod inner;
mod lines;
pub mod open;
mod outer;
pub mod raw;
mod recipient;
mod recipient_info;
pub mod recognise;
pub mod rekey;
pub mod seal;
pub mod sealed;
#[cfg(test)]
mod tests;
mod unwrap;
pub mod verify;

pub use claim::Claim;
pub use headers::HeadersKept;
pub use open::{OpenError, Opened, OpeningKey, open, open_by_policy};
pub use raw::open_raw;
pub use recipient::{Form, Naming, check_recipients, refusal};
pub use recognise::{OpenPgp, encrypted_as_it_is, recognise};
pub use rekey::{RekeyError, rekey};
pub use seal::{Mark, Marked, SealError, SealJob, seal_many};
pub use sealed::{Sealed, SealedTo};
pub use verify::{VerifiedSignature, VerifyError, verify};
