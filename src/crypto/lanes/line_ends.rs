//! Line ends of a text: counted, and made CR LF while it is copied. A kernel takes what it can, 64 octets at a time; the rest, or
//! all of it where the processor has none, is for the ways octet by octet that this is a short cut of
//! ([`LineCount::of`](crate::mail::LineCount::of), and what the reader of canonical lines does).
//!
//! Measured on a Zen 5 over 75 KiB: counting takes 0.7 µs (1.6 without); copying with CR LF 2.0 µs for every text (7 to 12
//! for lines as people write them, 330 for nothing but line ends).
//!
//! The time depends on the length of the text alone: it is clear, and nothing is looked up by it.

#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

/// How many LFs there are, and how many of them without a CR before them; nothing where there is no kernel.
pub(crate) fn count(text: &[u8]) -> Option<(usize, usize)> {
    #[cfg(target_arch = "x86_64")]
    if let Some(kernel) = x86::Counting::detect() {
        return Some(kernel.count(text));
    }
    let _ = text;
    None
}

/// Appends the begin of a text, each LF with a CR before it, to what has room for it already, until that is nearly `most`
/// octets long. Says how many octets of the text were read, and it may be none. `last` is the octet that was read before.
pub(crate) fn append_crlf(text: &[u8], last: &mut u8, out: &mut Vec<u8>, most: usize) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let Some(kernel) = x86::Copying::detect() {
        let read = kernel.append(text, *last == b'\r', out, most);
        *last = text.get(..read).and_then(<[u8]>::last).copied().unwrap_or(*last);
        return read;
    }
    let _ = (text, last, out, most);
    0
}
