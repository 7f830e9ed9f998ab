//! Walks over a ContentInfo in BER or DER that is too large to be held.

use super::super::ber::{MAX_OCTETS, der_from_ber, read_header};
use super::super::enveloped::{Enveloped, read};
use super::super::error::malformed;
use super::super::signed::read_signed;
use super::super::tags::{OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, constructed, context};
use super::octets::Octets;
use super::{LargeError, MOST};
use crate::mail::{Span, TransferEncoding};
use std::ops::ControlFlow;

/// An OCTET STRING in pieces.
const STRING_IN_PIECES: u8 = OCTET_STRING | 0x20;
/// The longest header that is read: identifier, and a length with all the zeros that BER allows in front.
const LONGEST_HEADER: usize = 160;
/// Deeper nesting is refused, as in what is held.
const MAX_DEPTH: usize = 100;

/// The piece of a source that stands for a structure, and how it is encoded.
#[derive(Clone, Copy)]
pub struct Carrier<'s> {
    /// Where.
    pub(super) span: Span<'s>,
    /// How.
    pub(super) encoding: TransferEncoding,
    /// What is wrong where it does not decode.
    pub(super) fault: &'static str,
}

/// What is done with the long octets.
pub(super) type Take<'t> = &'t mut dyn FnMut(&[u8]) -> ControlFlow<()>;

impl Carrier<'_> {
    /// Reads the structure, as [`read`](super::super::read()) reads a whole one: its ciphertext goes to `take`, piece by
    /// piece in its order, and is missing in what comes back.
    pub fn envelope(&self, take: Take<'_>) -> Result<Enveloped, LargeError> {
        Ok(read(&self.skeleton(Long::Ciphertext, take)?)?)
    }

    /// Is it a SignedData with its content inside, and somebody's signature over it?
    pub(super) fn is_signed(&self) -> Result<bool, LargeError> {
        let skeleton = self.skeleton(Long::SignedContent, &mut |_| ControlFlow::Continue(()))?;
        let (der, _) = der_from_ber(&skeleton)?;
        Ok(read_signed(&der).is_ok_and(|signed| signed.signers > 0 && signed.content.is_some()))
    }

    /// All but the long octets. White space may stand behind the structure, and nothing else.
    fn skeleton(&self, long: Long, take: Take<'_>) -> Result<Vec<u8>, LargeError> {
        let octets = Octets::new(self.span, self.encoding, self.fault)?;
        let mut walk = Walk { octets, skeleton: Vec::new(), levels: Vec::new(), long, take };
        walk.content_info()?;
        walk.nothing_follows()?;
        Ok(walk.skeleton)
    }
}

/// Which octets are long.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Long {
    /// encryptedContent (RFC 5652 6.1).
    Ciphertext,
    /// eContent (RFC 5652 5.2).
    SignedContent,
}

struct Walk<'s, 't> {
    octets: Octets<'s>,
    skeleton: Vec<u8>,
    /// Where the elements end that are not closed; nothing for an indefinite length.
    levels: Vec<Option<u64>>,
    long: Long,
    take: Take<'t>,
}

/// The header of an element.
struct Head {
    tag: u8,
    raw: Vec<u8>,
    length: Option<u64>,
}

impl Walk<'_, '_> {
    fn content_info(&mut self) -> Result<(), LargeError> {
        self.octets_of_space()?;
        self.enter(SEQUENCE)?;
        self.copy_tagged(OBJECT_IDENTIFIER)?;
        self.enter(constructed(0))?;
        self.enter(SEQUENCE)?;
        // version, originatorInfo and recipientInfos, or version and digestAlgorithms: a SET is the last of them.
        let mut behind_set = false;
        while self.next_tag()? != Some(SEQUENCE) || !behind_set {
            behind_set = self.copy_any()? == SET;
        }
        self.enter(SEQUENCE)?;
        self.info()?;
        while !self.levels.is_empty() {
            self.copy_rest()?;
        }
        Ok(())
    }

    /// encryptedContentInfo or encapContentInfo: its first element with a context tag 0 is long.
    fn info(&mut self) -> Result<(), LargeError> {
        while let Some(tag) = self.next_tag()? {
            if tag == context(0) && self.long == Long::Ciphertext {
                let head = self.header()?;
                self.feed(head.length.ok_or(LargeError::Undecided)?)?;
                return self.write(&[context(0), 0]);
            }
            if tag == constructed(0) {
                self.pieces()?;
                return match self.long {
                    Long::Ciphertext => self.write(&[context(0), 0]),
                    Long::SignedContent => self.write(&[constructed(0), 2, OCTET_STRING, 0]),
                };
            }
            self.copy_any()?;
        }
        Ok(())
    }

    /// OCTET STRINGs, which may be in pieces themselves, side by side in the element that begins here.
    fn pieces(&mut self) -> Result<(), LargeError> {
        let outside = self.levels.len();
        let head = self.header()?;
        self.open(&head)?;
        while self.levels.len() > outside {
            match self.next_tag()? {
                None => self.close()?,
                Some(OCTET_STRING) => {
                    let head = self.header()?;
                    self.feed(head.length.ok_or(LargeError::Undecided)?)?;
                }
                Some(STRING_IN_PIECES) => {
                    let head = self.header()?;
                    self.open(&head)?;
                }
                Some(_) => return Err(LargeError::Undecided),
            }
        }
        Ok(())
    }

    /// Hands so many octets out.
    fn feed(&mut self, mut length: u64) -> Result<(), LargeError> {
        self.check_room(length)?;
        while length > 0 {
            let octets = self.octets.take(length)?;
            if octets.is_empty() {
                return Err(cut_off());
            }
            length -= octets.len() as u64;
            if (self.take)(octets).is_break() {
                return Err(LargeError::Stopped);
            }
        }
        Ok(())
    }

    /// Goes into an element; in the skeleton its length is indefinite.
    fn enter(&mut self, tag: u8) -> Result<(), LargeError> {
        let head = self.header()?;
        if head.tag != tag {
            return Err(LargeError::Undecided);
        }
        self.open(&head)?;
        self.write(&[tag, 0x80])
    }

    fn open(&mut self, head: &Head) -> Result<(), LargeError> {
        if self.levels.len() == MAX_DEPTH {
            return Err(LargeError::Undecided);
        }
        head.length.map_or(Ok(()), |length| self.check_room(length))?;
        self.levels.push(head.length.map(|length| self.octets.position() + length));
        Ok(())
    }

    /// Closes the innermost element, which ends here.
    fn close(&mut self) -> Result<(), LargeError> {
        match self.levels.pop() {
            // The two octets of the end-of-contents.
            Some(None) => self.octets.take(2).map(drop),
            _ => Ok(()),
        }
    }

    /// What is left of the innermost element, and its end.
    fn copy_rest(&mut self) -> Result<(), LargeError> {
        while self.next_tag()?.is_some() {
            self.copy_any()?;
        }
        self.close()?;
        self.write(&[0, 0])
    }

    /// The tag of the next element in the innermost one; nothing at its end.
    fn next_tag(&mut self) -> Result<Option<u8>, LargeError> {
        let end = self.levels.last().copied().flatten();
        if end == Some(self.octets.position()) {
            return Ok(None);
        }
        match (self.peek(2)?, end) {
            ([], _) => Err(cut_off()),
            ([0, 0], None) => Ok(None),
            ([tag, ..], _) => Ok(Some(*tag)),
        }
    }

    fn copy_tagged(&mut self, tag: u8) -> Result<(), LargeError> {
        if self.copy_any()? == tag { Ok(()) } else { Err(LargeError::Undecided) }
    }

    /// An element as it stands, with all that is in it.
    fn copy_any(&mut self) -> Result<u8, LargeError> {
        let first = self.next_tag()?.ok_or(LargeError::Undecided)?;
        let outside = self.levels.len();
        loop {
            if self.levels.len() > outside && self.next_tag()?.is_none() {
                self.close()?;
                self.write(&[0, 0])?;
            } else {
                let head = self.header()?;
                self.write(&head.raw)?;
                match head.length {
                    Some(length) => self.copy_octets(length)?,
                    None => self.open(&head)?,
                }
            }
            if self.levels.len() == outside {
                return Ok(first);
            }
        }
    }

    fn copy_octets(&mut self, mut length: u64) -> Result<(), LargeError> {
        self.check_room(length)?;
        if length > MOST as u64 {
            return Err(LargeError::Undecided);
        }
        while length > 0 {
            let octets = self.octets.take(length)?;
            if octets.is_empty() {
                return Err(cut_off());
            }
            length -= octets.len() as u64;
            self.skeleton.extend_from_slice(octets);
        }
        self.write(&[])
    }

    fn header(&mut self) -> Result<Head, LargeError> {
        let start = self.peek(LONGEST_HEADER)?;
        let mut rest = start;
        let header = read_header(&mut rest)?;
        let (tag, length) = (header.first(), header.length());
        let raw = start.get(..start.len() - rest.len()).unwrap_or_default().to_vec();
        self.octets.take(raw.len() as u64)?;
        Ok(Head { tag, raw, length: length.map(|length| length as u64) })
    }

    /// The next octets of the element that is open: what stands behind its end is not its own.
    fn peek(&mut self, wanted: usize) -> Result<&[u8], LargeError> {
        let room = self.limit().map_or(u64::MAX, |limit| limit.saturating_sub(self.octets.position()));
        self.octets.peek(usize::try_from(room).unwrap_or(usize::MAX).min(wanted))
    }

    /// Where the innermost element ends whose length is known.
    fn limit(&self) -> Option<u64> {
        self.levels.iter().rev().find_map(|level| *level)
    }

    /// Does so much fit into the elements that are open, and into what is ever read?
    fn check_room(&self, length: u64) -> Result<(), LargeError> {
        let end = self.octets.position().saturating_add(length);
        if end > MAX_OCTETS as u64 {
            return Err(LargeError::Undecided);
        }
        match self.limit() {
            Some(limit) if end > limit => Err(cut_off()),
            _ => Ok(()),
        }
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), LargeError> {
        self.skeleton.extend_from_slice(octets);
        if self.skeleton.len() > MOST { Err(LargeError::Undecided) } else { Ok(()) }
    }

    fn octets_of_space(&mut self) -> Result<(), LargeError> {
        while self.octets.peek(1)?.first().is_some_and(u8::is_ascii_whitespace) {
            self.octets.take(1)?;
        }
        Ok(())
    }

    fn nothing_follows(&mut self) -> Result<(), LargeError> {
        loop {
            let rest = self.octets.take(u64::MAX)?;
            if rest.is_empty() {
                return Ok(());
            }
            if !rest.trim_ascii().is_empty() {
                return Err(malformed("octets follow it").into());
            }
        }
    }
}

fn cut_off() -> LargeError {
    malformed("it is cut off").into()
}
