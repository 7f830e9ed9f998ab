//! Which programs outside a rule set calls.

use super::{Action, Command, RuleSet};

/// A program that a rule calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'r> {
    /// The rule's name.
    pub rule: &'r str,
    /// Where the action stands, counted from 1.
    pub line: usize,
    /// What is called.
    pub called: Called<'r>,
}

/// A command or a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Called<'r> {
    /// By `Execute`.
    Command(&'r Command),
    /// By `ExternalFilter`: its name.
    Filter(&'r str),
}

impl RuleSet {
    /// What its active rules call, in the order of the file.
    pub fn calls(&self) -> impl Iterator<Item = Call<'_>> {
        let active = self.rules().filter(|rule| rule.priority > 0);
        active.flat_map(|rule| {
            rule.actions.iter().filter_map(|planned| {
                let called = match &planned.action {
                    Action::Execute(command) => Called::Command(command),
                    Action::Filter(name) => Called::Filter(name),
                    _ => return None,
                };
                Some(Call { rule: &rule.name, line: planned.line, called })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::ScopeKind;

    #[test]
    fn active_rules_tell_what_they_call() {
        let text = "[[rule]]\nname = \"a\"\npriority = 1\nthen = [\n  [\"ExternalFilter\", \"spam\"],\n  [\"Execute\", \"/bin/a b\"],\n]\n\
                    [[rule]]\nname = \"off\"\npriority = 0\nthen = [[\"Execute\", \"/bin/c\"]]\n";
        let set = RuleSet::from_toml("f.toml", text, ScopeKind::Server).unwrap();
        let command = Command::parse("/bin/a b").unwrap();
        let expected = [
            Call { rule: "a", line: 5, called: Called::Filter("spam") },
            Call { rule: "a", line: 6, called: Called::Command(&command) },
        ];
        assert_eq!(set.calls().collect::<Vec<_>>(), expected);
    }
}
