//! Octets that are too many to be held: they can be read several times, piece by piece, from any place.

use std::io;
use std::ops::ControlFlow;
use zeroize::Zeroizing;

/// Octets that are read at a time, and at multiples of it: a source may keep its octets in pieces of this size.
pub const PIECE: usize = 64 * 1024;

/// Where octets come from that are read more than once: the same octets each time, or an error.
pub trait Source: Send + Sync {
    /// How many there are.
    fn len(&self) -> u64;
    /// Is there none?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Reads the octets from `at` on until `into` is full.
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()>;
    /// Fails if somebody changed the octets since the source was made, as far as it can be seen.
    fn check(&self) -> io::Result<()>;
}

/// Octets in memory.
impl Source for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(at).ok().and_then(|at| self.get(at..));
        let octets = from.and_then(|from| from.get(..into.len())).ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(octets);
        Ok(())
    }
    fn check(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A part of a source.
#[derive(Clone, Copy)]
pub struct Span<'s> {
    source: &'s dyn Source,
    start: u64,
    end: u64,
}

impl<'s> Span<'s> {
    /// All of it.
    pub fn of(source: &'s dyn Source) -> Span<'s> {
        Span { source, start: 0, end: source.len() }
    }

    /// How many octets.
    pub fn len(&self) -> u64 {
        self.end - self.start
    }

    /// None?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is left behind so many octets.
    pub fn behind(&self, octets: u64) -> Span<'s> {
        Span { start: self.start.saturating_add(octets).min(self.end), ..*self }
    }

    /// So many octets at the start.
    pub fn first(&self, octets: u64) -> Span<'s> {
        Span { end: self.start.saturating_add(octets).min(self.end), ..*self }
    }

    /// A copy of so many octets at the start, or of all if there are less.
    pub fn start(&self, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
        self.first(most as u64).all()
    }

    /// A copy of so many octets at the end, or of all if there are less.
    pub fn end(&self, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
        self.behind(self.len().saturating_sub(most as u64)).all()
    }

    /// A copy of all: for what is known to be small.
    pub fn all(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let length = usize::try_from(self.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut octets = Zeroizing::new(vec![0; length]);
        self.source.read_at(self.start, &mut octets)?;
        Ok(octets)
    }

    /// Gives piece after piece, until one breaks off. The buffer is one, and is wiped.
    pub fn for_each<E: From<io::Error>>(
        &self,
        mut take: impl FnMut(&[u8]) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let mut buffer = Zeroizing::new(vec![0; PIECE]);
        let mut rest = *self;
        while !rest.is_empty() {
            let piece = rest.piece();
            let octets = buffer.get_mut(..piece).unwrap_or_default();
            self.source.read_at(rest.start, octets)?;
            rest = rest.behind(piece as u64);
            if take(octets)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// How long the first piece is: up to the next multiple in the source. At most [`PIECE`].
    pub fn piece(&self) -> usize {
        let piece = PIECE as u64;
        (piece - self.start % piece).min(self.len()) as usize
    }

    /// As [`without_mbox_line`](super::without_mbox_line) leaves it.
    pub fn without_mbox_line(self) -> io::Result<Span<'s>> {
        let start = self.start(PIECE)?;
        let behind = start.strip_prefix(b"From ").unwrap_or(b":");
        if behind.trim_ascii_start().starts_with(b":") {
            return Ok(self);
        }
        let mut length = None;
        let mut passed = 0;
        self.for_each(|piece| {
            length = memchr::memchr(b'\n', piece).map(|at| passed + at as u64 + 1);
            passed += piece.len() as u64;
            Ok::<_, io::Error>(if length.is_some() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })?;
        Ok(length.map_or(self, |length| self.behind(length)))
    }

    /// What is delivered of an arrived message: it without its mbox line. Of more than `most` octets it is one octet more, with
    /// that line, which shows that it is too large: nothing that is cut may look as if it were whole.
    pub fn arrived(self, most: u64) -> io::Result<Span<'s>> {
        let first = self.first(enough(most));
        if first.len() > most { Ok(first) } else { first.without_mbox_line() }
    }

    /// Fails if somebody changed the source.
    pub fn check(&self) -> io::Result<()> {
        self.source.check()
    }
}

/// Octets to read of a message that may have so many: one more shows that it is too large, and nothing that is cut looks as if it
/// were whole.
pub fn enough(most: u64) -> u64 {
    most.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_there_is_an_error() {
        let source: &[u8] = b"abc";
        assert!(source.read_at(1, &mut [0; 3]).is_err());
        assert!(source.read_at(9, &mut []).is_err());
    }

    #[test]
    fn the_mbox_line_goes_as_from_what_is_held() {
        let long = [b"From ".to_vec(), vec![b'a'; 2 * PIECE], b"\nTo: b\n".to_vec()].concat();
        for message in [
            &b"From a@b Mon\nTo: c\n"[..],
            b"From: a\n",
            b"From  : a\n",
            b"From a",
            b"From ",
            b"",
            b"\n",
            &long,
        ] {
            let left = Span::of(&message).without_mbox_line().unwrap().all().unwrap();
            assert!(*left == crate::mail::without_mbox_line(message), "{}", message.len());
        }
    }

    #[test]
    fn what_is_too_large_stays_too_large_without_its_line() {
        let message = &b"From a@b Mon\nTo: c\n\nx"[..];
        let length = message.len() as u64;
        let left = |most| Span::of(&message).arrived(most).unwrap().all().unwrap();
        assert_eq!(*left(length), b"To: c\n\nx");
        for most in [0, 5, length - 13, length - 1] {
            let left = left(most);
            assert!(left.len() as u64 == most + 1 && message.starts_with(&left), "{most}");
        }
    }

    proptest! {
        #[test]
        fn spans_are_slices(length in 0_usize..300_000, from: prop::sample::Index, to: prop::sample::Index, most in 0_usize..70_000) {
            let octets: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let (from, to) = (from.index(length + 1), to.index(length + 1));
            let slice = &octets[from..to.max(from)];
            let source = octets.as_slice();
            let span = Span::of(&source).behind(from as u64).first(slice.len() as u64);
            prop_assert_eq!(span.len(), slice.len() as u64);
            prop_assert!(*span.all().unwrap() == slice);
            prop_assert!(*span.start(most).unwrap() == slice[..most.min(slice.len())]);
            prop_assert!(*span.end(most).unwrap() == slice[slice.len() - most.min(slice.len())..]);
            let mut joined = Vec::new();
            let each = span.for_each(|piece| {
                joined.extend_from_slice(piece);
                Ok::<_, io::Error>(ControlFlow::Continue(()))
            });
            each.unwrap();
            prop_assert!(joined == slice);
        }
    }
}
