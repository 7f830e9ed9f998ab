//! The daemon.

mod daemon;
mod service;
mod sessions;
mod sockets;
mod stop;
