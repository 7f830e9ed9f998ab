//! What a session and its host have to do with each other.

use crate::mail::Address;

/// Octets of the field Return-Path with its line end, at most: a line of a message has no more (RFC 5322 2.1.1).
pub(super) const LONGEST_RETURN_PATH: usize = 1000;

/// What a session announces.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What this machine calls itself.
    pub host: String,
    /// Octets of a message as it is delivered, at most: with the field Return-Path in front.
    pub max_message: u64,
}

impl Terms {
    /// Octets that a client may send: what SIZE says (RFC 1870), where zero would mean that there is no limit.
    pub(super) fn size(&self) -> u64 {
        self.max_message.saturating_sub(LONGEST_RETURN_PATH as u64).max(1)
    }
}

/// Whom a message is from and to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Return path, as the client wrote it; empty: the null sender. No control is in it.
    pub sender: String,
    /// Who was accepted, in the order of RCPT; at least one, and none of them is left out if he is named twice.
    pub recipients: Vec<Address>,
}

/// What came of octets.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken<'o> {
    /// How many of them were used; the rest is given again.
    pub used: usize,
    /// What the host does before it gives more.
    pub want: Want<'o>,
}

/// What the host of a session has to do before it goes on. A message is one [`Begin`](Want::Begin), any number of
/// [`Content`](Want::Content), and then one of [`Deliver`](Want::Deliver), [`Forget`](Want::Forget) and [`Close`](Want::Close);
/// after the host's own [`Session::refuse`](super::Session::refuse) neither of the first three comes.
#[derive(Debug, PartialEq, Eq)]
pub enum Want<'o> {
    /// Send the replies, then read more from the client. All octets were used.
    More,
    /// Send the replies, which are many, then give the rest of the octets.
    Send,
    /// RCPT: say whether there is such a recipient, by [`Session::judged`](super::Session::judged). The postmaster without a domain
    /// has the host's; [`Session::judged_as`](super::Session::judged_as) says who he is.
    Judge(Address),
    /// A message begins. Make room for it, or [`Session::refuse`](super::Session::refuse) it.
    Begin {
        /// So many octets, if its client said how many; they may become more, up to what SIZE said.
        declared: Option<u64>,
        /// The field Return-Path, a line with its end. It goes in front of the first octet: whoever delivers at last writes it
        /// there (RFC 5321 4.4).
        return_path: String,
    },
    /// The next octets of the message, dots unstuffed, lines ended by CR LF after DATA; anything after BDAT. Keep them, or
    /// [`Session::refuse`](super::Session::refuse) the message. If the first is SP or TAB, an empty line goes in between: it would
    /// go on in the line of Return-Path.
    Content(&'o [u8]),
    /// The message is whole: deliver it, and tell by [`Session::delivered`](super::Session::delivered).
    Deliver(Envelope),
    /// Nothing becomes of the message: its octets can go.
    Forget,
    /// Send the replies and close the connection.
    Close,
}
