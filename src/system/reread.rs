//! A file that is read more than once and must not change in between.

use crate::mail::Source;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Seek};
use std::os::unix::fs::{FileExt, MetadataExt};

/// A regular file from where it stands on. It is read by place, so that whoever shares the descriptor notices nothing.
pub struct RereadFile {
    file: File,
    start: u64,
    len: u64,
    stamp: FileStamp,
}

/// Which file it is, whatever its name: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId(u64, u64);

impl FileId {
    /// Of what the system says of it.
    pub fn of(data: &Metadata) -> FileId {
        FileId(data.dev(), data.ino())
    }
}

/// Which file it is, and what changes with its octets. Not the inode's own time: a mail program that sets flags renames the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    id: FileId,
    len: u64,
    modified: (i64, i64),
}

impl FileStamp {
    /// Of what the system says of it.
    pub fn of(data: &Metadata) -> FileStamp {
        FileStamp { id: FileId::of(data), len: data.len(), modified: (data.mtime(), data.mtime_nsec()) }
    }

    /// Which file it is.
    pub fn id(&self) -> FileId {
        self.id
    }
}

impl RereadFile {
    /// Gives the file back if it is none that can be read again.
    pub fn of(mut file: File) -> io::Result<Result<RereadFile, File>> {
        let data = file.metadata()?;
        if !data.is_file() {
            return Ok(Err(file));
        }
        let start = file.stream_position()?;
        let len = data.len().saturating_sub(start);
        Ok(Ok(RereadFile { start, len, stamp: FileStamp::of(&data), file }))
    }

    /// What it was when this was made.
    pub fn stamp(&self) -> FileStamp {
        self.stamp
    }

    /// The file, to be read from its place on by who shares it with nobody.
    pub fn as_file(&self) -> &File {
        &self.file
    }

    /// The same, to be kept.
    pub fn into_file(self) -> File {
        self.file
    }
}

impl Source for RereadFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        match self.file.read_exact_at(into, self.start.saturating_add(at)) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(changed()),
            read => read,
        }
    }

    fn check(&self) -> io::Result<()> {
        if FileStamp::of(&self.file.metadata()?) == self.stamp { Ok(()) } else { Err(changed()) }
    }
}

fn changed() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "the file changed while it was read")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, SeekFrom};

    #[test]
    fn it_is_read_from_its_place_on_and_a_change_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("message");
        std::fs::write(&path, b"From me\nSubject: x\n").unwrap();
        let mut file = File::open(&path).unwrap();
        file.seek(SeekFrom::Start(8)).unwrap();
        let source = RereadFile::of(file).unwrap().ok().unwrap();
        assert_eq!(source.len(), 11);
        let mut read = [0; 7];
        source.read_at(0, &mut read).unwrap();
        assert_eq!(&read, b"Subject");
        source.check().unwrap();
        std::fs::write(&path, b"From me\nSubject: other\n").unwrap();
        assert_eq!(source.check().unwrap_err().to_string(), "the file changed while it was read");
        std::fs::write(&path, b"From").unwrap();
        assert_eq!(
            source.read_at(0, &mut read).unwrap_err().to_string(),
            "the file changed while it was read"
        );
        let mut left = String::new();
        source.into_file().read_to_string(&mut left).unwrap();
    }

    #[test]
    fn a_pipe_comes_back() {
        let (reader, _writer) = io::pipe().unwrap();
        let file = File::from(std::os::fd::OwnedFd::from(reader));
        assert!(RereadFile::of(file).unwrap().is_err());
    }
}
