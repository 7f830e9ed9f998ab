//! Rule sets in the order in which they run.

use super::{Action, Needs, Rule, RuleSet, ScopeKind};
use std::cmp::Reverse;
use std::sync::Arc;

/// Rule sets merged in the order in which they run: priority (high first), domain before account, file order.
/// Inactive rules come last and are kept for the trace.
#[derive(Debug, Clone)]
pub struct Program {
    pub(super) rules: Vec<(ScopeKind, Arc<Rule>)>,
}

impl Program {
    /// Merges the sets of one level.
    pub fn new(sets: Vec<(ScopeKind, RuleSet)>) -> Program {
        let all =
            sets.into_iter().flat_map(|(scope, set)| set.rules.into_iter().map(move |rule| (scope, rule)));
        let mut rules: Vec<_> = all.collect();
        rules.sort_by_key(|(scope, rule)| (Reverse(rule.priority), *scope));
        Program { rules }
    }

    /// The facts that its conditions look at.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        let running = self.rules.iter().filter(|(_, rule)| rule.priority > 0);
        let tests = running.flat_map(|(_, rule)| &rule.tests);
        tests.for_each(|test| test.needs(&mut needs));
        needs
    }

    /// May an evaluation ask a filter?
    pub fn asks_filters(&self) -> bool {
        let mut running = self.rules.iter().filter(|(_, rule)| rule.priority > 0);
        running
            .any(|(_, rule)| rule.actions.iter().any(|planned| matches!(planned.action, Action::Filter(_))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(scope: ScopeKind, priorities: &[u8]) -> (ScopeKind, RuleSet) {
        let rule = |(at, priority): (usize, &u8)| {
            format!(
                "[[rule]]\nname = \"{} {at}\"\npriority = {priority}\nthen = [[\"Discard\"]]\n",
                scope.name()
            )
        };
        let text: String = priorities.iter().enumerate().map(rule).collect();
        (scope, RuleSet::from_toml("f.toml", &text, scope).unwrap())
    }

    fn names(program: &Program) -> Vec<&str> {
        program.rules.iter().map(|(_, rule)| rule.name.as_str()).collect()
    }

    #[test]
    fn priority_then_domain_before_account_then_file_order() {
        let sets = vec![set(ScopeKind::Account, &[5, 10, 0, 5]), set(ScopeKind::Domain, &[5, 1, 10, 5])];
        assert_eq!(
            names(&Program::new(sets)),
            [
                "domain 2",
                "account 1",
                "domain 0",
                "domain 3",
                "account 0",
                "account 3",
                "domain 1",
                "account 2"
            ]
        );
    }

    #[test]
    fn only_running_rules_ask_filters() {
        let program = |priority: u8| {
            let text = format!(
                "[[rule]]\nname = \"a\"\npriority = {priority}\nthen = [[\"ExternalFilter\", \"spam\"]]\n"
            );
            let set = RuleSet::from_toml("f.toml", &text, ScopeKind::Server).unwrap();
            Program::new(vec![(ScopeKind::Server, set)])
        };
        assert!(program(1).asks_filters());
        assert!(!program(0).asks_filters());
        assert!(!Program::new(vec![set(ScopeKind::Domain, &[5])]).asks_filters());
    }

    proptest! {
        #[test]
        fn the_order_of_the_sets_does_not_matter(a in "[0-9]{0,6}", b in "[0-9]{0,6}") {
            let digits = |text: &str| text.bytes().map(|digit| digit - b'0').collect::<Vec<_>>();
            let (a, b) = (set(ScopeKind::Domain, &digits(&a)), set(ScopeKind::Account, &digits(&b)));
            let forth = Program::new(vec![a.clone(), b.clone()]);
            let back = Program::new(vec![b, a]);
            prop_assert_eq!(names(&forth), names(&back));
        }
    }
}
