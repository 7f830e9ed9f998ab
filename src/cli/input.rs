//! Reading messages and key files. Every buffer that may hold clear text or a key is wiped.

use super::failure::{Code, Failure};
use crate::crypto::SecretBytes;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;
use zeroize::Zeroizing;

/// Key and certificate files are small; more is not one.
const FILE_LIMIT: u64 = 16 << 20;

/// Reads to the end, at most `limit` bytes; nothing if there is more. Growing copies into a new buffer and wipes
/// the old one, because a plain reallocation would leave clear text behind.
pub(super) fn read_bounded(source: &mut impl Read, limit: u64) -> io::Result<Option<SecretBytes>> {
    let mut buffer: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::with_capacity(64 << 10));
    loop {
        if buffer.len() as u64 > limit {
            return Ok(None);
        }
        if buffer.len() == buffer.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(buffer.capacity().saturating_mul(2)));
            larger.extend_from_slice(&buffer);
            buffer = larger;
        }
        let room = (buffer.capacity() - buffer.len()) as u64;
        let got = source.by_ref().take(room).read_to_end(&mut buffer)?;
        if (got as u64) < room {
            let whole = buffer.len() as u64 <= limit;
            return Ok(whole.then(|| SecretBytes::new(std::mem::take(&mut *buffer))));
        }
    }
}

/// Standard input without the buffer that Rust keeps for it, which nobody wipes.
fn standard_input() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Standard input up to `limit` bytes; what comes after is left unread.
pub(super) fn first_of_standard_input(limit: u64) -> Result<SecretBytes, Failure> {
    let read = standard_input().and_then(|input| read_bounded(&mut input.take(limit), limit));
    let read = read.map_err(|error| Failure::io("read", "standard input", &error))?;
    read.ok_or_else(|| Failure::new(Code::Io, "standard input changed while it was read"))
}

/// The whole of standard input.
pub(super) fn message() -> Result<SecretBytes, Failure> {
    let read = standard_input().and_then(|mut input| read_bounded(&mut input, u64::from(u32::MAX)));
    let read = read.map_err(|error| Failure::io("read", "standard input", &error))?;
    read.ok_or_else(|| Failure::new(Code::Data, "standard input holds more than 4 GiB"))
}

/// A key or certificate file; `-` is standard input.
pub(crate) fn file(path: &Path) -> Result<SecretBytes, Failure> {
    let opened = if path == Path::new("-") { standard_input() } else { File::open(path) };
    let read = opened.and_then(|mut file| read_bounded(&mut file, FILE_LIMIT));
    let read = read.map_err(|error| Failure::io("read", path.display(), &error))?;
    read.ok_or_else(|| Failure::new(Code::Data, format!("{} is larger than 16 MiB", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_to_the_end_or_says_that_there_is_more() {
        let bytes: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
        let read = |limit| read_bounded(&mut bytes.as_slice(), limit).unwrap();
        assert!(read(300_000).unwrap().expose() == bytes);
        assert!(read(299_999).is_none());
        assert!(read(10).is_none());
        assert!(read_bounded(&mut io::empty(), 0).unwrap().unwrap().expose().is_empty());
    }
}
