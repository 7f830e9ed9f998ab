//! A message that comes in: held as long as it is small and there is room, and then, encrypted, in a file without a name.

use super::budget::{Budget, Room};
use crate::crypto::SecretBytes;
use crate::engine::{Disposition, Load};
use crate::system::SpoolWriter;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

/// The least that is asked for: most messages have some kilobytes.
const LEAST: u64 = 16 * 1024;

/// What a message may take of this machine.
#[derive(Debug)]
pub(super) struct Shelf {
    /// For all messages that are held.
    pub(super) memory: Arc<Budget>,
    /// Octets of one that is held.
    pub(super) memory_limit: u64,
    /// Where the others wait.
    pub(super) folder: PathBuf,
}

/// Octets of a message so far.
pub(super) enum Incoming {
    Held(Held),
    Spooled(SpoolWriter),
}

/// In memory. Its capacity never changes behind our back: what is moved is wiped where it was.
pub(super) struct Held {
    octets: SecretBytes,
    capacity: u64,
    room: Room,
}

/// A message that is whole, and its room.
pub(super) struct Whole {
    pub(super) load: Load,
    pub(super) room: Option<Room>,
}

impl Incoming {
    /// Waits for room for a message of so many octets; who does not say how many begins small.
    pub(super) fn begin(shelf: &Shelf, declared: Option<u64>) -> io::Result<Incoming> {
        let wanted = declared.unwrap_or(0);
        if wanted > shelf.memory_limit {
            return SpoolWriter::begin(&shelf.folder).map(Incoming::Spooled);
        }
        let capacity = wanted.max(LEAST.min(shelf.memory_limit));
        let room = shelf.memory.wait(capacity);
        Ok(Incoming::Held(Held { octets: with_capacity(capacity)?, capacity, room }))
    }

    /// Adds octets, which wait for nobody. After an error there is nothing left of the message.
    pub(super) fn add(self, shelf: &Shelf, octets: &[u8]) -> io::Result<Incoming> {
        match self {
            Incoming::Held(held) => match held.with_room_for(octets.len() as u64, shelf.memory_limit)? {
                Ok(mut held) => {
                    held.octets.append(octets);
                    Ok(Incoming::Held(held))
                }
                Err(held) => {
                    let mut writer = SpoolWriter::begin(&shelf.folder)?;
                    writer.append(held.octets.expose())?;
                    writer.append(octets)?;
                    Ok(Incoming::Spooled(writer))
                }
            },
            Incoming::Spooled(mut writer) => {
                writer.append(octets)?;
                Ok(Incoming::Spooled(writer))
            }
        }
    }

    /// There are no more.
    pub(super) fn finish(self) -> io::Result<Whole> {
        Ok(match self {
            Incoming::Held(Held { octets, room, .. }) => Whole { load: Load::Held(octets), room: Some(room) },
            Incoming::Spooled(writer) => Whole { load: Load::Large(Box::new(writer.finish()?)), room: None },
        })
    }
}

impl Held {
    /// With a capacity for so many more, or as it is, if there is no room.
    fn with_room_for(mut self, more: u64, limit: u64) -> io::Result<Result<Held, Held>> {
        let wanted = (self.octets.expose().len() as u64).saturating_add(more);
        if wanted <= self.capacity {
            return Ok(Ok(self));
        }
        let capacity = self.capacity.saturating_mul(2).clamp(wanted.min(limit), limit);
        // Both are there while one is copied to the other.
        if wanted > limit || !self.room.grow(capacity) {
            return Ok(Err(self));
        }
        let mut octets = with_capacity(capacity)?;
        octets.append(self.octets.expose());
        self.octets = octets;
        self.room.shrink(self.capacity);
        self.capacity = capacity;
        Ok(Ok(self))
    }
}

fn with_capacity(capacity: u64) -> io::Result<SecretBytes> {
    let mut octets = Vec::new();
    let capacity = usize::try_from(capacity).map_err(|_| ErrorKind::OutOfMemory)?;
    octets.try_reserve_exact(capacity).map_err(|_| ErrorKind::OutOfMemory)?;
    Ok(SecretBytes::new(octets))
}

/// What the client is told of a message that cannot be kept.
pub(super) fn not_kept(error: &io::Error) -> Disposition {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Disposition::Retry { detail: (3, 1), text: "the mail system's disk is full".into() }
        }
        _ => Disposition::doubt("the message could not be kept"),
    }
}
