//! `Source`: how the message came in.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::evidence::Value;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Source",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "How the message came in, as the hook says: `trusted`, `authenticated`, `lmtp` or `pipe`.",
    example: r#"["Source", "in", ["trusted", "authenticated"]]"#,
    parse: |arguments| Some(Arc::new(FromSource(arguments.pictures()?))),
};

#[derive(Debug)]
struct FromSource(Pictures);

impl Test for FromSource {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        let source = Value::new(evidence.envelope.source.name().to_owned());
        self.0.hold_for_field(&[source], evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::{envelope, holds_with};
    use crate::rules::{Envelope, Source};

    #[test]
    fn each_has_its_word() {
        let words = [
            (Source::Trusted, "trusted"),
            (Source::Authenticated, "Authenticated"),
            (Source::Lmtp, "lmtp"),
            (Source::Pipe, "PIPE"),
        ];
        for (source, word) in words {
            let envelope = Envelope { source, ..envelope(None, &["bob@north.example"]) };
            let holds = |rest: &str| holds_with(&format!("[\"Source\", {rest}]"), "\n", &envelope);
            assert!(holds(&format!("\"is\", \"{word}\"")));
            assert!(!holds(&format!("\"is not\", \"{word}\"")));
            for (_, other) in words.iter().filter(|(_, other)| *other != word) {
                assert!(!holds(&format!("\"in\", [\"{other}\", \"x\"]")));
                assert!(holds(&format!("\"not in\", [\"{other}\"]")));
            }
        }
    }
}
