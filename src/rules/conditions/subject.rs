//! `Subject`: the text of the Subject field.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::header::Part;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Subject",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "The Subject, unfolded and decoded. Without one only `is not` and `not in` hold.",
    example: r#"["Subject", "is", "*payslip*"]"#,
    parse: |arguments| Some(Arc::new(Subject(arguments.pictures()?))),
};

#[derive(Debug)]
struct Subject(Pictures);

impl Test for Subject {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_field(evidence.header.part(Part::Subject), evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::holds;

    #[test]
    fn is_decoded_and_unfolded() {
        let mail = "Subject: =?utf-8?Q?Geh=C3=A4lter?=\n im Mai\n\n";
        assert!(holds(r#"["Subject", "is", "gehälter im mai"]"#, mail));
        assert!(!holds(r#"["Subject", "is not", "*GEHÄLTER*"]"#, mail));
    }

    #[test]
    fn absent_and_empty_differ() {
        assert!(!holds(r#"["Subject", "is", "*"]"#, "To: x\n\n"));
        assert!(holds(r#"["Subject", "is not", "*"]"#, "To: x\n\n"));
        assert!(holds(r#"["Subject", "is", ""]"#, "Subject:\n\n"));
    }
}
