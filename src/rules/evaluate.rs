//! From rules, message, envelope and facts to a verdict. No IO; cannot fail.

use super::evidence::Evidence;
use super::trace::{Outcome, Recorder, Trace, Tracer};
use super::{Action, Program, Rule};
use crate::cms::RecipientId;
use crate::mail::Message;

/// How the message came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From a host that the site trusts.
    Trusted,
    /// From an authenticated sender.
    Authenticated,
    /// Over LMTP.
    Lmtp,
    /// Through the pipe hook.
    Pipe,
}

/// The SMTP envelope as rules see it.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Return path; empty for the null sender; absent if the hook did not say.
    pub sender: Option<String>,
    /// Recipients before routing (ORCPT if given). Account level: only this account's.
    pub recipients: Vec<String>,
    /// How it came in.
    pub source: Source,
}

/// What the engine looked up for this evaluation.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// How RecipientInfos name the acting account's certificates (for `encrypted-to-owner`).
    pub owner_ids: Vec<RecipientId>,
}

/// One planned action and the rule that asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The rule's name.
    pub rule: String,
    /// What it asks for.
    pub action: Action,
}

/// How the evaluation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All rules ran, or `Stop Processing`: the INBOX copy follows.
    Inbox,
    /// `Discard`: no INBOX copy.
    Discard,
    /// `Reject with`: nothing is stored.
    Reject(String),
}

/// What the rules want. `steps` holds the store and mark actions in the order in which they fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Store and mark actions.
    pub steps: Vec<Step>,
    /// What ended it.
    pub ending: Ending,
    /// The rule that ended it, unless all rules ran.
    pub ended_by: Option<String>,
}

/// Runs the program over the message.
pub fn evaluate(program: &Program, message: &Message<'_>, envelope: &Envelope, facts: &Facts) -> Verdict {
    run(program, &Evidence::new(message, envelope, facts), &mut ())
}

/// The same, and what happened on the way.
pub fn explain(
    program: &Program,
    message: &Message<'_>,
    envelope: &Envelope,
    facts: &Facts,
) -> (Verdict, Trace) {
    let mut tracer = Tracer::default();
    let verdict = run(program, &Evidence::new(message, envelope, facts), &mut tracer);
    (verdict, tracer.trace)
}

fn run(program: &Program, evidence: &Evidence<'_>, recorder: &mut dyn Recorder) -> Verdict {
    let mut verdict = Verdict { steps: Vec::new(), ending: Ending::Inbox, ended_by: None };
    for (scope, rule) in &program.rules {
        let state = match (rule.priority, &verdict.ended_by) {
            (0, _) => Outcome::Inactive,
            (_, Some(_)) => Outcome::NotReached,
            (_, None) => Outcome::Matched,
        };
        recorder.rule(*scope, rule, state);
        if state == Outcome::Matched && matches(rule, evidence, recorder) {
            act(rule, &mut verdict, recorder);
        }
    }
    verdict
}

fn matches(rule: &Rule, evidence: &Evidence<'_>, recorder: &mut dyn Recorder) -> bool {
    rule.conditions.iter().all(|condition| {
        let holds = match recorder.values() {
            Some(values) => condition.test.holds(evidence, values),
            None => condition.test.holds(evidence, &mut ()),
        };
        recorder.condition(&condition.text, holds);
        holds
    })
}

fn act(rule: &Rule, verdict: &mut Verdict, recorder: &mut dyn Recorder) {
    for planned in &rule.actions {
        recorder.action(&planned.action);
        match &planned.action {
            Action::Reject(text) => {
                verdict.steps.clear();
                verdict.ending = Ending::Reject(text.clone());
            }
            Action::Discard => verdict.ending = Ending::Discard,
            Action::Stop => verdict.ending = Ending::Inbox,
            step => verdict.steps.push(Step { rule: rule.name.clone(), action: step.clone() }),
        }
        if planned.action.is_end() {
            verdict.ended_by = Some(rule.name.clone());
            return;
        }
    }
}

/// Short ways to ask one condition or one action.
#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::rules::{RuleFaults, RuleSet, ScopeKind};

    pub(crate) fn envelope(sender: Option<&str>, recipients: &[&str]) -> Envelope {
        Envelope {
            sender: sender.map(str::to_owned),
            recipients: recipients.iter().map(|text| (*text).to_owned()).collect(),
            source: Source::Pipe,
        }
    }

    fn read(rest: &str) -> Result<RuleSet, RuleFaults> {
        let text = format!("[[rule]]\nname = \"r\"\npriority = 5\n{rest}\n");
        RuleSet::from_toml("rule.toml", &text, ScopeKind::Account)
    }

    /// The verdict of one rule, given by its lines after name and priority.
    pub(crate) fn verdict(rest: &str, mail: &str) -> Verdict {
        verdict_with(rest, mail, &envelope(Some("eve@east.example"), &["bob@north.example"]))
    }

    fn verdict_with(rest: &str, mail: &str, envelope: &Envelope) -> Verdict {
        let set = read(rest).unwrap_or_else(|faults| panic!("{faults}"));
        let program = Program::new(vec![(ScopeKind::Account, set)]);
        let message = Message::new(mail.as_bytes());
        let verdict = evaluate(&program, &message, envelope, &Facts::default());
        let (explained, _) = explain(&program, &message, envelope, &Facts::default());
        assert_eq!(explained, verdict, "one road");
        verdict
    }

    pub(crate) fn faults(rest: &str) -> RuleFaults {
        read(rest).expect_err("a wrong rule")
    }

    pub(crate) fn holds(condition: &str, mail: &str) -> bool {
        holds_with(condition, mail, &envelope(Some("eve@east.example"), &["bob@north.example"]))
    }

    pub(crate) fn holds_with(condition: &str, mail: &str, envelope: &Envelope) -> bool {
        let rest = format!("when = [{condition}]\nthen = [[\"Discard\"]]");
        verdict_with(&rest, mail, envelope).ending == Ending::Discard
    }
}

#[cfg(test)]
mod tests {
    use super::testing::envelope;
    use super::*;
    use crate::rules::{RuleSet, ScopeKind};

    const FILE: &str = r#"
[[rule]]
name = "lists"
priority = 5
when = [["Header Field", "is", "List-Id: *rust*"], ["Subject", "is not", "*urgent*"]]
then = [["Mark", "Seen"], ["Store in", "Lists"], ["Discard"]]
[[rule]]
name = "rest"
priority = 4
then = [["Store in", "Rest"]]
[[rule]]
name = "off"
priority = 0
then = [["Reject with", "never"]]
"#;

    fn explained(mail: &str) -> (Verdict, Trace) {
        let set = RuleSet::from_toml("f.toml", FILE, ScopeKind::Account).unwrap();
        let program = Program::new(vec![(ScopeKind::Account, set)]);
        let envelope = envelope(Some(""), &["bob@north.example"]);
        explain(&program, &Message::new(mail.as_bytes()), &envelope, &Facts::default())
    }

    #[test]
    fn the_trace_tells_why() {
        let (verdict, trace) = explained("List-Id: <rust.lists.example>\nSubject: hello\n\n");
        assert_eq!(verdict.ending, Ending::Discard);
        assert_eq!(verdict.ended_by.as_deref(), Some("lists"));
        assert_eq!(
            trace.to_string(),
            "\"lists\" (account, priority 5) matches\n    \
             yes [\"Header Field\", \"is\", \"List-Id: *rust*\"]  looked at: \"List-Id: <rust.lists.example>\"\n    \
             yes [\"Subject\", \"is not\", \"*urgent*\"]  looked at: \"hello\"\n    \
             -> Mark Seen\n    -> Store in Lists\n    -> Discard\n\
             \"rest\" (account, priority 4) is not reached\n\
             \"off\" (account, priority 0) is inactive (priority 0)\n"
        );
    }

    #[test]
    fn a_rule_that_does_not_match_shows_the_condition() {
        let (verdict, trace) = explained("Subject: urgent\n\n");
        assert_eq!(verdict.ending, Ending::Inbox);
        assert_eq!(verdict.ended_by, None);
        assert_eq!(verdict.steps.len(), 1);
        assert_eq!(trace.rules[0].outcome, Outcome::NotMatched);
        assert_eq!(trace.rules[0].conditions.len(), 1, "the second condition was not asked");
        let json = serde_json::to_value(&trace).unwrap();
        assert_eq!(json["rules"][0]["outcome"], "not-matched");
        assert_eq!(json["rules"][0]["conditions"][0]["tested"][0], "Subject: urgent");
        assert_eq!(json["rules"][1]["actions"][0], "Store in Rest");
    }
}

#[cfg(test)]
mod laws {
    use super::testing::envelope;
    use super::*;
    use crate::rules::{CONDITIONS, RuleSet, ScopeKind};
    use proptest::prelude::*;

    /// A program that asks every condition there is.
    fn curious() -> Program {
        let rule = |(at, word): (usize, &&crate::rules::ConditionWord)| {
            format!(
                "[[rule]]\nname = \"{at}\"\npriority = 5\nwhen = [{}]\nthen = [[\"Mark\", \"Seen\"]]\n",
                word.example
            )
        };
        let text: String = CONDITIONS.iter().enumerate().map(rule).collect();
        let set = RuleSet::from_toml("f.toml", &text, ScopeKind::Account).unwrap();
        Program::new(vec![(ScopeKind::Account, set)])
    }

    proptest! {
        #[test]
        fn no_message_makes_it_panic_and_the_trace_changes_nothing(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            name in prop::sample::select(vec!["From", "To", "Subject", "Content-Type", "Precedence", "X"]),
        ) {
            let mail = [name.as_bytes(), b": ", &bytes].concat();
            let (message, envelope) = (Message::new(&mail), envelope(Some("a@x.example"), &["b@x.example"]));
            let program = curious();
            let verdict = evaluate(&program, &message, &envelope, &Facts::default());
            let (explained, trace) = explain(&program, &message, &envelope, &Facts::default());
            prop_assert_eq!(&explained, &verdict);
            let matched = trace.rules.iter().filter(|rule| rule.outcome == Outcome::Matched).count();
            prop_assert_eq!(matched, verdict.steps.len());
        }
    }
}
