//! `>From `.

use super::Variant;
use memchr::memchr;
use zeroize::Zeroizing;

const FROM: &[u8] = b"From ";

/// How many `>` stand before `From ` at the begin of a line, if it is such a line.
pub(super) fn marks(line: &[u8]) -> Option<usize> {
    let marks = line.iter().take_while(|byte| **byte == b'>').count();
    line.get(marks..).is_some_and(|rest| rest.starts_with(FROM)).then_some(marks)
}

/// What the begin of a line tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// Whether a mark comes off.
    Shown,
    /// Nothing yet, but that so many marks stay, whatever follows; what is behind them reads as a line of its own.
    Marks(usize),
}

/// Reads the begin of a line.
pub(super) fn begin(line: &[u8], variant: Variant) -> Begin {
    let marks = match variant {
        Variant::Cl2 => return Begin::Shown,
        Variant::O | Variant::Cl => usize::from(line.starts_with(b">")),
        Variant::Rd => line.iter().take_while(|byte| **byte == b'>').count(),
    };
    let behind = line.get(marks..).unwrap_or_default();
    let is_quoted_if_more_comes = marks > 0 && behind.len() < FROM.len() && FROM.starts_with(behind);
    // One of the marks comes off, and they are alike.
    if is_quoted_if_more_comes || line.is_empty() {
        Begin::Marks(marks.saturating_sub(1))
    } else {
        Begin::Shown
    }
}

/// The message without what its variant put before lines.
pub(super) fn unquoted(quoted: &[u8], variant: Variant) -> Zeroizing<Vec<u8>> {
    let is_quoted = |line: &[u8]| match variant {
        Variant::O | Variant::Cl => line.starts_with(b">From "),
        Variant::Rd => line.first() == Some(&b'>') && marks(line).is_some(),
        Variant::Cl2 => false,
    };
    let mut out = Zeroizing::new(Vec::with_capacity(quoted.len()));
    let mut rest = quoted;
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, b""));
        out.extend_from_slice(if is_quoted(line) { line.get(1..).unwrap_or_default() } else { line });
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variant_takes_off_what_it_put_there() {
        let quoted = b"a\n>From b\n>>From c\n> From\nx>From \n>From";
        assert_eq!(*unquoted(quoted, Variant::Rd), b"a\nFrom b\n>From c\n> From\nx>From \n>From");
        for variant in [Variant::O, Variant::Cl] {
            assert_eq!(*unquoted(quoted, variant), b"a\nFrom b\n>>From c\n> From\nx>From \n>From");
        }
        assert_eq!(*unquoted(quoted, Variant::Cl2), quoted);
    }

    #[test]
    fn marks_are_counted_at_the_begin_only() {
        assert_eq!(marks(b"From x"), Some(0));
        assert_eq!(marks(b">>From x"), Some(2));
        assert_eq!(marks(b"> >From x"), None);
        assert_eq!(marks(b">"), None);
    }

    /// Giving the marks that stay, and reading on behind them, changes nothing.
    #[test]
    fn a_begin_says_no_more_than_any_line_of_it() {
        for line in
            [&b">>>From x"[..], b">>>Frog", b">From x", b"From x", b">>>", b">", b"> From x", b"x>From "]
        {
            for variant in [Variant::O, Variant::Rd, Variant::Cl, Variant::Cl2] {
                for cut in 0..=line.len() {
                    let (front, rest) = line.split_at(cut);
                    let (given, rest) = match begin(front, variant) {
                        Begin::Shown => (unquoted(front, variant), rest.to_vec()),
                        Begin::Marks(marks) => {
                            let (given, kept) = front.split_at(marks);
                            (given.to_vec().into(), [kept, rest].concat())
                        }
                    };
                    let is_shown = begin(front, variant) == Begin::Shown;
                    let rest = if is_shown { rest } else { unquoted(&rest, variant).to_vec() };
                    let joined = [given.as_slice(), rest.as_slice()].concat();
                    assert!(joined == **unquoted(line, variant), "{} at {cut}", line.escape_ascii());
                }
            }
        }
        assert_eq!(begin(b">>>>", Variant::Rd), Begin::Marks(3));
        assert_eq!(begin(b">>>>", Variant::O), Begin::Shown);
        assert_eq!(begin(b">From", Variant::Cl2), Begin::Shown);
    }
}
