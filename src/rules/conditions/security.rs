//! `Security`: how the message is protected.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::arguments::Arguments;
use crate::rules::datum::Node;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Security",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "What protects the message, by structure and never by a label: `encrypted`, `signed`, `encrypted-to-owner` (not in server scope); empty if nothing does. A picture is held against all words in this order, and against each alone.",
    example: r#"["Security", "is not", "encrypted*"]"#,
    parse: |arguments| {
        let is_possible = refuse_owner(arguments);
        let pictures = arguments.pictures()?;
        is_possible.then(|| Arc::new(Security(pictures)) as Arc<dyn Test>)
    },
};

const TO_OWNER: &str = "encrypted-to-owner";

/// In server scope there is no one owner; a picture that asks for him would never match.
fn refuse_owner(arguments: &mut Arguments<'_, '_>) -> bool {
    if arguments.scope != ScopeKind::Server {
        return true;
    }
    let Some(first) = arguments.rest.first() else { return true };
    let items = first.as_list().unwrap_or(std::slice::from_ref(first));
    let asks = |item: &&Node| item.as_text().is_some_and(|text| text.to_ascii_lowercase().contains(TO_OWNER));
    let wrong: Vec<&Node> = items.iter().filter(asks).collect();
    for item in &wrong {
        let text = format!("\"{TO_OWNER}\" is not allowed in server scope: a message has no one owner there");
        let hint = "it is allowed in: \"domain\", \"account\"".to_owned();
        arguments.faults.add(item.span.clone(), text, hint);
    }
    wrong.is_empty()
}

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
