//! LMTP (RFC 2033), the side that takes mail: what a client says, and what it is told.
//!
//! [`Session`] is the conversation, without sockets and clocks: octets go in, replies and what the host has to do come out. It
//! holds no octet of a message.

mod command;
mod content;
mod line;
mod path;
mod reply;
pub mod server;
mod session;

pub use reply::Farewell;
pub use session::{Envelope, Session, Taken, Terms, Want};
