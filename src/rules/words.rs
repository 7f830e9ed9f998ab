//! Names of conditions, actions and keys: finding them, and the nearest one to a wrong one.

/// Words that are part of the rule language and not (yet) of this program, with the reason.
pub(super) type Refused = &'static [(&'static str, &'static str)];

/// The reason why a word is refused, if it is one of those.
pub(super) fn reason(refused: Refused, word: &str) -> Option<(&'static str, &'static str)> {
    refused.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).copied()
}

/// The name with the smallest edit distance, if it is small enough to be a slip: at most a third of the letters.
pub(super) fn nearest(word: &str, names: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    /// Longer words are no slips of a name.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let lower = word.to_lowercase();
    let distance = |name: &'static str| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name);
    let (distance, name) = names.into_iter().map(distance).min_by_key(|(distance, _)| *distance)?;
    let letters = word.chars().count().max(name.chars().count());
    (distance <= (letters / 3).max(1)).then_some(name)
}

/// `"a", "b", "c"`
pub(super) fn quoted(names: impl IntoIterator<Item = &'static str>) -> String {
    names.into_iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_a_slip_away() {
        let names = ["From", "Any To or Cc", "To"];
        assert_eq!(nearest("Form", names), Some("From"));
        assert_eq!(nearest("any to or CC", names), Some("Any To or Cc"));
        assert_eq!(nearest("Colour", names), None);
        assert_eq!(nearest(&"x".repeat(1_000_000), names), None);
    }
}
