//! Pictures: text with `*` for any characters, compared without case.

use icu_casemap::CaseMapper;
use memchr::memmem::Finder;

/// Text under Unicode simple case folding (CaseFolding.txt, statuses C and S).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Folded(String);

impl Folded {
    pub(super) fn new(text: &str) -> Folded {
        if text.is_ascii() {
            return Folded(text.to_ascii_lowercase());
        }
        let mapper = CaseMapper::new();
        Folded(text.chars().map(|c| mapper.simple_fold(c)).collect())
    }
}

/// Why a text is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a backslash stands before `*`, `,`, `#` or `\\` only")]
pub(super) struct PictureError;

/// A compiled picture: the folded text between the stars.
#[derive(Debug, Clone)]
pub(super) enum Picture {
    /// Without a star.
    Whole(String),
    /// With one at least.
    Pieces {
        /// In front of the first star.
        first: String,
        /// Between two stars each, in their order; none is empty.
        middle: Vec<Finder<'static>>,
        /// Behind the last star.
        last: String,
    },
}

impl Picture {
    /// Compiles `text`; `\*`, `\,` and `\\` stand for themselves, and `\#` does, because `#` begins the name of a dataset
    /// where a list is allowed.
    pub(super) fn compile(text: &str) -> Result<Picture, PictureError> {
        let mut pieces = vec![String::new()];
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let literal = match character {
                '*' => {
                    pieces.push(String::new());
                    continue;
                }
                '\\' => characters.next().filter(|next| "*,#\\".contains(*next)).ok_or(PictureError)?,
                other => other,
            };
            if let Some(piece) = pieces.last_mut() {
                piece.push(literal);
            }
        }
        Ok(Picture::of(pieces.iter().map(|piece| Folded::new(piece).0).collect()))
    }

    fn of(mut pieces: Vec<String>) -> Picture {
        let last = pieces.pop().unwrap_or_default();
        if pieces.is_empty() {
            return Picture::Whole(last);
        }
        let mut pieces = pieces.into_iter();
        let first = pieces.next().unwrap_or_default();
        let middle = pieces.filter(|piece| !piece.is_empty());
        let middle = middle.map(|piece| Finder::new(piece.as_bytes()).into_owned()).collect();
        Picture::Pieces { first, middle, last }
    }

    /// Does it match the whole value? The leftmost place of each piece is as good as any later one, so nothing is
    /// tried twice: time is linear in the value and the picture.
    pub(super) fn matches(&self, value: &Folded) -> bool {
        match self {
            Picture::Whole(text) => *text == value.0,
            Picture::Pieces { first, middle, last } => {
                let rest = value.0.as_bytes().strip_prefix(first.as_bytes());
                let rest = rest.and_then(|rest| rest.strip_suffix(last.as_bytes()));
                rest.is_some_and(|rest| in_order(middle, rest))
            }
        }
    }
}

fn in_order(pieces: &[Finder<'static>], mut rest: &[u8]) -> bool {
    for piece in pieces {
        let after = piece.find(rest).and_then(|at| rest.get(at + piece.needle().len()..));
        let Some(after) = after else { return false };
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    fn matches(picture: &str, value: &str) -> bool {
        Picture::compile(picture).unwrap().matches(&Folded::new(value))
    }

    #[test]
    fn a_picture_matches_the_whole_value() {
        assert!(matches("bob@north.example", "Bob@NORTH.example"));
        assert!(!matches("north", "north.example"));
        assert!(matches("*", ""));
        assert!(matches("", ""));
        assert!(!matches("", "x"));
        assert!(matches("*@north.example", "a@north.example"));
        assert!(!matches("*@north.example", "a@north.example.net"));
        assert!(matches("a*b*c", "a-c-b-c"));
        assert!(!matches("aba*ba", "aba"));
        assert!(matches("**x**", "x"));
    }

    #[test]
    fn backslash_makes_literals() {
        assert!(matches(r"5\*", "5*"));
        assert!(!matches(r"5\*", "55"));
        assert!(matches(r"a\,b\\c", r"a,b\c"));
        assert!(Picture::compile(r"a\b").is_err());
        assert!(Picture::compile(r"a\").is_err());
    }

    #[test]
    fn folding_is_simple_and_unicode() {
        assert!(matches("*GEHÄLTER*", "Die gehälter im Mai"));
        assert!(matches("ΣΊΣΥΦΟΣ", "σίσυφος"), "final sigma");
        assert!(matches("STRAẞE", "straße"), "U+1E9E folds to one letter");
        assert!(!matches("STRASSE", "straße"), "full folding would make two letters of one");
        assert!(matches("K", "\u{212A}"), "the Kelvin sign");
    }

    #[test]
    fn a_picture_full_of_stars_takes_linear_time() {
        let picture = Picture::compile(&"*a".repeat(2_000)).unwrap();
        let value = Folded::new(&"a".repeat(1_000_000).replace("aaaa", "aaab"));
        let begun = Instant::now();
        assert!(!picture.matches(&value));
        let hard = Picture::compile(&format!("*{}b*", "a".repeat(5_000))).unwrap();
        assert!(!hard.matches(&Folded::new(&"a".repeat(1_000_000))));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }

    /// Matches by trying everything.
    fn naive(picture: &[char], value: &[char]) -> bool {
        match picture.split_first() {
            None => value.is_empty(),
            Some(('*', rest)) => (0..=value.len()).any(|skip| naive(rest, &value[skip..])),
            Some((first, rest)) => value.first() == Some(first) && naive(rest, &value[1..]),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_matcher(picture in "[abä*]{0,8}", value in "[abä]{0,10}") {
            let folded = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&picture, &value), naive(&folded(&picture), &folded(&value)));
        }

        #[test]
        fn an_escaped_text_matches_itself(value in "\\PC{0,20}") {
            let escaped = value.replace('\\', r"\\").replace('*', r"\*").replace(',', r"\,");
            prop_assert!(matches(&escaped, &value));
        }
    }
}
