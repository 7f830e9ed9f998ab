//! Foreign text on its way to a person.

/// The text with U+FFFD for every control character: they could steer a terminal or begin a line.
pub fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

/// At most so many characters; what is left out is a `…`.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn characters_are_counted_and_the_mark_is_one_of_them() {
        assert_eq!(super::cut("äöü", 3), "äöü");
        assert_eq!(super::cut("äöüß", 3), "äö…");
        assert_eq!(super::cut("x", 0), "…");
    }

    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(super::printable("a\u{1b}[2J\nü\u{9b}\0"), "a\u{fffd}[2J\u{fffd}ü\u{fffd}\u{fffd}");
    }
}
