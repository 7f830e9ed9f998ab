//! Pictures: text with `*` for any characters, compared without case.

use super::folded::{Folded, Head, Pairs, Tail, folded};
use memchr::memmem::Finder;

/// Why a text is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a backslash stands before `*`, `,`, `#` or `\\` only")]
pub struct PictureError;

/// A compiled picture. What tells nearly every value that it does not match stands in front of the texts, which lie
/// elsewhere: so rules of many pictures are gone through in little memory.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    /// Of all its pieces.
    pairs: Pairs,
    /// Octets of all its pieces.
    least: usize,
    pieces: Box<Pieces>,
}

/// The folded text between the stars.
#[derive(Debug, Clone)]
enum Pieces {
    /// Without a star: both ends are all of it.
    Whole(Head, Tail),
    /// With one at least.
    Starred {
        /// In front of the first star.
        first: Head,
        /// Behind the last star.
        last: Tail,
        /// Between two stars each, in their order; none is empty.
        middle: Vec<Finder<'static>>,
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
        Ok(Picture::of(pieces.iter().map(|piece| folded(piece)).collect()))
    }

    fn of(pieces: Vec<String>) -> Picture {
        let pairs = pieces.iter().map(|piece| Pairs::of(piece.as_bytes())).fold(Pairs::default(), Pairs::and);
        let least = pieces.iter().map(String::len).sum();
        Picture { pairs, least, pieces: Box::new(Pieces::of(pieces)) }
    }

    /// What stands in front of its first colon, if no star does: a field's name, for values that are lines of a header.
    pub(super) fn field_name(&self) -> Option<&str> {
        let (Pieces::Whole(first, _) | Pieces::Starred { first, .. }) = &*self.pieces;
        first.as_str().split_once(':').map(|(name, _)| name).filter(|name| name.is_ascii())
    }

    /// Does it match the whole value? The leftmost place of each piece is as good as any later one, so nothing is
    /// tried twice: time is linear in the value and the picture.
    #[inline]
    pub(super) fn matches(&self, value: &Folded) -> bool {
        value.may_hold(self.pairs) && value.len() >= self.least && self.pieces.match_it(value, self.least)
    }
}

impl Pieces {
    fn of(mut pieces: Vec<String>) -> Pieces {
        let last = pieces.pop().unwrap_or_default();
        if pieces.is_empty() {
            return Pieces::Whole(Head::new(&last), Tail::new(&last));
        }
        let mut pieces = pieces.into_iter();
        let first = pieces.next().unwrap_or_default();
        let middle = pieces.filter(|piece| !piece.is_empty());
        let middle = middle.map(|piece| Finder::new(piece.as_bytes()).into_owned()).collect();
        Pieces::Starred { first: Head::new(&first), last: Tail::new(&last), middle }
    }

    /// Of a value that has at least so many octets as they have.
    fn match_it(&self, value: &Folded, octets: usize) -> bool {
        match self {
            Pieces::Whole(first, last) => {
                value.len() == octets && value.ends_with(last) && value.starts_with(first)
            }
            Pieces::Starred { first, last, middle } => {
                value.ends_with(last)
                    && value.starts_with(first)
                    && in_order(middle, between(value, first, last))
            }
        }
    }
}

/// What is left of the value without both ends, which it has.
fn between<'v>(value: &'v Folded, first: &Head, last: &Tail) -> &'v [u8] {
    let end = value.len().saturating_sub(last.as_str().len());
    value.as_bytes().get(first.as_str().len()..end).unwrap_or_default()
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
    use crate::system::worked_since;
    use proptest::prelude::*;
    use std::time::Duration;

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

    /// The fastest of several runs: what else the machine does makes a run slower and never faster.
    fn least_time(picture: &Picture, value: &Folded) -> Duration {
        let run = || {
            let begun = worked_since(Duration::ZERO);
            assert!(!picture.matches(value), "it only almost matches");
            worked_since(begun)
        };
        (0..5).map(|_| run()).min().unwrap_or_default()
    }

    /// Eight times the value and the picture may take eight times the time, and would take sixty-four times if anything
    /// were tried twice.
    #[test]
    fn what_almost_matches_takes_linear_time() {
        let stars = |size: usize| ("*ab".repeat(size / 10) + "c*", "ab".repeat(size / 2));
        let long_piece = |size: usize| (format!("*{}b*", "a".repeat(size / 2)), "a".repeat(size));
        let late = |size: usize| (format!("*{}*b", "a*".repeat(size / 4)), "a".repeat(size) + "c");
        let periodic = |size: usize| (format!("*{}c*", "ab".repeat(size / 8)), "ab".repeat(size / 2) + "b");
        for (name, make) in [
            ("stars", &stars as &dyn Fn(usize) -> (String, String)),
            ("one long piece", &long_piece),
            ("the end is missing", &late),
            ("periodic", &periodic),
        ] {
            let time = |size: usize| {
                let (picture, value) = make(size);
                least_time(&Picture::compile(&picture).unwrap(), &Folded::new(&value))
            };
            let (small, large) = (time(50_000), time(400_000));
            let allowed = small.max(Duration::from_micros(50)) * 24;
            assert!(large < allowed, "{name}: {small:?}, and eight times as much takes {large:?}");
        }
    }

    /// A part of a picture, as it is written and what it means: one folded character, or any.
    #[derive(Debug, Clone, Copy)]
    struct Written(&'static str, Option<char>);

    /// The folds are written down here and not asked of the library that is tested.
    const ALPHABET: [Written; 18] = [
        Written("*", None),
        Written("*", None),
        Written("*", None),
        Written("a", Some('a')),
        Written("A", Some('a')),
        Written("b", Some('b')),
        Written("ä", Some('ä')),
        Written("Ä", Some('ä')),
        Written("s", Some('s')),
        Written("\u{17f}", Some('s')),
        Written("k", Some('k')),
        Written("\u{212a}", Some('k')),
        Written("\u{1e9e}", Some('ß')),
        Written("ς", Some('σ')),
        Written(r"\*", Some('*')),
        Written(r"\\", Some('\\')),
        Written(r"\,", Some(',')),
        Written(r"\#", Some('#')),
    ];

    /// Characters of values and what they fold to.
    const VALUES: [(char, char); 16] = [
        ('a', 'a'),
        ('A', 'a'),
        ('b', 'b'),
        ('B', 'b'),
        ('ä', 'ä'),
        ('Ä', 'ä'),
        ('S', 's'),
        ('\u{17f}', 's'),
        ('K', 'k'),
        ('ß', 'ß'),
        ('\u{1e9e}', 'ß'),
        ('Σ', 'σ'),
        ('*', '*'),
        ('\\', '\\'),
        (',', ','),
        ('#', '#'),
    ];

    /// Matches by trying everything.
    fn naive(picture: &[Written], value: &[(char, char)]) -> bool {
        match picture.split_first() {
            None => value.is_empty(),
            Some((Written(_, None), rest)) => (0..=value.len()).any(|skip| naive(rest, &value[skip..])),
            Some((Written(_, Some(meant)), rest)) => {
                value.first().is_some_and(|(_, folded)| folded == meant) && naive(rest, &value[1..])
            }
        }
    }

    /// A value that the picture is likely to match: what it means, with something in the place of its stars.
    fn near(picture: &[Written], fill: &[(char, char)]) -> Vec<(char, char)> {
        let mut fill = fill.chunks(2);
        let parts = picture.iter().flat_map(|written| match written.1 {
            Some(meant) => vec![(meant, meant)],
            None => fill.next().unwrap_or_default().to_vec(),
        });
        parts.collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn agrees_with_the_naive_matcher(
            picture in prop::collection::vec(prop::sample::select(ALPHABET.to_vec()), 0..9),
            value in prop::collection::vec(prop::sample::select(VALUES.to_vec()), 0..11),
        ) {
            let text: String = picture.iter().map(|written| written.0).collect();
            for value in [value.clone(), near(&picture, &value)] {
                let shown: String = value.iter().map(|(character, _)| *character).collect();
                prop_assert_eq!(matches(&text, &shown), naive(&picture, &value), "{} {}", text, shown);
            }
        }

        #[test]
        fn an_escaped_text_matches_itself(value in "\\PC{0,20}") {
            let escaped = value.replace('\\', r"\\").replace('*', r"\*").replace(',', r"\,");
            prop_assert!(matches(&escaped, &value));
        }
    }
}
