//! `Tag Subject`: a text in front of the subject.

use super::{Action, ActionWord, Arguments};
use crate::rules::{Class, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Tag Subject",
    parameter: "text",
    scopes: ScopeKind::ALL,
    class: Class::Filter,
    doc: "Puts a text in front of the subject, in every copy that is stored and every mail that is sent from here on.",
    example: r#"["Tag Subject", "[external]"]"#,
    parse,
};

/// Octets: a tag leaves room for a subject. Ours.
const LONGEST: usize = 200;

fn parse(arguments: &mut Arguments<'_, '_>) -> Option<Action> {
    let (text, span) = arguments.text("a text")?;
    let tag = text.trim();
    let hint = || format!("a text of one line, 1 to {LONGEST} bytes");
    if tag.is_empty() || tag.len() > LONGEST {
        arguments.faults.add(span, format!("this tag has {} bytes", tag.len()), hint());
        return None;
    }
    if tag.contains(char::is_control) {
        arguments.faults.add(span, "this tag has a line end or another control character", hint());
        return None;
    }
    Some(Action::TagSubject(tag.to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::rules::Ending;
    use crate::rules::evaluate::testing::{faults, verdict};

    #[test]
    fn goes_on_with_the_tag() {
        let verdict = verdict(r#"then = [["Tag Subject", " [größe] "]]"#, "Subject: a\n\n");
        assert_eq!(verdict.ending, Ending::Inbox);
        assert_eq!(verdict.steps[0].action.to_string(), "Tag Subject [größe]");
    }

    #[test]
    fn a_tag_is_one_short_line() {
        for (wrong, found) in [
            (r#""""#, "this tag has 0 bytes"),
            (r#"" \t ""#, "this tag has 0 bytes"),
            (r#""a\nBcc: x""#, "this tag has a line end or another control character"),
            (r#""a\u0085b""#, "this tag has a line end or another control character"),
        ] {
            assert_eq!(faults(&format!("then = [[\"Tag Subject\", {wrong}]]")).faults()[0].text, found);
        }
        let long = format!("then = [[\"Tag Subject\", \"{}\"]]", "x".repeat(201));
        assert_eq!(faults(&long).faults()[0].text, "this tag has 201 bytes");
    }
}
