//! The message on standard input: held if it is small, else in a place where it can be read more than once.

use super::failure::{Code, Failure};
use super::input::{self, STANDARD_INPUT, read_bounded};
use super::words;
use crate::crypto::{ChunkKey, Entropy, SecretBytes};
use crate::mail::{Source, Span};
use crate::smime::LargeError;
use crate::system::{RereadFile, Spool, SpoolWriter, SystemEntropy};
use std::fs::File;
use std::io::{self, Read, Take};
use std::path::Path;
use zeroize::Zeroizing;

/// Of what cannot be read twice so much is taken into memory before it is known how much comes; then it is spooled.
const FIRST: u64 = 4 << 20;
/// Octets that are read at a time for the spool.
const STEP: usize = 64 << 10;

/// How much of a message is held.
#[derive(clap::Args, Debug, Clone)]
pub(super) struct Memory {
    /// A message that is larger is worked on piece by piece; if it comes through a pipe it waits, encrypted, in a file
    /// without a name in the temporary folder (TMPDIR)
    #[arg(long, value_name = "SIZE", default_value = crate::config::MEMORY_LIMIT, value_parser = words::size)]
    memory_limit: u64,
}

/// A message.
pub(super) enum Arrived {
    /// In memory.
    Held(SecretBytes),
    /// Above the limit.
    Large(Box<dyn Source>),
}

impl Memory {
    /// The message on standard input.
    pub(super) fn message(&self) -> Result<Arrived, Failure> {
        input::take_standard_input("the message")?;
        let arrived = input::standard_input().map_err(unread).and_then(|file| {
            arrive(file, self.memory_limit, input::MESSAGE_LIMIT.saturating_add(1), &std::env::temp_dir())
        })?;
        match &arrived {
            Arrived::Large(source) if source.len() > input::MESSAGE_LIMIT => {
                Err(Failure::new(Code::Data, "standard input holds more than 4 GiB"))
            }
            _ => Ok(arrived),
        }
    }
}

/// Standard input up to `most` octets, for whoever answers by himself what is more; `folder` is where it waits if it must.
pub(super) fn first_of_standard_input(limit: u64, most: u64, folder: &Path) -> Result<Arrived, Failure> {
    arrive(input::standard_input().map_err(unread)?, limit, most, folder)
}

/// What a file or a pipe gives. `folder` is where it waits if it must.
fn arrive(file: File, limit: u64, most: u64, folder: &Path) -> Result<Arrived, Failure> {
    match RereadFile::of(file).map_err(unread)? {
        Ok(file) if file.len() > limit => Ok(Arrived::Large(Box::new(file))),
        Ok(file) if !file.is_empty() => held(Span::of(&file).first(most)).map(Arrived::Held),
        // What the kernel makes while it is read has no length.
        Ok(file) => from_pipe(file.into_file().take(most), limit, folder),
        Err(pipe) => from_pipe(pipe.take(most), limit, folder),
    }
}

fn from_pipe(mut pipe: Take<File>, limit: u64, folder: &Path) -> Result<Arrived, Failure> {
    let first = read_bounded(&mut pipe.by_ref().take(limit.min(FIRST)), FIRST).map_err(unread)?;
    let first = first.unwrap_or_else(|| SecretBytes::new(Vec::new()));
    let mut next = Zeroizing::new(vec![0; STEP]);
    let more = read_some(&mut pipe, &mut next).map_err(unread)?;
    if more == 0 {
        return Ok(Arrived::Held(first));
    }
    let spool = spool(first, (&mut pipe, next, more), folder)?;
    if spool.len() > limit {
        Ok(Arrived::Large(Box::new(spool)))
    } else {
        held(Span::of(&spool)).map(Arrived::Held)
    }
}

fn spool(
    first: SecretBytes,
    (pipe, mut next, mut more): (&mut Take<File>, Zeroizing<Vec<u8>>, usize),
    folder: &Path,
) -> Result<Spool, Failure> {
    let unwritten = |error: io::Error| Failure::io("write a temporary file in", folder.display(), &error);
    let mut writer =
        SpoolWriter::create(folder, ChunkKey::generate(SystemEntropy.seed()?)).map_err(unwritten)?;
    writer.append(first.expose()).map_err(unwritten)?;
    drop(first);
    while more > 0 {
        writer.append(next.get(..more).unwrap_or_default()).map_err(unwritten)?;
        more = read_some(pipe, &mut next).map_err(unread)?;
    }
    writer.fi