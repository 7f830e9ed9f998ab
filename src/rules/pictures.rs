//! The right side of `is`, `is not`, `in` and `not in`: pictures and datasets.

use super::evidence::{Evidence, Value, Witness};
use super::folded::Folded;
use super::header::FieldName;
use super::picture::Picture;
use super::{Needs, Operator};

/// One of the operators `is`, `is not`, `in`, `not in` with its pictures, and the datasets among them. The members of a
/// dataset are values and not pictures: what `Remember 'From' in` takes from a message must not match more than itself.
#[derive(Debug, Clone)]
pub(super) struct Pictures {
    pub(super) operator: Operator,
    pub(super) list: Vec<Picture>,
    /// Their names.
    pub(super) datasets: Vec<String>,
}

impl Pictures {
    /// Holds if it holds for at least one value; with no value at all it does not, whatever the operator.
    pub(super) fn hold_for_one(
        &self,
        values: &[Value],
        evidence: &Evidence<'_>,
        witness: &mut dyn Witness,
    ) -> bool {
        values.iter().any(|value| self.hold_for(value, evidence, witness))
    }

    /// Holds if it holds for every value; so with no value at all it does, whatever the operator.
    pub(super) fn hold_for_each(
        &self,
        values: &[Value],
        evidence: &Evidence<'_>,
        witness: &mut dyn Witness,
    ) -> bool {
        values.iter().all(|value| self.hold_for(value, evidence, witness))
    }

    /// `is` and `in` hold if one value matches, `is not` and `not in` if none does; so with no value at all only
    /// the negative ones hold.
    pub(super) fn hold_for_field(
        &self,
        values: &[Value],
        evidence: &Evidence<'_>,
        witness: &mut dyn Witness,
    ) -> bool {
        self.match_any(values, evidence, witness) != self.operator.is_negative()
    }

    /// Does a value match, whatever the operator says of that?
    pub(super) fn match_any(
        &self,
        values: &[Value],
        evidence: &Evidence<'_>,
        witness: &mut dyn Witness,
    ) -> bool {
        values.iter().any(|value| {
            witness.value(&value.text);
            self.match_one(&value.folded, evidence)
        })
    }

    /// The names of header fields, if each picture begins with one and its colon: no other field can match.
    pub(super) fn field_names(&self) -> Option<Vec<FieldName>> {
        let names: Option<Vec<_>> = self.list.iter().map(Picture::field_name).collect();
        let mut names = names.filter(|_| self.datasets.is_empty())?;
        names.sort_unstable();
        names.dedup();
        Some(names.into_iter().map(FieldName::new).collect())
    }

    /// The datasets that it looks at.
    pub(super) fn needs(&self, needs: &mut Needs) {
        needs.datasets.extend(self.datasets.iter().cloned());
    }

    fn hold_for(&self, value: &Value, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        witness.value(&value.text);
        self.match_one(&value.folded, evidence) != self.operator.is_negative()
    }

    fn match_one(&self, value: &Folded, evidence: &Evidence<'_>) -> bool {
        self.list.iter().any(|picture| picture.matches(value))
            || self.datasets.iter().any(|name| evidence.dataset(name).contains(value))
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::{facts_needed, holds_among};
    use crate::rules::{Facts, Needs};

    fn friends() -> Facts {
        let members = ["Ann@East.Example", "*@star.example", "straße@east.example"].map(str::to_owned);
        Facts { datasets: [("Friends".to_owned(), members.to_vec())].into(), ..Facts::default() }
    }

    fn holds(condition: &str, from: &str) -> bool {
        holds_among(condition, &format!("From: {from}\n\n"), &friends())
    }

    #[test]
    fn a_dataset_is_among_the_pictures_of_a_list() {
        for list in [r##""#Friends""##, r##"["#Friends"]"##, r##"["x@*", "#Friends"]"##] {
            assert!(holds(&format!(r#"["From", "in", {list}]"#), "ann@east.example"), "{list}");
            assert!(!holds(&format!(r#"["From", "not in", {list}]"#), "ann@east.example"), "{list}");
            assert!(!holds(&format!(r#"["From", "in", {list}]"#), "zed@east.example"), "{list}");
            assert!(holds(&format!(r#"["From", "not in", {list}]"#), "zed@east.example"), "{list}");
        }
        assert!(holds(r##"["From", "in", ["#Friends", "zed@*"]]"##, "zed@east.example"));
    }

    #[test]
    fn members_are_whole_values_without_case_and_no_pictures() {
        let friends = r##"["From", "in", "#Friends"]"##;
        assert!(holds(friends, "ANN@east.example"));
        assert!(holds(friends, "STRA\u{1e9e}E@east.example"), "folded as pictures are");
        assert!(!holds(friends, "ann@east.example.net"));
        assert!(!holds(friends, "bob@star.example"), "a star is a star");
        assert!(holds(friends, "*@star.example"));
    }

    #[test]
    fn a_dataset_that_is_not_there_has_no_members() {
        assert!(!holds(r##"["From", "in", "#Foes"]"##, "ann@east.example"));
        assert!(holds(r##"["From", "not in", "#Foes"]"##, "ann@east.example"));
        assert!(!holds(r##"["From", "in", "#friends"]"##, "ann@east.example"), "a name keeps its case");
    }

    #[test]
    fn a_picture_that_begins_with_the_sign_is_escaped_in_lists_only() {
        let mail = "Subject: #42 is done\n\n";
        let facts = Facts::default();
        assert!(holds_among(r##"["Subject", "is", "#42*"]"##, mail, &facts));
        assert!(holds_among(r##"["Subject", "is", '\#42*']"##, mail, &facts));
        assert!(holds_among(r##"["Subject", "in", ['\#42*']]"##, mail, &facts));
        assert!(!holds_among(r##"["Subject", "in", ["#42 is done"]]"##, mail, &facts), "a dataset");
    }

    #[test]
    fn the_names_are_needed() {
        let datasets = |names: &[&str]| Needs {
            datasets: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Needs::default()
        };
        assert_eq!(facts_needed(r##"["From", "in", ["#B", "x", "#A", "#B"]]"##), datasets(&["A", "B"]));
        assert_eq!(facts_needed(r##"["From", "is", "#A"]"##), Needs::default());
    }
}
