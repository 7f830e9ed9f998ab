//! From BER to DER (X.690): definite minimal lengths, strings in one piece. The rest of DER (order of sets, spelling
//! of booleans) is left alone, because changing it would change what was signed.

use super::CmsError;
use super::error::malformed;
use super::tags::OCTET_STRING;
use std::borrow::Cow;
use std::vec::IntoIter;
use std::{mem, slice};

/// The bit of an identifier octet that says: there are elements inside.
const CONSTRUCTED: u8 = 0x20;
/// Deeper nesting is refused (spec: "Limits").
const MAX_DEPTH: usize = 100;
/// More elements with elements inside are refused: their lengths are kept while BER becomes DER, and a small one has less
/// octets than its length. Ten thousand recipients with long names have a quarter of it.
const MAX_CONSTRUCTED: usize = 1_000_000;
/// More octets are refused: a DER length of our crates is 32 bits wide, and conversion may add a few octets.
pub(crate) const MAX_OCTETS: usize = 1 << 31;

/// The first element of the bytes as DER (borrowed if it is DER already), and what follows it. Time and memory grow
/// linearly with the bytes.
pub fn der_from_ber(bytes: &[u8]) -> Result<(Cow<'_, [u8]>, &[u8]), CmsError> {
    if bytes.len() > MAX_OCTETS {
        return Err(CmsError::TooMany { what: "octets", limit: MAX_OCTETS });
    }
    let mut survey = Survey::default();
    let rest = walk(bytes, &mut survey)?;
    let (element, rest) = bytes.split_at_checked(bytes.len() - rest.len()).unwrap_or((bytes, &[]));
    if !survey.changes {
        return Ok((Cow::Borrowed(element), rest));
    }
    let mut writer = Writer { out: Vec::with_capacity(survey.len), lengths: survey.lengths.into_iter() };
    walk(element, &mut writer)?;
    Ok((Cow::Owned(writer.out), rest))
}

/// Identifier and length octets of an element.
pub(super) struct Header<'a> {
    identifier: &'a [u8],
    /// Absent: indefinite.
    length: Option<usize>,
    /// The length is spelled as DER spells it.
    minimal: bool,
}

impl Header<'_> {
    /// The first identifier octet.
    pub(super) fn first(&self) -> u8 {
        self.identifier.first().copied().unwrap_or_default()
    }
    /// Absent: indefinite.
    pub(super) fn length(&self) -> Option<usize> {
        self.length
    }
    fn is_constructed(&self) -> bool {
        self.first() & CONSTRUCTED != 0
    }
    /// As DER spells it.
    pub(super) fn is_der(&self) -> bool {
        self.minimal && !self.is_string_in_pieces()
    }
    /// Constructed, and not empty.
    fn has_elements(&self) -> bool {
        self.is_constructed() && self.length != Some(0)
    }
    /// A constructed element of a universal string or time type, whose pieces DER joins. Not BIT STRING: its pieces
    /// carry counts of unused bits, and nobody was seen writing it so.
    fn is_string_in_pieces(&self) -> bool {
        matches!(self.first(), 0x24 | 0x2c | 0x32..=0x3c | 0x3e)
    }
}

/// What a walk over an element and all that is in it meets, in the order of the octets.
trait Visit {
    /// An element with elements inside; not for the pieces of a string that have pieces.
    fn opened(&mut self, header: &Header<'_>) -> Result<(), CmsError>;
    /// Its end.
    fn closed(&mut self) -> Result<(), CmsError>;
    /// An element with nothing but octets inside.
    fn primitive(&mut self, header: &Header<'_>, content: &[u8]);
    /// Some octets of a string that DER has in one piece.
    fn piece(&mut self, content: &[u8]);
}

/// A constructed element that is not closed yet.
struct Level<'a> {
    /// What follows it; absent: its length is indefinite.
    after: Option<&'a [u8]>,
    /// It is a string, or a piece of one: the type of the string.
    string: Option<u8>,
    /// It is a piece.
    piece: bool,
}

/// Does not call itself, so that nesting costs no more than what stands side by side.
struct Walk<'a, 'v, V> {
    rest: &'a [u8],
    levels: Vec<Level<'a>>,
    visit: &'v mut V,
}

/// Walks over the first element, and gives what follows it.
fn walk<'a>(bytes: &'a [u8], visit: &mut impl Visit) -> Result<&'a [u8], CmsError> {
    let mut walk = Walk { rest: bytes, levels: Vec::new(), visit };
    walk.element()?;
    while let Some(level) = walk.levels.last() {
        match level.end(walk.rest)? {
            Some(rest) => walk.close(rest)?,
            None => walk.element()?,
        }
    }
    Ok(walk.rest)
}

impl<'a> Level<'a> {
    /// What follows the element, if it ends before `rest`.
    fn end(&self, rest: &'a [u8]) -> Result<Option<&'a [u8]>, CmsError> {
        match self.after {
            Some(after) => Ok(rest.is_empty().then_some(after)),
            None if rest.is_empty() => Err(malformed("it is cut off")),
            None => Ok(rest.strip_prefix(&[0, 0])),
        }
    }
}

impl<'a, V: Visit> Walk<'a, '_, V> {
    fn element(&mut self) -> Result<(), CmsError> {
        let header = read_header(&mut self.rest)?;
        let string = self.levels.last().and_then(|level| level.string);
        match string {
            Some(kind) => check_piece(&header, kind)?,
            None => check_depth(self.levels.len())?,
        }
        if header.has_elements() {
            return self.open(&header, string);
        }
        let content = primitive_content(&mut self.rest, &header)?;
        match string {
            Some(_) => self.visit.piece(content),
            None => self.visit.primitive(&header, content),
        }
        Ok(())
    }

    fn open(&mut self, header: &Header<'_>, string: Option<u8>) -> Result<(), CmsError> {
        check_depth(self.levels.len())?;
        let piece = string.is_some();
        if !piece {
            self.visit.opened(header)?;
        }
        let mut after = None;
        if let Some(length) = header.length {
            let content = take(&mut self.rest, length)?;
            after = Some(mem::replace(&mut self.rest, content));
        }
        let string = string.or(header.is_string_in_pieces().then_some(header.first() & !CONSTRUCTED));
        self.levels.push(Level { after, string, piece });
        Ok(())
    }

    fn close(&mut self, rest: &'a [u8]) -> Result<(), CmsError> {
        self.rest = rest;
        match self.levels.pop() {
            Some(Level { piece: false, .. }) => self.visit.closed(),
            _ => Ok(()),
        }
    }
}

/// The pieces of a string are strings of its type or OCTET STRINGs.
fn check_piece(header: &Header<'_>, kind: u8) -> Result<(), CmsError> {
    if [kind, OCTET_STRING].contains(&(header.first() & !CONSTRUCTED)) {
        Ok(())
    } else {
        Err(malformed("a string has a piece of another type"))
    }
}

/// The first walk: how long everything is in DER.
#[derive(Default)]
struct Survey {
    /// Content length of every element with elements inside, in the order in which they begin.
    lengths: Vec<u32>,
    /// The elements that are not closed yet.
    open: Vec<Tally>,
    /// Something is not as DER has it.
    changes: bool,
    /// Octets of the whole, once it is closed.
    len: usize,
}

/// What is known so far of an open element.
struct Tally {
    slot: usize,
    identifier_len: usize,
    content: usize,
}

impl Survey {
    /// So many octets belong to the innermost open element.
    fn add(&mut self, octets: usize) {
        match self.open.last_mut() {
            Some(parent) => parent.content += octets,
            None => self.len = octets,
        }
    }
}

impl Visit for Survey {
    fn opened(&mut self, header: &Header<'_>) -> Result<(), CmsError> {
        self.changes |= !header.is_der();
        let slot = self.lengths.len();
        if slot == MAX_CONSTRUCTED {
            return Err(CmsError::TooMany { what: "constructed elements", limit: MAX_CONSTRUCTED });
        }
        self.lengths.push(0);
        self.open.push(Tally { slot, identifier_len: header.identifier.len(), content: 0 });
        Ok(())
    }

    fn closed(&mut self) -> Result<(), CmsError> {
        let Some(Tally { slot, identifier_len, content }) = self.open.pop() else { return Ok(()) };
        let fitting = u32::try_from(content).map_err(|_| malformed("a length does not fit"))?;
        self.lengths.get_mut(slot).into_iter().for_each(|length| *length = fitting);
        self.add(identifier_len + length_octets(content) + content);
        Ok(())
    }

    fn primitive(&mut self, header: &Header<'_>, content: &[u8]) {
        self.changes |= !header.is_der();
        self.add(header.identifier.len() + length_octets(content.len()) + content.len());
    }

    fn piece(&mut self, content: &[u8]) {
        self.add(content.len());
    }
}

/// The second walk, over the same element: writes it in DER.
struct Writer {
    out: Vec<u8>,
    lengths: IntoIter<u32>,
}

impl Writer {
    /// A string in pieces becomes a primitive one.
    fn header(&mut self, header: &Header<'_>, length: usize) {
        if header.is_string_in_pieces() {
            write_header(&[header.first() & !CONSTRUCTED], length, &mut self.out);
        } else {
            write_header(header.identifier, length, &mut self.out);
        }
    }
}

impl Visit for Writer {
    fn opened(&mut self, header: &Header<'_>) -> Result<(), CmsError> {
        let length = self.lengths.next().and_then(|length| usize::try_from(length).ok());
        self.header(header, length.unwrap_or_default());
        Ok(())
    }

    fn closed(&mut self) -> Result<(), CmsError> {
        Ok(())
    }

    fn primitive(&mut self, header: &Header<'_>, content: &[u8]) {
        self.header(header, content.len());
        self.out.extend_from_slice(content);
    }

    fn piece(&mut self, content: &[u8]) {
        self.out.extend_from_slice(content);
    }
}

fn check_depth(depth: usize) -> Result<(), CmsError> {
    if depth < MAX_DEPTH { Ok(()) } else { Err(CmsError::TooMany { what: "levels", limit: MAX_DEPTH }) }
}

pub(super) fn primitive_content<'a>(input: &mut &'a [u8], header: &Header<'_>) -> Result<&'a [u8], CmsError> {
    let length = header.length.ok_or_else(|| malformed("a primitive element has no length"))?;
    take(input, length)
}

fn take<'a>(input: &mut &'a [u8], len: usize) -> Result<&'a [u8], CmsError> {
    let (taken, rest) = input.split_at_checked(len).ok_or_else(|| malformed("it is cut off"))?;
    *input = rest;
    Ok(taken)
}

fn octet(input: &mut &[u8]) -> Result<u8, CmsError> {
    let taken = take(input, 1)?;
    taken.first().copied().ok_or_else(|| malformed("it is cut off"))
}

pub(super) fn read_header<'a>(input: &mut &'a [u8]) -> Result<Header<'a>, CmsError> {
    if let Some(header) = read_short_header(input) {
        return Ok(header);
    }
    let identifier = read_identifier(input)?;
    let first = octet(input)?;
    let (length, minimal) = match first {
        0..=0x7f => (Some(usize::from(first)), true),
        0x80 => (None, false),
        _ => {
            let octets = take(input, usize::from(first & 0x7f))?;
            let length = big_endian(octets)?;
            (Some(length), length_octets(length) == octets.len() + 1)
        }
    };
    Ok(Header { identifier, length, minimal })
}

/// One octet each for identifier and length: nearly all that there are many of.
fn read_short_header<'a>(input: &mut &'a [u8]) -> Option<Header<'a>> {
    let [first, length @ ..0x80, rest @ ..] = *input else { return None };
    if *first == 0 || has_long_identifier(*first) {
        return None;
    }
    *input = rest;
    Some(Header { identifier: slice::from_ref(first), length: Some(usize::from(*length)), minimal: true })
}

fn has_long_identifier(first: u8) -> bool {
    first & 0x1f == 0x1f
}

/// X.690 8.1.2: one octet, or more for tag numbers from 31 on. End-of-contents out of its place is refused.
fn read_identifier<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], CmsError> {
    const LONGEST: usize = 6;
    let long = input.first().is_some_and(|&first| has_long_identifier(first));
    let more = input.iter().skip(1).take_while(|byte| *byte & 0x80 != 0).take(LONGEST).count();
    let identifier = take(input, if long { more + 2 } else { 1 })?;
    match identifier {
        [0] => Err(malformed("an end-of-contents stands out of place")),
        _ if identifier.len() > LONGEST => Err(malformed("a tag number is too large")),
        _ => Ok(identifier),
    }
}

fn big_endian(octets: &[u8]) -> Result<usize, CmsError> {
    octets.iter().try_fold(0_usize, |sum, &octet| {
        let shifted = sum.checked_mul(256).filter(|&shifted| shifted <= MAX_OCTETS);
        shifted.map(|shifted| shifted | usize::from(octet)).ok_or_else(|| malformed("a length does not fit"))
    })
}

/// How many octets DER spends on a length.
pub(crate) fn length_octets(length: usize) -> usize {
    if length < 0x80 { 1 } else { 1 + significant(length) }
}

/// Octets without the zeros before them.
fn significant(length: usize) -> usize {
    (usize::BITS - length.leading_zeros()).div_ceil(8) as usize
}

/// Appends identifier and length octets in DER.
pub(crate) fn write_header(identifier: &[u8], length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(identifier);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let count = significant(length);
            // At most 8.
            out.push(0x80 | count as u8);
            out.extend(length.to_be_bytes().iter().skip(size_of::<usize>() - count));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn der(bytes: &[u8]) -> Vec<u8> {
        let (der, rest) = der_from_ber(bytes).unwrap();
        assert_eq!(rest, b"");
        der.into_owned()
    }

    fn fault(bytes: &[u8]) -> String {
        der_from_ber(bytes).unwrap_err().to_string()
    }

    #[test]
    fn der_is_borrowed() {
        let bytes = [0x30, 3, 2, 1, 5, 9, 9];
        let (der, rest) = der_from_ber(&bytes).unwrap();
        assert!(matches!(der, Cow::Borrowed(_)));
        assert_eq!(rest, [9, 9]);
    }

    #[test]
    fn lengths_become_definite_and_minimal() {
        assert_eq!(
            der(&[0x30, 0x80, 0x30, 0x80, 2, 1, 5, 0, 0, 4, 0x81, 1, 7, 0, 0]),
            [0x30, 8, 0x30, 3, 2, 1, 5, 4, 1, 7]
        );
        assert_eq!(der(&[0x30, 0x84, 0, 0, 0, 0]), [0x30, 0]);
        let long = [&[0x30, 0x80, 4, 0x82, 1, 0][..], &[7; 256], &[0, 0]].concat();
        assert_eq!(der(&long), [&[0x30, 0x82, 1, 4, 4, 0x82, 1, 0][..], &[7; 256]].concat());
        assert_eq!(der(&[0xbf, 0x81, 1, 0x80, 5, 0, 0, 0]), [0xbf, 0x81, 1, 2, 5, 0]);
    }

    #[test]
    fn strings_are_joined() {
        assert_eq!(der(&[0x24, 0x80, 4, 1, 1, 0x24, 3, 4, 1, 2, 4, 0, 0, 0]), [4, 2, 1, 2]);
        assert_eq!(der(&[0x2c, 6, 0x0c, 1, b'a', 4, 1, b'b']), [0x0c, 2, b'a', b'b']);
        let context = der(&[0xa0, 0x80, 0x24, 6, 4, 1, 1, 4, 1, 2, 0, 0]);
        assert_eq!(context, [0xa0, 4, 4, 2, 1, 2], "what a context tag stands for is not known here");
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(fault(b""), "the CMS structure is broken: it is cut off");
        assert_eq!(fault(&[0x30, 5, 2, 1]), "the CMS structure is broken: it is cut off");
        assert_eq!(fault(&[0x30, 0x80, 2, 1, 1]), "the CMS structure is broken: it is cut off");
        assert_eq!(fault(&[4, 0x80, 0, 0]), "the CMS structure is broken: a primitive element has no length");
        assert_eq!(
            fault(&[0x24, 3, 2, 1, 1]),
            "the CMS structure is broken: a string has a piece of another type"
        );
        assert_eq!(
            fault(&[0x30, 2, 0, 0]),
            "the CMS structure is broken: an end-of-contents stands out of place"
        );
        assert_eq!(
            fault(&[0x30, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
            "the CMS structure is broken: a length does not fit"
        );
        assert_eq!(
            fault(&[0x3f, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 1, 0]),
            "the CMS structure is broken: a tag number is too large"
        );
    }

    #[test]
    fn more_lengths_than_may_be_kept_are_refused() {
        let many = |count| [&[0x30, 0x80][..], &[0x30, 2, 5, 0].repeat(count - 1), &[0, 0]].concat();
        assert_eq!(der(&many(MAX_CONSTRUCTED)).len(), 4 * MAX_CONSTRUCTED + 1);
        let refused = der_from_ber(&many(MAX_CONSTRUCTED + 1)).map(|(der, _)| der.len());
        let limit = CmsError::TooMany { what: "constructed elements", limit: MAX_CONSTRUCTED };
        assert_eq!(refused.unwrap_err().to_string(), limit.to_string());
    }

    #[test]
    fn deep_nesting_is_refused() {
        for open in [[0x30, 0x80], [0x24, 0x80], [0xa0, 0x80]] {
            assert_eq!(fault(&open.repeat(1000)), "the CMS structure has more than 100 levels");
            assert_eq!(fault(&open.repeat(1_000_000)), "the CMS structure has more than 100 levels");
        }
    }

    /// A tree of elements, spelled in BER as the coins fall, and in DER.
    fn tree() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        let leaf = prop::collection::vec(any::<u8>(), 0..200)
            .prop_map(|content| (spelled(4, &content, true), spelled(4, &content, false)));
        leaf.prop_recursive(6, 60, 6, |inner| {
            (prop::collection::vec(inner, 0..6), any::<bool>()).prop_map(|(children, indefinite)| {
                let ber: Vec<u8> = children.iter().flat_map(|(ber, _)| ber.clone()).collect();
                let der: Vec<u8> = children.iter().flat_map(|(_, der)| der.clone()).collect();
                let ber = if indefinite {
                    [&[0x30, 0x80][..], &ber, &[0, 0]].concat()
                } else {
                    spelled(0x30, &ber, true)
                };
                (ber, spelled(0x30, &der, false))
            })
        })
    }

    fn spelled(tag: u8, content: &[u8], long: bool) -> Vec<u8> {
        let mut out = Vec::new();
        if long {
            out.extend([tag, 0x84]);
            out.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
        } else {
            write_header(&[tag], content.len(), &mut out);
        }
        out.extend_from_slice(content);
        out
    }

    proptest! {
        #[test]
        fn every_spelling_becomes_one((ber, expected) in tree()) {
            prop_assert_eq!(der(&ber), expected.clone());
            prop_assert!(matches!(der_from_ber(&expected), Ok((Cow::Borrowed(_), _))));
        }

        #[test]
        fn nothing_panics(bytes: Vec<u8>) {
            if let Ok((der, _)) = der_from_ber(&bytes) {
                prop_assert_eq!(der_from_ber(&der).unwrap().0, der.clone());
            }
        }
    }
}
