//! From rules, message, envelope and facts to a verdict: a state machine that asks or is done. No IO; cannot fail.

use super::actions::MOST_LINES;
use super::evidence::Evidence;
use super::facts::Input;
use super::trace::{Outcome, Tested, Trace, Tracer};
use super::{Action, Program, Rule};
use crate::mail::{HeaderEdits, HeaderLine};

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

/// What the rules want. `steps` holds the actions that do not end, in the order in which they fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// All actions but those that end; what a filter added is an [`Action::AddHeader`].
    pub steps: Vec<Step>,
    /// What ended it.
    pub ending: Ending,
    /// The rule that ended it, unless all rules ran.
    pub ended_by: Option<String>,
}

/// A helper outside is to look at the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The rule that asks.
    pub rule: String,
    /// The filter's name.
    pub filter: String,
}

/// What the helper said. That it failed is no answer: whoever asked gives the evaluation up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Goes on.
    Accept,
    /// Goes on, with these header lines (`Name: value`) in front of the message. One that is no
    /// [`HeaderLine`] is left out, and so is what goes beyond the lines that one action may add.
    AddHeader(Vec<String>),
    /// As the action `Discard`.
    Discard,
    /// As the action `Reject with`.
    Reject(String),
}

/// Those that are header lines: whatever a filter says, it adds fields and nothing else.
fn header_lines(lines: &[String]) -> Vec<HeaderLine> {
    let read = lines.iter().filter_map(|line| HeaderLine::parse(line).ok());
    read.take(MOST_LINES).collect()
}

/// How far an evaluation came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It waits for [`Evaluation::answer`].
    Ask(Question),
    /// All rules ran or one ended them.
    Done(Verdict),
}

/// A program on its way over a message.
pub struct Evaluation<'a> {
    program: &'a Program,
    evidence: Evidence<'a>,
    verdict: Verdict,
    /// The next rule, or the one whose actions run.
    rule: usize,
    /// The next action of it.
    action: Option<usize>,
    tracer: Option<Tracer>,
}

impl<'a> Evaluation<'a> {
    /// At its begin.
    pub fn new(program: &'a Program, input: Input<'a>) -> Evaluation<'a> {
        let verdict = Verdict { steps: Vec::new(), ending: Ending::Inbox, ended_by: None };
        Evaluation { program, evidence: Evidence::new(input), verdict, rule: 0, action: None, tracer: None }
    }

    /// The same, and it writes down what happens on the way.
    pub fn traced(program: &'a Program, input: Input<'a>) -> Evaluation<'a> {
        Evaluation { tracer: Some(Tracer::default()), ..Evaluation::new(program, input) }
    }

    /// Goes on until it must ask or is done.
    pub fn run(&mut self) -> Progress {
        while let Some((scope, rule)) = self.program.rules.get(self.rule) {
            if self.action.is_none() && self.enters(*scope, rule) {
                self.action = Some(0);
            }
            if let Some(question) = self.act(rule) {
                return Progress::Ask(question);
            }
            self.action = None;
            self.rule += 1;
        }
        Progress::Done(self.verdict.clone())
    }

    /// What the helper said to the question that [`Evaluation::run`] asked last.
    pub fn answer(&mut self, answer: Answer) {
        let Some((_, rule)) = self.program.rules.get(self.rule) else { return };
        if let Some(tracer) = &mut self.tracer {
            tracer.answer(&answer);
        }
        let action = match answer {
            Answer::Accept => return,
            Answer::AddHeader(lines) => Action::AddHeader(header_lines(&lines)),
            Answer::Discard => Action::Discard,
            Answer::Reject(text) => Action::Reject(text),
        };
        self.take(rule, &action);
        if action.is_end() {
            // This rule is done with: it is not one that was not reached.
            self.rule += 1;
        }
    }

    /// What the rules did to the header so far.
    pub fn edits(&self) -> &HeaderEdits {
        self.evidence.header.edits()
    }

    /// What happened, if it was traced.
    pub fn into_trace(self) -> Trace {
        self.tracer.unwrap_or_default().trace
    }

    /// Do the actions of this rule run?
    fn enters(&mut self, scope: super::ScopeKind, rule: &Rule) -> bool {
        let state = match (rule.priority, &self.verdict.ended_by) {
            (0, _) => Outcome::Inactive,
            (_, Some(_)) => Outcome::NotReached,
            (_, None) => Outcome::Matched,
        };
        if let Some(tracer) = &mut self.tracer {
            tracer.rule(scope, rule, state);
        }
        state == Outcome::Matched && self.matches(rule)
    }

    fn matches(&mut self, rule: &Rule) -> bool {
        rule.conditions.iter().all(|condition| match &mut self.tracer {
            None => condition.test.holds(&self.evidence, &mut ()),
            Some(tracer) => {
                let mut tested = Tested::default();
                let holds = condition.test.holds(&self.evidence, &mut tested);
                tracer.condition(&condition.text, tested, holds);
                holds
            }
        })
    }

    /// Runs the actions that are left of this rule, up to a question.
    fn act(&mut self, rule: &Rule) -> Option<Question> {
        while let Some(at) = self.action {
            let planned = rule.actions.get(at)?;
            self.action = Some(at + 1);
            if let Action::Filter(filter) = &planned.action {
                self.trace(&planned.action);
                return Some(Question { rule: rule.name.clone(), filter: filter.clone() });
            }
            self.take(rule, &planned.action);
        }
        None
    }

    fn take(&mut self, rule: &Rule, action: &Action) {
        self.trace(action);
        match action {
            Action::Reject(text) => {
                self.verdict.steps.clear();
                self.verdict.ending = Ending::Reject(text.clone());
            }
            Action::Discard => self.verdict.ending = Ending::Discard,
            Action::Stop => self.verdict.ending = Ending::Inbox,
            step => {
                self.evidence.take(step);
                self.verdict.steps.push(Step { rule: rule.name.clone(), action: step.clone() });
            }
        }
        if action.is_end() {
            self.verdict.ended_by = Some(rule.name.clone());
            self.action = None;
        }
    }

    fn trace(&mut self, action: &Action) {
        if let Some(tracer) = &mut self.tracer {
            tracer.action(action);
        }
    }
}

/// Short ways to ask one condition or one action.
#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::mail::Message;
    use crate::rules::{Envelope, Facts, Needs, RuleFaults, RuleSet, ScopeKind, Source};

    pub(crate) fn envelope(sender: Option<&str>, recipients: &[&str]) -> Envelope {
        Envelope {
            sender: sender.map(str::to_owned),
            recipients: recipients.iter().map(|text| (*text).to_owned()).collect(),
            source: Source::Pipe,
            client: None,
        }
    }

    fn read(rest: &str, scope: ScopeKind) -> Result<RuleSet, RuleFaults> {
        let text = format!("[[rule]]\nname = \"r\"\npriority = 5\n{rest}\n");
        RuleSet::from_toml("rule.toml", &text, scope)
    }

    fn program(rest: &str, scope: ScopeKind) -> Program {
        let set = read(rest, scope).unwrap_or_else(|faults| panic!("{faults}"));
        Program::new(vec![(scope, set)])
    }

    /// The verdict of one rule, given by its lines after name and priority.
    pub(crate) fn verdict(rest: &str, mail: &str) -> Verdict {
        judge(&program(rest, ScopeKind::Account), mail, &ordinary(), &Facts::default())
    }

    fn judge(program: &Program, mail: &str, envelope: &Envelope, facts: &Facts) -> Verdict {
        let (message, edits) = (Message::new(mail.as_bytes()), HeaderEdits::default());
        let input = Input { message: &message, envelope, facts, edits: &edits };
        let verdict = verdict_of(program, input);
        assert_eq!(explained(program, input).0, verdict, "one road");
        verdict
    }

    /// The verdict of a program whose filters accept everything.
    pub(crate) fn verdict_of(program: &Program, input: Input<'_>) -> Verdict {
        finish(&mut Evaluation::new(program, input))
    }

    /// The same, and why.
    pub(crate) fn explained(program: &Program, input: Input<'_>) -> (Verdict, Trace) {
        let mut evaluation = Evaluation::traced(program, input);
        (finish(&mut evaluation), evaluation.into_trace())
    }

    fn finish(evaluation: &mut Evaluation<'_>) -> Verdict {
        loop {
            match evaluation.run() {
                Progress::Done(verdict) => return verdict,
                Progress::Ask(_) => evaluation.answer(Answer::Accept),
            }
        }
    }

    pub(crate) fn faults(rest: &str) -> RuleFaults {
        read(rest, ScopeKind::Account).expect_err("a wrong rule")
    }

    fn ordinary() -> Envelope {
        envelope(Some("eve@east.example"), &["bob@north.example"])
    }

    fn asking(condition: &str, scope: ScopeKind) -> Program {
        program(&format!("when = [{condition}]\nthen = [[\"Discard\"]]"), scope)
    }

    pub(crate) fn holds(condition: &str, mail: &str) -> bool {
        holds_with(condition, mail, &ordinary())
    }

    pub(crate) fn holds_with(condition: &str, mail: &str, envelope: &Envelope) -> bool {
        let asking = asking(condition, ScopeKind::Account);
        judge(&asking, mail, envelope, &Facts::default()).ending == Ending::Discard
    }

    /// With these facts.
    pub(crate) fn holds_among(condition: &str, mail: &str, facts: &Facts) -> bool {
        let asking = asking(condition, ScopeKind::Account);
        judge(&asking, mail, &ordinary(), facts).ending == Ending::Discard
    }

    pub(crate) fn holds_at(condition: &str, now: time::OffsetDateTime) -> bool {
        holds_among(condition, "\n", &Facts { now, ..Facts::default() })
    }

    /// In server scope, where the recipients lead there.
    pub(crate) fn server_holds(condition: &str, routes: &[&str]) -> bool {
        let routes = routes.iter().map(|route| (*route).to_owned()).collect();
        let facts = Facts { routes, ..Facts::default() };
        judge(&asking(condition, ScopeKind::Server), "\n", &ordinary(), &facts).ending == Ending::Discard
    }

    pub(crate) fn facts_needed(condition: &str) -> Needs {
        asking(condition, ScopeKind::Account).needs()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{envelope, explained as explained_by};
    use super::*;
    use crate::mail::Message;
    use crate::rules::{Facts, RuleSet, ScopeKind};

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
        let (message, facts, edits) =
            (Message::new(mail.as_bytes()), Facts::default(), HeaderEdits::default());
        explained_by(&program, Input { message: &message, envelope: &envelope, facts: &facts, edits: &edits })
    }

    #[test]
    fn the_trace_tells_why() {
        let (verdict, trace) = explained("List-Id: <rust.lists.example>\nSubject: hello\n\n");
        assert_eq!(verdict.ending, Ending::Discard);
        assert_eq!(verdict.ended_by.as_deref(), Some("lists"));
        assert_eq!(
            trace.to_string(),
            "\"lists\" (account, priority 5) matches\n    \
             yes  [\"Header Field\", \"is\", \"List-Id: *rust*\"]  looked at: \"List-Id: <rust.lists.example>\"\n    \
             yes  [\"Subject\", \"is not\", \"*urgent*\"]          looked at: \"hello\"\n    \
             ->   Mark Seen\n    ->   Store in Lists\n    ->   Discard\n\
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
        assert_eq!(json["rules"][0]["conditions"][0]["tested"], serde_json::json!([]), "no List-Id is there");
        assert_eq!(json["rules"][1]["actions"][0], "Store in Rest");
    }
}
