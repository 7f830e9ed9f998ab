//! Array text: the form in which CommuniGate Pro keeps its rules, `(7,"name",((From,is,"*@a.example")),((Discard)))`.
//!
//! A file holds one rule, an array of rules, or a dictionary of settings with the rules under `Rules`. What it means
//! is the same as in TOML: [`rule`] makes of a rule's array the node that `[[rule]]` gives, and one reader takes both.

mod data;
mod literal;
mod moment;
mod rule;
mod shape;
mod write;

pub(super) use data::Broken;
use data::{Parser, Value, What};
pub(super) use rule::rule;
pub(super) use shape::settled;
use std::ops::Range;
pub(super) use write::write;

/// The keys under which settings hold mail rules, without case.
const RULES: [&str; 2] = ["Rules", "MailRules"];

/// What a text holds before anybody asks what it means.
#[derive(Default)]
pub(super) struct Document {
    /// An array each, or what stands in the place of one.
    pub(super) rules: Vec<Value>,
    /// The names of settings that are no rules, with their places.
    pub(super) aside: Vec<(String, Range<usize>)>,
    /// The values of those settings: passwords are among them, so no error shows them.
    pub(super) hidden: Vec<Range<usize>>,
}

/// A text whose structure is broken, and what of it must not be shown.
pub(super) struct BrokenText {
    /// The first fault.
    pub(super) broken: Broken,
    /// The values of settings that are no rules, and all that lies behind the fault.
    pub(super) hidden: Vec<Range<usize>>,
}

/// Reads the structure.
pub(super) fn document(text: &str) -> Result<Document, BrokenText> {
    let mut parser = Parser::new(text, &RULES);
    match parser.whole() {
        Ok(value) => Ok(taken_apart(value, parser.hidden)),
        Err(broken) => {
            let mut hidden = parser.hidden;
            if parser.is_settings {
                hidden.push(broken.span.end..text.len());
            }
            Err(BrokenText { broken, hidden })
        }
    }
}

/// Is this array text and no TOML? Its first character that is no space and in no comment says so: `(` and `{` begin no TOML.
pub(super) fn is_array_text(text: &str) -> bool {
    Parser::new(text, &RULES).begins_with(&['(', '{'])
}

fn taken_apart(value: Value, hidden: Vec<Range<usize>>) -> Document {
    let Value { what: What::Dictionary(entries), .. } = value else {
        return Document { rules: rules_of(value), aside: Vec::new(), hidden };
    };
    let (mut rules, mut aside) = (Vec::new(), Vec::new());
    for (key, value) in entries {
        match data::is_one_of(&RULES, &key.name) {
            true => rules.extend(rules_of(value)),
            false => aside.push((key.name, key.span)),
        }
    }
    Document { rules, aside, hidden }
}

/// An array of arrays is a list of rules, anything else is to be one rule.
fn rules_of(value: Value) -> Vec<Value> {
    match value.what {
        What::Array(list) if list.first().is_none_or(|first| matches!(first.what, What::Array(_))) => list,
        what => vec![Value { what, span: value.span }],
    }
}

/// The text with something else in the place of what must not be shown: as long, with the same lines.
pub(super) fn masked(text: &str, hidden: &[Range<usize>]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut hidden = hidden.iter().peekable();
    for (at, character) in text.char_indices() {
        while hidden.next_if(|range| range.end <= at).is_some() {}
        let is_hidden = hidden.peek().is_some_and(|range| range.start <= at);
        shown.push(if is_hidden { mask(character) } else { character });
    }
    shown
}

/// A character of the same length.
fn mask(character: char) -> char {
    match (character, character.len_utf8()) {
        ('\n' | '\r', _) => character,
        (_, 1) => '*',
        (_, 2) => '×',
        (_, 3) => '•',
        _ => '🙈',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_keeps_its_length() {
        let text = "{a=gé€𐍈;\nRules=(1);}";
        let at = text.find("gé").unwrap();
        let shown = masked(text, std::slice::from_ref(&(at..text.find(';').unwrap())));
        assert_eq!(shown, "{a=*×•🙈;\nRules=(1);}");
        assert_eq!(shown.len(), text.len());
    }

    #[test]
    fn array_text_is_known_by_its_first_character() {
        for array in ["(", " /* [[rule]] */ {a=b;}", "// x\n\n(1", "\u{feff}()"] {
            assert!(is_array_text(array), "{array}");
        }
        for toml in ["", "[[rule]]", "# (\n", "name = 1", "/* (", "x("] {
            assert!(!is_array_text(toml), "{toml}");
        }
    }
}
