//! The process and its machine: clock, entropy, log, identity, hardening, interrupts, files in memory, files without a name,
//! input, what waits in temporary files, threads that wait for the disk.

pub mod log;

mod child;
mod clock;
mod entropy;
mod harden;
mod identity;
mod interrupt;
mod memory_file;
mod nameless;
mod patient;
mod reread;
mod side_by_side;
mod spool;
#[cfg(test)]
mod worked;

pub use child::await_child;
pub use clock::SystemClock;
pub use entropy::SystemEntropy;
pub use harden::{allow_many_files, close_inherited, harden};
pub use identity::{
    IdentityError, User, as_owner, as_user, become_owner, lies_in_memory, refuse_network_file_system,
    user_name,
};
pub use interrupt::{EndSignals, Interrupt, spawn};
pub use memory_file::memory_file;
pub use nameless::Nameless;
pub use patient::Patient;
pub use reread::{FileId, FileStamp, RereadFile};
#[cfg(test)]
pub(crate) use side_by_side::crowd::Crowd;
pub use side_by_side::side_by_side;
pub use spool::{Spool, SpoolWriter};
#[cfg(test)]
pub(crate) use worked::worked_since;
