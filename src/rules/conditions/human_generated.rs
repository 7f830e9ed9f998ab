//! `Human Generated`: no machine says that it wrote this.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::mail::Field;
use crate::rules::ScopeKind;
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Human Generated",
    operators: &[],
    scopes: ScopeKind::ALL,
    doc: "No field of a list, a robot or a mirror is there, and the envelope has a sender.",
    example: r#"["Human Generated"]"#,
    parse: |_| Some(Arc::new(HumanGenerated)),
};

#[derive(Debug)]
struct HumanGenerated;

impl Test for HumanGenerated {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        let Some(sender) = evidence.envelope.sender.as_deref().filter(|sender| !sender.is_empty()) else {
            witness.value(&"Return-Path: <>");
            return false;
        };
        let mark = evidence.header.find_once(is_mark_of_a_machine);
        match &mark {
            Some(field) => witness.value(field),
            None => witness.value(&format_args!("Return-Path: <{sender}>")),
        }
        mark.is_none()
    }
}

/// Field names that begin with one of these are written by machines.
const PREFIXES: &[&str] = &["x-list", "x-mirror", "x-auto", "x-mailing-list", "auto-", "list-"];

/// Does the field say that a program or a list sent the message?
pub(crate) fn is_mark_of_a_machine(field: &Field<'_>) -> bool {
    let name = field.name().to_ascii_lowercase();
    match name.as_str() {
        "precedence" => ["bulk", "junk", "list"].contains(&first_word(field).as_str()),
        "auto-submitted" => first_word(field) != "no",
        // Outlook asks for no automatic answers in mail that people write.
        "x-auto-response-suppress" => false,
        _ => PREFIXES.iter().any(|prefix| name.starts_with(prefix)),
    }
}

/// The value up to a parameter or a comment (RFC 3834 section 5), in lower case.
fn first_word(field: &Field<'_>) -> String {
    let text = field.text();
    let word = text.split([';', '(', ' ', '\t']).next().unwrap_or_default();
    word.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::{envelope, holds, holds_with};

    #[test]
    fn marks_of_machines() {
        for mark in [
            "Precedence: Bulk",
            "Precedence: junk (robot)",
            "precedence: list",
            "X-List: a",
            "X-ListServer: a",
            "X-Mirrored-By: a",
            "X-Autoreply: yes",
            "X-Mailing-List: a",
            "Auto-Submitted: auto-replied",
            "Auto-Submitted:",
            "Auto-Forwarded: yes",
            "List-Id: <a.b>",
        ] {
            assert!(!holds(r#"["Human Generated"]"#, &format!("{mark}\n\n")), "{mark}");
        }
    }

    #[test]
    fn marks_that_people_leave_too() {
        for mark in [
            "Precedence: first-class",
            "Auto-Submitted: No",
            "Auto-Submitted: no; owner-email=a@x",
            "X-Auto-Response-Suppress: All",
            "X-Mailer: a",
            "Listing: a",
            "Subject: Precedence: bulk",
        ] {
            assert!(holds(r#"["Human Generated"]"#, &format!("{mark}\n\n")), "{mark}");
        }
    }

    #[test]
    fn the_envelope_needs_a_sender() {
        assert!(!holds_with(r#"["Human Generated"]"#, "\n", &envelope(Some(""), &["b@x.example"])));
        assert!(!holds_with(r#"["Human Generated"]"#, "\n", &envelope(None, &["b@x.example"])));
    }
}
