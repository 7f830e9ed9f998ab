//! `ExternalFilter`: a program of the site that answers for many messages decides about this one.

use super::{Action, ActionWord, Arguments};
use crate::rules::{Class, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "ExternalFilter",
    parameter: "the name of a filter that the site lists",
    scopes: &[ScopeKind::Server],
    doc: "Asks a filter of the site about the message: by its answer the rules go on, fields are added, the message is \
          discarded or rejected, or the sender tries again.",
    example: r#"["ExternalFilter", "spam"]"#,
    class: Class::Execute,
    parse,
};

/// Is it a name that a filter may have? Letters, digits, `.`, `_` and `-`; at most 64.
pub fn is_filter_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

fn parse(arguments: &mut Arguments<'_, '_>) -> Option<Action> {
    let (name, span) = arguments.text("the name of a filter")?;
    if is_filter_name(name) {
        return Some(Action::Filter(name.to_owned()));
    }
    let text = format!("{} is no name of a filter", arguments.faults.source(&span));
    let hint = "1 to 64 letters, digits, \".\", \"_\", \"-\", as in the setting `filters`".to_owned();
    arguments.faults.add(span, text, hint);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{HeaderEdits, Message};
    use crate::rules::evaluate::testing::{envelope, faults};
    use crate::rules::{Answer, Ending, Evaluation, Facts, Input, Program, Progress, RuleSet, Verdict};

    const FILE: &str = r#"
[[rule]]
name = "ask"
priority = 9
when = [["From", "is", "*@east.example"]]
then = [["Mark", "Flagged"], ["ExternalFilter", "spam"], ["Mark", "Seen"]]
[[rule]]
name = "spam"
priority = 5
when = [["Header Field", "is", "X-Spam: yes"]]
then = [["Store in", "~hr/Spam"]]
"#;

    fn answered(mail: &str, answer: &Answer) -> (Vec<String>, Verdict, String) {
        let set = RuleSet::from_toml("f.toml", FILE, ScopeKind::Server).unwrap();
        let program = Program::new(vec![(ScopeKind::Server, set)]);
        let envelope = envelope(Some("eve@east.example"), &["bob@north.example"]);
        let (message, facts, edits) =
            (Message::new(mail.as_bytes()), Facts::default(), HeaderEdits::default());
        let input = Input { message: &message, envelope: &envelope, facts: &facts, edits: &edits };
        let mut evaluation = Evaluation::traced(&program, input);
        let mut asked = Vec::new();
        let verdict = loop {
            match evaluation.run() {
                Progress::Done(verdict) => break verdict,
                Progress::Ask(question) => {
                    asked.push(format!("{}: {}", question.rule, question.filter));
                    evaluation.answer(answer.clone());
                }
            }
        };
        (asked, verdict, evaluation.into_trace().to_string())
    }

    #[test]
    fn an_answer_that_ends_the_rules_leaves_the_rule_and_one_to_no_question_says_nothing() {
        let end = Answer::Reject("No.".into());
        let (_, _, trace) = answered("From: eve@east.example\n\n", &end);
        assert_eq!(trace.matches("\"ask\" (server").count(), 1, "{trace}");
        assert!(trace.contains("\"spam\" (server, priority 5) is not reached\n"), "{trace}");

        let set = RuleSet::from_toml("f.toml", FILE, ScopeKind::Server).unwrap();
        let program = Program::new(vec![(ScopeKind::Server, set)]);
        let envelope = envelope(Some("eve@east.example"), &["bob@north.example"]);
        let (message, facts) = (Message::new(b"From: eve@east.example\n\n"), Facts::default());
        let edits = HeaderEdits::default();
        let input = Input { message: &message, envelope: &envelope, facts: &facts, edits: &edits };
        let mut evaluation = Evaluation::new(&program, input);
        evaluation.answer(end.clone());
        let first = evaluation.run();
        assert!(matches!(first, Progress::Ask(_)), "not answered before it is asked");
        assert_eq!(evaluation.run(), first, "and asked until it is answered");
        evaluation.answer(Answer::Accept);
        evaluation.answer(end.clone());
        let Progress::Done(verdict) = evaluation.run() else { panic!("asked twice") };
        assert_eq!((steps(&verdict).len(), &verdict.ending), (2, &Ending::Inbox));
        evaluation.answer(end);
        assert_eq!(evaluation.run(), Progress::Done(verdict));
    }

    fn steps(verdict: &Verdict) -> Vec<String> {
        verdict.steps.iter().map(|step| format!("{}: {}", step.rule, step.action)).collect()
    }

    #[test]
    fn it_is_asked_once_where_the_conditions_hold() {
        let (asked, verdict, trace) = answered("From: eve@east.example\n\n", &Answer::Accept);
        assert_eq!(asked, ["ask: spam"]);
        assert_eq!(
            (steps(&verdict), verdict.ending),
            (vec!["ask: Mark Flagged".into(), "ask: Mark Seen".into()], Ending::Inbox)
        );
        assert!(trace.contains("->   ExternalFilter spam\n"), "{trace}");
        let (asked, ..) = answered("From: eve@west.example\n\n", &Answer::Accept);
        assert_eq!(asked, Vec::<String>::new());
    }

    #[test]
    fn what_it_adds_is_seen_by_the_rules_behind() {
        let answer = Answer::AddHeader(vec!["X-Spam: yes".into()]);
        let (_, verdict, trace) = answered("From: eve@east.example\n\n", &answer);
        let expected =
            ["ask: Mark Flagged", "ask: Add Header X-Spam: yes", "ask: Mark Seen", "spam: Store in ~hr/Spam"];
        assert_eq!(steps(&verdict), expected);
        assert!(trace.contains("->   Add Header X-Spam: yes\n"), "{trace}");
    }

    #[test]
    fn discard_and_rejection_end_the_rules() {
        let (_, verdict, _) = answered("From: eve@east.example\n\n", &Answer::Discard);
        assert_eq!((steps(&verdict), &verdict.ending), (vec!["ask: Mark Flagged".into()], &Ending::Discard));
        assert_eq!(verdict.ended_by.as_deref(), Some("ask"));
        let (_, verdict, _) = answered("From: eve@east.example\n\n", &Answer::Reject("No.".into()));
        assert_eq!((steps(&verdict), verdict.ending), (Vec::new(), Ending::Reject("No.".into())));
    }

    #[test]
    fn names_are_plain_and_the_scope_is_the_servers() {
        assert!(
            faults(r#"then = [["ExternalFilter", "spam"]]"#)
                .to_string()
                .contains("not allowed in account scope")
        );
        for wrong in ["", "a b", "a=b", "größe", &"x".repeat(65)] {
            assert!(!is_filter_name(wrong), "{wrong}");
        }
        assert!(is_filter_name("spam-2_x.y"));
    }
}
