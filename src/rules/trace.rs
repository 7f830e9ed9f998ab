//! What happened during an evaluation, rule by rule.

use super::{Action, Rule, ScopeKind};
use serde::Serialize;
use std::fmt;

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
    /// The actions that ran, as they stand in a rule file.
    pub actions: Vec<String>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConditionTrace {
    /// As it stands in the rule file.
    pub condition: String,
    /// The values that were looked at, up to the one that decided.
    pub tested: Vec<String>,
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
    pub(super) fn condition(&mut self, text: &str, tested: Vec<String>, holds: bool) {
        let Some(rule) = self.trace.rules.last_mut() else { return };
        rule.conditions.push(ConditionTrace { condition: text.to_owned(), tested, holds });
        if !holds {
            rule.outcome = Outcome::NotMatched;
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
        self.conditions.iter().try_for_each(|condition| writeln!(out, "{condition}"))?;
        self.actions.iter().try_for_each(|action| writeln!(out, "    -> {action}"))
    }
}

impl fmt::Display for ConditionTrace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.holds { "yes" } else { "no " };
        write!(out, "    {mark} {}  looked at: ", self.condition)?;
        match self.tested.as_slice() {
            [] => out.write_str("nothing, none is there"),
            [one] => write!(out, "{one:?}"),
            [first, .., last] => write!(out, "{first:?} … {last:?} ({} values)", self.tested.len()),
        }
    }
}
