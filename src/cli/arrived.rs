//! The message on standard input: held if it is small, else in a place where it can be read more than once.

use super::failure::{Code, Failure};
use super::input::{self, STANDARD_INPUT, read_bounded};
use super::words;
use crate::crypto::SecretBytes;
use crate::engine::Load;
use crate::mail::{Source, Span, enough};
use crate::smime::LargeError;
use crate::system::{RereadFile, Spool, SpoolWriter};
use std::fs::File;
use std::io::{self, Read, Take};
use std::path::Path;
use zeroize::Zeroizing;

/// Of what cannot be read twice so much is taken into memory before it is known how much comes; then it is spooled.
pub(super) const FIRST: u64 = 1 << 20;
/// Octets that are read at a time for the spool.
const STEP: usize = 64 << 10;

/// How much of a message is held.
#[derive(clap::Args, Debug, Clone)]
pub(super) struct Memory {
    /// A message that is larger is worked on piece by piece. What comes through a pipe and has more than 1 MiB waits until it
    /// is whole, encrypted, in a file without a name in the temporary folder (TMPDIR)
    #[arg(long, value_name = "SIZE", default_value = crate::config::MEMORY_LIMIT, value_parser = words::size)]
    memory_limit: u64,
}

impl Memory {
    /// The message on standard input.
    pub(super) fn message(&self) -> Result<Load, Failure> {
        input::take_standard_input("the message")?;
        let arrived = input::standard_input().map_err(unread).and_then(|file| {
            arrive(file, self.memory_limit, enough(input::MESSAGE_LIMIT), &std::env::temp_dir())
        })?;
        match &arrived {
            Load::Large(source) if source.len() > input::MESSAGE_LIMIT => {
                Err(Failure::new(Code::Data, "standard input holds more than 4 GiB"))
            }
            _ => Ok(arrived),
        }
    }
}

/// Standard input up to `most` octets, for whoever answers by himself what is more; `folder` is where it waits if it must.
pub(super) fn first_of_standard_input(limit: u64, most: u64, folder: &Path) -> Result<Load, Failure> {
    arrive(input::standard_input().map_err(unread)?, limit, most, folder)
}

/// What a file or a pipe gives. `folder` is where it waits if it must.
fn arrive(file: File, limit: u64, most: u64, folder: &Path) -> Result<Load, Failure> {
    match RereadFile::of(file).map_err(unread)? {
        Ok(file) if file.len() > limit => Ok(Load::Large(Box::new(file))),
        Ok(file) if !file.is_empty() => unchanged(Span::of(&file).first(most)).map(Load::Held),
        // What the kernel makes while it is read has no length.
        Ok(file) => from_pipe(file.into_file().take(most), limit, folder),
        Err(pipe) => from_pipe(pipe.take(most), limit, folder),
    }
}

fn from_pipe(mut pipe: Take<File>, limit: u64, folder: &Path) -> Result<Load, Failure> {
    let first = read_bounded(&mut pipe.by_ref().take(limit.min(FIRST)), FIRST).map_err(unread)?;
    let first = first.ok_or_else(|| unread(io::Error::other("it gave more than was asked for")))?;
    let mut next = Zeroizing::new(vec![0; STEP]);
    let more = read_some(&mut pipe, &mut next).map_err(unread)?;
    if more == 0 {
        return Ok(Load::Held(first));
    }
    let spool = spool(first, (&mut pipe, next, more), folder)?;
    if spool.len() > limit {
        Ok(Load::Large(Box::new(spool)))
    } else {
        held(Span::of(&spool)).map(Load::Held)
    }
}

fn spool(
    first: SecretBytes,
    (pipe, mut next, mut more): (&mut Take<File>, Zeroizing<Vec<u8>>, usize),
    folder: &Path,
) -> Result<Spool, Failure> {
    let unwritten = |error: io::Error| Failure::io("write a temporary file in", folder.display(), &error);
    let mut writer = SpoolWriter::begin(folder).map_err(unwritten)?;
    writer.append(first.expose()).map_err(unwritten)?;
    drop(first);
    while more > 0 {
        writer.append(next.get(..more).unwrap_or_default()).map_err(unwritten)?;
        more = read_some(pipe, &mut next).map_err(unread)?;
    }
    writer.finish().map_err(unwritten)
}

fn read_some(pipe: &mut Take<File>, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match pipe.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            read => return read,
        }
    }
}

/// All of it in memory after all.
pub(super) fn held(message: Span<'_>) -> Result<SecretBytes, Failure> {
    message.all().map(SecretBytes::from).map_err(unread)
}

/// The same of what somebody may write while it is read: a message that is cut or mixed is none.
pub(super) fn unchanged(message: Span<'_>) -> Result<SecretBytes, Failure> {
    let held = held(message)?;
    message.check().map_err(unread)?;
    Ok(held)
}

fn unread(error: io::Error) -> Failure {
    Failure::io("read", STANDARD_INPUT, &error)
}

/// What kept a large message from its end.
pub(super) fn failed(error: LargeError) -> Failure {
    match error {
        LargeError::Source(error) => unread(error),
        LargeError::Open(error) => Failure::from(error),
        LargeError::Sink(error) => Failure::io("write", "the result", &error),
        other => Failure::new(Code::Data, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::OwnedFd;

    fn octets(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    fn through_a_pipe(octets: Vec<u8>, limit: u64) -> Load {
        let (reader, mut writer) = io::pipe().unwrap();
        let writes = std::thread::spawn(move || writer.write_all(&octets).unwrap());
        let arrived =
            arrive(File::from(OwnedFd::from(reader)), limit, u64::MAX, &std::env::temp_dir()).ok().unwrap();
        writes.join().unwrap();
        arrived
    }

    #[test]
    fn what_is_above_the_limit_is_not_held() {
        let first = usize::try_from(FIRST).unwrap();
        for (length, limit) in [
            (0, 1),
            (9, 9),
            (10, 9),
            (200_000, 9),
            (first, 5 << 20),
            (first + 1, 5 << 20),
            ((5 << 20) + 1, 5 << 20),
        ] {
            let octets = octets(length);
            let arrived = through_a_pipe(octets.clone(), limit);
            let is_large = matches!(arrived, Load::Large(_));
            assert_eq!(is_large, length as u64 > limit, "{length}");
            let came = match arrived {
                Load::Held(held) => held.expose().to_vec(),
                Load::Large(source) => held(Span::of(&*source)).ok().unwrap().expose().to_vec(),
            };
            assert!(came == octets, "{length}");
        }
    }

    #[test]
    fn a_file_is_read_where_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("message");
        std::fs::write(&path, octets(1000)).unwrap();
        let nowhere = folder.path().join("there is none");
        let arrive = |limit| arrive(File::open(&path).unwrap(), limit, u64::MAX, &nowhere).ok().unwrap();
        assert!(matches!(arrive(999), Load::Large(source) if source.len() == 1000));
        assert!(matches!(arrive(1000), Load::Held(held) if held.expose() == octets(1000)));
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_no_message() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("message");
        std::fs::write(&path, octets(1000)).unwrap();
        let file = || RereadFile::of(File::open(&path).unwrap()).unwrap().ok().unwrap();
        let same = file();
        assert!(unchanged(Span::of(&same)).is_ok_and(|held| held.expose() == octets(1000)));
        for other in [1001, 999] {
            let before = file();
            std::fs::write(&path, octets(other)).unwrap();
            let failure = unchanged(Span::of(&before)).err().unwrap();
            assert_eq!(
                failure.text, "cannot read standard input: the file changed while it was read",
                "{other}"
            );
            std::fs::write(&path, octets(1000)).unwrap();
        }
    }

    #[test]
    fn a_spool_that_cannot_be_made_is_told() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"0123456789").unwrap();
        let failure =
            arrive(File::from(OwnedFd::from(reader)), 5, u64::MAX, Path::new("/nowhere")).err().unwrap();
        assert!(failure.text.starts_with("cannot write a temporary file in /nowhere: "), "{}", failure.text);
    }
}
