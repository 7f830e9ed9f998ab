//! `'From' Name`: how the author calls himself.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::header::Part;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "'From' Name",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "The display name in the From field, decoded. Without one only `is not` and `not in` hold.",
    example: r#"["'From' Name", "is", "*Managing Director*"]"#,
    parse: |arguments| Some(Arc::new(FromName(arguments.pictures()?))),
};

#[derive(Debug)]
struct FromName(Pictures);

impl Test for FromName {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_field(evidence.header.part(Part::FromName), evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::holds;

    #[test]
    fn looks_at_the_name_and_not_at_the_address() {
        let mail = "From: =?utf-8?Q?J=C3=BCrgen?= \"van\" Dyck <jd@north.example>\n\n";
        assert!(holds(r#"["'From' Name", "is", "JÜRGEN*"]"#, mail));
        assert!(!holds(r#"["'From' Name", "in", ["jd@*", "jd"]]"#, mail));
        assert!(!holds(r#"["'From' Name", "is not", "*dyck"]"#, mail));
        assert!(holds(r#"["'From' Name", "not in", ["jd*", "*north*"]]"#, mail));
    }

    #[test]
    fn without_a_name_only_the_negative_ones_hold() {
        for mail in
            ["From: jd@north.example\n\n", "From: <jd@north.example>\n\n", "Sender: JD <jd@x.example>\n\n"]
        {
            assert!(!holds(r#"["'From' Name", "is", "*"]"#, mail), "{mail}");
            assert!(holds(r#"["'From' Name", "is not", "*"]"#, mail), "{mail}");
        }
    }

    #[test]
    fn a_name_without_an_address_counts() {
        assert!(holds(r#"["'From' Name", "is", "the boss"]"#, "From: The Boss\n\n"));
    }
}
