//! The daemon.

mod daemon;
mod owned;
mod page;
mod postfix;
mod service;
mod sessions;
mod sockets;
mod stop;
