//! RFC 5322 and MIME over bytes: nothing repaired, nothing copied.

pub mod address;
pub mod attachment;
mod edited;
mod edits;
pub mod field;
pub mod file_name;
pub mod flag;
pub mod folder_name;
pub mod header_line;
pub mod header_policy;
pub mod letter;
pub mod line;
mod line_stream;
pub mod mailbox;
pub mod mbox;
pub mod media;
pub mod message;
mod message_id;
pub mod multipart;
mod printable;
mod source;
pub mod transfer;
#[cfg(test)]
pub(crate) mod vectors;

pub use address::{Address, AddressError};
pub use attachment::{Attachment, Attachments};
pub use edited::Edited;
pub use edits::HeaderEdits;
pub use field::{Field, Mailbox};
pub use file_name::FileName;
pub use flag::{Flag, FlagError};
pub use folder_name::{FolderName, FolderNameError};
pub use header_line::{HeaderLine, HeaderLineError};
pub use header_policy::{HeaderPolicy, Outside};
pub use letter::{Correspondent, Letter, message_ids, one_line};
pub(crate) use line::lf_in_place;
pub use line::{Eol, LineCount, crlf, crlf_len, eol, without_mbox_line};
pub use line_stream::{Canonical, LineTally};
pub use mailbox::{MailboxName, MailboxNameError, MailboxRef, Owner};
pub use media::MediaType;
pub use message::{Message, header_fields};
pub use multipart::{Multipart, closing_delimiter, sole_part, split_multipart};
pub use printable::{cut, printable};
pub use source::{PIECE, Source, Span, enough};
pub use transfer::TransferEncoding;
