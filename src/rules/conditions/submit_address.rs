//! `Submit Address`: which client handed the message over.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::evidence::Value;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Submit Address",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "How and by which client the message was handed over: `LMTP [192.0.2.1]`, `PIPE [192.0.2.1]`. Where the hook tells no client only `is not` and `not in` hold.",
    example: r#"["Submit Address", "is", "* [192.0.2.*]"]"#,
    parse: |arguments| Some(Arc::new(SubmitAddress(arguments.pictures()?))),
};

#[derive(Debug)]
struct SubmitAddress(Pictures);

impl Test for SubmitAddress {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        let envelope = evidence.envelope;
        let value = |client: &String| Value::new(format!("{} [{client}]", envelope.source.transport()));
        let address = envelope.client.as_ref().map(value);
        self.0.hold_for_field(address.as_slice(), evidence, witness)
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
    fn names_the_transport_and_the_client() {
        let from = |source, client: &str| Envelope {
            source,
            client: Some(client.to_owned()),
            ..envelope(None, &["bob@north.example"])
        };
        let lmtp = from(Source::Lmtp, "192.0.2.1");
        assert!(holds_with(r#"["Submit Address", "is", "LMTP [192.0.2.1]"]"#, "\n", &lmtp));
        assert!(holds_with(r#"["Submit Address", "in", ["x", "lmtp [192.0.2.*]"]]"#, "\n", &lmtp));
        assert!(!holds_with(r#"["Submit Address", "is not", "* [192.0.2.1]"]"#, "\n", &lmtp));
        for source in [Source::Pipe, Source::Trusted, Source::Authenticated] {
            let piped = from(source, "2001:db8::1");
            assert!(holds_with(r#"["Submit Address", "is", "PIPE [2001:DB8::1]"]"#, "\n", &piped));
            assert!(holds_with(r#"["Submit Address", "not in", ["LMTP *"]]"#, "\n", &piped));
        }
    }

    #[test]
    fn without_a_client_only_the_negative_ones_hold() {
        let unknown = envelope(None, &["bob@north.example"]);
        assert!(!holds_with(r#"["Submit Address", "is", "*"]"#, "\n", &unknown));
        assert!(holds_with(r#"["Submit Address", "is not", "*"]"#, "\n", &unknown));
    }
}
