//! The mbox family: many messages in one file, each behind a line `From sender date` (RFC 4155).
//!
//! There is no one mbox. What this reads as the begin of a message: a line `From `, at the start or behind an empty line,
//! that ends in a whole date with weekday, time and year, as ctime(3) or RFC 5322 write it, with any zone. A line of a body
//! that some program forgot to quote is told apart by that, and by nothing else.
//!
//! Written is mboxrd: every line that would look like one, with any number of `>` before it, gets one more, so that
//! reading gives each octet back. What a mailbox knows beside the message stands in a few fields right behind the `From `
//! line, of which the last is ours; they are taken off again, and so `read(write(m)) == m` for every message.

mod date;
mod from_line;
mod held;
mod keeping;
mod quoting;
mod splitter;
#[cfg(test)]
mod tests;
mod writer;

pub use from_line::FromLine;
pub use keeping::Keeping;
pub use splitter::{Cut, Entry, Head, NoMbox, Part, Splitter, TooLarge};
pub use writer::{write, write_opened};

/// Which of the family. They differ in how a line of the message is kept from looking like the begin of the next; the
/// bytes do not tell which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Variant {
    /// `From ` is quoted by `>`, `>From ` is not: what is read as `>From ` may have been either. Reads one `>` off.
    O,
    /// Both are quoted, with one more `>` each: nothing is lost.
    #[default]
    Rd,
    /// `Content-Length` says how long the body is, and `From ` is quoted as in [`Variant::O`].
    Cl,
    /// `Content-Length` says how long the body is, and nothing is quoted.
    Cl2,
}

impl Variant {
    /// Is the field `Content-Length` asked?
    fn counts(self) -> bool {
        matches!(self, Variant::Cl | Variant::Cl2)
    }
}
