//! `Each Recipient`: all recipients of the envelope.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Each Recipient",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "Holds if it holds for every recipient of the envelope, as it was before aliases were resolved.",
    example: r#"["Each Recipient", "is", "*@north.example"]"#,
    parse: |arguments| Some(Arc::new(EachRecipient(arguments.pictures()?))),
};

#[derive(Debug)]
struct EachRecipient(Pictures);

impl Test for EachRecipient {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_each(evidence.recipients(), evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.recipients = true;
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::{envelope, holds_with};

    #[test]
    fn every_recipient_must_do() {
        let two = envelope(Some(""), &["Info@north.example", "bob@east.example"]);
        let mail = "To: list@west.example\n\n";
        assert!(!holds_with(r#"["Each Recipient", "is", "info@*"]"#, mail, &two));
        assert!(holds_with(r#"["Each Recipient", "in", ["info@*", "bob@*"]]"#, mail, &two));
        assert!(!holds_with(r#"["Each Recipient", "is not", "info@*"]"#, mail, &two));
        assert!(holds_with(r#"["Each Recipient", "not in", ["list@*", "x"]]"#, mail, &two));
    }
}
