//! OpenPGP (RFC 9580) as far as it takes to say: these octets are one encrypted message, or signatures.

use super::armor::{next_line, sole_block};
use encodify::base64;

pub(super) const PKESK: u8 = 1;
const SIGNATURE: u8 = 2;
pub(super) const SKESK: u8 = 3;
pub(super) const SED: u8 = 9;
pub(super) const SEIPD: u8 = 18;
pub(super) const AEAD: u8 = 20;

/// The armored block that these octets are, white space around it aside, opened (RFC 9580 6.2).
fn unarmor(octets: &[u8], label: &str) -> Option<Vec<u8>> {
    let text = armored_text(octets, label)?;
    base64::MIME.decode(without_checksum(text.trim_ascii())).ok()
}

/// What stands behind the armor headers of the block, up to its end.
pub(super) fn armored_text<'a>(octets: &'a [u8], label: &str) -> Option<&'a [u8]> {
    let mut lines = sole_block(octets, label)?;
    // Armor headers, up to an empty line.
    loop {
        let (line, after) = next_line(lines)?;
        lines = after;
        if line.trim_ascii().is_empty() {
            return Some(lines);
        }
        line.windows(2).any(|pair| pair == b": " || pair == b":\r").then_some(())?;
    }
}

/// The last line is a checksum if it begins with `=` (RFC 9580 6.1: it is not to be relied on).
fn without_checksum(body: &[u8]) -> &[u8] {
    let start = memchr::memrchr(b'\n', body).map_or(0, |line| line + 1);
    match body.split_at_checked(start) {
        Some((before, last)) if last.starts_with(b"=") && last.len() == 5 => before,
        _ => body,
    }
}

/// One armored message: session keys, then encrypted data, then nothing.
pub(super) fn is_armored_message(octets: &[u8]) -> bool {
    unarmor(octets, "PGP MESSAGE").is_some_and(|packets| is_encrypted_message(&packets))
}

/// Armored or binary signature packets and nothing else.
pub(super) fn is_signature(octets: &[u8]) -> bool {
    match unarmor(octets, "PGP SIGNATURE") {
        Some(packets) => are_signatures(&packets),
        None => are_signatures(octets),
    }
}

fn are_signatures(packets: &[u8]) -> bool {
    let mut rest = packets;
    while let Some(found) =
        packet(rest).filter(|found| found.tag == SIGNATURE && matches!(found.version, Some(3..=6)))
    {
        rest = found.rest;
    }
    rest.is_empty() && !packets.is_empty()
}

/// RFC 9580 10.3: one or more encrypted session keys, then one packet of encrypted data.
fn is_encrypted_message(packets: &[u8]) -> bool {
    let mut rest = packets;
    let mut keys = 0_usize;
    while let Some(found) = packet(rest) {
        rest = found.rest;
        match (found.tag, found.version) {
            (PKESK, Some(2 | 3 | 6)) | (SKESK, Some(4..=6)) => keys += 1,
            (SEIPD, Some(1 | 2)) | (AEAD, Some(1)) | (SED, Some(_)) => return keys > 0 && rest.is_empty(),
            _ => return false,
        }
    }
    false
}

struct Packet<'a> {
    tag: u8,
    /// The first octet of the content: the version, in all packets but SED.
    version: Option<u8>,
    rest: &'a [u8],
}

/// The packet at the start (RFC 9580 4.2).
fn packet(bytes: &[u8]) -> Option<Packet<'_>> {
    let (&first, rest) = bytes.split_first()?;
    match first {
        0xc0.. => {
            let tag = first & 0x3f;
            let (version, rest) = new_content(rest, tag)?;
            Some(Packet { tag, version, rest })
        }
        0x80.. => {
            let tag = (first >> 2) & 0x0f;
            let (content, rest) = legacy_content(rest, tag, first & 3)?;
            Some(Packet { tag, version: content.first().copied(), rest })
        }
        _ => None,
    }
}

/// Only packets of data may have a length that is not told at the start.
pub(super) fn is_data(tag: u8) -> bool {
    matches!(tag, SED | SEIPD | AEAD)
}

/// RFC 9580 4.2.1, partial lengths included.
fn new_content(bytes: &[u8], tag: u8) -> Option<(Option<u8>, &[u8])> {
    let mut rest = bytes;
    let mut version = None;
    loop {
        let (&first, after) = rest.split_first()?;
        let (length, after, partial) = match first {
            0..=191 => (usize::from(first), after, false),
            192..=223 => {
                let (&second, after) = after.split_first()?;
                (((usize::from(first) - 192) << 8) + usize::from(second) + 192, after, false)
            }
            224..=254 => (1_usize << (first & 0x1f), after, true),
            255 => {
                let (length, after) = big_endian(after, 4)?;
                (length, after, false)
            }
        };
        let (content, after) = after.split_at_checked(length)?;
        version = version.or(content.first().copied());
        rest = after;
        if !partial {
            return Some((version, rest));
        }
        is_data(tag).then_some(())?;
    }
}

/// RFC 9580 4.2.2.
fn legacy_content(bytes: &[u8], tag: u8, length_type: u8) -> Option<(&[u8], &[u8])> {
    if length_type == 3 {
        return is_data(tag).then_some((bytes, &[]));
    }
    let (length, rest) = big_endian(bytes, 1 << length_type)?;
    rest.split_at_checked(length)
}

fn big_endian(bytes: &[u8], count: usize) -> Option<(usize, &[u8])> {
    let (octets, rest) = bytes.split_at_checked(count)?;
    Some((octets.iter().fold(0, |sum, &octet| (sum << 8) | usize::from(octet)), rest))
}

#[cfg(test)]
pub(in crate::cms) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A session key for a key id, and encrypted data in partial lengths.
    pub(crate) fn encrypted() -> Vec<u8> {
        let key = [&[0xc1, 12, 3][..], &[7; 11]].concat();
        let data = [&[0xd2, 0xe9, 1][..], &[9; 511], &[3, 1, 2, 3]].concat();
        [key, data].concat()
    }

    pub(crate) fn armored(label: &str, packets: &[u8]) -> String {
        let body = base64::MIME.encode(packets);
        format!(
            "-----BEGIN PGP {label}-----\r\nVersion: X 1\r\n\r\n{body}=abcd\r\n-----END PGP {label}-----\r\n"
        )
    }

    #[test]
    fn packets_decide() {
        assert!(is_encrypted_message(&encrypted()));
        assert!(
            is_encrypted_message(&[0x84, 1, 3, 0xc3, 1, 4, 0xa7, 1, 2]),
            "old packets, indeterminate length"
        );
        assert!(!is_encrypted_message(&[&encrypted()[..], &[0xcb, 0]].concat()), "something follows");
        assert!(!is_encrypted_message(&encrypted()[14..]), "no session key");
        assert!(!is_encrypted_message(&encrypted()[..14]), "no data");
        assert!(!is_encrypted_message(&[0xcb, 3, 1, 2, 3]), "literal data");
        assert!(!is_encrypted_message(&[0xc1, 0xe0, 3, 0, 0xd2, 1, 1]), "a partial length in a session key");
        assert!(!is_encrypted_message(b""));
    }

    #[test]
    fn armor_must_be_all_there_is() {
        let whole = armored("MESSAGE", &encrypted());
        assert!(is_armored_message(whole.as_bytes()));
        assert!(is_armored_message(whole.replace("\r\n", "\n").replace("=abcd\n", "").as_bytes()));
        assert!(!is_armored_message(format!("hello\n{whole}").as_bytes()));
        assert!(!is_armored_message(format!("{whole}hello").as_bytes()));
        assert!(!is_armored_message(whole.replace("Version: X 1", "no header").as_bytes()));
        assert!(!is_armored_message(whole.replace("=abcd", "clear text!").as_bytes()));
        assert!(!is_armored_message(whole.replace("MESSAGE", "SIGNATURE").as_bytes()));
    }

    #[test]
    fn signatures() {
        let packet = [0xc2, 4, 4, 0, 1, 8];
        assert!(is_signature(&packet));
        assert!(is_signature(armored("SIGNATURE", &packet).as_bytes()));
        assert!(!is_signature(b""));
        assert!(!is_signature(armored("SIGNATURE", b"").as_bytes()));
        assert!(!is_signature(b"-----BEGIN PGP SIGNATURE-----\n\nlies\n-----END PGP SIGNATURE-----"));
    }

    #[test]
    fn every_cut_is_refused() {
        let whole = encrypted();
        assert!((0..whole.len()).all(|len| !is_encrypted_message(&whole[..len])));
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>) {
            let _ = is_encrypted_message(&bytes);
            let _ = is_signature(&bytes);
            let _ = is_armored_message(armored("MESSAGE", &bytes).as_bytes());
        }
    }
}
