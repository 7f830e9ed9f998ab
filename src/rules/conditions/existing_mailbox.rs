//! `Existing Mailbox`: is there such a mailbox?

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Existing Mailbox",
    operators: Operator::PICTURES,
    scopes: ScopeKind::OF_ACCOUNTS,
    doc: "The account's mailboxes, levels separated by `/`; INBOX is always there. `is not` and `not in` hold if none matches.",
    example: r#"["Existing Mailbox", "is", "Lists/Rust"]"#,
    parse: |arguments| Some(Arc::new(ExistingMailbox(arguments.pictures()?))),
};

#[derive(Debug)]
struct ExistingMailbox(Pictures);

impl Test for ExistingMailbox {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_field(evidence.mailboxes(), evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.mailboxes = true;
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Facts;
    use crate::rules::evaluate::testing::holds_among;

    #[test]
    fn one_of_that_name_exists() {
        let mailboxes = ["INBOX", "Vault/Payroll", "Entwürfe"].map(str::to_owned).to_vec();
        let facts = Facts { mailboxes, ..Facts::default() };
        let holds = |rest: &str| holds_among(&format!("[\"Existing Mailbox\", {rest}]"), "\n", &facts);
        assert!(holds(r#""is", "Vault/Payroll""#));
        assert!(holds(r#""is", "inbox""#));
        assert!(holds(r#""is", "ENTWÜRFE""#));
        assert!(!holds(r#""is", "Vault""#));
        assert!(holds(r#""is not", "Vault""#));
        assert!(holds(r#""in", ["Trash", "Vault/*"]"#));
        assert!(!holds(r#""not in", ["Trash", "Vault/*"]"#));
    }

    #[test]
    fn the_inbox_is_always_there() {
        let facts = Facts::default();
        assert!(holds_among(r#"["Existing Mailbox", "is", "Inbox"]"#, "\n", &facts));
        assert!(!holds_among(r#"["Existing Mailbox", "is not", "*"]"#, "\n", &facts));
        assert!(holds_among(r#"["Existing Mailbox", "is not", "Trash"]"#, "\n", &facts));
    }
}
