//! Legal and surely not wanted.

use super::model::PlannedAction;
use super::{Action, Rule, RuleSet};
use serde::Serialize;

/// A remark on a rule file that is legal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Counted from 1.
    pub line: usize,
    /// The rule's name.
    pub rule: String,
    /// What is odd, and what to do.
    pub text: String,
}

impl RuleSet {
    /// What is legal in this file and surely not wanted, in the order of the file.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = self.notes.clone();
        for rule in self.rules() {
            warnings.extend(idle(rule));
            warnings.extend(dead_actions(rule));
            warnings.extend(void_copies(rule));
            warnings.extend(clear_beside_sealed(rule));
        }
        warnings.extend(unreachable(self));
        warnings.sort_by_key(|warning| warning.line);
        warnings
    }
}

impl RuleSet {
    /// What is surely not wanted besides where the INBOX copy that follows by itself is clear: a sealed copy of a rule after
    /// which it follows.
    pub fn clear_inbox_warnings(&self) -> Vec<Warning> {
        self.rules().filter(|rule| rule.priority > 0).filter_map(clear_copy_follows).collect()
    }
}

fn clear_copy_follows(rule: &Rule) -> Option<Warning> {
    let kept = |planned: &&PlannedAction| matches!(planned.action, Action::Discard | Action::Reject(_));
    let sealed = rule.actions.iter().find(|planned| matches!(planned.action, Action::StoreEncrypted(..)))?;
    let text = format!(
        "a clear INBOX copy follows beside the sealed one of \"{}\", because inbox is plain here: end the rule with \
         \"Discard\"",
        sealed.action
    );
    rule.actions.iter().find(kept).is_none().then(|| warn(rule, sealed.line, text))
}

fn warn(rule: &Rule, line: usize, text: String) -> Warning {
    Warning { line, rule: rule.name.clone(), text }
}

fn idle(rule: &Rule) -> Option<Warning> {
    rule.actions.is_empty().then(|| warn(rule, rule.line, "the rule has no action".to_owned()))
}

/// Actions behind one that ends.
fn dead_actions(rule: &Rule) -> Option<Warning> {
    let mut actions = rule.actions.iter();
    let end = actions.find(|planned| planned.action.is_end())?;
    let dead = actions.next()?;
    let text = format!("\"{}\" never runs: \"{}\" before it ends the rules", dead.action, end.action);
    Some(warn(rule, dead.line, text))
}

/// Copies in front of a rejection.
fn void_copies(rule: &Rule) -> Option<Warning> {
    let first = rule.actions.first()?;
    let end = rule.actions.iter().find(|planned| planned.action.is_end())?;
    let void = matches!(end.action, Action::Reject(_)) && !first.action.is_end();
    void.then(|| {
        warn(
            rule,
            first.line,
            format!("\"{}\" is void: the rule rejects, so nothing is stored", first.action),
        )
    })
}

/// A clear copy in the inbox beside a sealed one.
fn clear_beside_sealed(rule: &Rule) -> Option<Warning> {
    let clear = |planned: &&PlannedAction| matches!(&planned.action, Action::Store(mailbox) if mailbox.name.is_inbox());
    let clear = rule.actions.iter().find(clear)?;
    let sealed = rule.actions.iter().find(|planned| matches!(planned.action, Action::StoreEncrypted(..)))?;
    let text = format!(
        "\"{}\" leaves a clear INBOX copy beside the sealed one of \"{}\"",
        clear.action, sealed.action
    );
    Some(warn(rule, clear.line, text))
}

/// Rules behind one without conditions that ends.
fn unreachable(set: &RuleSet) -> Vec<Warning> {
    let mut order: Vec<_> = set.rules().filter(|rule| rule.priority > 0).collect();
    order.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
    let mut order = order.into_iter();
    let always_ends = |rule: &&Rule| {
        rule.conditions.is_empty() && rule.actions.iter().any(|planned| planned.action.is_end())
    };
    let Some(end) = order.find(always_ends) else { return Vec::new() };
    let text = |rule: &Rule| {
        let text = format!(
            "the rule never runs: \"{}\" (line {}) has no condition and ends the rules",
            end.name, end.line
        );
        warn(rule, rule.line, text)
    };
    order.map(text).collect()
}

#[cfg(test)]
mod tests {
    use crate::rules::{RuleSet, ScopeKind};

    fn warnings(text: &str) -> Vec<(usize, String)> {
        let set = RuleSet::from_toml("f.toml", text, ScopeKind::Account)
            .unwrap_or_else(|faults| panic!("{faults}"));
        set.warnings().into_iter().map(|warning| (warning.line, warning.text)).collect()
    }

    fn rule(then: &str) -> String {
        format!("[[rule]]\nname = \"r\"\npriority = 5\nwhen = [[\"Human Generated\"]]\nthen = [{then}]\n")
    }

    #[test]
    fn nothing_odd_nothing_said() {
        assert_eq!(warnings(&rule(r#"["Store Encrypted in", "INBOX"], ["Discard"]"#)), []);
        assert_eq!(warnings(&rule(r#"["Store Encrypted in", "Vault"]"#)), []);
        assert_eq!(warnings(&rule(r#"["Store in", "Lists"], ["Mark", "Seen"]"#)), []);
    }

    #[test]
    fn odd_rules() {
        for (then, text) in [
            ("", "the rule has no action"),
            (
                r#"["Discard"], ["Store in", "A"]"#,
                "\"Store in A\" never runs: \"Discard\" before it ends the rules",
            ),
            (
                r#"["Store in", "A"], ["Reject with", "No."]"#,
                "\"Store in A\" is void: the rule rejects, so nothing is stored",
            ),
            (
                r#"["Store Encrypted in", "A"], ["Store in", "inbox"]"#,
                "\"Store in INBOX\" leaves a clear INBOX copy beside the sealed one of \"Store Encrypted in A\"",
            ),
            (r#"["Mark", "Sen"]"#, "the keyword \"Sen\" looks like the flag \"Seen\""),
            (
                r#"["Reject with", "4.7.1 No."]"#,
                "the status code in the text is left out: the answer is always 5.7.1",
            ),
        ] {
            let line = if then.is_empty() { 1 } else { 5 };
            assert_eq!(warnings(&rule(then)), [(line, text.to_owned())]);
        }
    }

    #[test]
    fn a_rule_behind_an_unconditional_end() {
        let text = "[[rule]]\nname = \"later\"\npriority = 1\nthen = [[\"Mark\", \"Seen\"]]\n\
                    [[rule]]\nname = \"end\"\npriority = 2\nthen = [[\"Stop Processing\"]]\n\
                    [[rule]]\nname = \"off\"\npriority = 0\nthen = [[\"Discard\"]]\n";
        let expected = "the rule never runs: \"end\" (line 5) has no condition and ends the rules";
        assert_eq!(warnings(text), [(1, expected.to_owned())]);
    }
}
