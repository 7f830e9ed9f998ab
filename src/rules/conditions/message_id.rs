//! `Message-ID`: the message's identifier.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::header::Part;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Message-ID",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "The identifier of the message with its angle brackets. Without one only `is not` and `not in` hold.",
    example: r#"["Message-ID", "is", "<*@mailer.north.example>"]"#,
    parse: |arguments| Some(Arc::new(MessageId(arguments.pictures()?))),
};

#[derive(Debug)]
struct MessageId(Pictures);

impl Test for MessageId {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_field(evidence.header.part(Part::MessageId), evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::holds;

    #[test]
    fn has_its_angle_brackets_and_nothing_around_them() {
        let mail = "Message-ID:\n <1@North.example>\n (a comment)\n\n";
        assert!(holds(r#"["Message-ID", "is", "<1@north.example>"]"#, mail));
        assert!(!holds(r#"["Message-ID", "is", "1@north.example"]"#, mail));
        assert!(!holds(r#"["Message-ID", "is not", "*north*"]"#, mail));
        assert!(holds(r#"["Message-ID", "in", ["x", "<*>"]]"#, mail));
        assert!(holds(r#"["Message-ID", "not in", ["*comment*"]]"#, mail));
    }

    #[test]
    fn absent_only_the_negative_ones_hold() {
        assert!(!holds(r#"["Message-ID", "is", "*"]"#, "References: <1@x>\n\n"));
        assert!(holds(r#"["Message-ID", "is not", "*"]"#, "References: <1@x>\n\n"));
        assert!(holds(r#"["Message-ID", "not in", ["*"]]"#, "Message-ID:\n\n"));
    }
}
