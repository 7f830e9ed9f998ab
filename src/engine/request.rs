//! What a hook hands over.

use crate::mail::Address;
use crate::rules::Source;

/// A message and its envelope. No `Debug`: what a message says belongs into no log.
#[derive(Clone)]
pub struct Request<'m> {
    /// The bytes as they arrived; the MTA's mbox line may stand in front.
    pub message: &'m [u8],
    /// Return path; empty for the null sender; absent if the hook did not say.
    pub sender: Option<String>,
    /// At least one. Several that lead to one account are one delivery.
    pub recipients: Vec<Recipient>,
    /// How it came in.
    pub source: Source,
    /// The client that handed it to the MTA, as the hook reports it; for the log.
    pub client: Option<String>,
    /// The MTA's queue id: with it the copies of server rules are stored once, however often the MTA calls.
    pub queue_id: Option<String>,
}

/// An envelope recipient.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// To whom the MTA delivers.
    pub address: Address,
    /// What the sender wrote (ORCPT), if the MTA says so.
    pub original: Option<String>,
}

impl Recipient {
    /// As rules see it: the original if it is known.
    pub(super) fn as_sent(&self) -> String {
        self.original.clone().unwrap_or_else(|| self.address.to_string())
    }
}
