//! Rules that end the rules for every message that another rule is for: each rule is compared with few others, however
//! many there are.

use super::changes_what_is_tested;
use crate::rules::datum::Node;
use crate::rules::{Rule, RuleSet};
use std::collections::{BTreeMap, BTreeSet};

/// Of those whose first condition is the same, so many are remembered. Ours.
const MOST_ALIKE: usize = 64;

/// The rules that never run, each with the first rule that ends the rules before it.
pub(super) fn unreachable(set: &RuleSet) -> Vec<(&Rule, &Rule)> {
    let mut order: Vec<&Rule> = set.rules().filter(|rule| rule.priority > 0).collect();
    order.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
    let edits =
        order.iter().any(|rule| rule.actions.iter().any(|planned| changes_what_is_tested(&planned.action)));
    let (mut numbers, mut ends) = (BTreeMap::new(), Ends::default());
    let mut behind = Vec::new();
    for (at, rule) in order.into_iter().enumerate() {
        let asked = asked(rule, &mut numbers);
        behind.extend(ends.before(&asked).map(|end| (rule, end)));
        if (asked.is_empty() || !edits) && rule.actions.iter().any(|planned| planned.action.is_end()) {
            ends.add(End { at, rule, asked });
        }
    }
    behind
}

/// What the rule asks, a number for each condition: those that say the same have the same.
fn asked<'r>(rule: &'r Rule, numbers: &mut BTreeMap<&'r Node, usize>) -> BTreeSet<usize> {
    let mut number = |node| {
        let next = numbers.len();
        *numbers.entry(node).or_insert(next)
    };
    rule.conditions.iter().map(|condition| number(&condition.node)).collect()
}

struct End<'r> {
    /// In the order in which rules run.
    at: usize,
    rule: &'r Rule,
    asked: BTreeSet<usize>,
}

/// Those that were seen so far.
#[derive(Default)]
struct Ends<'r> {
    of_all: Option<End<'r>>,
    /// By the smallest of what they ask.
    by_first: BTreeMap<usize, Vec<End<'r>>>,
}

impl<'r> Ends<'r> {
    fn add(&mut self, end: End<'r>) {
        let Some(first) = end.asked.first() else {
            self.of_all.get_or_insert(end);
            return;
        };
        let alike = self.by_first.entry(*first).or_default();
        if alike.len() < MOST_ALIKE {
            alike.push(end);
        }
    }

    /// The first that holds wherever all of this holds.
    fn before(&self, asked: &BTreeSet<usize>) -> Option<&'r Rule> {
        let covers = |end: &&End<'_>| end.asked.is_subset(asked);
        let found = asked.iter().filter_map(|number| self.by_first.get(number)?.iter().find(covers));
        found.chain(&self.of_all).min_by_key(|end| end.at).map(|end| end.rule)
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::{RuleSet, ScopeKind};
    use crate::system::worked_since;
    use std::time::Duration;

    fn rules(count: usize, when: impl Fn(usize) -> String, then: &str) -> RuleSet {
        let rule =
            |at: usize| format!("{{name=\"r{at}\",priority=1,when=[{}],then=[[\"{then}\"]]}}", when(at));
        let text = format!("rule=[{}]", (0..count).map(rule).collect::<Vec<_>>().join(","));
        RuleSet::from_toml("f.toml", &text, ScopeKind::Account).unwrap_or_else(|faults| panic!("{faults}"))
    }

    /// The fastest of several runs: what else the machine does makes a run slower and never faster.
    fn assert_grows(what: &str, set: impl Fn(usize) -> RuleSet, count: usize) {
        let least = |set: &RuleSet| {
            let run = || {
                let begun = worked_since(Duration::ZERO);
                let _ = set.warnings();
                worked_since(begun)
            };
            (0..3).map(|_| run()).min().unwrap_or_default()
        };
        let (few, many) = (least(&set(count / 4)), least(&set(count)));
        assert!(many < few * 8 + Duration::from_millis(50), "{what}: {few:?}, then {many:?}");
    }

    #[test]
    fn four_times_the_rules_take_four_times_the_time() {
        let ends = |count| rules(count, |at| format!("[\"Subject\",\"is\",\"{at}\"]"), "Discard");
        assert_grows("ends that differ", ends, 8_000);
        let alike = |count| {
            let when = |at| format!("[\"Human Generated\"],[\"Subject\",\"is\",\"{at}\"]");
            rules(count, when, "Discard")
        };
        assert_grows("ends that begin alike", alike, 8_000);
    }

    #[test]
    fn as_many_conditions_as_a_rule_has_take_their_time_once() {
        let conditions = |count| {
            let when = |rule: usize| {
                let one = |at: usize| format!("[\"Subject\",\"is not\",\"{}\"]", rule * 256 + at);
                (0..256).map(one).collect::<Vec<_>>().join(",")
            };
            rules(count, when, "Discard")
        };
        assert_grows("conditions", conditions, 16);
    }
}
