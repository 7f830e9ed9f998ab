//! `Sender`: who sent the message for its authors.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::header::Part;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Sender",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "The address in the Sender field. Without one only `is not` and `not in` hold, and the From field does not stand in for it.",
    example: r#"["Sender", "is", "*@lists.north.example"]"#,
    parse: |arguments| Some(Arc::new(Sender(arguments.pictures()?))),
};

#[derive(Debug)]
struct Sender(Pictures);

impl Test for Sender {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_field(evidence.header.part(Part::Sender), evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::holds;

    #[test]
    fn looks_at_the_address_of_sender_and_not_of_from() {
        let mail = "From: ann@north.example\nSender: Desk <Desk@East.Example>\n\n";
        assert!(holds(r#"["Sender", "is", "desk@east.example"]"#, mail));
        assert!(!holds(r#"["Sender", "in", ["ann@*", "Desk"]]"#, mail));
        assert!(!holds(r#"["Sender", "is not", "desk@*"]"#, mail));
        assert!(holds(r#"["Sender", "not in", ["ann@*"]]"#, mail));
    }

    #[test]
    fn absent_only_the_negative_ones_hold() {
        let mail = "From: ann@north.example\n\n";
        assert!(!holds(r#"["Sender", "is", "*"]"#, mail));
        assert!(!holds(r#"["Sender", "in", ["*"]]"#, mail));
        assert!(holds(r#"["Sender", "is not", "*"]"#, mail));
        assert!(holds(r#"["Sender", "not in", ["*"]]"#, mail));
    }
}
