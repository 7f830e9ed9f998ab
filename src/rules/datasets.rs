//! The datasets of accounts: their names, and which of them rules ask for.

use super::{Action, Needs, Rule, RuleSet};
use std::collections::BTreeSet;

/// Octets. Ours.
const LONGEST: usize = 100;

/// What is wrong with a dataset's name, if anything is: `#Name` in a list of pictures must be able to say it.
pub fn dataset_name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.trim() != name {
        return Some("it is empty, or a blank stands around it");
    }
    if name.starts_with('#') {
        return Some("the # belongs to lists of pictures; a name has none");
    }
    if name.contains(|char: char| char.is_control() || matches!(char, ',' | '*' | '\\' | '"')) {
        return Some("it has a control character, a comma, a star, a quote or a backslash");
    }
    (name.len() > LONGEST).then_some("it is longer than 100 bytes")
}

impl RuleSet {
    /// The datasets that its conditions ask for and none of its rules fills: somebody else has to.
    pub fn datasets_of_others(&self) -> BTreeSet<String> {
        let running = || self.rules().filter(|rule| rule.priority > 0);
        let mut needs = Needs::default();
        running().flat_map(|rule| &rule.tests).for_each(|test| test.needs(&mut needs));
        let filled: BTreeSet<&str> = running().flat_map(filled_by).collect();
        needs.datasets.into_iter().filter(|name| !filled.contains(name.as_str())).collect()
    }
}

fn filled_by(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.actions.iter().filter_map(|planned| match &planned.action {
        Action::Remember(dataset) => Some(dataset.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::ScopeKind;

    #[test]
    fn what_a_rule_fills_needs_nobody_else() {
        let text = "[[rule]]\nname = \"a\"\npriority = 5\nwhen = [[\"From\", \"in\", [\"#A\", \"#B\"]]]\n\
                    then = [[\"Remember 'From' in\", \"B\"]]\n\
                    [[rule]]\nname = \"b\"\npriority = 0\nwhen = [[\"From\", \"in\", [\"#C\"]]]\nthen = [[\"Discard\"]]\n";
        let set = RuleSet::from_toml("f.toml", text, ScopeKind::Account).unwrap();
        assert_eq!(set.datasets_of_others().into_iter().collect::<Vec<_>>(), ["A"]);
    }

    #[test]
    fn names_are_what_a_list_of_pictures_can_say() {
        for name in ["Friends", "Köln 2", "a/b", "x"] {
            assert_eq!(dataset_name_fault(name), None, "{name}");
        }
        let long = "x".repeat(101);
        for name in ["", " a", "#a", "a,b", "a*", "a\\b", "a\"", "a\n", long.as_str()] {
            assert!(dataset_name_fault(name).is_some(), "{name}");
        }
    }
}
