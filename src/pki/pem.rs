//! Textual encodings (RFC 7468), read leniently around the blocks and strictly inside them.
//!
//! Bundles hold keys, certificates and prose in any order; the reader gives every block with its label and leaves
//! it to the caller to say which one was wanted.

use super::PkiError;
use zeroize::Zeroizing;

/// A bundle of the world's authorities has about 250 KiB; nobody's key file comes near.
pub(crate) const MAX_PEM: usize = 4 * 1024 * 1024;

/// More blocks than any bundle has.
const MAX_BLOCKS: usize = 4096;

/// Letters in a label. The longest that anybody writes, `NEW CERTIFICATE REQUEST`, has 23.
const MAX_LABEL: usize = 64;

/// Letters in a line of base64 (RFC 7468 2).
const LINE: usize = 64;

/// The byte order mark that Windows puts in front of a text in UTF-8.
const UTF_8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// One block between BEGIN and END.
pub(crate) struct Block<'a> {
    /// The label, such as `CERTIFICATE`.
    pub(crate) label: &'a str,
    /// RFC 1421 headers stand in it (`Proc-Type: 4,ENCRYPTED`): OpenSSL's old encryption.
    pub(crate) encrypted: bool,
    /// The decoded octets; wiped, because they may be a key.
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// Is there a PEM boundary in it?
pub(crate) fn looks_like_pem(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').any(|line| label_of(line, b"-----BEGIN ").is_some())
}

/// Every block of a text. CRLF and LF, text around the blocks, and headers inside are allowed.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Block<'_>>, PkiError> {
    read_up_to(bytes, MAX_PEM)
}

/// The same for a text of so many octets: revocation lists are larger than anybody's keys.
pub(crate) fn read_up_to(bytes: &[u8], limit: usize) -> Result<Vec<Block<'_>>, PkiError> {
    if bytes.len() > limit {
        return Err(PkiError::TooLarge { what: "PEM", size: bytes.len(), limit });
    }
    let mut blocks = Vec::new();
    let mut lines = bytes.split(|byte| *byte == b'\n');
    while let Some(line) = lines.next() {
        let Some(label) = label_of(line, b"-----BEGIN ") else { continue };
        if blocks.len() == MAX_BLOCKS {
            return Err(PkiError::TooMany { what: "PEM blocks", count: MAX_BLOCKS + 1 });
        }
        blocks.push(read_block(label, &mut lines)?);
    }
    Ok(blocks)
}

/// The text cut in front of every BEGIN, so that each piece can be read by itself; what is in front of the first is left out.
pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut begins = Vec::new();
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if label_of(line, b"-----BEGIN ").is_some() {
            begins.push(at);
        }
        at += line.len();
    }
    let ends: Vec<usize> = begins.iter().skip(1).copied().chain([bytes.len()]).collect();
    begins.into_iter().zip(ends).filter_map(|(begin, end)| bytes.get(begin..end))
}

fn read_block<'a>(label: &'a str, lines: &mut impl Iterator<Item = &'a [u8]>) -> Result<Block<'a>, PkiError> {
    let mut body: Vec<&[u8]> = Vec::new();
    let mut encrypted = false;
    for line in lines {
        if let Some(end) = label_of(line, b"-----END ") {
            if end != label {
                return Err(PkiError::malformed(
                    "the PEM block",
                    format!("BEGIN {label} ends with END {end}"),
                ));
            }
            let der = if encrypted { Zeroizing::default() } else { decode(label, &body)? };
            return Ok(Block { label, encrypted, der });
        }
        if label_of(line, b"-----BEGIN ").is_some() {
            break;
        }
        if line.contains(&b':') {
            encrypted |= line.trim_ascii() == b"Proc-Type: 4,ENCRYPTED";
        } else {
            body.push(line);
        }
    }
    Err(PkiError::malformed("the PEM block", format!("BEGIN {label} has no END: the file is truncated")))
}

fn label_of<'a>(line: &'a [u8], begin: &[u8]) -> Option<&'a str> {
    let line = line.strip_prefix(UTF_8_MARK).unwrap_or(line);
    let label = line.trim_ascii().strip_prefix(begin)?.strip_suffix(b"-----")?;
    // What a terminal would obey is in no label (RFC 7468 3), and so in no error that names one.
    let is_label = label.len() <= MAX_LABEL && label.iter().all(|octet| matches!(octet, b' '..=b'~'));
    std::str::from_utf8(label).ok().filter(|_| is_label)
}

fn decode(label: &str, body: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, PkiError> {
    let broken =
        |why: &dyn std::fmt::Display| PkiError::malformed("the PEM block", format!("{label}: {why}"));
    let text = canonical(label, body);
    let (_, der) = pem_rfc7468::decode_vec(&text).map_err(|error| broken(&error))?;
    if der.is_empty() {
        return Err(broken(&"it is empty"));
    }
    Ok(Zeroizing::new(der))
}

/// The block again with lines of 64 letters: the strict reader wants every line to be of one length. The buffer is
/// made large enough at once: one that grows would leave parts of a key behind.
fn canonical(label: &str, body: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let letters: usize = body.iter().map(|line| line.len()).sum();
    let marks = 2 * (label.len() + 32);
    let mut text = Zeroizing::new(Vec::with_capacity(letters + letters / LINE + marks));
    text.extend_from_slice(format!("-----BEGIN {label}-----").as_bytes());
    let letters = body.iter().copied().flatten().filter(|byte| !byte.is_ascii_whitespace());
    for (position, letter) in letters.enumerate() {
        if position.is_multiple_of(LINE) {
            text.push(b'\n');
        }
        text.push(*letter);
    }
    text.extend_from_slice(format!("\n-----END {label}-----\n").as_bytes());
    text
}

/// One block in lines of 64 letters, ending in LF.
pub(crate) fn write(label: &'static str, der: &[u8]) -> Result<String, PkiError> {
    pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, der)
        .map_err(|error| PkiError::malformed("the PEM block", error))
}
