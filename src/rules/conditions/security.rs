//! `Security`: how the message is protected.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Security",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "What protects the message, by structure and never by a label: `encrypted`, `signed`, `encrypted-to-owner`; empty if nothing does.",
    example: r#"["Security", "is not", "encrypted*"]"#,
    parse: |arguments| Some(Arc::new(Security(arguments.pictures()?))),
};

#[derive(Debug)]
struct Security(Pictures);

impl Test for Security {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_field(evidence.security(), evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.owner_ids = true;
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::holds;

    #[test]
    fn a_plain_message_has_the_empty_value() {
        let mail = "Subject: x\nContent-Type: text/plain\n\nhello\n";
        assert!(holds(r#"["Security", "is", ""]"#, mail));
        assert!(holds(r#"["Security", "is not", "encrypted*"]"#, mail));
        assert!(!holds(r#"["Security", "in", ["signed", "encrypted"]]"#, mail));
    }

    #[test]
    fn a_label_does_not_count() {
        let mail = "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nhello\n";
        assert!(holds(r#"["Security", "is", ""]"#, mail));
    }
}
