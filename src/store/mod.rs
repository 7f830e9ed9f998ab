//! Maildir and Maildir++; atomic file work in one place; a memory store for tests.
//!
//! A delivery is staged (`tmp/`, mode 0600, written, synced) and committed (linked into `new/` or `cur/`, folder
//! synced). What a crash leaves behind lies in `tmp/`, where no client looks and every reader may sweep after 36 hours.

mod atomic;
mod attachments;
mod content;
mod find;
mod finish;
mod folder;
mod group;
mod identity;
mod import;
mod keywords;
mod layout;
pub mod leftovers;
mod maildir;
mod memory;
mod moving;
mod name;
mod order;
mod pair;
mod pour;
mod quota;
mod regular;
mod replace;
mod settle;
mod stored;
mod sweep;
mod uidlist;
mod walk;
mod writable;

pub use atomic::{Call, Disk, Files, is_replaceable, replace_file};
pub use finish::Finished;
pub use identity::Identity;
pub use import::{Arrival, Mark, NamedArrival, StagedArrival};
pub use keywords::Keywords;
pub use layout::TemplateError;
pub use maildir::MaildirStore;
pub use memory::{Fault, MemoryStore, Stored};
pub use name::kept_beginning;
pub use pour::{Pieces, name_while_poured, pour_file};
pub use replace::{NewContent, Replaced, Replacement, Step};
pub use stored::{Messages, Part, RunId, StoredMailbox, StoredMessage, is_of_one_file};
pub use uidlist::UidListError;
pub use writable::check_replaceable;
