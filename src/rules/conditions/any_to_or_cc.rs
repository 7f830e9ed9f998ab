//! `Any To or Cc`: the addresses in the To and Cc fields.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::header::Part;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Any To or Cc",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "Holds if it holds for one address in the To and Cc fields at least; without any it does not.",
    example: r#"["Any To or Cc", "is", "staff@north.example"]"#,
    parse: |arguments| Some(Arc::new(AnyToOrCc(arguments.pictures()?))),
};

#[derive(Debug)]
struct AnyToOrCc(Pictures);

impl Test for AnyToOrCc {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        let mut one = |part| self.0.hold_for_one(evidence.header.part(part), evidence, witness);
        one(Part::To) || one(Part::Cc)
    }

    fn needs(&self, needs: &mut Needs) {
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::holds;

    #[test]
    fn looks_at_both() {
        let mail = "To: a@north.example\nCc: b@east.example\n\n";
        assert!(holds(r#"["Any To or Cc", "is", "a@north.example"]"#, mail));
        assert!(holds(r#"["Any To or Cc", "is", "b@east.example"]"#, mail));
        assert!(holds(r#"["Any To or Cc", "is not", "a@north.example"]"#, mail));
        assert!(!holds(r#"["Any To or Cc", "is", "c@*"]"#, mail));
        assert!(!holds(r#"["Any To or Cc", "is not", "c@*"]"#, "From: a@north.example\n\n"));
    }
}
