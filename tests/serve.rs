//! The daemon.

mod changes;
mod conversation;
mod daemon;
mod killed;
mod memory;
mod recipients;
mod service;
mod sessions;
mod sockets;
mod stop;
