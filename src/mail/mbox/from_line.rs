//! The line before each message.

use super::date;
use time::OffsetDateTime;

/// No `From ` line is longer, its end not counted: an address has 320 octets at most, a date 50.
pub(super) const LONGEST: usize = 1024;
/// A date has no more words.
const WORDS: usize = 9;

/// `From sender date`, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FromLine {
    /// When the message came into its mailbox: UTC unless the line names a zone. Absent if the calendar has no such day.
    pub date: Option<OffsetDateTime>,
}

impl FromLine {
    /// Reads a line without its end. Something stands between `From` and the date, the date is whole, and nothing but
    /// `remote from HOST` (UUCP) follows it.
    pub fn parse(line: &[u8]) -> Option<FromLine> {
        let line = line.strip_prefix(b"From ").filter(|line| line.len() <= LONGEST)?;
        let line = String::from_utf8_lossy(line);
        let mut words: Vec<&str> = line.split_ascii_whitespace().collect();
        if let [.., "remote", "from", _] = words.as_slice() {
            words.truncate(words.len() - 3);
        }
        let first = words.len().saturating_sub(WORDS).max(1);
        let tails = (first..words.len()).filter_map(|at| words.get(at..));
        tails.filter_map(date::read).map(|date| FromLine { date }).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(line: &str) -> Option<Option<i64>> {
        Some(FromLine::parse(line.as_bytes())?.date.map(OffsetDateTime::unix_timestamp))
    }

    #[test]
    fn any_sender_and_then_a_date() {
        for line in [
            "From anna@north.example Thu Nov 26 03:41:02 2026",
            "From - Thu Nov 26 03:41:02 2026",
            "From anna at north.example  Thu Nov 26 03:41:02 2026",
            "From \"a b\"@north.example Thu, 26 Nov 2026 03:41:02 +0000",
            "From jürgen@north.example Thu Nov 26 03:41:02 2026  ",
            "From anna Thu Nov 26 03:41:02 2026 remote from mx",
            "From Thu Thu Nov 26 03:41:02 2026",
        ] {
            assert_eq!(unix(line), Some(Some(1_795_664_462)), "{line}");
        }
        let latin_1 = FromLine::parse(b"From j\xfc Thu Nov 26 03:41:02 2026");
        assert!(latin_1.is_some_and(|line| line.date.is_some()));
    }

    #[test]
    fn a_line_of_a_letter_is_none() {
        for line in [
            "From here we went on",
            "From Thu Nov 26 03:41:02 2026",
            "From anna@north.example",
            "From anna@north.example 2026-11-26 03:41",
            "From anna on Thu Nov 26 03:41:02 2026 we heard",
            "From: anna Thu Nov 26 03:41:02 2026",
            " From anna Thu Nov 26 03:41:02 2026",
            "from anna Thu Nov 26 03:41:02 2026",
        ] {
            assert_eq!(unix(line), None, "{line}");
        }
        let long = format!("From {} Thu Nov 26 03:41:02 2026", "a".repeat(LONGEST));
        assert_eq!(unix(&long), None);
    }
}
