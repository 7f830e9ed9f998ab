//! Line ends: what arrives, and the canonical form that is sealed.

use memchr::{memchr, memchr_iter};
use std::borrow::Cow;

/// How the lines of a message end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eol {
    /// Every LF stands alone.
    Lf,
    /// Every LF has a CR before it.
    Crlf,
    /// Some do, some do not.
    Mixed,
}

/// How many lines end, and how many of them with an LF that stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineCount {
    all: usize,
    bare: usize,
}

impl LineCount {
    /// As somebody else has counted them: `bare` of all of them stand alone.
    pub fn new(all: usize, bare: usize) -> LineCount {
        LineCount { all, bare }
    }

    /// Counts them, in one pass over the bytes.
    pub fn of(bytes: &[u8]) -> LineCount {
        let Some((first, after)) = bytes.split_first() else { return LineCount { all: 0, bare: 0 } };
        let leading = usize::from(*first == b'\n');
        let mut count = LineCount { all: leading, bare: leading };
        for (before, here) in bytes.chunks(RUN).zip(after.chunks(RUN)) {
            count.add_run(before.get(..here.len()).unwrap_or(before), here);
        }
        count
    }

    /// Bytes with the bytes before them, as many: the compiler turns columns into vector code.
    fn add_run(&mut self, before: &[u8], here: &[u8]) {
        let (before, before_rest) = before.as_chunks::<COLUMNS>();
        let (here, here_rest) = here.as_chunks::<COLUMNS>();
        let mut columns: Columns = ([0; COLUMNS], [0; COLUMNS]);
        before.iter().zip(here).for_each(|(before, here)| add_row(&mut columns, before, here));
        add_row(&mut columns, before_rest, here_rest);
        let sum = |column: [u8; COLUMNS]| column.into_iter().map(usize::from).sum::<usize>();
        let (all, bare) = columns;
        self.all += sum(all);
        self.bare += sum(bare);
    }

    /// How they end; no LF at all counts as CRLF (nothing changes on the way).
    pub fn eol(self) -> Eol {
        match self.bare {
            0 => Eol::Crlf,
            bare if bare == self.all => Eol::Lf,
            _ => Eol::Mixed,
        }
    }

    /// LFs without a CR before them: each becomes one byte more in canonical lines.
    pub fn bare(self) -> usize {
        self.bare
    }
}

/// Bytes that are counted side by side.
const COLUMNS: usize = 32;
/// A `u8` for each column can count so many.
const RUN: usize = 254 * COLUMNS;

fn add_row(columns: &mut Columns, before: &[u8], here: &[u8]) {
    let (all, bare) = columns;
    for (((all, bare), before), here) in all.iter_mut().zip(bare).zip(before).zip(here) {
        let ends = u8::from(*here == b'\n');
        *all = all.wrapping_add(ends);
        *bare = bare.wrapping_add(ends & u8::from(*before != b'\r'));
    }
}

/// What each column counted: all line ends, and those without a CR.
type Columns = ([u8; COLUMNS], [u8; COLUMNS]);

/// How the lines of `bytes` end; no LF at all counts as CRLF (nothing changes on the way).
pub fn eol(bytes: &[u8]) -> Eol {
    LineCount::of(bytes).eol()
}

fn follows_cr(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\r')
}

/// Length of [`crlf`] of the bytes, without making it.
pub fn crlf_len(bytes: &[u8]) -> usize {
    bytes.len() + LineCount::of(bytes).bare
}

/// Canonical lines: an LF without a CR before it gets one, a bare CR stays.
pub fn crlf(bytes: &[u8]) -> Cow<'_, [u8]> {
    let len = crlf_len(bytes);
    if len == bytes.len() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(len);
    append_crlf(bytes, &mut out);
    Cow::Owned(out)
}

fn append_crlf(bytes: &[u8], out: &mut Vec<u8>) {
    let mut done = 0;
    for at in memchr_iter(b'\n', bytes).filter(|&at| !follows_cr(bytes, at)) {
        out.extend_from_slice(bytes.get(done..at).unwrap_or_default());
        out.push(b'\r');
        done = at;
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
}

/// Takes the CR before each LF out, in place, and says how many bytes at the start are left of it; those behind have no
/// meaning. The way back from [`crlf`] for a text whose every LF stood alone.
pub(crate) fn lf_in_place(bytes: &mut [u8]) -> usize {
    let (mut read, mut written) = (0, 0);
    loop {
        let rest = bytes.get(read..).unwrap_or_default();
        let line = memchr(b'\n', rest);
        let text = line.and_then(|at| rest.get(..at)).unwrap_or(rest);
        let length = if line.is_some() { text.strip_suffix(b"\r").unwrap_or(text).len() } else { text.len() };
        bytes.copy_within(read..read + length, written);
        written += length;
        let Some(at) = line else { return written };
        if let Some(end) = bytes.get_mut(written) {
            *end = b'\n';
        }
        (read, written) = (read + at + 1, written + 1);
    }
}

/// The message without the MTA's mbox line (`From ` up to the first LF), if it begins with one. A field `From :`
/// in the obsolete form (RFC 5322 4.5) is no mbox line, nor is a text without any LF.
pub fn without_mbox_line(bytes: &[u8]) -> &[u8] {
    let Some(rest) = bytes.strip_prefix(b"From ") else { return bytes };
    if rest.trim_ascii_start().starts_with(b":") {
        return bytes;
    }
    memchr(b'\n', rest).and_then(|at| rest.get(at + 1..)).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, octet by octet.
    fn reference(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut before = None;
        for &byte in bytes {
            if byte == b'\n' && before != Some(b'\r') {
                out.push(b'\r');
            }
            out.push(byte);
            before = Some(byte);
        }
        out
    }

    #[test]
    fn names_the_line_ends() {
        assert_eq!(eol(b""), Eol::Crlf);
        assert_eq!(eol(b"a\rb"), Eol::Crlf);
        assert_eq!(eol(b"a\nb\n"), Eol::Lf);
        assert_eq!(eol(b"\n\r\n"), Eol::Mixed);
        assert_eq!(eol(b"a\r\nb\r\n"), Eol::Crlf);
    }

    #[test]
    fn a_bare_cr_stays() {
        assert_eq!(&*crlf(b"\na\r\rb\n\r\n"), b"\r\na\r\rb\r\n\r\n");
        assert!(matches!(crlf(b"a\r\n\r"), Cow::Borrowed(_)));
    }

    #[test]
    fn takes_the_mbox_line_off() {
        assert_eq!(without_mbox_line(b"From a@b Mon Jan 1 00:00:00\nTo: c\n"), b"To: c\n");
        assert_eq!(without_mbox_line(b"From a\r\n\r\nx"), b"\r\nx");
        assert_eq!(without_mbox_line(b"From: a\n"), b"From: a\n");
        assert_eq!(without_mbox_line(b"From : a\n"), b"From : a\n");
        assert_eq!(without_mbox_line(b"From  \t: a\n"), b"From  \t: a\n");
        assert_eq!(without_mbox_line(b"From here on"), b"From here on");
        assert_eq!(without_mbox_line(b"From "), b"From ");
    }

    /// Longer than what one column counts.
    #[test]
    fn long_texts_are_counted_whole() {
        for length in [RUN - 1, RUN, RUN + 1, RUN + COLUMNS, 2 * RUN + 33] {
            for line in [&b"\n"[..], b"\r\n", b"a\n", b"\n\r\n"] {
                let bytes: Vec<u8> = line.iter().copied().cycle().take(length).collect();
                let all = bytes.iter().filter(|&&byte| byte == b'\n').count();
                let bare = reference(&bytes).len() - bytes.len();
                assert_eq!(LineCount::of(&bytes), LineCount { all, bare }, "{length} of {line:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn crlf_is_its_definition(bytes in prop::collection::vec(prop::sample::select(b"\r\nab".to_vec()), 0..1200)) {
            let canonical = crlf(&bytes).into_owned();
            prop_assert_eq!(&canonical, &reference(&bytes));
            prop_assert_eq!(crlf_len(&bytes), canonical.len());
            prop_assert_eq!(&*crlf(&canonical), &canonical[..], "idempotent");
            prop_assert_eq!(eol(&canonical), Eol::Crlf);
        }

        #[test]
        fn lf_and_crlf_come_back(text in "[a\r\u{e4} \n]{0,200}") {
            let bytes = text.as_bytes();
            let canonical = crlf(bytes);
            let mut restored = canonical.to_vec();
            let length = lf_in_place(&mut restored);
            let expected = String::from_utf8_lossy(&canonical).replace("\r\n", "\n");
            prop_assert_eq!(expected.as_bytes(), &restored[..length]);
            match eol(bytes) {
                Eol::Crlf => prop_assert_eq!(&*canonical, bytes),
                Eol::Lf => prop_assert_eq!(bytes, &restored[..length]),
                Eol::Mixed => prop_assert!(canonical.len() > bytes.len()),
            }
        }
    }
}
