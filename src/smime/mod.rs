//! Sealing, opening, handing to other recipients, and recognising what is sealed already.

mod added;
mod arrived;
pub mod claim;
mod frame;
pub mod headers;
mod inner;
pub mod large;
mod lines;
pub mod open;
mod outer;
mod proof;
pub mod raw;
mod recipient;
mod recipient_info;
pub mod recognise;
pub mod rekey;
pub mod restore;
pub mod seal;
pub mod sealed;
mod spare;
mod strength;
#[cfg(test)]
mod tests;
mod unwrap;
pub mod verify;

pub use claim::Claim;
pub use headers::HeadersKept;
pub use large::{
    LargeError, LargeMessage, LargeOpened, LargeSealed, Sink, open_large, open_large_raw, recognise_large,
    seal_large,
};
pub use open::{OpenError, Opened, OpeningKey, open, open_by_policy, open_examined};
pub use raw::open_raw;
pub use recipient::{Form, Naming, check_recipients, refusal};
pub use recognise::{
    OpenPgp, are_keys_written, encrypted_as_it_is, is_content_written, is_whole, names_all, recognise,
};
pub use rekey::{RekeyError, rekey, rekey_examined};
pub use restore::{Restored, restore};
pub use seal::{Mark, Marked, SealError, SealJob, seal_many};
pub use sealed::{SealFacts, Sealed, SealedTo};
pub use strength::weak_algorithms;
pub use verify::{VerifiedSignature, VerifyError, verify};
