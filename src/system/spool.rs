//! What cannot be read twice and is too large to be held: it waits in a file without a name, encrypted chunk by chunk under
//! a key that lives in this process only, and can be read as often as wanted.

use super::entropy::SystemEntropy;
use super::nameless::makes_no_nameless;
use crate::crypto::{CHUNK_TAG, ChunkKey, ChunkPlace, Entropy};
use crate::mail::{PIECE, Source};
use nix::libc::{O_EXCL, O_TMPFILE};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Octets of a chunk in the file.
const RECORD: usize = PIECE + CHUNK_TAG;

/// Takes octets until there are no more of them.
pub struct SpoolWriter {
    file: File,
    key: ChunkKey,
    /// The chunk at hand: only when the next one begins is it known not to be the last.
    chunk: Zeroizing<Vec<u8>>,
    /// Those before it.
    written: u64,
    /// A chunk could not be written: what is at hand is no clear text any more, and its place is taken.
    has_failed: bool,
}

impl SpoolWriter {
    /// A new file in a folder, under a key of its own.
    pub fn begin(folder: &Path) -> io::Result<SpoolWriter> {
        let seed = SystemEntropy.seed().map_err(io::Error::other)?;
        SpoolWriter::create(folder, ChunkKey::generate(seed))
    }

    /// The key is for this file alone.
    fn create(folder: &Path, key: ChunkKey) -> io::Result<SpoolWriter> {
        let chunk = Zeroizing::new(Vec::with_capacity(RECORD));
        Ok(SpoolWriter { file: nameless(folder)?, key, chunk, written: 0, has_failed: false })
    }

    /// Adds octets. After an error nothing more is taken, and the file cannot be finished: a chunk that was sealed is never
    /// sealed a second time under the same nonce.
    pub fn append(&mut self, mut octets: &[u8]) -> io::Result<()> {
        self.refuse_after_failure()?;
        while !octets.is_empty() {
            if self.chunk.len() == PIECE {
                self.write(ChunkPlace::Inner(self.written))?;
            }
            let room = PIECE - self.chunk.len();
            let (fitting, rest) = octets.split_at_checked(room).unwrap_or((octets, &[]));
            self.chunk.extend_from_slice(fitting);
            octets = rest;
        }
        Ok(())
    }

    fn refuse_after_failure(&self) -> io::Result<()> {
        if self.has_failed { Err(io::Error::other("an earlier part could not be written")) } else { Ok(()) }
    }

    fn write(&mut self, place: ChunkPlace) -> io::Result<()> {
        self.refuse_after_failure()?;
        self.has_failed = true;
        let length = self.chunk.len();
        self.chunk.resize(length + CHUNK_TAG, 0);
        self.key.seal(place, &mut self.chunk).map_err(io::Error::other)?;
        self.file.write_all(&self.chunk)?;
        self.chunk.clear();
        self.written += 1;
        self.has_failed = false;
        Ok(())
    }

    /// How many octets are there.
    pub fn len(&self) -> u64 {
        self.written * PIECE as u64 + self.chunk.len() as u64
    }

    /// None?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// There are no more.
    pub fn finish(mut self) -> io::Result<Spool> {
        let (len, last) = (self.len(), self.written);
        self.write(ChunkPlace::Last(last))?;
        let held = Held { number: None, octets: self.chunk, clear: 0 };
        Ok(Spool { file: self.file, key: self.key, len, last, held: Mutex::new(held) })
    }
}

/// Octets in a file without a name. The file goes with it.
pub struct Spool {
    file: File,
    key: ChunkKey,
    len: u64,
    /// The number of the last chunk.
    last: u64,
    held: Mutex<Held>,
}

/// The chunk that was read last.
struct Held {
    number: Option<u64>,
    octets: Zeroizing<Vec<u8>>,
    clear: usize,
}

impl Spool {
    fn read_chunk(&self, number: u64, held: &mut Held) -> io::Result<()> {
        if held.number == Some(number) {
            return Ok(());
        }
        held.number = None;
        let is_last = number == self.last;
        let clear = if is_last { self.len - number * PIECE as u64 } else { PIECE as u64 };
        // No chunk has more than `PIECE`.
        held.octets.resize(clear as usize + CHUNK_TAG, 0);
        self.file.read_exact_at(&mut held.octets, number * RECORD as u64)?;
        let place = if is_last { ChunkPlace::Last(number) } else { ChunkPlace::Inner(number) };
        held.clear = self.key.open(place, &mut held.octets).map_err(|_| damaged())?;
        held.number = Some(number);
        Ok(())
    }
}

fn damaged() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "the temporary file was changed by somebody else")
}

impl Source for Spool {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, mut at: u64, mut into: &mut [u8]) -> io::Result<()> {
        // Whoever panicked while it held a chunk left one that is read again.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        while !into.is_empty() {
            let number = at / PIECE as u64;
            if number > self.last {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.read_chunk(number, &mut held)?;
            let from = (at % PIECE as u64) as usize;
            let octets = held.octets.get(from..held.clear).unwrap_or_default();
            let count = octets.len().min(into.len());
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let (now, later) = into.split_at_mut(count);
            now.copy_from_slice(octets.get(..count).unwrap_or_default());
            (into, at) = (later, at + count as u64);
        }
        Ok(())
    }

    /// Every chunk that was changed fails when it is read.
    fn check(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that no name leads to, not for a moment where the file system can do that.
fn nameless(folder: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    // O_EXCL: nobody can give it a name later.
    match options.clone().custom_flags(O_TMPFILE | O_EXCL).open(folder) {
        Err(error) if makes_no_nameless(&error) => unnamed(options.create_new(true), folder),
        opened => opened,
    }
}

/// Its name goes at once. Whoever dies in between leaves an empty file behind.
fn unnamed(options: &mut OpenOptions, folder: &Path) -> io::Result<File> {
    let name = tempfile_name();
    let path = folder.join(name);
    let file = options.open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

fn tempfile_name() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!(".sealpost-spool.{}.{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Seed;
    use proptest::prelude::*;

    const WORD: &[u8] = b"xyzzyplugh";

    fn octets(length: usize) -> Vec<u8> {
        WORD.iter().copied().cycle().take(length).collect()
    }

    fn spooled(octets: &[u8], pieces: usize) -> Spool {
        let folder = std::env::temp_dir();
        let mut writer =
            SpoolWriter::create(&folder, ChunkKey::generate(Seed::from_bytes(&mut [7; 32]))).unwrap();
        octets.chunks(pieces).for_each(|piece| writer.append(piece).unwrap());
        assert_eq!(writer.len(), octets.len() as u64);
        writer.finish().unwrap()
    }

    fn whole(spool: &Spool) -> io::Result<Vec<u8>> {
        let mut read = vec![0; usize::try_from(spool.len()).unwrap()];
        spool.read_at(0, &mut read).map(|()| read)
    }

    #[test]
    fn what_went_in_comes_out_and_the_file_shows_none_of_it() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 5] {
            let octets = octets(length);
            let spool = spooled(&octets, 10_000);
            assert!(whole(&spool).unwrap() == octets, "{length}");
            assert!(whole(&spool).unwrap() == octets, "{length}: again");
            let mut file = vec![0; usize::try_from(spool.file.metadata().unwrap().len()).unwrap()];
            spool.file.read_exact_at(&mut file, 0).unwrap();
            assert_eq!(file.len(), length + (length.div_ceil(PIECE)).max(1) * CHUNK_TAG);
            assert!(memchr::memmem::find(&file, WORD).is_none());
            assert!(spool.read_at(length as u64, &mut [0]).is_err(), "behind the end");
            assert!(spool.read_at(u64::MAX / 2, &mut [0]).is_err());
        }
    }

    #[test]
    fn the_file_has_no_name_and_nobody_else_may_read_it() {
        use std::os::unix::fs::MetadataExt;
        let spool = spooled(b"x", 1);
        let data = spool.file.metadata().unwrap();
        assert_eq!((data.nlink(), data.mode() & 0o777), (0, 0o600));
        let named = unnamed(
            OpenOptions::new().read(true).write(true).mode(0o600).create_new(true),
            &std::env::temp_dir(),
        );
        assert_eq!(named.unwrap().metadata().unwrap().nlink(), 0, "without O_TMPFILE");
    }

    /// A full disk in the middle of a message: whoever goes on all the same gets nothing.
    #[test]
    fn after_a_failure_nothing_more_is_taken() {
        let failing = || {
            let mut writer = SpoolWriter {
                file: File::open("/dev/null").unwrap(),
                key: ChunkKey::generate(Seed::from_bytes(&mut [7; 32])),
                chunk: Zeroizing::new(Vec::new()),
                written: 0,
                has_failed: false,
            };
            writer.append(&octets(PIECE)).unwrap();
            writer.append(b"more").unwrap_err();
            writer
        };
        let refused =
            |error: io::Error| assert_eq!(error.to_string(), "an earlier part could not be written");
        let mut writer = failing();
        refused(writer.append(b"more").unwrap_err());
        refused(writer.append(b"").unwrap_err());
        refused(writer.finish().err().unwrap());
        refused(failing().finish().err().unwrap());
    }

    /// Somebody with the file's descriptor, or a disk that gives other blocks back.
    #[test]
    fn a_change_a_swap_and_a_cut_are_seen() {
        let changed = |change: &dyn Fn(&File)| {
            let spool = spooled(&octets(3 * PIECE), PIECE);
            change(&spool.file);
            whole(&spool).map(|_| ()).map_err(|error| error.kind())
        };
        assert_eq!(changed(&|_| ()), Ok(()));
        assert_eq!(changed(&|file| file.write_all_at(b"!", 70_000).unwrap()), Err(ErrorKind::InvalidData));
        let swap = |file: &File| {
            let [mut one, mut other] = [vec![0; RECORD], vec![0; RECORD]];
            file.read_exact_at(&mut one, 0).unwrap();
            file.read_exact_at(&mut other, RECORD as u64).unwrap();
            file.write_all_at(&other, 0).unwrap();
            file.write_all_at(&one, RECORD as u64).unwrap();
        };
        assert_eq!(changed(&swap), Err(ErrorKind::InvalidData));
        assert_eq!(changed(&|file| file.set_len(2 * RECORD as u64).unwrap()), Err(ErrorKind::UnexpectedEof));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_place_can_be_read(length in 0_usize..200_000, pieces in 1_usize..100_000, reads in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..90_000), 1..8)) {
            let octets = octets(length);
            let spool = spooled(&octets, pieces);
            for (at, count) in reads {
                let at = at.index(length + 1);
                let count = count.min(length - at);
                let mut read = vec![0; count];
                spool.read_at(at as u64, &mut read).unwrap();
                prop_assert!(read == octets[at..at + count]);
            }
        }
    }
}
