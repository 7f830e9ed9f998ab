//! A message of an mbox that has not come whole in the first of it: it waits in a file without a name, encrypted under a key of
//! this process.

use super::mbox::too_large;
use super::source::{Found, Place, unread};
use crate::engine::Load;
use crate::mail::mbox::TooLarge;
use crate::mail::{Source, Span};
use crate::system::{Spool, SpoolWriter};
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

    /// With its last octets. One of not more than `held` is read into memory: such messages go together, and one by one they take
    /// longer than to be read.
    pub(super) fn end(mut self, last: Result<Zeroizing<Vec<u8>>, TooLarge>, held: u64) -> Found {
        last.iter().for_each(|last| self.add(last));
        let Spooled { place, writer } = self;
        let finish = |writer: SpoolWriter| writer.finish().map_err(|error| unwritten(&error));
        let message = last.map_err(too_large).and_then(|_| {
            let written = writer.and_then(finish);
            written.and_then(|spool| load(spool, held)).map_err(|reason| (unread(), reason))
        });
        (place, message)
    }
}

fn load(spool: Spool, held: u64) -> Result<Load, String> {
    if spool.len() > held {
        return Ok(Load::Large(Box::new(spool)));
    }
    let octets = Span::of(&spool).all();
    let octets =
        octets.map_err(|error| format!("cannot read the temporary file in which it waits: {error}"))?;
    Ok(Load::Held(octets.into()))
}

fn unwritten(error: &std::io::Error) -> String {
    format!("cannot write the temporary file in which it waits: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arrived::held;

    fn spooled(pieces: usize, limit: u64) -> Load {
        let place = Place::Mbox { number: 1, offset: 0 };
        let mut spooled = Spooled::begin(place, &std::env::temp_dir());
        (1..pieces).for_each(|_| spooled.add(&[b'x'; 1000]));
        spooled.end(Ok(vec![b'x'; 1000].into()), limit).1.ok().unwrap()
    }

    #[test]
    fn what_is_not_above_the_limit_is_held_when_it_is_whole() {
        assert!(matches!(spooled(100, 100_000), Load::Held(octets) if octets.expose() == [b'x'; 100_000]));
        let Load::Large(source) = spooled(100, 99_999) else { panic!("it is above the limit") };
        assert!(held(Span::of(&*source)).is_ok_and(|octets| octets.expose() == [b'x'; 100_000]));
    }
}
