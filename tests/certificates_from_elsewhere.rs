//! Certificates that nobody at this site made: by signed mail, from folders and from a directory server. They wait, and
//! nothing is sealed to them before somebody accepts them.

mod accepting;
mod attributes;
mod folder;
mod forged;
mod ldap;
mod programs;
mod revoked;
mod signed;
mod signer;
