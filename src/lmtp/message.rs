//! A message while it comes: how long it is, and whether it will be delivered.

use super::reply::Reply;

/// Octets above twice the limit that are read of a message that is too large, so that its client hears why.
pub(super) const OVERRUN: u64 = 1 << 20;

/// A message that has begun. It holds none of its octets.
pub(super) struct Message {
    /// Octets of it, at most.
    limit: u64,
    /// Octets of it.
    length: u64,
    /// Octets of the wire.
    read: u64,
    /// What is told in the end, if it is not to be delivered.
    refusal: Option<Reply>,
}

impl Message {
    pub(super) fn new(limit: u64) -> Message {
        Message { limit, length: 0, read: 0, refusal: None }
    }

    pub(super) fn refusal(&self) -> Option<&Reply> {
        self.refusal.as_ref()
    }

    /// Refuses it. False: it was refused before, and for that it stays.
    pub(super) fn refuse(&mut self, refusal: Reply) -> bool {
        let is_first = self.refusal.is_none();
        self.refusal.get_or_insert(refusal);
        is_first
    }

    /// Counts octets of the wire, whatever becomes of them. True: they are so many that no more is read.
    pub(super) fn is_overrun_by(&mut self, octets: usize) -> bool {
        self.read = self.read.saturating_add(octets as u64);
        self.read > self.limit.saturating_mul(2).saturating_add(OVERRUN)
    }

    /// Counts octets of the message. False: it is too large with them.
    pub(super) fn has_room_for(&mut self, octets: usize) -> bool {
        self.length = self.length.saturating_add(octets as u64);
        self.length <= self.limit
    }
}
