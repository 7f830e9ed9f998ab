//! `Reply-To`: where answers are to go.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::header::Part;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Reply-To",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "Holds if it holds for one address in the Reply-To fields at least; without any it does not.",
    example: r#"["Reply-To", "is not", "*@north.example"]"#,
    parse: |arguments| Some(Arc::new(ReplyTo(arguments.pictures()?))),
};

#[derive(Debug)]
struct ReplyTo(Pictures);

impl Test for ReplyTo {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_one(evidence.header.part(Part::ReplyTo), evidence, witness)
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
        let mail = "From: c@north.example\nReply-To: a@north.example, B <b@east.example>\n\n";
        assert!(holds(r#"["Reply-To", "is", "b@east.example"]"#, mail));
        assert!(holds(r#"["Reply-To", "is not", "b@east.example"]"#, mail));
        assert!(!holds(r#"["Reply-To", "not in", ["a@*", "b@*"]]"#, mail));
        assert!(!holds(r#"["Reply-To", "in", ["c@*"]]"#, mail));
    }

    #[test]
    fn absent_none_holds() {
        for operator in [r#""is", "*""#, r#""is not", "x""#, r#""in", ["*"]"#, r#""not in", ["x"]"#] {
            assert!(
                !holds(&format!("[\"Reply-To\", {operator}]"), "From: c@north.example\n\n"),
                "{operator}"
            );
        }
    }
}
