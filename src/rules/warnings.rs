//! Legal and surely not wanted.

mod actions;
mod conditions;
mod ends;
mod spans;

use super::model::PlannedAction;
use super::{Action, Rule, RuleSet};
use serde::Serialize;
pub(super) use spans::{Left, Unit, compared};
use std::collections::BTreeMap;

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
            warnings.extend(conditions::odd(rule));
            warnings.extend(actions::odd(rule));
        }
        warnings.extend(second_inbox_copies(self));
        warnings.extend(names_alike(self));
        warnings.extend(unreachable(self));
        warnings.sort_by_key(|warning| warning.line);
        warnings
    }

    /// What is surely not wanted besides where the INBOX copy that follows by itself is clear: a sealed copy of a rule after
    /// which it follows.
    pub fn clear_inbox_warnings(&self) -> Vec<Warning> {
        self.rules().filter(|rule| rule.priority > 0).filter_map(actions::clear_copy_follows).collect()
    }
}

impl RuleSet {
    /// The rules that one of another set keeps from running, which runs before them at the same priority. `whose` names it.
    pub fn unreachable_behind(&self, before: &RuleSet, whose: &str) -> Vec<Warning> {
        let ends = |rule: &&Rule| {
            let is_for_all = rule.priority > 0 && rule.conditions.is_empty();
            is_for_all && rule.actions.iter().any(|planned| planned.action.is_end())
        };
        let Some(end) = before.rules().filter(ends).max_by_key(|rule| rule.priority) else {
            return Vec::new();
        };
        let text = format!(
            "the rule never runs: \"{}\" of {whose} (priority {}) has no condition and ends the rules",
            end.name, end.priority
        );
        let behind = self.rules().filter(|rule| (1..=end.priority).contains(&rule.priority));
        behind.map(|rule| warn(rule, rule.line, text.clone())).collect()
    }
}

fn warn(rule: &Rule, line: usize, text: impl Into<String>) -> Warning {
    Warning { line, rule: rule.name.clone(), text: text.into() }
}

/// A sealed copy in the INBOX, and then the INBOX copy. Where another rule may discard, nothing is said.
fn second_inbox_copies(set: &RuleSet) -> Vec<Warning> {
    let discards = |planned: &PlannedAction| matches!(planned.action, Action::Discard);
    let may_discard = set.rules().any(|rule| rule.priority > 0 && rule.actions.iter().any(discards));
    let stops = |rule: &&Rule| rule.actions.iter().any(|planned| matches!(planned.action, Action::Stop));
    let rules = set.rules().filter(|rule| !may_discard || stops(rule));
    rules.filter_map(actions::second_inbox_copy).collect()
}

/// Names that a person takes for one.
fn names_alike(set: &RuleSet) -> Vec<Warning> {
    let mut seen: BTreeMap<String, &Rule> = BTreeMap::new();
    let mut warnings = Vec::new();
    for rule in set.rules() {
        let folded = rule.name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        match seen.get(&folded) {
            Some(first) => {
                let text = format!(
                    "the name differs from \"{}\" (line {}) in case or blanks only",
                    first.name, first.line
                );
                warnings.push(warn(rule, rule.line, text));
            }
            None => drop(seen.insert(folded, rule)),
        }
    }
    warnings
}

/// Rules behind one that ends the rules for every message that they are for.
fn unreachable(set: &RuleSet) -> Vec<Warning> {
    let behind = |(rule, end): (&Rule, &Rule)| {
        let reason = match end.conditions.is_empty() {
            true => "has no condition and ends the rules",
            false => "ends the rules for every message that this one is for",
        };
        let text = format!("the rule never runs: \"{}\" (line {}) {reason}", end.name, end.line);
        warn(rule, rule.line, text)
    };
    ends::unreachable(set).into_iter().map(behind).collect()
}

/// After these a condition may say something else than before.
fn changes_what_is_tested(action: &Action) -> bool {
    matches!(action, Action::AddHeader(_) | Action::TagSubject(_) | Action::Filter(_))
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
            (
                r#"["Store Encrypted in", "A"], ["Store in", "A"], ["Discard"]"#,
                "\"Store in A\" leaves a clear copy in the same mailbox beside the sealed one of \"Store Encrypted in A\"",
            ),
            (
                r#"["Store in", "A"], ["Store in", "A"]"#,
                "\"Store in A\" stands in line 5 already: it is done twice",
            ),
            (
                r#"["Store in", "A"], ["Mark", "Seen"], ["Discard"]"#,
                "\"Mark Seen\" has no effect: no copy is stored between it and \"Discard\"",
            ),
            (
                r#"["Store Encrypted in", "INBOX"]"#,
                "\"Store Encrypted in INBOX\" is one INBOX copy, and another one follows: end the rule with \"Discard\"",
            ),
            (
                r#"["Store in", "INBOX"], ["Stop Processing"]"#,
                "\"Store in INBOX\" is one INBOX copy, and another one follows: end the rule with \"Discard\"",
            ),
            (r#"["Mark", "Read"]"#, "the keyword \"Read\" looks like the flag \"Seen\""),
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

    #[test]
    fn a_rule_behind_an_end_of_another_set() {
        let set = |text: &str| RuleSet::from_toml("f.toml", text, ScopeKind::Account).unwrap();
        let end = |priority, when: &str, then: &str| set(&named("end", priority, when, then));
        let rules =
            set(&[7, 6, 0].map(|at| named(&format!("r{at}"), at, "", r#"["Mark", "Seen"]"#)).concat());
        let behind = |before: &RuleSet| -> Vec<_> {
            let warnings = rules.unreachable_behind(before, "domain north.example").into_iter();
            warnings.map(|warning| (warning.rule, warning.text)).collect()
        };
        let text = "the rule never runs: \"end\" of domain north.example (priority 6) has no condition and ends the rules";
        for then in [r#"["Discard"]"#, r#"["Stop Processing"]"#, r#"["Reject with", "No."]"#] {
            assert_eq!(behind(&end(6, "", then)), [("r6".to_owned(), text.to_owned())], "{then}");
        }
        assert_eq!(behind(&end(10, "", r#"["Discard"]"#)).len(), 2);
        for other in [
            end(0, "", r#"["Discard"]"#),
            end(5, "", r#"["Discard"]"#),
            end(10, r#"["Human Generated"]"#, r#"["Discard"]"#),
            end(10, "", r#"["Mark", "Seen"]"#),
        ] {
            assert_eq!(behind(&other), []);
        }
    }

    fn named(name: &str, priority: u8, when: &str, then: &str) -> String {
        format!("[[rule]]\nname = \"{name}\"\npriority = {priority}\nwhen = [{when}]\nthen = [{then}]\n")
    }

    #[test]
    fn a_rule_behind_an_end_for_all_of_its_messages() {
        let (from, human) = (r#"["From", "is", "a@b.example"]"#, r#"["Human Generated"]"#);
        let end = named("end", 7, from, r#"["Store in", "A"], ["Discard"]"#);
        let behind = named("behind", 6, &format!("{human}, {from}"), r#"["Mark", "Seen"]"#);
        let text =
            "the rule never runs: \"end\" (line 1) ends the rules for every message that this one is for";
        assert_eq!(warnings(&format!("{end}{behind}")), [(6, text.to_owned())]);
        let first = named("first", 8, &format!("{human}, {from}"), r#"["Mark", "Seen"]"#);
        assert_eq!(warnings(&format!("{end}{first}")), [], "it runs before the end");
        let other = named("other", 6, human, r#"["Mark", "Seen"]"#);
        assert_eq!(warnings(&format!("{end}{other}")), [], "it is for more messages");
        let off = named("off", 0, from, r#"["Mark", "Seen"]"#);
        assert_eq!(warnings(&format!("{end}{off}")), []);
    }

    /// Where a rule may discard, a sealed copy in the INBOX may be the only one.
    #[test]
    fn a_discard_elsewhere_may_hold_the_second_copy_back() {
        let seal = named("seal", 7, "", r#"["Store Encrypted in", "INBOX"]"#);
        let rest = named("rest", 1, "", r#"["Discard"]"#);
        assert_eq!(warnings(&format!("{seal}{rest}")), []);
        let of_another = named("r", 7, "", r#"["Store Encrypted in", "~hr@north.example/INBOX"]"#);
        assert_eq!(warnings(&of_another), []);
    }

    #[test]
    fn names_that_a_person_takes_for_one() {
        let [one, other] =
            ["Seal  Payroll", "seal payroll"].map(|name| named(name, 5, "", r#"["Mark", "Seen"]"#));
        let text = "the name differs from \"Seal  Payroll\" (line 1) in case or blanks only";
        assert_eq!(warnings(&format!("{one}{other}")), [(6, text.to_owned())]);
    }

    #[test]
    fn a_clear_inbox_copy_beside_a_sealed_one_is_told_where_the_inbox_is_plain() {
        let told = |then: &str| {
            let text = named("r", 5, "", then);
            let set = RuleSet::from_toml("f.toml", &text, ScopeKind::Account).unwrap();
            set.clear_inbox_warnings().into_iter().map(|warning| warning.text).collect::<Vec<_>>()
        };
        let expected = "a clear INBOX copy follows beside the sealed one of \"Store Encrypted in A\", because inbox is plain \
                        here: end the rule with \"Discard\"";
        assert_eq!(told(r#"["Store Encrypted in", "A"]"#), [expected]);
        assert_eq!(told(r#"["Store Encrypted in", "A"], ["Stop Processing"]"#), [expected]);
        assert_eq!(told(r#"["Store Encrypted in", "A"], ["Discard"]"#), Vec::<String>::new());
        assert_eq!(told(r#"["Store in", "A"]"#), Vec::<String>::new());
    }
}
