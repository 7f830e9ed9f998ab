//! The daemon.

mod conversation;
mod daemon;
mod service;
mod sessions;
mod sockets;
mod stop;
