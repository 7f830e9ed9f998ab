//! Is a large body one encrypted message of OpenPGP? As `cms/openpgp.rs` tells it of one that is held.

use super::super::openpgp::{AEAD, PKESK, SED, SEIPD, SKESK, armored_text, is_data};
use super::LargeError;
use super::entity::{Entity, trimmed};
use super::octets::Octets;
use super::parts::TwoParts;
use crate::mail::{Message, Span, TransferEncoding};

const LABEL: &str = "PGP MESSAGE";
/// The line BEGIN and the armor headers are no longer.
const START: usize = 16 * 1024;
/// Nor is what stands around the parts of PGP/MIME, or the first of them.
const AROUND: u64 = 64 * 1024;

/// RFC 3156 4: `Version: 1` and the message; `around` says what may stand there besides.
pub(super) fn is_pgp_mime(
    parts: &TwoParts<'_>,
    around: fn(preamble: &[u8], epilogue: &[u8]) -> bool,
) -> Result<bool, LargeError> {
    let small = [parts.preamble, parts.epilogue, parts.first];
    if small.iter().any(|span| span.len() > AROUND) {
        return Err(LargeError::Undecided);
    }
    let control = parts.first.all()?;
    if !around(&parts.preamble.all()?, &parts.epilogue.all()?)
        || Message::new(&control).body().trim_ascii() != b"Version: 1"
    {
        return Ok(false);
    }
    let data = Entity::read(parts.second)?;
    is_armored_message(data.body, data.encoding())
}

/// One armored message: session keys, then encrypted data, then nothing.
pub(super) fn is_armored_message(body: Span<'_>, encoding: TransferEncoding) -> Result<bool, LargeError> {
    if encoding != TransferEncoding::Identity {
        return Err(LargeError::Undecided);
    }
    let Some(text) = armored(body)? else { return Ok(false) };
    match is_encrypted_message(&mut Octets::new(text, TransferEncoding::Base64, "no base64")?) {
        // What base64 does not know.
        Err(LargeError::Cms(_)) => Ok(false),
        decided => decided,
    }
}

/// The base64 between the armor headers and the checksum.
fn armored(body: Span<'_>) -> Result<Option<Span<'_>>, LargeError> {
    let block = trimmed(body)?;
    let end = format!("-----END {LABEL}-----");
    let mut start = block.start(START)?;
    let is_cut = start.len() as u64 != block.len();
    if is_cut {
        if !block.end(end.len())?.ends_with(end.as_bytes()) {
            return Ok(None);
        }
        start.extend_from_slice(b"\n");
        start.extend_from_slice(end.as_bytes());
    }
    let Some(text) = armored_text(&start, LABEL) else { return Ok(None) };
    let before = (text.as_ptr().addr() - start.as_ptr().addr()) as u64;
    let length = block.len().saturating_sub(before + end.len() as u64);
    without_checksum(trimmed(block.behind(before).first(length))?).map(Some)
}

/// The last line is a checksum if it begins with `=`.
fn without_checksum(text: Span<'_>) -> Result<Span<'_>, LargeError> {
    let last = text.end(6)?;
    match last.as_slice() {
        [b'\n', b'=', ..] => Ok(text.first(text.len() - 5)),
        [b'=', _, _, _, _] => Ok(text.first(0)),
        _ => Ok(text),
    }
}

/// RFC 9580 10.3: one or more encrypted session keys, then one packet of encrypted data.
fn is_encrypted_message(octets: &mut Octets<'_>) -> Result<bool, LargeError> {
    let mut keys = 0_usize;
    while let Some((tag, version)) = packet(octets)? {
        match (tag, version) {
            (PKESK, Some(2 | 3 | 6)) | (SKESK, Some(4..=6)) => keys += 1,
            (SEIPD, Some(1 | 2)) | (AEAD, Some(1)) | (SED, Some(_)) => {
                return Ok(keys > 0 && octets.peek(1)?.is_empty());
            }
            _ => return Ok(false),
        }
    }
    Ok(false)
}

/// The next packet (RFC 9580 4.2): its tag, and the first octet of its content.
fn packet(octets: &mut Octets<'_>) -> Result<Option<(u8, Option<u8>)>, LargeError> {
    match octet(octets)? {
        Some(first @ 0xc0..) => {
            let tag = first & 0x3f;
            Ok(new_content(octets, tag)?.map(|version| (tag, version)))
        }
        Some(first @ 0x80..) => {
            let tag = (first >> 2) & 0x0f;
            Ok(legacy_content(octets, tag, first & 3)?.map(|version| (tag, version)))
        }
        _ => Ok(None),
    }
}

/// RFC 9580 4.2.1, partial lengths included.
fn new_content(octets: &mut Octets<'_>, tag: u8) -> Result<Option<Option<u8>>, LargeError> {
    let mut version = None;
    loop {
        let Some(first) = octet(octets)? else { return Ok(None) };
        let (length, partial) = match first {
            0..=191 => (Some(u64::from(first)), false),
            192..=223 => {
                let second = octet(octets)?.map(u64::from);
                (second.map(|second| ((u64::from(first) - 192) << 8) + second + 192), false)
            }
            224..=254 => (Some(1 << (first & 0x1f)), true),
            255 => (big_endian(octets, 4)?, false),
        };
        let Some(length) = length else { return Ok(None) };
        version = version.or(octets.peek(1)?.first().copied().filter(|_| length > 0));
        if !skip(octets, length)? || partial && !is_data(tag) {
            return Ok(None);
        }
        if !partial {
            return Ok(Some(version));
        }
    }
}

/// RFC 9580 4.2.2.
fn legacy_content(
    octets: &mut Octets<'_>,
    tag: u8,
    length_type: u8,
) -> Result<Option<Option<u8>>, LargeError> {
    let is_open = length_type == 3;
    let length = if is_open { Some(u64::MAX) } else { big_endian(octets, 1 << length_type)? };
    let Some(length) = length else { return Ok(None) };
    let version = octets.peek(1)?.first().copied().filter(|_| length > 0);
    let all = skip(octets, length)?;
    Ok((if is_open { is_data(tag) } else { all }).then_some(version))
}

/// Were there so many?
fn skip(octets: &mut Octets<'_>, mut length: u64) -> Result<bool, LargeError> {
    while length > 0 {
        match octets.take(length)?.len() {
            0 => return Ok(false),
            taken => length -= taken as u64,
        }
    }
    Ok(true)
}

fn octet(octets: &mut Octets<'_>) -> Result<Option<u8>, LargeError> {
    Ok(octets.take(1)?.first().copied())
}

fn big_endian(octets: &mut Octets<'_>, count: usize) -> Result<Option<u64>, LargeError> {
    let mut sum = 0;
    for _ in 0..count {
        let Some(octet) = octet(octets)? else { return Ok(None) };
        sum = (sum << 8) | u64::from(octet);
    }
    Ok(Some(sum))
}

#[cfg(test)]
mod tests {
    use super::super::super::openpgp;
    use super::super::super::openpgp::tests::{armored, encrypted};
    use super::*;
    use proptest::prelude::*;

    fn assert_known(body: &[u8]) {
        let large = is_armored_message(Span::of(&body), TransferEncoding::Identity).unwrap();
        assert_eq!(
            large,
            openpgp::is_armored_message(body),
            "{}",
            body.get(..400).unwrap_or(body).escape_ascii()
        );
    }

    /// A session key, and so much data in one piece.
    fn long(data: usize) -> Vec<u8> {
        let length = u32::try_from(data + 1).unwrap().to_be_bytes();
        [&[0xc1, 12, 3][..], &[7; 11], &[0xd2, 255], &length, &[1], &vec![9; data]].concat()
    }

    #[test]
    fn armored_messages_are_known_whatever_their_size() {
        for packets in [encrypted(), long(10), long(20_000), long(200_000), long(200_000)[14..].to_vec()] {
            let whole = armored("MESSAGE", &packets);
            for body in [
                whole.clone(),
                whole.replace("=abcd\r\n", ""),
                whole.replace("\r\n", "\n"),
                format!("\n {whole}\n\n"),
                format!("hello\n{whole}"),
                format!("{whole}hello"),
                whole.replace("Version: X 1", "no header"),
                whole.replace("=abcd", "clear text!"),
                whole.replace("MESSAGE", "SIGNATURE"),
                whole.replacen("-----END", "----END", 1),
            ] {
                assert_known(body.as_bytes());
            }
        }
    }

    proptest! {
        #[test]
        fn packets_are_read_as_in_what_is_held(packets in prop::collection::vec(any::<u8>(), 0..40), at: prop::sample::Index, octet: u8) {
            assert_known(armored("MESSAGE", &packets).as_bytes());
            let mut damaged = encrypted();
            let at = at.index(damaged.len());
            damaged[at] = octet;
            assert_known(armored("MESSAGE", &damaged).as_bytes());
            assert_known(armored("MESSAGE", &damaged[..at]).as_bytes());
        }
    }
}
