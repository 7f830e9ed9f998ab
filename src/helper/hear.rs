//! Reading what programs write without ever waiting for longer than there is time.

use super::ProgramFault;
use super::fault::system;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollTimeout, poll};
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::time::Duration;

/// Bytes of one reading.
const PIECE: usize = 8192;

/// The end of a pipe that is read as far as there is something, and what was read and not yet taken.
pub(super) struct Ear<R> {
    /// Nothing once the other side closed it.
    pub(super) pipe: Option<R>,
    pub(super) heard: Vec<u8>,
    most: usize,
}

impl<R: Read + AsFd> Ear<R> {
    /// More than `most` bytes that nobody took are too much.
    pub(super) fn new(pipe: Option<R>, most: usize) -> Result<Ear<R>, ProgramFault> {
        if let Some(pipe) = &pipe {
            never_wait(pipe)?;
        }
        Ok(Ear { pipe, heard: Vec::new(), most })
    }

    /// Takes what is there.
    pub(super) fn listen(&mut self) -> Result<(), ProgramFault> {
        let mut piece = [0; PIECE];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut piece) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.heard.extend_from_slice(piece.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(system("read what the program writes")(error)),
            }
            if self.heard.len() > self.most {
                return Err(ProgramFault::TooMuch(self.most));
            }
        }
        Ok(())
    }
}

/// Reading or writing it gives up where it would wait.
pub(super) fn never_wait(pipe: &impl AsFd) -> Result<(), ProgramFault> {
    let failed = |errno: nix::errno::Errno| system("set up a pipe")(errno.into());
    let flags = fcntl(pipe, FcntlArg::F_GETFL).map_err(failed)?;
    let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
    fcntl(pipe, FcntlArg::F_SETFL(flags)).map(drop).map_err(failed)
}

/// Waits until something happens to one of these, or for this long.
pub(super) fn wait(mut pipes: Vec<PollFd<'_>>, most: Duration) {
    let millis = u16::try_from(most.as_millis()).unwrap_or(u16::MAX).max(1);
    // A signal or a lack of memory: whoever waits looks again.
    let _ = poll(&mut pipes, PollTimeout::from(millis));
}
