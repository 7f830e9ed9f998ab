//! Reading messages and key files. Every buffer that may hold clear text or a key is wiped.

use super::failure::{Code, Failure};
use super::output;
use crate::crypto::SecretBytes;
use nix::errno::Errno;
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// Key and certificate files are small; more is not one.
const FILE_LIMIT: u64 = 16 << 20;
/// Lengths inside a sealed message are counted in 32 bits by many readers.
pub(super) const MESSAGE_LIMIT: u64 = u32::MAX as u64;
pub(super) const STANDARD_INPUT: &str = "standard input";

/// Reads to the end, at most `limit` bytes; nothing if there is more. Growing copies into a new buffer and wipes
/// the old one, because a plain reallocation would leave clear text behind.
pub(super) fn read_bounded(source: &mut impl Read, limit: u64) -> io::Result<Option<SecretBytes>> {
    read_about(source, 64 << 10, limit)
}

/// The same with room for as many octets as are expected: one more, and the buffer does not grow to see the end.
fn read_about(source: &mut impl Read, expected: usize, limit: u64) -> io::Result<Option<SecretBytes>> {
    let mut buffer: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::with_capacity(expected.saturating_add(1)));
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
pub(super) fn standard_input() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Milliseconds that whoever holds the other end of standard input has to write something.
const WAIT: u8 = 100;

/// Does somebody hand something over on standard input? A terminal and a device do not; a pipe or a socket does if an octet can be
/// read now or soon, and that octet is gone then; a file does if it goes on where it stands.
pub(super) fn holds_something() -> io::Result<bool> {
    let mut file = standard_input()?;
    let data = file.metadata()?;
    if data.is_file() {
        return Ok(file.stream_position()? < data.len());
    }
    let kind = data.file_type();
    if !(kind.is_fifo() || kind.is_socket()) {
        return Ok(false);
    }
    loop {
        let mut asked = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
        match poll(&mut asked, PollTimeout::from(WAIT)) {
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(0) => return Ok(false),
            Ok(_) => {}
        }
        match file.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Somebody else who shares it was quicker.
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            read => return Ok(read? > 0),
        }
    }
}

/// Which file it is, whatever its name: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId(u64, u64);

impl FileId {
    pub(super) fn of(data: &Metadata) -> FileId {
        FileId(data.dev(), data.ino())
    }
}

/// A message in a file up to `limit` octets, and which file that was; what comes after is left unread. No link is followed, and
/// nothing but a file is read.
pub(super) fn first_of_file(path: &Path, limit: u64) -> io::Result<(SecretBytes, FileId)> {
    let mut options = OpenOptions::new();
    // A pipe that nobody writes would make us wait.
    let mut file = options.read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path)?;
    let data = file.metadata()?;
    if !data.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no file"));
    }
    let expected = usize::try_from(data.len().min(limit)).unwrap_or(usize::MAX);
    let read = read_about(&mut file.by_ref().take(limit), expected, limit)?;
    let read = read.ok_or_else(|| io::Error::other("it changed while it was read"))?;
    Ok((read, FileId::of(&data)))
}

/// A file that is read as it comes, with its length if that is known; `-` is standard input.
pub(super) fn stream(path: &Path) -> Result<(File, Option<u64>), Failure> {
    let opened = if path == Path::new("-") {
        take_standard_input("the file")?;
        standard_input()
    } else {
        File::open(path)
    };
    let length = |file: &File| file.metadata().map(|data| data.is_file().then_some(data.len()));
    let opened = opened.and_then(|file| length(&file).map(|length| (file, length)));
    opened.map_err(|error| Failure::io("read", name(path), &error))
}

/// The message on standard input, the whole of it.
pub(super) fn message() -> Result<SecretBytes, Failure> {
    take_standard_input("the message")?;
    let read = standard_input().and_then(|mut input| read_bounded(&mut input, MESSAGE_LIMIT));
    let read = read.map_err(|error| Failure::io("read", STANDARD_INPUT, &error))?;
    read.ok_or_else(|| Failure::new(Code::Data, "standard input holds more than 4 GiB"))
}

/// A key, certificate, password or rule file; `-` is standard input.
pub(super) fn file(path: &Path) -> Result<SecretBytes, Failure> {
    let opened = if path == Path::new("-") {
        take_standard_input("the file")?;
        standard_input()
    } else {
        File::open(path)
    };
    let read = opened.and_then(|mut file| read_bounded(&mut file, FILE_LIMIT));
    let read = read.map_err(|error| Failure::io("read", name(path), &error))?;
    read.ok_or_else(|| Failure::new(Code::Data, format!("{} is larger than 16 MiB", name(path))))
}

/// As errors name a file.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new("-") { STANDARD_INPUT.to_owned() } else { path.display().to_string() }
}

/// Two things cannot both stand there: the second would be empty, and an empty message is one that can be sealed.
pub(super) fn take_standard_input(what: &str) -> Result<(), Failure> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Err(Failure::new(Code::Usage, "standard input can hold one thing only")
            .hint("name a file and not \"-\", or an open descriptor: --password-fd"));
    }
    if io::stdin().is_terminal() {
        output::tell_terminal(&format!("reading {what} from standard input; Ctrl-D ends it"));
    }
    Ok(())
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
