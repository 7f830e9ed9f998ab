//! The octets of a copy: at hand, or made while they are stored.

use super::atomic::{Files, failed, write_new};
use super::pour::pour_new;
use crate::engine::{Content, Copy, LargeContent, StoreError};
use crate::mail::crlf_len;
use crate::smime::LargeError;
use std::io;
use std::path::Path;

/// What a file will hold.
#[derive(Clone, Copy)]
pub(super) enum Octets<'c> {
    Held(&'c [u8]),
    Large(&'c LargeContent<'c>),
}

impl<'c> Octets<'c> {
    pub(super) fn of(copy: &'c Copy<'_>) -> Octets<'c> {
        match &copy.content {
            Content::Sealed(sealed) => Octets::Held(sealed.bytes()),
            Content::Plain(bytes, _) => Octets::Held(bytes),
            Content::Large(content) => Octets::Large(content),
        }
    }

    pub(super) fn len(self) -> u64 {
        match self {
            Octets::Held(bytes) => bytes.len() as u64,
            Octets::Large(content) => content.len(),
        }
    }

    /// How many there are, and how many there would be with canonical lines: for names.
    pub(super) fn sizes(self) -> (usize, usize) {
        let fitting = |length: u64| usize::try_from(length).unwrap_or(usize::MAX);
        match self {
            Octets::Held(bytes) => (bytes.len(), crlf_len(bytes)),
            Octets::Large(content) => (fitting(content.len()), fitting(content.crlf_len())),
        }
    }

    /// Writes and syncs a file that must not exist. After an error it is gone again.
    pub(super) fn write_new(self, files: &impl Files, path: &Path) -> Result<(), StoreError> {
        match self {
            Octets::Held(bytes) => write_new(files, path, bytes),
            Octets::Large(content) => {
                pour_new(files, path, |take| content.write(take))?.map_err(|error| unwritten(error, path))
            }
        }
    }

    /// Those that are at hand. Rules make files of attachments, which take the whole message: no file is large.
    pub(super) fn held(self, path: &Path) -> Result<&'c [u8], StoreError> {
        match self {
            Octets::Held(bytes) => Ok(bytes),
            Octets::Large(_) => Err(failed("write", path)(io::ErrorKind::Unsupported.into())),
        }
    }
}

/// What kept it from its end: the disk, or the message that it is made of.
fn unwritten(error: LargeError, path: &Path) -> StoreError {
    match error {
        LargeError::Sink(error) => failed("write", path)(error),
        LargeError::Source(error) => failed("read the message for", path)(error),
        other => failed("seal the message for", path)(io::Error::other(other.to_string())),
    }
}
