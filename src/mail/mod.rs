//! RFC 5322 and MIME over bytes: nothing repaired, nothing copied.

pub mod address;
pub mod flag;
pub mod line;
pub mod mailbox;
pub mod message;

pub use address::{Address, AddressError};
pub use flag::Flag;
pub use line::{Eol, crlf, crlf_len, eol, without_mbox_line};
pub use mailbox::{MailboxName, MailboxNameError, MailboxRef, Owner};
pub use message::{Field, Mailbox, Message};
