//! `Preference`: what the account prefers.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Preference",
    operators: Operator::PICTURES,
    scopes: ScopeKind::OF_ACCOUNTS,
    doc: "Each preference of the account as `Name: value`. `is not` and `not in` hold if none matches.",
    example: r#"["Preference", "is", "Language: de*"]"#,
    parse: |arguments| Some(Arc::new(Preference(arguments.pictures()?))),
};

#[derive(Debug)]
struct Preference(Pictures);

impl Test for Preference {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_field(evidence.preferences(), evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.preferences = true;
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Facts;
    use crate::rules::evaluate::testing::holds_among;

    #[test]
    fn one_preference_is_enough_and_none_may_match_for_is_not() {
        let preferences =
            [("Away", "yes"), ("Language", "de-AT")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let facts = Facts { preferences: preferences.to_vec(), ..Facts::default() };
        let holds = |rest: &str| holds_among(&format!("[\"Preference\", {rest}]"), "\n", &facts);
        assert!(holds(r#""is", "away: YES""#));
        assert!(!holds(r#""is", "yes""#));
        assert!(!holds(r#""is not", "Language: *""#));
        assert!(holds(r#""is not", "Colour: *""#));
        assert!(holds(r#""in", ["Away: no", "Language: de*"]"#));
        assert!(!holds(r#""not in", ["Away: no", "Language: de*"]"#));
    }

    #[test]
    fn without_any_only_the_negative_ones_hold() {
        assert!(!holds_among(r#"["Preference", "is", "*"]"#, "\n", &Facts::default()));
        assert!(holds_among(r#"["Preference", "is not", "*"]"#, "\n", &Facts::default()));
    }
}
