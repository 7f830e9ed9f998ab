//! Reading messages and key files. Every buffer that may hold clear text or a key is wiped.

use super::failure::{Code, Failure};
use super::output;
use crate::crypto::SecretBytes;
use crate::engine::Load;
use crate::mail::Source;
use crate::system::{FileStamp, RereadFile};
use nix::errno::Errno;
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
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
            return Ok(whole.then(|| buffer.into()));
        }
    }
}

/// Standard input without the buffer that Rust keeps for it, which nobody wipes.
pub(super) fn standard_input() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Milliseconds that whoever holds the other end of standard input has to close it.
const WAIT: u16 = 2_000;

/// What somebody hands over on standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handed {
    /// Nothing: it is a terminal or a device, a file that is at its end, a pipe or a socket that was closed.
    Nothing,
    /// Octets, of which one is gone now.
    Something,
    /// Nothing yet: it is open, and something may still come.
    Open,
}

/// Does somebody hand something over on standard input?
pub(super) fn handed_over() -> io::Result<Handed> {
    let mut file = standard_input()?;
    let data = file.metadata()?;
    if data.is_file() {
        let is_more = file.stream_position()? < data.len();
        return Ok(if is_more { Handed::Something } else { Handed::Nothing });
    }
    let kind = data.file_type();
    if !(kind.is_fifo() || kind.is_socket()) {
        return Ok(Handed::Nothing);
    }
    let begin = Instant::now();
    let wait = || u16::try_from(u128::from(WAIT).saturating_sub(begin.elapsed().as_millis())).unwrap_or(0);
    loop {
        let mut asked = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
        match poll(&mut asked, PollTimeout::from(wait())) {
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(0) => return Ok(Handed::Open),
            Ok(_) => {}
        }
        match file.read(&mut [0]) {
            // In the second case somebody else who shares it was quicker.
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            read => return Ok(if read? > 0 { Handed::Something } else { Handed::Nothing }),
        }
    }
}

/// A message in a file up to `most` octets, and which file that was; what comes after is left unread. One of more than `held`
/// octets stays where it is. No link is followed, and nothing but a file is read.
pub(super) fn first_of_file(path: &Path, most: u64, held: u64) -> io::Result<(Load, FileStamp)> {
    let mut options = OpenOptions::new();
    // A pipe that nobody writes would make us wait.
    let file = options.read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path)?;
    let file = RereadFile::of(file)?;
    let file = file.map_err(|_| io::Error::new(ErrorKind::InvalidInput, "it is no file"))?;
    let stamp = file.stamp();
    let message =
        if file.len() > held { Load::Large(Box::new(file)) } else { Load::Held(unchanged(&file, most)?) };
    Ok((message, stamp))
}

/// Of what somebody may write while it is read: a message that is cut or mixed is none.
fn unchanged(file: &RereadFile, most: u64) -> io::Result<SecretBytes> {
    let expected = usize::try_from(file.len().min(most)).unwrap_or(usize::MAX);
    let read = read_about(&mut file.as_file().take(most), expected, most)?;
    file.check()?;
    read.ok_or_else(|| io::Error::other("it gave more than was asked for"))
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

    #[test]
    fn a_file_that_is_written_to_while_it_is_read_is_no_message() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("message");
        let opened = |octets: &[u8]| {
            std::fs::write(&path, octets).unwrap();
            RereadFile::of(File::open(&path).unwrap()).unwrap().ok().unwrap()
        };
        assert_eq!(unchanged(&opened(b"whole"), 10).unwrap().expose(), b"whole");
        for (before, after) in
            [(&b"the begin"[..], &b"the begin and more"[..]), (b"whole", b"cut"), (b"", b"x")]
        {
            let file = opened(before);
            std::fs::write(&path, after).unwrap();
            let error = unchanged(&file, 10).err().unwrap();
            assert_eq!(error.to_string(), "the file changed while it was read", "{before:?}");
        }
    }
}
