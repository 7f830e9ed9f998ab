//! Input that is waited for until it comes or somebody wants the work to end.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// How often it is looked whether the work shall end, in milliseconds.
const TICK: u16 = 50;
/// So many of these after the end of what is no file: Ctrl-C ends the program that writes into a pipe too, and its end may be
/// seen before the signal.
const LINGERS: u32 = 4;

/// A file, a pipe or a terminal.
pub struct Patient<'a> {
    file: File,
    stop: &'a AtomicBool,
}

impl Patient<'_> {
    /// `stop` says that the work shall end.
    pub fn new(file: File, stop: &AtomicBool) -> Patient<'_> {
        Patient { file, stop }
    }

    fn go_on(&self) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
    }

    fn wait(&self) -> io::Result<()> {
        loop {
            self.go_on()?;
            let mut awaited = [PollFd::new(self.file.as_fd(), PollFlags::POLLIN)];
            match poll(&mut awaited, PollTimeout::from(TICK)) {
                Ok(0) | Err(Errno::EINTR) => {}
                polled => return polled.map(|_| ()).map_err(io::Error::from),
            }
        }
    }

    fn linger(&self) -> io::Result<()> {
        if self.file.metadata()?.is_file() {
            return Ok(());
        }
        (0..LINGERS).try_for_each(|_| {
            sleep(Duration::from_millis(TICK.into()));
            self.go_on()
        })
    }
}

impl Read for Patient<'_> {
    /// [`ErrorKind::Interrupted`] if the work shall end: whoever reads looks at that before he reads again.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.wait()?;
        let octets = self.file.read(into)?;
        if octets == 0 && !into.is_empty() {
            self.linger()?;
        }
        Ok(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::time::Instant;

    #[test]
    fn it_gives_what_comes_and_ends_when_it_shall() {
        let (theirs, mut ours) = io::pipe().unwrap();
        let stop = AtomicBool::new(false);
        let mut patient = Patient::new(File::from(std::os::fd::OwnedFd::from(theirs)), &stop);
        ours.write_all(b"abc").unwrap();
        let mut into = [0; 8];
        assert_eq!(patient.read(&mut into).unwrap(), 3);
        std::thread::scope(|scope| {
            let reading = scope.spawn(move || patient.read(&mut into));
            sleep(Duration::from_millis(20));
            stop.store(true, Ordering::Relaxed);
            assert_eq!(reading.join().unwrap().unwrap_err().kind(), ErrorKind::Interrupted);
        });
        drop(ours);
    }

    #[test]
    fn a_signal_just_behind_the_end_is_heeded() {
        let (theirs, ours) = io::pipe().unwrap();
        let stop = AtomicBool::new(false);
        let mut patient = Patient::new(File::from(std::os::fd::OwnedFd::from(theirs)), &stop);
        drop(ours);
        assert_eq!(patient.read(&mut [0; 8]).unwrap(), 0);
        let linger = Duration::from_millis(TICK.into()) * LINGERS;
        // On a busy machine the signal may come late: then it says nothing.
        let in_time = |_| {
            stop.store(false, Ordering::Relaxed);
            let begin = Instant::now();
            std::thread::scope(|scope| {
                let reading = scope.spawn(|| patient.read(&mut [0; 8]));
                sleep(Duration::from_millis(20));
                stop.store(true, Ordering::Relaxed);
                let was_soon = begin.elapsed() < linger;
                assert!(reading.join().unwrap().is_err() || !was_soon);
                was_soon
            })
        };
        assert!((0..100).any(in_time));
    }
}
