//! Foreign text on its way to a person.

/// The text with U+FFFD for every control character: they could steer a terminal or begin a line.
pub fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(super::printable("a\u{1b}[2J\nü\u{9b}\0"), "a\u{fffd}[2J\u{fffd}ü\u{fffd}\u{fffd}");
    }
}
