//! Sealpost seals mail as it is stored.
//!
//! An MTA hands over a message, rules decide, S/MIME seals it to the owner of the mailbox, and only then does
//! it touch the mail store. ARCHITECTURE.md walks through the rooms; a room uses only rooms to its left:
//!
//! `crypto mail | cms | pki rules | smime | vault | engine | directory store config system | cli`

pub mod cli;
pub mod cms;
pub mod config;
pub mod crypto;
pub mod directory;
pub mod engine;
pub mod mail;
pub mod pki;
pub mod rules;
pub mod smime;
pub mod store;
pub mod system;
pub mod vault;
