//! Which actions an account's owner may ask for himself.

use super::RuleSet;
use serde::Serialize;

/// What an action reaches beyond the message and the mailboxes; from the mildest to the gravest.
///
/// How to choose: what only sorts, marks, edits or refuses the message at hand is `Filter`; what makes something that
/// outlives the message elsewhere (mail that leaves, files) is `Mail`; what runs a program is `Execute`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// It decides about this message and nothing else.
    Filter,
    /// It sends mail or writes files.
    Mail,
    /// It runs a program.
    Execute,
}

/// What an account's owner may install for himself. What an administrator installs is never limited by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum RulesAllowed {
    /// No rules of his own.
    None,
    /// Sorting, marking, sealing, refusing.
    #[default]
    FilterOnly,
    /// Everything but programs.
    AllButExec,
    /// Everything.
    Any,
}

impl RulesAllowed {
    /// Every value, from the narrowest to the widest.
    pub const ALL: &'static [RulesAllowed] =
        &[RulesAllowed::None, RulesAllowed::FilterOnly, RulesAllowed::AllButExec, RulesAllowed::Any];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            RulesAllowed::None => "none",
            RulesAllowed::FilterOnly => "filter-only",
            RulesAllowed::AllButExec => "all-but-exec",
            RulesAllowed::Any => "any",
        }
    }
}

impl Class {
    /// Its word in texts.
    pub fn name(self) -> &'static str {
        match self {
            Class::Filter => "filter",
            Class::Mail => "mail",
            Class::Execute => "execute",
        }
    }

    /// The narrowest setting that permits it.
    pub fn needs(self) -> RulesAllowed {
        match self {
            Class::Filter => RulesAllowed::FilterOnly,
            Class::Mail => RulesAllowed::AllButExec,
            Class::Execute => RulesAllowed::Any,
        }
    }
}

/// An action that a setting does not permit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forbidden {
    /// Where the action stands, counted from 1.
    pub line: usize,
    /// The rule's name.
    pub rule: String,
    /// The action's name.
    pub action: &'static str,
    /// The narrowest setting that permits it.
    #[serde(serialize_with = "word")]
    pub needs: RulesAllowed,
}

fn word<S: serde::Serializer>(allowed: &RulesAllowed, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(allowed.name())
}

impl RuleSet {
    /// Every action that the setting does not permit, those of inactive rules too, in the order of the file. What `none`
    /// forbids besides is any rule at all, which is not told here.
    pub fn forbidden(&self, allowed: RulesAllowed) -> Vec<Forbidden> {
        let mut found = Vec::new();
        for rule in self.rules() {
            for planned in rule.actions.iter().filter(|planned| planned.class.needs() > allowed) {
                let (line, needs) = (planned.line, planned.class.needs());
                found.push(Forbidden { line, rule: rule.name.clone(), action: planned.name, needs });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{ACTIONS, ScopeKind};

    #[test]
    fn filter_only_permits_what_the_specification_lists() {
        const LISTED: &[&str] = &[
            "Store Encrypted in",
            "Store in",
            "Mark",
            "Add Header",
            "Tag Subject",
            "Reject with",
            "Discard",
            "Stop Processing",
            "Remember 'From' in",
        ];
        for word in ACTIONS {
            assert_eq!(word.class == Class::Filter, LISTED.contains(&word.name), "{}", word.name);
            let program = ["Execute", "ExternalFilter"].contains(&word.name);
            assert_eq!(word.class == Class::Execute, program, "{}", word.name);
        }
    }

    #[test]
    fn none_forbids_every_action() {
        let text =
            "[[rule]]\nname = \"r\"\npriority = 0\nthen = [\n  [\"Mark\", \"Seen\"],\n  [\"Discard\"],\n]\n";
        let set = RuleSet::from_toml("f.toml", text, ScopeKind::Account).unwrap();
        let told =
            |line, action| Forbidden { line, rule: "r".into(), action, needs: RulesAllowed::FilterOnly };
        assert_eq!(set.forbidden(RulesAllowed::None), [told(5, "Mark"), told(6, "Discard")]);
        assert_eq!(set.forbidden(RulesAllowed::FilterOnly), []);
    }
}
