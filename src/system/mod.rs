//! The process and its machine: clock, entropy, log, identity, hardening, interrupts, files in memory, input.

pub mod log;

mod clock;
mod entropy;
mod harden;
mod identity;
mod interrupt;
mod memory_file;
mod patient;

pub use clock::SystemClock;
pub use entropy::SystemEntropy;
pub use harden::{close_inherited, harden};
pub use identity::{
    IdentityError, User, become_owner, lies_in_memory, refuse_network_file_system, user_name,
};
pub use interrupt::Interrupt;
pub use memory_file::memory_file;
pub use patient::Patient;
