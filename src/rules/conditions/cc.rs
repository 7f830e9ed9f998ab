//! `Cc`: the addresses in the Cc fields.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::header::Part;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Cc",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "Holds if it holds for one address in the Cc fields at least; without any it does not.",
    example: r#"["Cc", "is", "audit@north.example"]"#,
    parse: |arguments| Some(Arc::new(Cc(arguments.pictures()?))),
};

#[derive(Debug)]
struct Cc(Pictures);

impl Test for Cc {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_one(evidence.header.part(Part::Cc), evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::holds;

    #[test]
    fn looks_at_cc_and_not_at_to() {
        let mail = "To: a@north.example\nCC: b@east.example\n\n";
        assert!(holds(r#"["Cc", "is", "b@east.example"]"#, mail));
        assert!(!holds(r#"["Cc", "is", "a@north.example"]"#, mail));
        assert!(!holds(r#"["Cc", "is not", "x"]"#, "To: a@north.example\n\n"));
    }
}
