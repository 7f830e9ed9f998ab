//! An mbox on standard input.

use super::source::{Found, Place, Refused};
use super::spooled::Spooled;
use crate::cli::arrived::FIRST;
use crate::cli::failure::{Code, Failure};
use crate::config::Config;
use crate::engine::{Disposition, Load};
use crate::mail::mbox::{Entry, Part, Splitter, TooLarge, Variant};
use crate::system::Patient;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// Octets that are read at a time.
const CHUNK: usize = 256 << 10;

/// An mbox that is read as it comes.
pub(super) struct Mbox<'s> {
    splitter: Splitter,
    input: Patient<'s>,
    chunk: Zeroizing<Vec<u8>>,
    stop: &'s AtomicBool,
    /// An MTA that calls this with nothing is not told that it is stored.
    is_empty: bool,
    /// A message of which the end did not come yet, and where it waits.
    spooled: Option<Spooled>,
    folder: PathBuf,
    /// Octets of one that is in memory as a whole once it has come.
    held: u64,
}

impl<'s> Mbox<'s> {
    /// A message of which more comes than [`FIRST`] waits in `root`: nobody knows how much it will be.
    pub(super) fn new(
        format: Variant,
        input: File,
        (config, root): (&Config, &Path),
        stop: &'s AtomicBool,
    ) -> Mbox<'s> {
        let size = |octets: u64| usize::try_from(octets).unwrap_or(usize::MAX);
        let (first, most) = (size(config.memory_limit.min(FIRST)), size(config.settings.max_message));
        Mbox {
            splitter: Splitter::in_pieces(format, first, most),
            input: Patient::new(input, stop),
            chunk: Zeroizing::new(vec![0; CHUNK]),
            stop,
            is_empty: true,
            spooled: None,
            folder: root.to_owned(),
            held: config.memory_limit,
        }
    }

    /// The next message.
    pub(super) fn next(&mut self) -> Result<Option<Found>, Failure> {
        loop {
            let part = self.splitter.next_part();
            let part =
                part.map_err(|reason| Failure::new(Code::Data, format!("standard input: {reason}")))?;
            match part {
                Some(part) => {
                    self.is_empty = false;
                    if let Some(found) = self.take(part) {
                        return Ok(Some(found));
                    }
                }
                None if self.splitter.has_ended() && self.is_empty => {
                    return Err(Failure::new(Code::Data, "standard input holds no message"));
                }
                None if self.splitter.has_ended() => return Ok(None),
                None if !self.read()? => return Ok(None),
                None => {}
            }
        }
    }

    /// The message that is whole with it.
    fn take(&mut self, part: Part) -> Option<Found> {
        match part {
            Part::Whole(entry) => return Some(found(entry)),
            Part::Begins(head) => {
                let place = Place::Mbox { number: head.number, offset: head.offset };
                self.spooled = Some(Spooled::begin(place, &self.folder));
            }
            Part::Piece(octets) => self.spooled.iter_mut().for_each(|spooled| spooled.add(&octets)),
            Part::Ends(last) => return self.spooled.take().map(|spooled| spooled.end(last, self.held)),
        }
        None
    }

    /// Is there more? What ends us ends the program that writes the mbox too, and its last message is not whole then.
    fn read(&mut self) -> Result<bool, Failure> {
        loop {
            let read = self.input.read(&mut self.chunk);
            match read {
                _ if self.stop.load(Ordering::Relaxed) => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::io("read", "standard input", &error)),
                Ok(0) => {
                    self.splitter.end();
                    return Ok(true);
                }
                Ok(octets) => {
                    self.splitter.push(self.chunk.get(..octets).unwrap_or_default());
                    return Ok(true);
                }
            }
        }
    }
}

fn found(Entry { number, offset, content, .. }: Entry) -> Found {
    let message = content.map(|cut| Load::Held(cut.message.into()));
    (Place::Mbox { number, offset }, message.map_err(too_large))
}

pub(super) fn too_large(large: TooLarge) -> Refused {
    let text = "the message is too large".to_owned();
    (Disposition::Reject { detail: (3, 4), text, unknown_user: false }, large.to_string())
}
