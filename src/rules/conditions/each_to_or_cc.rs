//! `Each To or Cc`: all addresses in the To and Cc fields.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::header::Part;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Each To or Cc",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "Holds if it holds for every address in the To and Cc fields; without any it does.",
    example: r#"["Each To or Cc", "is", "*@north.example"]"#,
    parse: |arguments| Some(Arc::new(EachToOrCc(arguments.pictures()?))),
};

#[derive(Debug)]
struct EachToOrCc(Pictures);

impl Test for EachToOrCc {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        let mut each = |part| self.0.hold_for_each(evidence.header.part(part), evidence, witness);
        each(Part::To) && each(Part::Cc)
    }

    fn needs(&self, needs: &mut Needs) {
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::holds;

    #[test]
    fn every_address_must_do() {
        let mail = "To: a@north.example, b@north.example\nCc: c@east.example\n\n";
        assert!(!holds(r#"["Each To or Cc", "is", "*@north.example"]"#, mail));
        assert!(holds(r#"["Each To or Cc", "in", ["*@north.example", "c@*"]]"#, mail));
        assert!(!holds(r#"["Each To or Cc", "is not", "c@*"]"#, mail));
        assert!(holds(r#"["Each To or Cc", "not in", ["x@*", "y@*"]]"#, mail));
    }

    #[test]
    fn without_any_it_holds() {
        for operator in [r#""is", "x""#, r#""is not", "*""#, r#""in", ["x"]"#, r#""not in", ["*"]"#] {
            for mail in ["From: a@north.example\n\n", "To: undisclosed-recipients:;\n\n"] {
                assert!(holds(&format!("[\"Each To or Cc\", {operator}]"), mail), "{operator}");
            }
        }
    }
}
