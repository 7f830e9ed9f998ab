//! From BER to DER for key files: NSS and Windows write indefinite lengths and strings in pieces (X.690 8, 10).

use super::PkiError;
use zeroize::Zeroizing;

/// PKCS#12 needs about a dozen levels.
const MAX_DEPTH: usize = 32;

const OCTET_STRING: u8 = 0x04;
const CONSTRUCTED: u8 = 0x20;

/// One value with definite, shortest lengths and its OCTET STRINGs in one piece. Trailing octets are refused.
pub(crate) fn to_der(bytes: &[u8]) -> Result<Vec<u8>, PkiError> {
    let mut out = Vec::with_capacity(bytes.len());
    let rest = convert(bytes, &mut out, MAX_DEPTH).ok_or_else(broken)?;
    if rest.is_empty() { Ok(out) } else { Err(PkiError::malformed("the file", "octets follow its end")) }
}

fn broken() -> PkiError {
    PkiError::malformed("the file", "its ASN.1 is truncated or damaged")
}

/// What stands in front of a value.
struct Element<'a> {
    tag: &'a [u8],
    first: u8,
    /// Length, or nothing where it is indefinite.
    length: Option<usize>,
    /// Contents and what follows them.
    rest: &'a [u8],
}

fn header(bytes: &[u8]) -> Option<Element<'_>> {
    let (&first, mut after) = bytes.split_first()?;
    let mut octets = 1;
    if first & 0x1f == 0x1f {
        loop {
            let (&next, rest) = after.split_first()?;
            (after, octets) = (rest, octets + 1);
            if next & 0x80 == 0 {
                break;
            }
        }
    }
    let (tag, after) = bytes.split_at_checked(octets)?;
    let (&length, rest) = after.split_first()?;
    let (length, rest) = match length {
        0x80 => (None, rest),
        short if short < 0x80 => (Some(usize::from(short)), rest),
        long => {
            let (octets, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (Some(long_length(octets)?), rest)
        }
    };
    Some(Element { tag, first, length, rest })
}

fn long_length(octets: &[u8]) -> Option<usize> {
    octets.iter().try_fold(0_usize, |sum, octet| sum.checked_mul(256)?.checked_add(usize::from(*octet)))
}

/// Appends the first value in DER and gives what follows it.
fn convert<'a>(bytes: &'a [u8], out: &mut Vec<u8>, depth: usize) -> Option<&'a [u8]> {
    let element = header(bytes)?;
    let joined = element.first == OCTET_STRING | CONSTRUCTED;
    if element.first & CONSTRUCTED == 0 {
        let (contents, rest) = element.rest.split_at_checked(element.length?)?;
        write(element.tag, contents, out);
        return Some(rest);
    }
    let depth = depth.checked_sub(1)?;
    // It may be a key in the clear: one buffer of the right size, wiped.
    let mut contents = Zeroizing::new(Vec::with_capacity(element.length.unwrap_or(0).min(bytes.len())));
    let rest = children(&element, &mut contents, depth, joined)?;
    if joined {
        write(&[OCTET_STRING], &contents, out);
    } else {
        write(element.tag, &contents, out);
    }
    Some(rest)
}

fn children<'a>(element: &Element<'a>, out: &mut Vec<u8>, depth: usize, joined: bool) -> Option<&'a [u8]> {
    let (mut inside, after) = match element.length {
        Some(length) => {
            let (inside, after) = element.rest.split_at_checked(length)?;
            (inside, Some(after))
        }
        None => (element.rest, None),
    };
    loop {
        match after {
            Some(after) if inside.is_empty() => return Some(after),
            None if inside.starts_with(&[0, 0]) => return inside.get(2..),
            _ => {}
        }
        inside = if joined { piece(inside, out, depth)? } else { convert(inside, out, depth)? };
    }
}

/// One piece of a string: the contents of an OCTET STRING, which may itself be in pieces.
fn piece<'a>(bytes: &'a [u8], out: &mut Vec<u8>, depth: usize) -> Option<&'a [u8]> {
    let element = header(bytes)?;
    if element.first & !CONSTRUCTED != OCTET_STRING {
        return None;
    }
    if element.first & CONSTRUCTED != 0 {
        return children(&element, out, depth.checked_sub(1)?, true);
    }
    let (contents, rest) = element.rest.split_at_checked(element.length?)?;
    out.extend_from_slice(contents);
    Some(rest)
}

fn write(tag: &[u8], contents: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(tag);
    match u8::try_from(contents.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let octets = contents.len().to_be_bytes();
            let significant = octets.iter().skip_while(|octet| **octet == 0);
            let count = significant.clone().count();
            // A usize has at most eight octets.
            out.push(0x80 | u8::try_from(count).unwrap_or(8));
            out.extend(significant);
        }
    }
    out.extend_from_slice(contents);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn indefinite_lengths_and_pieces_become_der() {
        // SEQUENCE { OCTET STRING { "ab" { "c" } } INTEGER 5 } with every freedom of BER.
        let ber = [0x30, 0x80, 0x24, 0x80, 4, 2, b'a', b'b', 0x24, 3, 4, 1, b'c', 0, 0, 2, 0x81, 1, 5, 0, 0];
        assert_eq!(to_der(&ber).unwrap(), [0x30, 8, 4, 3, b'a', b'b', b'c', 2, 1, 5]);
    }

    #[test]
    fn depth_is_bounded() {
        assert!(to_der(&[0x30, 0x80].repeat(100_000)).is_err());
        assert!(to_der(&[0x24, 0x80].repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn der_stays_as_it_is(contents in prop::collection::vec(any::<u8>(), 0..70_000)) {
            let mut inner = Vec::new();
            write(&[OCTET_STRING], &contents, &mut inner);
            let mut der = Vec::new();
            write(&[0x30], &inner, &mut der);
            prop_assert_eq!(to_der(&der).unwrap(), der);
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = to_der(&bytes);
        }
    }
}
