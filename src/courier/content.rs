//! A message on the wire: CR LF and nothing else ends a line (RFC 5321 2.3.8), so that no server sees an end of the mail
//! where the next one sees none; dots are stuffed (4.5.2).

use crate::crypto::SecretBytes;
use memchr::memchr2;

/// What of a message a server must be able to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Measure {
    /// With CR LF, before dots are stuffed: what SIZE counts (RFC 1870 3).
    pub(super) octets: usize,
    /// Octets above 127.
    pub(super) is_8bit: bool,
    /// Octets that no server need take, and some end the mail at.
    pub(super) has_nul: bool,
}

impl Measure {
    pub(super) fn of(message: &[u8]) -> Measure {
        let mut octets = 0;
        lines(message, &mut |line| octets += line.len() + 2);
        Measure { octets, is_8bit: !message.is_ascii(), has_nul: memchr::memchr(0, message).is_some() }
    }
}

/// Takes a piece of what is written.
type Put<'a> = dyn FnMut(&[u8]) + 'a;

/// As it follows DATA, the dot at the end included.
pub fn wire_form(message: &[u8]) -> SecretBytes {
    let stuffed = |line: &[u8], put: &mut Put<'_>| {
        if line.first() == Some(&b'.') {
            put(b".");
        }
        put(line);
        put(b"\r\n");
    };
    written(&mut |put| {
        lines(message, &mut |line| stuffed(line, put));
        put(b".\r\n");
    })
}

/// As programs on this machine read it: with LF.
pub(super) fn local_form(message: &[u8]) -> SecretBytes {
    written(&mut |put| {
        lines(message, &mut |line| {
            put(line);
            put(b"\n");
        });
    })
}

/// Into a buffer of the right size from the start: one that grows leaves copies behind.
fn written(write: &mut dyn FnMut(&mut Put<'_>)) -> SecretBytes {
    let mut length = 0;
    write(&mut |piece| length += piece.len());
    let mut octets = Vec::with_capacity(length);
    write(&mut |piece| octets.extend_from_slice(piece));
    SecretBytes::new(octets)
}

/// Each line without its end, which is CR LF, or a CR or LF that stands alone.
fn lines(message: &[u8], each: &mut Put<'_>) {
    let mut rest = message;
    while !rest.is_empty() {
        let end = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        each(line);
        rest = match after {
            [b'\r', b'\n', more @ ..] | [_, more @ ..] => more,
            [] => after,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wire(message: &str) -> String {
        String::from_utf8(wire_form(message.as_bytes()).expose().to_vec()).unwrap()
    }

    #[test]
    fn every_line_ends_with_cr_lf() {
        assert_eq!(wire("a\r\nb\nc\rd"), "a\r\nb\r\nc\r\nd\r\n.\r\n");
        assert_eq!(wire(""), ".\r\n");
        assert_eq!(wire("a\n\rb"), "a\r\n\r\nb\r\n.\r\n");
        assert_eq!(wire("a\r\r\n"), "a\r\n\r\n.\r\n");
    }

    #[test]
    fn a_dot_in_front_is_doubled_and_no_other() {
        assert_eq!(wire(".\r\n..a\r\nb.\r\n"), "..\r\n...a\r\nb.\r\n.\r\n");
        assert_eq!(wire("a\n.\nQUIT\r.\rQUIT"), "a\r\n..\r\nQUIT\r\n..\r\nQUIT\r\n.\r\n");
    }

    #[test]
    fn what_a_server_must_take_is_measured() {
        let measure = Measure::of(b".a\n\xe9\0");
        assert_eq!(measure, Measure { octets: 8, is_8bit: true, has_nul: true });
        assert_eq!(Measure::of(b"a\r\n"), Measure { octets: 3, ..Measure::default() });
        assert_eq!(local_form(b".a\r\nb\rc").expose(), b".a\nb\nc\n");
    }

    proptest! {
        /// A server that takes only CR LF, and one that takes any line end, find the end in the same place: the last.
        #[test]
        fn nobody_finds_an_end_before_the_end(message in "[.\r\na]{0,40}") {
            let wire = wire(&message);
            prop_assert!(!wire.replace("\r\n", "").contains(['\r', '\n']));
            let whole = format!("\r\n{wire}");
            prop_assert_eq!(whole.find("\r\n.\r\n"), Some(whole.len() - 5));
        }

        /// Stuffing is undone by the rule of RFC 5321 4.5.2.
        #[test]
        fn what_arrives_is_what_was_meant(message in "([.a]{0,3}\r\n){0,9}") {
            let wire = wire(&message);
            let body = wire.strip_suffix(".\r\n").unwrap();
            let read: String = body.split_inclusive("\r\n").map(|line| line.strip_prefix('.').unwrap_or(line)).collect();
            prop_assert_eq!(read, message);
        }
    }
}
