//! From BER to DER (X.690): definite minimal lengths, strings in one piece. The rest of DER (order of sets, spelling
//! of booleans) is left alone, because changing it would change what was signed.

use super::CmsError;
use super::enveloped::malformed;
use std::borrow::Cow;
use std::vec::IntoIter;

/// Deeper nesting is refused (spec: "Limits").
const MAX_DEPTH: usize = 100;
/// More constructed elements are refused: their lengths are kept while BER becomes DER, and a small element has less
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
    let mut rest = bytes;
    let mut survey = Survey { lengths: Vec::new(), canonical: true };
    let len = survey.element(&mut rest, 0)?;
    let (element, rest) = bytes.split_at_checked(bytes.len() - rest.len()).unwrap_or((bytes, &[]));
    if survey.canonical {
        return Ok((Cow::Borrowed(element), rest));
    }
    let mut out = Vec::with_capacity(len);
    let mut lengths = survey.lengths.into_iter();
    copy_element(&mut { element }, &mut lengths, &mut out)?;
    Ok((Cow::Owned(out), rest))
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
    fn is_constructed(&self) -> bool {
        self.first() & 0x20 != 0
    }
    /// A constructed element of a universal string or time type, whose pieces DER joins. Not BIT STRING: its pieces
    /// carry counts of unused bits, and nobody was seen writing it so.
    fn is_string_in_pieces(&self) -> bool {
        matches!(self.first(), 0x24 | 0x2c | 0x32..=0x3c | 0x3e)
    }
}

/// What the first pass finds out.
struct Survey {
    /// DER content length of every constructed or joined element, in the order in which they begin.
    lengths: Vec<u32>,
    /// Nothing needs to change.
    canonical: bool,
}

impl Survey {
    /// Walks over one element and returns its length in DER.
    fn element(&mut self, input: &mut &[u8], depth: usize) -> Result<usize, CmsError> {
        check_depth(depth)?;
        let header = read_header(input)?;
        self.canonical &= header.minimal;
        let content = if !header.is_constructed() {
            primitive_content(input, &header)?.len()
        } else {
            self.constructed(input, &header, depth)?
        };
        Ok(header.identifier.len() + length_octets(content) + content)
    }

    fn constructed(
        &mut self,
        input: &mut &[u8],
        header: &Header<'_>,
        depth: usize,
    ) -> Result<usize, CmsError> {
        let slot = self.lengths.len();
        if slot == MAX_CONSTRUCTED {
            return Err(CmsError::TooMany { what: "constructed elements", limit: MAX_CONSTRUCTED });
        }
        self.lengths.push(0);
        let mut content = 0;
        if header.is_string_in_pieces() {
            self.canonical = false;
            each_piece(input, header, depth, &mut |piece| content += piece.len())?;
        } else {
            each_child(input, header, &mut |child| {
                content += self.element(child, depth + 1)?;
                Ok(())
            })?;
        }
        if let Some(length) = self.lengths.get_mut(slot) {
            *length = u32::try_from(content).map_err(|_| malformed("a length does not fit"))?;
        }
        Ok(content)
    }
}

/// The second pass: the same walk, writing.
fn copy_element(input: &mut &[u8], lengths: &mut IntoIter<u32>, out: &mut Vec<u8>) -> Result<(), CmsError> {
    let header = read_header(input)?;
    if !header.is_constructed() {
        let content = primitive_content(input, &header)?;
        write_header(header.identifier, content.len(), out);
        out.extend_from_slice(content);
        return Ok(());
    }
    let len = lengths.next().and_then(|len| usize::try_from(len).ok()).unwrap_or_default();
    if header.is_string_in_pieces() {
        write_header(&[header.first() & !0x20], len, out);
        return each_piece(input, &header, 0, &mut |piece| out.extend_from_slice(piece));
    }
    write_header(header.identifier, len, out);
    each_child(input, &header, &mut |child| copy_element(child, lengths, out))
}

/// Calls `visit` at the start of every element inside; it moves on to the next one.
fn each_child(
    input: &mut &[u8],
    header: &Header<'_>,
    visit: &mut dyn FnMut(&mut &[u8]) -> Result<(), CmsError>,
) -> Result<(), CmsError> {
    let Some(length) = header.length else {
        while !skip_end_of_contents(input)? {
            visit(input)?;
        }
        return Ok(());
    };
    let mut content = take(input, length)?;
    while !content.is_empty() {
        visit(&mut content)?;
    }
    Ok(())
}

/// Calls `visit` with the content of every primitive piece of a string, however the pieces are nested.
fn each_piece(
    input: &mut &[u8],
    header: &Header<'_>,
    depth: usize,
    visit: &mut dyn FnMut(&[u8]),
) -> Result<(), CmsError> {
    check_depth(depth)?;
    let kind = header.first() & !0x20;
    each_child(input, header, &mut |child| {
        let piece = read_header(child)?;
        if !matches!(piece.first() & !0x20, tag if tag == kind || tag == 0x04) {
            return Err(malformed("a string has a piece of another type"));
        }
        if piece.is_constructed() {
            return each_piece(child, &piece, depth + 1, visit);
        }
        visit(primitive_content(child, &piece)?);
        Ok(())
    })
}

fn check_depth(depth: usize) -> Result<(), CmsError> {
    if depth < MAX_DEPTH { Ok(()) } else { Err(CmsError::TooMany { what: "levels", limit: MAX_DEPTH }) }
}

fn skip_end_of_contents(input: &mut &[u8]) -> Result<bool, CmsError> {
    if input.is_empty() {
        return Err(malformed("it is cut off"));
    }
    let rest = input.strip_prefix(&[0, 0]);
    if let Some(rest) = rest {
        *input = rest;
    }
    Ok(rest.is_some())
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

/// X.690 8.1.2: one octet, or more for tag numbers from 31 on. End-of-contents out of its place is refused.
fn read_identifier<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], CmsError> {
    const LONGEST: usize = 6;
    let long = input.first().is_some_and(|first| first & 0x1f == 0x1f);
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
fn length_octets(length: usize) -> usize {
    if length < 0x80 { 1 } else { 1 + significant(length).count() }
}

fn significant(length: usize) -> impl Iterator<Item = u8> {
    length.to_be_bytes().into_iter().skip_while(|&octet| octet == 0)
}

/// Appends identifier and length octets in DER.
pub(crate) fn write_header(identifier: &[u8], length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(identifier);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let count = u8::try_from(significant(length).count()).unwrap_or_default();
            out.push(0x80 | count);
            out.extend(significant(length));
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
        let many = |count| [&[0x30, 0x80][..], &[0x30, 0].repeat(count - 1), &[0, 0]].concat();
        assert_eq!(der(&many(MAX_CONSTRUCTED)).len(), 2 * MAX_CONSTRUCTED + 3);
        let refused = fault(&many(MAX_CONSTRUCTED + 1));
        assert_eq!(refused, "the CMS structure has more than 1000000 constructed elements");
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
