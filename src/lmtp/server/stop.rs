//! That the daemon ends, for all who wait for something else.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, PoisonError};

/// A pipe that nobody writes into: its end is the news, which reaches whoever polls it and stays.
#[derive(Debug)]
pub struct Stop {
    reader: PipeReader,
    writer: Mutex<Option<PipeWriter>>,
}

impl Stop {
    /// Not yet.
    pub fn new() -> io::Result<Stop> {
        let (reader, writer) = io::pipe()?;
        Ok(Stop { reader, writer: Mutex::new(Some(writer)) })
    }

    /// Now.
    pub fn call(&self) {
        drop(self.lock().take());
    }

    /// Was it said?
    pub fn is_called(&self) -> bool {
        self.lock().is_none()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<PipeWriter>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
