//! The connection to a server: every read and write has an end in time.

use super::within::within;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A socket that fails with `TimedOut` at a moment, however the octets drip.
struct Timed {
    socket: Socket,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let left = self.until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        left.ok_or_else(|| ErrorKind::TimedOut.into())
    }
}

/// The socket's own word for a time that is over.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::WouldBlock { ErrorKind::TimedOut.into() } else { error }
}

impl Read for Timed {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let left = Some(self.left()?);
        let read = match &mut self.socket {
            Socket::Tcp(socket) => socket.set_read_timeout(left).and_then(|()| socket.read(octets)),
            Socket::Unix(socket) => socket.set_read_timeout(left).and_then(|()| socket.read(octets)),
        };
        read.map_err(timed_out)
    }
}

impl Write for Timed {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let left = Some(self.left()?);
        let written = match &mut self.socket {
            Socket::Tcp(socket) => socket.set_write_timeout(left).and_then(|()| socket.write(octets)),
            Socket::Unix(socket) => socket.set_write_timeout(left).and_then(|()| socket.write(octets)),
        };
        written.map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Stream {
    Clear(Timed),
    Encrypted(Box<StreamOwned<ClientConnection, Timed>>),
}

/// A connection to the next server.
pub(super) struct Link(Stream);

impl Link {
    /// Over TCP, to the first address of the host that answers.
    pub(super) fn tcp(host: &str, port: u16, until: Instant) -> io::Result<Link> {
        let name = (host.to_owned(), port);
        let addresses = within(left(until)?, move || Ok(name.to_socket_addrs()?.collect::<Vec<_>>()))?;
        let mut failed: io::Error = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for (tried, address) in addresses.iter().enumerate() {
            // Each gets its share of the time, so that one that does not answer does not take that of the next.
            let share = left(until)? / u32::try_from(addresses.len() - tried).unwrap_or(1);
            match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
                Ok(socket) => return Ok(Link::over(Socket::Tcp(socket), until)),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Over a socket of this machine.
    pub(super) fn unix(path: &Path, until: Instant) -> io::Result<Link> {
        let path = PathBuf::from(path);
        let socket = within(left(until)?, move || UnixStream::connect(path))?;
        Ok(Link::over(Socket::Unix(socket), until))
    }

    fn over(socket: Socket, until: Instant) -> Link {
        Link(Stream::Clear(Timed { socket, until }))
    }

    /// Shakes hands. Nothing that came before may wait to be read: it was not encrypted.
    pub(super) fn encrypt(self, config: Arc<ClientConfig>, host: &str) -> io::Result<Link> {
        let Stream::Clear(mut socket) = self.0 else { return Ok(self) };
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let mut connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok(Link(Stream::Encrypted(Box::new(StreamOwned::new(connection, socket)))))
    }

    /// What is read or written from now on ends then.
    pub(super) fn until(&mut self, moment: Instant) {
        match &mut self.0 {
            Stream::Clear(socket) => socket.until = moment,
            Stream::Encrypted(stream) => stream.sock.until = moment,
        }
    }

    pub(super) fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Stream::Clear(socket) => socket.write_all(octets),
            Stream::Encrypted(stream) => stream.write_all(octets).and_then(|()| stream.flush()),
        }
    }

    /// At least one octet; none is an error, because nobody reads after the end.
    pub(super) fn receive(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.0 {
            Stream::Clear(socket) => socket.read(octets),
            Stream::Encrypted(stream) => stream.read(octets),
        };
        match read {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => self.receive(octets),
            read => read,
        }
    }
}

/// Until that moment; an error if it is past.
pub(super) fn left(until: Instant) -> io::Result<Duration> {
    let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
    left.ok_or_else(|| ErrorKind::TimedOut.into())
}
