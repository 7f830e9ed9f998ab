//! The daemon.

mod changes;
mod conversation;
mod daemon;
mod doctor;
mod hostile;
mod killed;
mod memory;
mod outgoing;
mod owned;
mod page;
mod postfix;
mod recipients;
mod service;
mod sessions;
mod signals;
mod sockets;
mod stop;
mod trust;
