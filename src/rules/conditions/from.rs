//! `From`: the author's address.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::header::Part;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "From",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "The address in the From field. Without one only `is not` and `not in` hold.",
    example: r#"["From", "in", ["*@payroll.north.example", "hr@north.example"]]"#,
    parse: |arguments| Some(Arc::new(From(arguments.pictures()?))),
};

#[derive(Debug)]
struct From(Pictures);

impl Test for From {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_field(evidence.header.part(Part::From), evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::holds;

    #[test]
    fn looks_at_the_address_only() {
        let mail = "From: \"eve@north.example\" <Bob@East.Example>\n\n";
        assert!(holds(r#"["From", "is", "bob@east.example"]"#, mail));
        assert!(!holds(r#"["From", "is", "*north*"]"#, mail));
        assert!(holds(r#"["From", "in", ["x@*", "*@east.example"]]"#, mail));
        assert!(!holds(r#"["From", "not in", ["x@*", "*@east.example"]]"#, mail));
    }

    #[test]
    fn absent_only_the_negative_ones_hold() {
        let mail = "Subject: x\n\n";
        assert!(!holds(r#"["From", "is", "*"]"#, mail));
        assert!(!holds(r#"["From", "in", ["*"]]"#, mail));
        assert!(holds(r#"["From", "is not", "*"]"#, mail));
        assert!(holds(r#"["From", "not in", ["*"]]"#, mail));
    }

    #[test]
    fn of_several_authors_none_may_match_for_is_not() {
        let mail = "From: a@north.example, b@east.example\n\n";
        assert!(holds(r#"["From", "is", "b@east.example"]"#, mail));
        assert!(!holds(r#"["From", "is not", "b@east.example"]"#, mail));
    }
}
