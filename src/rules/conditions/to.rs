//! `To`: the addresses in the To fields.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::header::Part;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "To",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "Holds if it holds for one address in the To fields at least; without any it does not.",
    example: r#"["To", "is", "*@lists.north.example"]"#,
    parse: |arguments| Some(Arc::new(To(arguments.pictures()?))),
};

#[derive(Debug)]
struct To(Pictures);

impl Test for To {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_one(evidence.header.part(Part::To), evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::holds;

    #[test]
    fn one_address_is_enough_for_every_operator() {
        let mail = "To: a@north.example, group: b@east.example, c@east.example;\nTo: d@west.example\n\n";
        assert!(holds(r#"["To", "is", "d@west.example"]"#, mail));
        assert!(holds(r#"["To", "is", "b@*"]"#, mail));
        assert!(holds(r#"["To", "is not", "d@west.example"]"#, mail));
        assert!(!holds(r#"["To", "not in", ["*@north.example", "*@east.example", "*@west.example"]]"#, mail));
    }

    #[test]
    fn absent_none_holds() {
        for mail in ["Cc: a@north.example\n\n", "To: undisclosed-recipients:;\n\n"] {
            assert!(!holds(r#"["To", "is", "*"]"#, mail));
            assert!(!holds(r#"["To", "is not", "x"]"#, mail));
            assert!(!holds(r#"["To", "not in", ["x"]]"#, mail));
        }
    }
}
