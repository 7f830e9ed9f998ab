//! `Add Header`: fields in front of the message.

use super::{Action, ActionWord, Arguments};
use crate::mail::HeaderLine;
use crate::rules::{Class, ScopeKind};
use std::ops::Range;

pub(super) static WORD: ActionWord = ActionWord {
    name: "Add Header",
    parameter: "a header line, or a list of them",
    scopes: ScopeKind::ALL,
    class: Class::Filter,
    doc: "Puts header fields in front of the message, in every copy that is stored and every mail that is sent from here on.",
    example: r#"["Add Header", ["X-Sorted: by rule", "X-Team: Payroll"]]"#,
    parse,
};

/// Lines of one action: more is no mark but a message of its own. Ours.
pub(in crate::rules) const MOST_LINES: usize = 100;

/// A message has each of these once (RFC 5322 3.6): readers differ in which of two they show.
const ONCE: [&str; 11] = [
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
];

fn parse(arguments: &mut Arguments<'_, '_>) -> Option<Action> {
    let texts = arguments.texts("a header line or a list of header lines")?;
    let span = arguments.span.clone();
    let texts: Vec<_> = texts.into_iter().flat_map(lines_of).collect();
    if texts.is_empty() || texts.len() > MOST_LINES {
        let found = format!("\"Add Header\" has {} header lines", texts.len());
        arguments.faults.add(span, found, format!("1 to {MOST_LINES} lines"));
        return None;
    }
    let lines: Vec<_> = texts.into_iter().map(|(text, span)| line(arguments, text, &span)).collect();
    lines.into_iter().collect::<Option<_>>().map(Action::AddHeader)
}

/// Lines may also stand in one text, as those of another product's settings do.
fn lines_of((text, span): (&str, Range<usize>)) -> impl Iterator<Item = (&str, Range<usize>)> {
    text.trim_end_matches(['\r', '\n'])
        .split('\n')
        .map(move |line| (line.strip_suffix('\r').unwrap_or(line), span.clone()))
}

fn line(arguments: &mut Arguments<'_, '_>, text: &str, span: &Range<usize>) -> Option<HeaderLine> {
    match HeaderLine::parse(text) {
        Ok(line) => {
            note_double(arguments, line.name(), span);
            Some(line)
        }
        Err(error) => {
            let hint = "a line is like \"X-Sorted: by rule\"; several are a list: [\"X-A: 1\", \"X-B: 2\"]";
            arguments.faults.add(span.clone(), error.to_string(), hint.to_owned());
            None
        }
    }
}

fn note_double(arguments: &mut Arguments<'_, '_>, name: &str, span: &Range<usize>) {
    let Some(once) = ONCE.iter().find(|once| once.eq_ignore_ascii_case(name)) else { return };
    let besides = if *once == "Subject" { "; \"Tag Subject\" changes the one that is there" } else { "" };
    let text = format!("a message has one {once}, and readers differ in which of two they show{besides}");
    arguments.note(span, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;
    use crate::rules::evaluate::testing::{faults, verdict};

    fn lines(then: &str) -> Vec<String> {
        let verdict = verdict(&format!("then = [{then}]"), "\n");
        let Action::AddHeader(lines) = &verdict.steps[0].action else { panic!("{verdict:?}") };
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_line_or_a_list() {
        assert_eq!(lines(r#"["Add Header", "X-A: 1"]"#), ["X-A: 1"]);
        assert_eq!(lines(r#"["Add Header", ["X-A: ü", "X-B:"]]"#), ["X-A: ü", "X-B: "]);
        assert_eq!(
            lines(r#"["Add Header", "X-A: 1\r\nX-B: 2\nX-C: 3\r\n"]"#),
            ["X-A: 1", "X-B: 2", "X-C: 3"]
        );
        assert!(faults(r#"then = [["Add Header", "X-A: 1\r\n\r\nbody"]]"#).to_string().contains("no colon"));
    }

    #[test]
    fn conditions_behind_see_what_was_added() {
        let rules = r#"then = [["Add Header", "X-Größe: 1"]]"#;
        assert!(faults(rules).to_string().contains("a field name is printable ASCII"));
        let text = "[[rule]]\nname = \"a\"\npriority = 9\nthen = [[\"Add Header\", \"X-A: Größe\"]]\n\
                    [[rule]]\nname = \"b\"\npriority = 5\nwhen = [[\"Header Field\", \"is\", \"X-A: größe\"]]\n\
                    then = [[\"Discard\"]]\n";
        let set = RuleSet::from_toml("f.toml", text, ScopeKind::Account).unwrap();
        let program = crate::rules::Program::new(vec![(ScopeKind::Account, set)]);
        let message = crate::mail::Message::new(b"To: a\n\n");
        let envelope = crate::rules::evaluate::testing::envelope(None, &[]);
        let (facts, edits) = (crate::rules::Facts::default(), crate::mail::HeaderEdits::default());
        let input =
            crate::rules::Input { message: &message, envelope: &envelope, facts: &facts, edits: &edits };
        let verdict = crate::rules::evaluate::testing::verdict_of(&program, input);
        assert_eq!(verdict.ended_by.as_deref(), Some("b"));
    }

    #[test]
    fn the_number_of_lines_has_a_limit() {
        let list = |count| format!("then = [[\"Add Header\", [{}]]]", "\"X: 1\",".repeat(count));
        assert!(faults(&list(0)).to_string().contains("\"Add Header\" has 0 header lines"));
        assert!(faults(&list(101)).to_string().contains("\"Add Header\" has 101 header lines"));
        assert_eq!(verdict(&list(100), "\n").steps.len(), 1);
    }

    #[test]
    fn a_second_subject_is_worth_a_word() {
        let text = "[[rule]]\nname = \"a\"\npriority = 9\nthen = [[\"Add Header\", [\"subject: x\", \"X-From: y\", \"FROM: z@x.example\"]]]\n";
        let set = RuleSet::from_toml("f.toml", text, ScopeKind::Account).unwrap();
        let warnings: Vec<String> = set.warnings().into_iter().map(|warning| warning.text).collect();
        assert_eq!(
            warnings,
            [
                "a message has one Subject, and readers differ in which of two they show; \"Tag Subject\" changes the one that is there",
                "a message has one From, and readers differ in which of two they show",
            ]
        );
    }
}
