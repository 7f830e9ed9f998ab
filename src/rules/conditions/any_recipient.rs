//! `Any Recipient`: the recipients of the envelope.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Any Recipient",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "Holds if it holds for one recipient of the envelope at least, as it was before aliases were resolved.",
    example: r#"["Any Recipient", "is", "info@north.example"]"#,
    parse: |arguments| Some(Arc::new(AnyRecipient(arguments.pictures()?))),
};

#[derive(Debug)]
struct AnyRecipient(Pictures);

impl Test for AnyRecipient {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_one(evidence.recipients(), evidence, witness)
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
    fn looks_at_the_envelope_and_not_at_the_header() {
        let two = envelope(Some(""), &["Info@north.example", "bob@north.example"]);
        let mail = "To: list@east.example\n\n";
        assert!(holds_with(r#"["Any Recipient", "is", "info@*"]"#, mail, &two));
        assert!(holds_with(r#"["Any Recipient", "is not", "info@*"]"#, mail, &two));
        assert!(!holds_with(r#"["Any Recipient", "not in", ["info@*", "bob@*"]]"#, mail, &two));
        assert!(!holds_with(r#"["Any Recipient", "is", "list@*"]"#, mail, &two));
    }
}
