//! Texts without upper and lower case, which tell most others apart by a look at their ends.

use icu_casemap::CaseMapper;

/// Text under Unicode simple case folding (CaseFolding.txt, statuses C and S).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Folded {
    text: String,
    pairs: Pairs,
}

impl Folded {
    pub(super) fn new(text: &str) -> Folded {
        let text = folded(text);
        Folded { pairs: Pairs::of(text.as_bytes()), text }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// False tells that some pair of neighbours is not here; true tells nothing.
    pub(super) fn may_hold(&self, pairs: Pairs) -> bool {
        pairs.0 & !self.pairs.0 == 0
    }

    pub(super) fn starts_with(&self, edge: &Head) -> bool {
        let Head(Edge { word, text }) = edge;
        (head(self.as_bytes()) ^ word) & low(text.len()) == 0
            && (text.len() <= WIDTH || self.text.starts_with(text.as_ref()))
    }

    pub(super) fn ends_with(&self, edge: &Tail) -> bool {
        let Tail(Edge { word, text }) = edge;
        (tail(self.as_bytes()) ^ word) & low(text.len()) == 0
            && (text.len() <= WIDTH || self.text.ends_with(text.as_ref()))
    }
}

pub(super) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mapper = CaseMapper::new();
    text.chars().map(|c| mapper.simple_fold(c)).collect()
}

/// Which octets stand beside each other in a text, a bit for each pair and many pairs to a bit: what tells most texts that
/// lack a piece from those that hold it, before it is searched for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pairs(u64);

impl Pairs {
    pub(super) fn of(text: &[u8]) -> Pairs {
        let neighbours = text.iter().zip(text.get(1..).unwrap_or_default());
        Pairs(neighbours.fold(0, |pairs, (one, next)| {
            let pair = u16::from_le_bytes([*one, *next]);
            pairs | 1 << (pair.wrapping_mul(0x9e37) >> 10)
        }))
    }

    pub(super) fn and(self, others: Pairs) -> Pairs {
        Pairs(self.0 | others.0)
    }
}

/// What a value begins with: folded text. Values that are shorter than it must be told by their length.
///
/// Its first sixteen octets stand beside it as a number: of the pictures that a value is held against nearly all differ
/// there, and comparing numbers costs a tenth of comparing memory.
#[derive(Debug, Clone)]
pub(super) struct Head(Edge);

/// The same for its end.
#[derive(Debug, Clone)]
pub(super) struct Tail(Edge);

#[derive(Debug, Clone)]
struct Edge {
    word: u128,
    text: Box<str>,
}

impl Head {
    pub(super) fn new(folded: &str) -> Head {
        Head(Edge { word: head(folded.as_bytes()), text: folded.into() })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0.text
    }
}

impl Tail {
    pub(super) fn new(folded: &str) -> Tail {
        Tail(Edge { word: tail(folded.as_bytes()), text: folded.into() })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0.text
    }
}

/// Octets in a number.
const WIDTH: usize = 16;

/// The first octet lowest.
fn head(bytes: &[u8]) -> u128 {
    match bytes.first_chunk() {
        Some(chunk) => u128::from_le_bytes(*chunk),
        None => bytes.iter().rev().fold(0, |word, byte| word << 8 | u128::from(*byte)),
    }
}

/// The last octet lowest.
fn tail(bytes: &[u8]) -> u128 {
    match bytes.last_chunk() {
        Some(chunk) => u128::from_be_bytes(*chunk),
        None => bytes.iter().fold(0, |word, byte| word << 8 | u128::from(*byte)),
    }
}

/// The bits of so many octets.
fn low(octets: usize) -> u128 {
    match octets {
        WIDTH.. => u128::MAX,
        less => (1 << (8 * less)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nearly_every_strange_piece_is_told_by_its_pairs() {
        let subject = Folded::new("Minutes of the meeting on Thursday, and the bench in the garden");
        let told = (0..1000).filter(|at| !subject.may_hold(Pairs::of(format!("invoice {at}").as_bytes())));
        assert!(told.count() > 900);
    }

    proptest! {
        #[test]
        fn a_text_may_hold_every_piece_of_it(value in "[abcä -]{0,40}", from in 0usize..40, to in 0usize..40) {
            let whole = Folded::new(&value);
            let (from, to) = (value.floor_char_boundary(from.min(to)), value.floor_char_boundary(to.max(from)));
            let piece = value.as_bytes().get(from..to).unwrap_or_default();
            prop_assert!(whole.may_hold(Pairs::of(piece)));
            prop_assert!(whole.may_hold(Pairs::default()));
        }

        #[test]
        fn ends_are_those_of_the_text(value in "[abä]{0,40}", edge in "[abä]{0,40}", cut in 0usize..40) {
            let whole = Folded::new(&value);
            let cut = value.floor_char_boundary(cut.min(value.len()));
            let (begin, end) = value.split_at(cut);
            for text in [begin, end, &edge] {
                if text.len() <= value.len() {
                    prop_assert_eq!(whole.starts_with(&Head::new(text)), value.starts_with(text));
                    prop_assert_eq!(whole.ends_with(&Tail::new(text)), value.ends_with(text));
                }
            }
        }
    }
}
