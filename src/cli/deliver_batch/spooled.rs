//! A message of an mbox that is too large to be held: it waits in a file without a name, encrypted under a key of this process.

use super::mbox::too_large;
use super::source::{Found, Place, unread};
use crate::engine::Load;
use crate::mail::mbox::TooLarge;
use crate::system::SpoolWriter;
use std::path::Path;
use zeroize::Zeroizing;

/// One that is being written.
pub(super) struct Spooled {
    place: Place,
    /// Or why it cannot be: then the rest of it is passed over.
    writer: Result<SpoolWriter, String>,
}

impl Spooled {
    pub(super) fn begin(place: Place, folder: &Path) -> Spooled {
        let failed = |error| format!("cannot write a temporary file in {}: {error}", super::shown(folder));
        Spooled { place, writer: SpoolWriter::begin(folder).map_err(failed) }
    }

    pub(super) fn add(&mut self, octets: &[u8]) {
        let added = self.writer.as_mut().map(|writer| writer.append(octets));
        if let Ok(Err(error)) = added {
            self.writer = Err(unwritten(&error));
        }
    }

    /// With its last octets.
    pub(super) fn end(mut self, last: Result<Zeroizing<Vec<u8>>, TooLarge>) -> Found {
        last.iter().for_each(|last| self.add(last));
        let Spooled { place, writer } = self;
        let finish = |writer: SpoolWriter| writer.finish().map_err(|error| unwritten(&error));
        let message = last.map_err(too_large).and_then(|_| {
            let written = writer.and_then(finish).map_err(|reason| (unread(), reason));
            written.map(|spool| Load::Large(Box::new(spool)))
        });
        (place, message)
    }
}

fn unwritten(error: &std::io::Error) -> String {
    format!("cannot write the temporary file in which it waits: {error}")
}
