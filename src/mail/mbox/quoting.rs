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

/// Does the begin of a line tell whether it is such a line?
pub(super) fn has_shown(begin: &[u8]) -> bool {
    let marks = begin.iter().take_while(|byte| **byte == b'>').count();
    begin.len() >= marks + FROM.len()
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
}
