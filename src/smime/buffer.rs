//! Room for what is written once, from its begin to its end: a sealed message.
//!
//! The system gives memory at the first touch, page by page, each filled with zeros: the 8700 pages of what 25 MiB become
//! take half as long as their encryption. So what is large lies on pages of 2 MiB, where the system has them, for which it
//! must be asked (`madvise(2)`, MADV_HUGEPAGE). A hint: where there are none, it is memory like any other.

use crate::crypto::lanes::base64::LineEncoder;
use memmap2::MmapMut;
use std::ops::Deref;

/// Octets of a huge page; what has other sizes of them is served as before.
const HUGE: usize = 2 << 20;

/// What is as large as this lies on pages of its own. Below, an allocator that has kept memory is as good, and half a page
/// too much is more than little.
const LARGE: usize = 2 * HUGE;

/// Octets that are appended to room that was reserved at once. It reads as what was written so far.
pub(super) struct Buffer {
    /// If there are, nothing lies on the heap.
    pages: Option<Pages>,
    heap: Vec<u8>,
}

impl Buffer {
    /// Nothing yet, with room for so many octets.
    pub(super) fn with_capacity(capacity: usize) -> Buffer {
        let pages = if capacity < LARGE { None } else { Pages::new(capacity) };
        let heap = if pages.is_some() { Vec::new() } else { Vec::with_capacity(capacity) };
        Buffer { pages, heap }
    }

    /// A copy.
    pub(super) fn of(octets: &[u8]) -> Buffer {
        let mut buffer = Buffer::with_capacity(octets.len());
        buffer.extend_from_slice(octets);
        buffer
    }

    pub(super) fn extend_from_slice(&mut self, octets: &[u8]) {
        let pages = self.pages.as_mut();
        if pages.and_then(|pages| pages.append(octets)).is_none() {
            self.on_heap().extend_from_slice(octets);
        }
    }

    /// Appends what becomes of the octets.
    pub(super) fn encode(&mut self, encoder: &LineEncoder, octets: &[u8]) {
        let pages = self.pages.as_mut();
        if pages.and_then(|pages| pages.encode(encoder, octets)).is_none() {
            encoder.encode_append(octets, self.on_heap());
        }
    }

    /// Forgets what was written; the room stays.
    pub(super) fn clear(&mut self) {
        self.heap.clear();
        self.pages.iter_mut().for_each(|pages| pages.length = 0);
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.pages.as_ref().map_or(self.heap.capacity(), |pages| pages.capacity)
    }

    /// Where more comes than was said, all of it moves there.
    fn on_heap(&mut self) -> &mut Vec<u8> {
        if let Some(pages) = self.pages.take() {
            self.heap = pages.octets().to_vec();
        }
        &mut self.heap
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(heap: Vec<u8>) -> Buffer {
        Buffer { pages: None, heap }
    }
}

impl From<Buffer> for Vec<u8> {
    /// What lies on pages of its own is copied.
    fn from(mut buffer: Buffer) -> Vec<u8> {
        buffer.on_heap();
        buffer.heap
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.pages.as_ref().map_or(&self.heap, Pages::octets)
    }
}

/// Memory from the system itself.
struct Pages {
    map: MmapMut,
    /// Where the first huge page begins: the system need not put the whole there.
    start: usize,
    capacity: usize,
    length: usize,
}

impl Pages {
    /// Nothing if the system has no such room in one piece.
    fn new(capacity: usize) -> Option<Pages> {
        let whole = capacity.checked_next_multiple_of(HUGE)?.checked_add(HUGE)?;
        let map = MmapMut::map_anon(whole).ok()?;
        let start = map.as_ptr().align_offset(HUGE);
        let pages = Pages { map, start, capacity, length: 0 };
        pages.advise();
        (pages.map.len().checked_sub(start)? >= capacity).then_some(pages)
    }

    /// What is less than half of a huge page in the end lies on small ones, so that little is taken in vain.
    #[cfg(target_os = "linux")]
    fn advise(&self) {
        let huge = (self.capacity + HUGE / 2) / HUGE * HUGE;
        // Who has none refuses.
        let _ = self.map.advise_range(memmap2::Advice::HugePage, self.start, huge);
    }

    #[cfg(not(target_os = "linux"))]
    fn advise(&self) {}

    fn free(&mut self) -> &mut [u8] {
        self.map.get_mut(self.start + self.length..self.start + self.capacity).unwrap_or_default()
    }

    /// Nothing is written if there is no room for all of it.
    fn append(&mut self, octets: &[u8]) -> Option<()> {
        self.free().get_mut(..octets.len())?.copy_from_slice(octets);
        self.length += octets.len();
        Some(())
    }

    /// The same.
    fn encode(&mut self, encoder: &LineEncoder, octets: &[u8]) -> Option<()> {
        let written = encoder.encode_slice(octets, self.free())?;
        self.length += written;
        Some(())
    }

    fn octets(&self) -> &[u8] {
        self.map.get(self.start..self.start + self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encodify::base64::LineEnding;

    fn octets(length: usize) -> Vec<u8> {
        (0..length).map(|place| ((place * 31) >> 3) as u8).collect()
    }

    #[test]
    fn what_is_large_lies_on_pages_of_its_own() {
        for (capacity, is_large) in [(0, false), (LARGE - 1, false), (LARGE, true), (5 * LARGE + 7, true)] {
            assert_eq!(Buffer::with_capacity(capacity).pages.is_some(), is_large, "{capacity}");
        }
    }

    /// The system is asked for huge pages, for all but the last half of one at most; whether it has them is its matter.
    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_is_asked_for_huge_pages() {
        if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
            return;
        }
        for capacity in [LARGE, LARGE + HUGE / 2 - 1, LARGE + HUGE / 2, LARGE + HUGE - 1] {
            let mut buffer = Buffer::with_capacity(capacity);
            buffer.extend_from_slice(&[1]);
            let first = buffer.as_ptr().addr();
            let huge = if capacity < LARGE + HUGE / 2 { LARGE } else { LARGE + HUGE };
            assert_eq!(first % HUGE, 0);
            assert!(is_advised(first) && is_advised(first + huge - 1), "{capacity}");
            assert!(!is_advised(first + huge), "{capacity}");
        }
    }

    /// `hg` among the flags of the mapping that has that address (proc_pid_smaps(5)).
    fn is_advised(address: usize) -> bool {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut within = false;
        for line in maps.lines() {
            let range = line.split_once(' ').and_then(|(range, _)| range.split_once('-'));
            let ends = range.map(|(from, to)| [from, to].map(|end| usize::from_str_radix(end, 16)));
            if let Some([Ok(from), Ok(to)]) = ends {
                within = (from..to).contains(&address);
            } else if within && let Some(flags) = line.strip_prefix("VmFlags:") {
                return flags.split_whitespace().any(|flag| flag == "hg");
            }
        }
        false
    }

    /// Also where more is written than was said, in the midst of a piece.
    #[test]
    fn it_reads_as_what_was_written() {
        let encoder = LineEncoder::new(76, LineEnding::CrLf);
        let (message, line) = (octets(LARGE), octets(57));
        for (capacity, is_on_pages) in [(LARGE - 1, false), (LARGE, false), (2 * LARGE + 40, true)] {
            let (mut buffer, mut expected) = (Buffer::with_capacity(capacity), Vec::new());
            for piece in message.chunks(100_003) {
                buffer.extend_from_slice(piece);
                buffer.encode(&encoder, &line);
                expected.extend_from_slice(piece);
                encoder.encode_append(&line, &mut expected);
                assert_eq!(buffer.len(), expected.len());
            }
            while expected.len() < LARGE + 3 * HUGE / 2 {
                buffer.encode(&encoder, &message[..HUGE / 8]);
                encoder.encode_append(&message[..HUGE / 8], &mut expected);
            }
            assert!(*buffer == *expected, "{capacity}");
            assert_eq!(buffer.pages.is_some(), is_on_pages, "{capacity}");
            assert!(Vec::from(buffer) == expected, "{capacity}");
        }
    }

    #[test]
    fn what_is_forgotten_is_written_over() {
        for capacity in [10, LARGE] {
            let mut buffer = Buffer::with_capacity(capacity);
            buffer.extend_from_slice(b"first");
            buffer.clear();
            assert!(buffer.is_empty());
            buffer.extend_from_slice(b"then");
            assert_eq!(*buffer, *b"then");
        }
        let large = octets(LARGE + 1);
        assert!(*Buffer::of(&large) == *large && *Buffer::from(large.clone()) == *large);
    }
}
