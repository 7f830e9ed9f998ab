//! Text around base64: a line that begins it and a line that ends it (RFC 7468 2, RFC 9580 6.2).

/// What stands behind the line BEGIN up to the mark END, if one such block is all there is, white space around it aside.
pub(super) fn sole_block<'a>(octets: &'a [u8], label: &str) -> Option<&'a [u8]> {
    let block = octets.trim_ascii();
    let block = block.strip_prefix(begin(label).as_bytes())?;
    let block = block.strip_suffix(format!("-----END {label}-----").as_bytes())?;
    let (rest_of_begin, text) = next_line(block)?;
    rest_of_begin.trim_ascii().is_empty().then_some(text)
}

/// Does a block with that label begin here, white space before it aside? It need not end.
pub(super) fn begins(octets: &[u8], label: &str) -> bool {
    octets.trim_ascii_start().starts_with(begin(label).as_bytes())
}

fn begin(label: &str) -> String {
    format!("-----BEGIN {label}-----")
}

/// The first line with its end, and what follows it.
pub(super) fn next_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', bytes)?;
    bytes.split_at_checked(end + 1)
}
