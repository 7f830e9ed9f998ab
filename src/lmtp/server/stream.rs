//! A connection: every wait for it has an end in time, and hears that the daemon ends.

use super::stop::Stop;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// A socket of a client.
pub(super) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// What came first.
pub(super) enum Heard {
    /// So many octets; none: the client has gone.
    Octets(usize),
    /// The daemon ends.
    Stop,
    /// The time is over.
    Late,
}

impl Stream {
    /// Nothing that is sent waits for more, or for a client that does not read.
    pub(super) fn prepare(&self, patience: Duration) -> io::Result<()> {
        match self {
            Stream::Unix(socket) => socket.set_write_timeout(Some(patience)),
            Stream::Tcp(socket) => {
                socket.set_nodelay(true)?;
                socket.set_write_timeout(Some(patience))
            }
        }
    }

    /// The client, where it has an address.
    pub(super) fn client(&self) -> Option<String> {
        match self {
            Stream::Unix(_) => None,
            Stream::Tcp(socket) => {
                socket.peer_addr().ok().map(|address| address.ip().to_canonical().to_string())
            }
        }
    }

    /// Waits until something comes. `stop` is heard if it is given.
    pub(super) fn hear(&mut self, into: &mut [u8], until: Instant, stop: Option<&Stop>) -> io::Result<Heard> {
        loop {
            let Some(left) = until.checked_duration_since(Instant::now()) else { return Ok(Heard::Late) };
            let mut awaited = vec![PollFd::new(self.as_fd(), PollFlags::POLLIN)];
            awaited.extend(stop.map(|stop| PollFd::new(stop.as_fd(), PollFlags::POLLIN)));
            match poll(&mut awaited, within(left)) {
                Ok(0) | Err(Errno::EINTR) => continue,
                polled => polled?,
            };
            let came = |at: usize| {
                awaited.get(at).and_then(PollFd::revents).is_some_and(|events: PollFlags| !events.is_empty())
            };
            if came(1) {
                return Ok(Heard::Stop);
            }
            match self.read(into) {
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                read => return read.map(Heard::Octets),
            }
        }
    }

    pub(super) fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Stream::Unix(socket) => socket.write_all(octets),
            Stream::Tcp(socket) => socket.write_all(octets),
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(socket) => socket.read(into),
            Stream::Tcp(socket) => socket.read(into),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Unix(socket) => socket.as_fd(),
            Stream::Tcp(socket) => socket.as_fd(),
        }
    }
}

/// Not a millisecond less, so that nobody turns in circles at the end.
pub(super) fn within(left: Duration) -> PollTimeout {
    let millis = left.as_millis().saturating_add(1).min(60_000);
    PollTimeout::from(u16::try_from(millis).unwrap_or(u16::MAX))
}
