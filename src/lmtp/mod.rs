//! LMTP (RFC 2033), the side that takes mail: what a client says, and what it is told.
//!
//! [`Session`] is the conversation, without sockets and clocks: octets go in, replies and what the host has to do come out. It
//! holds no octet of a message.

mod command;
mod content;
mod line;
mod message;
mod path;
mod reply;
pub mod server;
mod session;
mod transaction;
mod want;

pub use reply::Farewell;
pub use session::Session;
pub use want::{Envelope, Taken, Terms, Want};
