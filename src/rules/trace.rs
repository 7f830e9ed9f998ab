//! What happened during an evaluation, rule by rule.

use super::evidence::Witness;
use super::{Action, Answer, Rule, ScopeKind};
use crate::mail::{cut, printable};
use serde::Serialize;
use std::fmt;

/// Values that are kept of one condition, beside the one that decided. A message may have thousands, and a set a thousand
/// rules. Ours.
const VALUES_KEPT: usize = 8;
/// Characters that are kept of a value. Ours.
const VALUE_KEPT: usize = 500;
/// Characters that are shown of a condition, a value, an action. Ours.
const SHOWN: usize = 72;

/// Every rule of the program in the order in which it ran. It holds parts of the message: for the person who asked,
/// never for a log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// One for each rule.
    pub rules: Vec<RuleTrace>,
}

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All conditions held; its actions ran.
    Matched,
    /// The last condition listed did not hold.
    NotMatched,
    /// Its priority is 0.
    Inactive,
    /// A rule before it ended the processing.
    NotReached,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleTrace {
    /// Its name.
    pub rule: String,
    /// Where it is installed.
    pub scope: ScopeKind,
    /// 0..10.
    pub priority: u8,
    /// What became of it.
    pub outcome: Outcome,
    /// The conditions that were asked, in their order; the first that does not hold is the last.
    pub conditions: Vec<ConditionTrace>,
    /// The actions that ran, as they stand in a rule file, and `filter said …` behind one that asked.
    pub actions: Vec<String>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConditionTrace {
    /// As it stands in the rule file.
    pub condition: String,
    /// The values that were looked at: the first eight and the one that decided, each cut at 500 characters.
    pub tested: Vec<String>,
    /// How many were looked at.
    pub values: usize,
    /// Does it hold?
    pub holds: bool,
}

impl RuleTrace {
    pub(super) fn new(scope: ScopeKind, rule: &Rule, outcome: Outcome) -> RuleTrace {
        RuleTrace {
            rule: rule.name.clone(),
            scope,
            priority: rule.priority,
            outcome,
            conditions: Vec::new(),
            actions: Vec::new(),
        }
    }
}

/// Keeps the values that a condition looks at, within bounds.
#[derive(Debug, Default)]
pub(super) struct Tested {
    first: Vec<String>,
    last: Option<String>,
    count: usize,
}

impl Witness for Tested {
    fn value(&mut self, value: &dyn fmt::Display) {
        self.count += 1;
        let kept = cut(&value.to_string(), VALUE_KEPT);
        match self.first.len() < VALUES_KEPT {
            true => self.first.push(kept),
            false => self.last = Some(kept),
        }
    }
}

/// For a person at a terminal: one line, without anything that could steer it.
fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&printable(&line), SHOWN)
}

/// A value in quotes.
fn quoted(value: &str) -> String {
    format!("{:?}", cut(value, SHOWN))
}

/// Writes the trace.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    pub(super) trace: Trace,
}

impl Tracer {
    /// What becomes of the next rule; `Matched` is taken back by a condition that does not hold.
    pub(super) fn rule(&mut self, scope: ScopeKind, rule: &Rule, outcome: Outcome) {
        self.trace.rules.push(RuleTrace::new(scope, rule, outcome));
    }

    /// A condition was asked.
    pub(super) fn condition(&mut self, text: &str, tested: Tested, holds: bool) {
        let Some(rule) = self.trace.rules.last_mut() else { return };
        let (condition, values) = (text.to_owned(), tested.count);
        let tested = tested.first.into_iter().chain(tested.last).collect();
        rule.conditions.push(ConditionTrace { condition, tested, values, holds });
        if !holds {
            rule.outcome = Outcome::NotMatched;
        }
    }

    /// What the filter that was asked last said, in the word of its language.
    pub(super) fn answer(&mut self, answer: &Answer) {
        let word = match answer {
            Answer::Accept | Answer::AddHeader(_) => "OK",
            Answer::Discard => "DISCARD",
            Answer::Reject(_) => "REJECTED",
        };
        if let Some(rule) = self.trace.rules.last_mut() {
            rule.actions.push(format!("filter said {word}"));
        }
    }

    /// An action ran.
    pub(super) fn action(&mut self, action: &Action) {
        if let Some(rule) = self.trace.rules.last_mut() {
            rule.actions.push(action.to_string());
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Outcome::Matched => "matches",
            Outcome::NotMatched => "does not match",
            Outcome::Inactive => "is inactive (priority 0)",
            Outcome::NotReached => "is not reached",
        })
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rules.iter().try_for_each(|rule| write!(out, "{rule}"))
    }
}

impl fmt::Display for RuleTrace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "\"{}\" ({}, priority {}) {}",
            self.rule,
            self.scope.name(),
            self.priority,
            self.outcome
        )?;
        let conditions: Vec<(String, &ConditionTrace)> =
            self.conditions.iter().map(|condition| (shown(&condition.condition), condition)).collect();
        let wide = conditions.iter().map(|(text, _)| text.chars().count()).max().unwrap_or(0);
        for (text, condition) in conditions {
            let mark = if condition.holds { "yes" } else { "no" };
            writeln!(out, "    {mark:<3}  {text:<wide$}  looked at: {}", condition.looked_at())?;
        }
        self.actions.iter().try_for_each(|action| writeln!(out, "    ->   {}", shown(action)))
    }
}

impl ConditionTrace {
    fn looked_at(&self) -> String {
        match self.tested.as_slice() {
            [] => "nothing, none is there".to_owned(),
            [one] => quoted(one),
            [first, .., last] => format!("{} … {} ({} values)", quoted(first), quoted(last), self.values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(condition: &str, values: &[&str], holds: bool) -> (String, Tested, bool) {
        let mut tested = Tested::default();
        values.iter().for_each(|value| tested.value(value));
        (condition.to_owned(), tested, holds)
    }

    fn rule(conditions: Vec<(String, Tested, bool)>, actions: &[&str]) -> RuleTrace {
        let mut tracer = Tracer::default();
        tracer.trace.rules.push(RuleTrace {
            rule: "r".into(),
            scope: ScopeKind::Server,
            priority: 9,
            outcome: Outcome::Matched,
            conditions: Vec::new(),
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        });
        conditions.into_iter().for_each(|(text, tested, holds)| tracer.condition(&text, tested, holds));
        tracer.trace.rules.remove(0)
    }

    #[test]
    fn conditions_are_aligned_and_on_one_line() {
        let conditions = vec![
            condition("[\"Subject\", \"is\", \"x\"]", &["x"], true),
            condition("[\"From\", \"in\",\n    [\"a\"]]", &[], false),
        ];
        assert_eq!(
            rule(conditions, &["Reject with a\n\u{1b}[2Jb"]).to_string(),
            "\"r\" (server, priority 9) does not match\n    \
             yes  [\"Subject\", \"is\", \"x\"]  looked at: \"x\"\n    \
             no   [\"From\", \"in\", [\"a\"]]   looked at: nothing, none is there\n    \
             ->   Reject with a \u{fffd}[2Jb\n"
        );
    }

    /// What a sender writes neither steers the terminal nor fills it.
    #[test]
    fn values_are_bounded_and_visible() {
        let long = "x".repeat(1_000_000);
        let shown =
            rule(vec![condition(&long, &["\u{1b}]0;x\u{7}\r\nno", &long], true)], &[&long]).to_string();
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\r']), "{shown}");
        assert!(shown.contains("\"\\u{1b}]0;x\\u{7}\\r\\nno\" … \"xxx"), "{shown}");
        assert!(shown.contains("x…\" (2 values)"), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() < 300), "{shown}");
    }

    #[test]
    fn of_many_values_the_first_and_the_deciding_one_are_kept() {
        let names: Vec<String> = (0..50_000).map(|at| format!("{at}@north.example")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let kept = rule(vec![condition("c", &names, true)], &[]).conditions.remove(0);
        assert_eq!((kept.tested.len(), kept.values), (9, 50_000));
        assert_eq!(
            (kept.tested[7].as_str(), kept.tested[8].as_str()),
            ("7@north.example", "49999@north.example")
        );
        let long = rule(vec![condition("c", &[&"ä".repeat(501)], true)], &[]).conditions.remove(0);
        assert_eq!(long.tested[0], format!("{}…", "ä".repeat(499)));
    }
}
