//! `Return-Path`: the sender of the envelope.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Return-Path",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "The sender of the envelope, empty for the null sender.",
    example: r#"["Return-Path", "is", ""]"#,
    parse: |arguments| Some(Arc::new(ReturnPath(arguments.pictures()?))),
};

#[derive(Debug)]
struct ReturnPath(Pictures);

impl Test for ReturnPath {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_field(evidence.sender(), evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::{envelope, holds_with};

    #[test]
    fn the_null_sender_is_an_empty_value() {
        let null = envelope(Some(""), &["bob@north.example"]);
        assert!(holds_with(r#"["Return-Path", "is", ""]"#, "\n", &null));
        assert!(!holds_with(r#"["Return-Path", "is not", ""]"#, "\n", &null));
        let eve = envelope(Some("Eve@east.example"), &["bob@north.example"]);
        assert!(holds_with(r#"["Return-Path", "in", ["x", "eve@*"]]"#, "\n", &eve));
    }

    #[test]
    fn an_unknown_sender_matches_nothing() {
        let unknown = envelope(None, &["bob@north.example"]);
        assert!(!holds_with(r#"["Return-Path", "is", "*"]"#, "Return-Path: <a@x>\n\n", &unknown));
        assert!(holds_with(r#"["Return-Path", "is not", "*"]"#, "\n", &unknown));
    }
}
