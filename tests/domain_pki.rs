//! Keys, certificates, chains and trust of domains: each message of an administrator's pages with its command.

mod authority;
mod certificates;
mod chains;
mod keys;
mod outer;
mod trust;
